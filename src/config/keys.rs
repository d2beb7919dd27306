//! The key file: what seals provider secrets, signs access tokens and derives refresh tokens.
//!
//! Made on first start in development, demanded in production. Several instances share one file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use figment::Figment;
use figment::providers::{Format as _, Toml};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::domain::Secret;
use crate::domain::staff::StaffKeys;
use crate::domain::tokens::{RefreshChain, SigningKey};
use crate::storage::sealing::Sealer;

/// Why there are no keys.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Production never makes keys by itself.
    #[error(
        "the key file {0} does not exist\n    make it once with `latchkey keys generate --file {0}`, keep a copy outside the database's backups, and give it to every instance"
    )]
    Missing(PathBuf),
    /// It is there already; nothing is ever overwritten.
    #[error(
        "the key file {0} exists already\n    what it seals would be lost: move it away first if you mean it"
    )]
    Exists(PathBuf),
    /// It cannot be read or written.
    #[error(
        "the key file {path} cannot be used: {source}\n    check the path keys.file and the permissions"
    )]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its content is not what `keys generate` writes.
    #[error("the key file {path} is damaged: {what}\n    restore it from your copy")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong, without any of the content.
        what: &'static str,
    },
}

/// The keys of the service.
pub struct Keys {
    /// Seals provider secrets.
    pub sealer: Sealer,
    /// Sign access tokens; the first signs, all verify.
    pub signing: Vec<SigningKey>,
    /// Derives refresh tokens.
    pub refresh_chain: RefreshChain,
    /// Protect the cookies and forms of staff.
    pub staff: StaffKeys,
}

/// The file's form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    sealing: Vec<SealingEntry>,
    signing: Vec<SigningEntry>,
    refresh: RefreshEntry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SealingEntry {
    id: u8,
    key: Secret,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SigningEntry {
    kid: String,
    /// PKCS#8, base64.
    ed25519: Secret,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefreshEntry {
    key: Secret,
}

impl Keys {
    /// Reads `path`; makes it first if it does not exist and `may_make` says so.
    ///
    /// # Errors
    /// [`KeyError`], each with its remedy.
    pub fn load(path: &Path, may_make: bool) -> Result<Self, KeyError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && may_make => {
                match generate(path) {
                    // Another instance may have been first: its keys are as good.
                    Ok(()) | Err(KeyError::Exists(_)) => {}
                    Err(error) => return Err(error),
                }
                fs::read_to_string(path).map_err(|source| file_error(path, source))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeyError::Missing(path.to_owned()));
            }
            Err(source) => return Err(file_error(path, source)),
        };
        parse(&text).map_err(|what| KeyError::Damaged {
            path: path.to_owned(),
            what,
        })
    }
}

fn file_error(path: &Path, source: io::Error) -> KeyError {
    KeyError::File {
        path: path.to_owned(),
        source,
    }
}

fn parse(text: &str) -> Result<Keys, &'static str> {
    // The error of the parser may quote the content, so it is dropped.
    let file: KeyFile = Figment::new()
        .merge(Toml::string(text))
        .extract()
        .map_err(|_parse_error| "it is not the TOML that `latchkey keys generate` writes")?;
    let sealing = file
        .sealing
        .iter()
        .map(|entry| Ok((entry.id, key_bytes(&entry.key)?)))
        .collect::<Result<Vec<_>, &'static str>>()?;
    let signing = file
        .signing
        .into_iter()
        .map(signing_key)
        .collect::<Result<Vec<_>, _>>()?;
    if signing.is_empty() {
        return Err("it has no signing key");
    }
    let refresh = key_bytes(&file.refresh.key)?;
    Ok(Keys {
        sealer: Sealer::new(sealing)
            .map_err(|_bad| "its sealing keys are missing or share an id")?,
        signing,
        refresh_chain: RefreshChain::new(&refresh),
        staff: StaffKeys::derive(&refresh),
    })
}

fn key_bytes(key: &Secret) -> Result<[u8; 32], &'static str> {
    let bytes = STANDARD.decode(key.expose()).unwrap_or_default();
    bytes
        .try_into()
        .map_err(|_wrong_length: Vec<u8>| "a key is not 32 bytes of base64")
}

fn signing_key(entry: SigningEntry) -> Result<SigningKey, &'static str> {
    let pkcs8 = STANDARD.decode(entry.ed25519.expose()).unwrap_or_default();
    let Ok(pair) = Ed25519KeyPair::from_pkcs8(&pkcs8) else {
        return Err("a signing key is not an Ed25519 key in PKCS#8");
    };
    Ok(SigningKey::ed25519(entry.kid, pair))
}

/// Writes a new key file that only its owner can read. Never overwrites: of several instances that try at once, one succeeds.
///
/// # Errors
/// [`KeyError::Exists`] and [`KeyError::File`].
pub fn generate(path: &Path) -> Result<(), KeyError> {
    if path.exists() {
        return Err(KeyError::Exists(path.to_owned()));
    }
    let (Ok(pair), random) = (Ed25519KeyPair::generate(), || {
        STANDARD.encode(rand::random::<[u8; 32]>())
    }) else {
        return Err(file_error(path, io::Error::other("no randomness")));
    };
    let Ok(pkcs8) = pair.to_pkcs8v1() else {
        return Err(file_error(
            path,
            io::Error::other("the key cannot be written"),
        ));
    };
    let kid = hex::encode(
        Sha256::digest(pair.public_key().as_ref())
            .get(..8)
            .unwrap_or_default(),
    );
    let text = format!(
        "# Secret keys of a Latchkey service. Whoever has this file can sign in as anyone and read every stored token.\n\
         # Keep a copy apart from the database's backups. The first of each list is in use, the others still open and verify.\n\
         \n[[sealing]]\nid = 1\nkey = \"{}\"\n\n[[signing]]\nkid = \"{kid}\"\ned25519 = \"{}\"\n\n[refresh]\nkey = \"{}\"\n",
        random(),
        STANDARD.encode(pkcs8.as_ref()),
        random(),
    );
    // Written aside and linked into place, so that nobody ever reads half a file.
    let aside = path.with_extension(format!("{}.new", hex::encode(rand::random::<[u8; 8]>())));
    let written = write_private(&aside, &text).and_then(|()| fs::hard_link(&aside, path));
    let removed = fs::remove_file(&aside);
    match written {
        Ok(()) => removed.map_err(|source| file_error(&aside, source)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(KeyError::Exists(path.to_owned()))
        }
        Err(source) => Err(file_error(path, source)),
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_file_is_read_back_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latchkey.keys.toml");

        assert!(matches!(
            Keys::load(&path, false),
            Err(KeyError::Missing(_))
        ));
        let keys = Keys::load(&path, true).unwrap();
        let before = fs::read(&path).unwrap();

        assert_eq!(keys.signing.len(), 1);
        assert!(matches!(generate(&path), Err(KeyError::Exists(_))));
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_file_is_refused_without_quoting_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        fs::write(&path, "[[sealing]]\nid = 1\nkey = \"c2VjcmV0\"\n").unwrap();

        let Err(error) = Keys::load(&path, true) else {
            panic!("accepted")
        };

        assert!(matches!(error, KeyError::Damaged { .. }));
        assert!(!error.to_string().contains("c2VjcmV0"));
    }

    #[test]
    fn instances_that_start_at_once_share_the_first_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");

        let kids: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| Keys::load(&path, true).map(|keys| keys.signing.len())))
                .collect();
            starts
                .into_iter()
                .map(|start| start.join().unwrap().unwrap())
                .collect()
        });

        assert_eq!(kids, [1; 8]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
