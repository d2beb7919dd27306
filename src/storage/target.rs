//! Which database a URL means, and whether it may be used.

use std::borrow::Cow;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;

use super::StorageError;

/// Whether the libpq in this build can do TLS.
pub(super) const HAS_TLS: bool = cfg!(feature = "pg-tls");

/// What a URL points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A file.
    Sqlite { path: String },
    /// A URL for libpq.
    Postgres { url: String },
}

impl Target {
    /// Reads a URL. `has_tls` says whether libpq was built with TLS: without it `sslmode=prefer`, libpq's default, would quietly
    /// send the password and everything else in the clear.
    pub(super) fn parse(url: &str, has_tls: bool) -> Result<Self, StorageError> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            return sqlite(path);
        }
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .ok_or_else(|| {
                refused("the database URL must begin with sqlite:// or postgres://, such as sqlite://latchkey.db")
            })?;
        let postgres = PostgresUrl::parse(rest);
        if !has_tls {
            postgres.check_plaintext()?;
        }
        Ok(Self::Postgres {
            url: postgres.with_timeouts(url),
        })
    }
}

fn refused(text: impl Into<String>) -> StorageError {
    StorageError::UrlRefused(text.into())
}

fn sqlite(path: &str) -> Result<Target, StorageError> {
    if path.is_empty() || path.contains(":memory:") {
        return Err(refused(
            "the SQLite database must be a file, such as sqlite://latchkey.db",
        ));
    }
    if path.contains(['?', '#']) {
        return Err(refused(
            "a sqlite:// URL takes no parameters: write sqlite:// and the path alone",
        ));
    }
    // Otherwise SQLite would read such a path as a URI of its own.
    let path = if path.starts_with("file:") {
        format!("./{path}")
    } else {
        path.to_owned()
    };
    Ok(Target::Sqlite { path })
}

/// The parts of a PostgreSQL URL that decide where it leads (PostgreSQL documentation, "Connection URIs", 34.1.1.2).
struct PostgresUrl<'u> {
    hosts: Vec<Cow<'u, str>>,
    parameters: Vec<(Cow<'u, str>, Cow<'u, str>)>,
    has_query: bool,
}

