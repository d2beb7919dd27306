//! How an API client says who it is, at the token endpoint (RFC 6749 §2.3.1): in the header or in the body, not both.

use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::Secret;
use crate::flows::clients::ClientTokenError;
use crate::web::error::Error;
use crate::web::extract::Members;

/// Longest id and secret, in bytes.
const TEXT_MAX_BYTES: usize = 512;

/// An id and a secret, not checked yet.
pub(super) struct ClientCredentials {
    pub(super) client_id: String,
    pub(super) secret: Secret,
}

impl ClientCredentials {
    /// Those of a request.
    ///
    /// # Errors
    /// `invalid_client` when there are none or they cannot be read, `invalid_request` when they are there twice.
    pub(super) fn read(request: &HttpRequest, members: &Members) -> Result<Self, Error> {
        let of_header = Self::of_header(request)?;
        let text = |name| {
            members
                .text(name, TEXT_MAX_BYTES)
                .map_err(|_unusable| INVALID_CLIENT)
        };
        let (client_id, secret) = (text("client_id")?, text("client_secret")?);
        match (of_header, client_id, secret) {
            // An id beside the header is superfluous, and harmless if it is the same (RFC 6749 §3.2.1).
            (Some(known), client_id, None)
                if client_id.as_ref().is_none_or(|id| *id == known.client_id) =>
            {
                Ok(known)
            }
            (None, Some(client_id), Some(secret)) => Ok(Self {
                client_id,
                secret: Secret::new(secret),
            }),
            (Some(_), _, _) => Err(Error::OAuth {
                code: "invalid_request",
                sentence: "The client says who it is in the header or in the body, not in both",
            }),
            (None, _, _) => Err(INVALID_CLIENT),
        }
    }

    /// Those of the header `Authorization: Basic`, if there is any such header.
    fn of_header(request: &HttpRequest) -> Result<Option<Self>, Error> {
        let mut values = request.headers().get_all(header::AUTHORIZATION);
        let (Some(value), None) = (values.next(), values.next()) else {
            let is_there = request.headers().contains_key(header::AUTHORIZATION);
            return if is_there {
                Err(INVALID_CLIENT)
            } else {
                Ok(None)
            };
        };
        let text = value.to_str().unwrap_or_default();
        Self::of_basic(text).map(Some).ok_or(INVALID_CLIENT)
    }

    fn of_basic(value: &str) -> Option<Self> {
        let (scheme, encoded) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        // Each part was encoded as a form's value is (RFC 6749 §2.3.1), so that there is no other colon.
        let (client_id, secret) = decoded.split_once(':')?;
        let [client_id, secret] = [client_id, secret].map(form_decoded);
        (!client_id.is_empty() && !secret.is_empty()).then(|| Self {
            client_id,
            secret: Secret::new(secret),
        })
    }
}

const INVALID_CLIENT: Error = Error::ClientToken(ClientTokenError::InvalidClient);

fn form_decoded(value: &str) -> String {
    percent_encoding::percent_decode_str(&value.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(pair: &str) -> Option<(String, String)> {
        let read = ClientCredentials::of_basic(&format!("bAsIc {}", STANDARD.encode(pair)))?;
        Some((read.client_id, read.secret.expose().to_owned()))
    }

    #[test]
    fn id_and_secret_are_decoded_as_a_forms_values() {
        assert_eq!(
            basic("client%2D1:a+b%3Ac%25"),
            Some(("client-1".to_owned(), "a b:c%".to_owned()))
        );
        for bad in ["", "client-1", ":secret", "client-1:"] {
            assert_eq!(basic(bad), None, "{bad}");
        }
        for header in ["Basic", "Basic %%%", "Bearer abc", "Basic /w=="] {
            assert!(ClientCredentials::of_basic(header).is_none(), "{header}");
        }
    }
}
