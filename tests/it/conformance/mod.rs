//! Every entry of the catalogue against a provider that answers as the real one does, or misbehaves.
//!
//! An entry needs a folder `tests/fixtures/providers/<id>/`; see `tests/fixtures/providers/README.md`. An entry without one, or
//! with a case missing, fails [`catalogue::every_entry_has_its_fixtures`].

mod audience;
mod catalogue;
mod fixtures;
mod good;
mod hostile;
mod id_tokens;
mod revocation;
mod scene;
mod specifics;
mod uids;