impl<'u> PostgresUrl<'u> {
    fn parse(rest: &'u str) -> Self {
        let (before_query, query) = match rest.split_once('?') {
            Some((before, query)) => (before, Some(query)),
            None => (rest, None),
        };
        let authority = before_query.split('/').next().unwrap_or_default();
        let host_list = authority
            .rsplit_once('@')
            .map_or(authority, |(_, hosts)| hosts);
        let parameters: Vec<_> = query
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        let mut hosts: Vec<Cow<'u, str>> = host_list
            .split(',')
            .map(|host| decoded(without_port(host)))
            .collect();
        // The parameters win over the authority.
        for (name, value) in &parameters {
            if name == "host" || name == "hostaddr" {
                hosts.extend(value.split(',').map(|host| Cow::Owned(host.to_owned())));
            }
        }
        hosts.retain(|host| !host.is_empty());
        Self {
            hosts,
            parameters,
            has_query: query.is_some(),
        }
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .rev()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_ref())
    }

    fn check_plaintext(&self) -> Result<(), StorageError> {
        if self.parameter("sslmode") == Some("disable") {
            return Ok(());
        }
        let elsewhere = self.hosts.iter().find(|host| !is_local(host));
        let by_service = self.parameter("service").is_some();
        if elsewhere.is_none() && !by_service {
            return Ok(());
        }
        let host = elsewhere.map_or("named by a service file", AsRef::as_ref);
        Err(refused(format!(
            "the PostgreSQL host {host} is not on this machine, and this build of latchkey cannot encrypt the connection: \
             use a build with the feature pg-tls (cargo build --release --features pg-tls), or, if the network between is \
             trusted, add sslmode=disable to the database URL"
        )))
    }

    /// The URL with deadlines where it sets none: a host that swallows packets must not hold a connection for minutes.
    fn with_timeouts(&self, url: &str) -> String {
        let mut url = url.to_owned();
        let mut separator = if self.has_query { '&' } else { '?' };
        for (name, value) in [
            ("connect_timeout", "5"),
            ("tcp_user_timeout", "10000"),
            // A host that vanished after it took the question would be waited for, for two hours.
            ("keepalives_idle", "10"),
            ("keepalives_interval", "5"),
            ("keepalives_count", "3"),
            ("application_name", "latchkey"),
        ] {
            if self.parameter(name).is_none() {
                url.push(separator);
                url.push_str(name);
                url.push('=');
                url.push_str(value);
                separator = '&';
            }
        }
        url
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

fn without_port(host: &str) -> &str {
    if let Some(bracketed) = host.strip_prefix('[') {
        return bracketed.split(']').next().unwrap_or_default();
    }
    host.split(':').next().unwrap_or_default()
}

/// Whether a host is a socket (a path, or `@` for the abstract namespace) or this machine's loopback.
fn is_local(host: &str) -> bool {
    host.starts_with(['/', '@'])
        || host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tls_only_this_machine_or_a_spelt_out_choice_is_reached() {
        for good in [
            "postgres://localhost/x",
            "postgres://u:p@127.0.0.1:5433/x",
            "postgresql://u@[::1]:5432/x",
            "postgres:///x?host=/var/run/postgresql",
            "postgres://%2Fvar%2Frun%2Fpostgresql/x",
            "postgres:///x",
            "postgres://db.example.org/x?sslmode=disable",
            "postgres://localhost,127.0.0.2:5433/x",
        ] {
            assert!(Target::parse(good, false).is_ok(), "{good}");
        }
        for bad in [
            "postgres://db.example.org/x",
            "postgres://u:p@10.0.0.7/x",
            "postgres://u:p%40localhost@db.example.org/x",
            "postgres://u:p@ss@db.example.org/x",
            "postgres://localhost,db.example.org/x",
            "postgres://localhost/x?host=db.example.org",
            "postgres://localhost/x?h%6Fst=db.example.org",
            "postgres://localhost/x?hostaddr=10.0.0.7",
            "postgres://db.example.org/x?sslmode=prefer",
            "postgres://db.example.org/x?sslmode=require",
            "postgres://db.example.org/x?sslmode=disable&sslmode=prefer",
            "postgres:///x?service=main",
        ] {
            let Err(StorageError::UrlRefused(text)) = Target::parse(bad, false) else {
                panic!("{bad} was not refused");
            };
            assert!(text.contains("pg-tls") && text.contains("sslmode=disable"));
            assert!(!text.contains(":p"), "a password in: {text}");
        }
        assert!(Target::parse("postgres://db.example.org/x", true).is_ok());
    }

    #[test]
    fn a_url_keeps_its_own_deadlines_and_gets_the_missing_ones() {
        let url = |url| match Target::parse(url, true).unwrap() {
            Target::Postgres { url } => url,
            Target::Sqlite { path } => path,
        };

        let given = url("postgres://h/x?connect_timeout=1");
        assert!(given.starts_with("postgres://h/x?connect_timeout=1&tcp_user_timeout="));
        assert!(url("postgres://h/x").starts_with("postgres://h/x?connect_timeout=5&"));
    }

    #[test]
    fn a_sqlite_url_is_a_plain_path() {
        let path = |url| match Target::parse(url, true) {
            Ok(Target::Sqlite { path }) => Some(path),
            _ => None,
        };

        assert_eq!(path("sqlite://latchkey.db").as_deref(), Some("latchkey.db"));
        assert_eq!(path("sqlite:///var/l.db").as_deref(), Some("/var/l.db"));
        assert_eq!(path("sqlite://file:x").as_deref(), Some("./file:x"));
        for bad in [
            "sqlite://",
            "sqlite://:memory:",
            "sqlite://a?mode=ro",
            "a.db",
        ] {
            assert_eq!(path(bad), None, "{bad}");
        }
    }
}
