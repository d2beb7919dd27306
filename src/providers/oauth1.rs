//! OAuth 1.0a request signing with HMAC-SHA1 (RFC 5849 §3).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use sha1::Sha1;
use url::Url;

use super::entry::Method;

/// All but the unreserved characters (RFC 5849 §3.6).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What signs a request.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// Our consumer key.
    pub consumer_key: &'a str,
    /// Our consumer secret.
    pub consumer_secret: &'a str,
    /// The person's token.
    pub token: &'a str,
    /// Its secret.
    pub token_secret: &'a str,
}

/// The value of the `Authorization` header (RFC 5849 §3.5.1) for a request whose query stands in `url` and whose form parameters,
/// if any, are `form`. `nonce` must be fresh, at least 128 bit; `timestamp` is in seconds since 1970.
#[must_use]
pub fn authorization_header(
    method: Method,
    url: &Url,
    form: &[(String, String)],
    credentials: Credentials<'_>,
    nonce: &str,
    timestamp: i64,
) -> String {
    let timestamp = timestamp.to_string();
    let protocol = [
        ("oauth_consumer_key", credentials.consumer_key),
        ("oauth_nonce", nonce),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", &timestamp),
        ("oauth_token", credentials.token),
        ("oauth_version", "1.0"),
    ];
    let signature = signature(
        &base_string(method, url, &protocol, form),
        credentials.consumer_secret,
        credentials.token_secret,
    );
    let mut header = String::from("OAuth ");
    for (name, value) in protocol {
        push_header_parameter(&mut header, name, value);
        header.push_str(", ");
    }
    push_header_parameter(&mut header, "oauth_signature", &signature);
    header
}

fn push_header_parameter(header: &mut String, name: &str, value: &str) {
    // Writing into a String cannot fail.
    let _ = write!(header, "{name}=\"{}\"", encode(value.as_bytes()));
}

/// The signature base string (RFC 5849 §3.4.1). `protocol` holds the `oauth_` parameters without `oauth_signature` and `realm`.
#[must_use]
pub fn base_string(
    method: Method,
    url: &Url,
    protocol: &[(&str, &str)],
    form: &[(String, String)],
) -> String {
    let method = match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Delete => "DELETE",
    };
    let parameters = normalized_parameters(url, protocol, form);
    format!(
        "{method}&{}&{}",
        encode(base_string_uri(url).as_bytes()),
        encode(parameters.as_bytes())
    )
}

/// The signature (RFC 5849 §3.4.2), in base64.
#[must_use]
pub fn signature(base_string: &str, consumer_secret: &str, token_secret: &str) -> String {
    let key = format!(
        "{}&{}",
        encode(consumer_secret.as_bytes()),
        encode(token_secret.as_bytes())
    );
    // RFC 2104 takes keys of any length, so this arm is never entered; an empty signature is refused by every provider.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(base_string.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// RFC 5849 §3.4.1.2. [`Url`] has put scheme and host in lower case, dropped the default port and set an empty path to `/`.
fn base_string_uri(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let mut uri = format!("{}://{host}", url.scheme());
    if let Some(port) = url.port() {
        // Writing into a String cannot fail.
        let _ = write!(uri, ":{port}");
    }
    uri.push_str(url.path());
    uri
}

/// RFC 5849 §3.4.1.3.2: encoded first, sorted after.
fn normalized_parameters(
    url: &Url,
    protocol: &[(&str, &str)],
    form: &[(String, String)],
) -> String {
    let mut pairs: Vec<(String, String)> = query_pairs(url.query().unwrap_or_default())
        .chain(protocol.iter().map(|(name, value)| pair(name, value)))
        .chain(form.iter().map(|(name, value)| pair(name, value)))
        .collect();
    pairs.sort_unstable();
    let mut parameters = String::new();
    for (name, value) in &pairs {
        if !parameters.is_empty() {
            parameters.push('&');
        }
        parameters.push_str(name);
        parameters.push('=');
        parameters.push_str(value);
    }
    parameters
}

fn pair(name: &str, value: &str) -> (String, String) {
    (encode(name.as_bytes()), encode(value.as_bytes()))
}

/// The query's parameters, decoded by the rules of forms (RFC 5849 §3.4.1.3.1) and encoded again. Bytes, not text: what is no UTF-8
/// must be signed as it is sent.
fn query_pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (recode(name), recode(value))
        })
}

fn recode(piece: &str) -> String {
    let spaced = piece.replace('+', " ");
    let bytes: Vec<u8> = percent_decode(spaced.as_bytes()).collect();
    encode(&bytes)
}

