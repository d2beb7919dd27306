//! The admin API, as a program of the operator's uses it.

mod changes;
mod clients;
mod in_advance;
mod reads;
mod routes;

const FAKE: &str = "[providers.fake]\n";
const BOTH: &str = "admin:read admin:write";
