//! Stored provider data without its secrets.

use serde_json::Value;

use crate::domain::extra_data::is_secret_name;
use crate::storage::sealing::is_sealed;

/// What stands in the place of a secret.
const SEALED: &str = "sealed";
/// What stands in the place of what may be a secret and is not sealed, such as an import from elsewhere.
const HIDDEN: &str = "hidden";

/// The data with a word in the place of each secret, however deep it stands.
pub(super) fn shown(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let shown = if is_sealed(value) {
                    SEALED.into()
                } else if is_secret_name(name) && !value.is_null() {
                    HIDDEN.into()
                } else {
                    shown(value)
                };
                (name.clone(), shown)
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .map(|item| {
                if is_sealed(item) {
                    SEALED.into()
                } else {
                    shown(item)
                }
            })
            .collect(),
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_word_stands_in_the_place_of_each_secret() {
        let stored = json!({
            "access_token": {"sealed": "1.AAAA"},
            "id_token": "left.in.plain",
            "client_secret": null,
            "token_type": "Bearer",
            "login": "ada",
            "nested": [{"Api_Key": ["canary"], "id": 7}, {"sealed": "1.CCCC"}],
        });

        assert_eq!(
            shown(&stored),
            json!({
                "access_token": "sealed",
                "id_token": "hidden",
                "client_secret": null,
                "token_type": "Bearer",
                "login": "ada",
                "nested": [{"Api_Key": "hidden", "id": 7}, "sealed"],
            })
        );
    }
}