/// Percent-encoding (RFC 5849 §3.6).
fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn form(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_base_string_is_that_of_rfc_5849_section_3_4_1_1() {
        let base = base_string(
            Method::Post,
            &url("http://EXAMPLE.COM/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b"),
            &[
                ("oauth_consumer_key", "9djdj82h48djs9d2"),
                ("oauth_token", "kkk9d7dh3k39sjv7"),
                ("oauth_signature_method", "HMAC-SHA1"),
                ("oauth_timestamp", "137131201"),
                ("oauth_nonce", "7d8f3e4a"),
            ],
            &form(&[("c2", ""), ("a3", "2 q")]),
        );

        assert_eq!(
            base,
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q\
             %26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_\
             key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_m\
             ethod%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk\
             9d7dh3k39sjv7"
        );
    }

    #[test]
    fn the_signatures_are_those_of_rfc_5849_section_1_2() {
        let token = base_string(
            Method::Post,
            &url("https://photos.example.net/token"),
            &[
                ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
                ("oauth_token", "hh5s93j4hdidpola"),
                ("oauth_signature_method", "HMAC-SHA1"),
                ("oauth_timestamp", "137131201"),
                ("oauth_nonce", "walatlh"),
                ("oauth_verifier", "hfdp7dh39dks9884"),
            ],
            &[],
        );
        let photo = base_string(
            Method::Get,
            &url("http://photos.example.net/photos?file=vacation.jpg&size=original"),
            &[
                ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
                ("oauth_token", "nnch734d00sl2jdk"),
                ("oauth_signature_method", "HMAC-SHA1"),
                ("oauth_timestamp", "137131202"),
                ("oauth_nonce", "chapoH"),
            ],
            &[],
        );

        assert_eq!(
            signature(&token, "kd94hf93k423kf44", "hdhd0244k9j7ao03"),
            "gKgrFCywp7rO0OXSjdot/IHF7IU="
        );
        assert_eq!(
            signature(&photo, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00"),
            "MdpQcU8iPSUjWoN/UDMsK2sui9I="
        );
    }

    /// <https://developer.x.com/en/docs/authentication/oauth-1-0a/creating-a-signature>
    #[test]
    fn the_header_is_that_of_twitters_documentation() {
        let header = authorization_header(
            Method::Post,
            &url("https://api.twitter.com/1.1/statuses/update.json?include_entities=true"),
            &form(&[(
                "status",
                "Hello Ladies + Gentlemen, a signed OAuth request!",
            )]),
            Credentials {
                consumer_key: "xvz1evFS4wEEPTGEFPHBog",
                consumer_secret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
                token: "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
                token_secret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
            },
            "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
            1_318_622_958,
        );

        assert_eq!(
            header,
            "OAuth oauth_consumer_key=\"xvz1evFS4wEEPTGEFPHBog\", \
             oauth_nonce=\"kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg\", \
             oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1318622958\", \
             oauth_token=\"370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb\", \
             oauth_version=\"1.0\", oauth_signature=\"hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D\""
        );
    }

    #[test]
    fn only_unreserved_characters_stay_as_they_are() {
        // The table of Twitter's documentation on percent-encoding, and RFC 3986 §2.3.
        let cases = [
            ("Ladies + Gentlemen", "Ladies%20%2B%20Gentlemen"),
            ("An encoded string!", "An%20encoded%20string%21"),
            ("Dogs, Cats & Mice", "Dogs%2C%20Cats%20%26%20Mice"),
            ("☃", "%E2%98%83"),
            ("-._~", "-._~"),
            ("azAZ09", "azAZ09"),
            ("*'()", "%2A%27%28%29"),
            ("\0\n\u{7f}", "%00%0A%7F"),
        ];
        for (text, expected) in cases {
            assert_eq!(encode(text.as_bytes()), expected);
        }
    }

    #[test]
    fn default_ports_are_dropped_and_others_kept() {
        let cases = [
            ("https://API.example:443/x?a=b", "https://api.example/x"),
            ("http://api.example:80/x", "http://api.example/x"),
            ("http://api.example:443/x", "http://api.example:443/x"),
            ("https://api.example:8443", "https://api.example:8443/"),
            ("https://[::1]:8443/x", "https://[::1]:8443/x"),
            (
                "https://api.example/a%20b/%e9",
                "https://api.example/a%20b/%e9",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(base_string_uri(&url(text)), expected);
        }
    }

    #[test]
    fn parameters_are_sorted_as_encoded_and_duplicates_by_value() {
        let parameters = normalized_parameters(
            &url("https://api.example/?b=2&b=1&a%20=x&a=&a&%C3%A9=1&a-=2&&z=%FF&+=+"),
            &[("oauth_token", "t")],
            &form(&[("b", "1"), ("A", "~")]),
        );

        assert_eq!(
            parameters,
            "%20=%20&%C3%A9=1&A=~&a=&a=&a%20=x&a-=2&b=1&b=1&b=2&oauth_token=t&z=%FF"
        );
    }
}
