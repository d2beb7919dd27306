//! The token endpoint and id tokens.

use jsonwebtoken::Algorithm;
use url::Url;

use super::super::entry::{EmailField, IdToken, Identity, OAuth2, OneOrMany};
use super::super::expression::Source;
use super::super::id_token::IdTokenRules;
use super::super::jwks::{Guarded, KeySource};
use super::super::plan::{IdTokenPlan, OAuth2Plan};
use super::super::url_template::UrlTemplate;
use super::{Compiler, FIX_ENTRY};

impl Compiler<'_, '_, '_> {
    pub(super) fn oauth2(&mut self, oauth2: &OAuth2) -> Option<OAuth2Plan> {
        let authorization_url = match &oauth2.authorization_url {
            Some(text) => Some(self.url("oauth2.authorization_url", text)?),
            None => None,
        };
        let token_url = self.url("oauth2.token_url", &oauth2.token_url)?;
        let token_params = self.pairs("oauth2.token_params", &oauth2.token_params);
        let mut needs = token_url.needs();
        for (_, template) in &token_params {
            needs.add(&template.needs());
        }
        if !needs.requests.is_empty() {
            self.problems.add(
                "oauth2",
                "the token request uses an answer that comes after it",
                FIX_ENTRY,
            );
        }
        Some(OAuth2Plan {
            authorization_url,
            token_url,
            client_auth: oauth2.client_auth,
            pkce: oauth2.pkce,
            scopes: oauth2.scopes.clone(),
            scope_separator: oauth2.scope_separator.clone(),
            token_params,
            ignore_id_token: oauth2.ignore_id_token,
            token_root: self.maybe_expr(
                "oauth2.token_root",
                oauth2.token_root.as_ref(),
                Source::This,
            ),
            errors: self.errors("oauth2.errors", &oauth2.errors),
            needs,
        })
    }

    pub(super) fn id_token(
        &mut self,
        id_token: &IdToken,
        guarded: &Guarded,
    ) -> Option<IdTokenPlan> {
        let issuers = self.issuers(&id_token.issuers);
        let keys = self.keys(id_token, &issuers, guarded)?;
        let equals = self.pairs("id_token.equals", &id_token.equals);
        let identity = match &id_token.identity {
            Some(identity) => self.identity("id_token.identity", identity, Source::Claims)?,
            None => self.identity("id_token.identity", &standard_claims(), Source::Claims)?,
        };
        let rules = IdTokenRules {
            issuers,
            algorithms: self.algorithms(&id_token.algorithms),
            max_age_seconds: id_token.max_age_seconds,
            equals: equals
                .into_iter()
                .filter_map(|(name, text)| Some((name, text.fixed()?.to_owned())))
                .collect(),
            keys,
        };
        Some(IdTokenPlan {
            rules,
            identity,
            extra: self.extra("id_token.extra_data", &id_token.extra_data, Source::Claims),
        })
    }

    /// Issuers with hosts and params filled in; `{claim.NAME}` stays for the verification.
    fn issuers(&mut self, texts: &[String]) -> Vec<String> {
        if texts.is_empty() {
            self.problems.add(
                "id_token.issuers",
                "no issuer is accepted",
                "name the issuers",
            );
        }
        let mut issuers = Vec::new();
        for text in texts {
            let mut masked = String::new();
            let mut rest = text.as_str();
            while let Some((before, tail)) = rest.split_once("{claim.") {
                let (name, after) = tail.split_once('}').unwrap_or((tail, ""));
                masked.push_str(before);
                masked.push('\u{1}');
                masked.push_str(name);
                masked.push('\u{2}');
                rest = after;
            }
            masked.push_str(rest);
            let Some(template) = self.template("id_token.issuers", &masked) else {
                continue;
            };
            match template.fixed() {
                Some(issuer) => {
                    issuers.push(issuer.replace('\u{1}', "{claim.").replace('\u{2}', "}"));
                }
                None => self.problems.add(
                    "id_token.issuers",
                    format!("`{text}` depends on the caller"),
                    "use only `{host}`, params and `{claim.NAME}`",
                ),
            }
        }
        issuers
    }

    /// Asymmetric algorithms only: a public key must never serve as an HMAC key (RFC 8725 §3.1).
    fn algorithms(&mut self, names: &[String]) -> Vec<Algorithm> {
        let mut algorithms = Vec::new();
        for name in names {
            match name.parse() {
                Ok(Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) | Err(_) => {
                    self.problems.add(
                        "id_token.algorithms",
                        format!("`{name}` is not accepted"),
                        "use RS256, PS256, ES256, EdDSA or their longer forms",
                    );
                }
                Ok(algorithm) => algorithms.push(algorithm),
            }
        }
        if algorithms.is_empty() && names.is_empty() {
            self.problems.add(
                "id_token.algorithms",
                "no algorithm is accepted",
                "name them, such as [\"RS256\"]",
            );
        }
        algorithms
    }

    fn keys(
        &mut self,
        id_token: &IdToken,
        issuers: &[String],
        guarded: &Guarded,
    ) -> Option<KeySource> {
        if let Some(text) = &id_token.jwks_url {
            let url = self.fixed_url("id_token.jwks_url", text)?;
            return Some(KeySource::at_jwks_url(guarded.clone(), url));
        }
        if let Some(text) = &id_token.discovery_url {
            let url = self.fixed_url("id_token.discovery_url", text)?;
            return Some(KeySource::at_discovery_url(
                guarded.clone(),
                url,
                issuers.to_vec(),
            ));
        }
        self.problems.add(
            "id_token",
            "neither `jwks_url` nor `discovery_url`",
            "say where the keys are",
        );
        None
    }

    fn fixed_url(&mut self, key: &str, text: &str) -> Option<Url> {
        match self.url(key, text)? {
            UrlTemplate::Fixed(url) => Some(url),
            UrlTemplate::Parts(_) => {
                self.problems.add(
                    key,
                    "the place of keys depends on the caller",
                    "use only `{host}` and params",
                );
                None
            }
        }
    }
}

/// The standard claims (OpenID Connect Core §5.1).
fn standard_claims() -> Identity {
    let one = |claim: &str| OneOrMany::One(claim.to_owned());
    Identity {
        uid: one("sub"),
        username: one("preferred_username"),
        email: vec![EmailField {
            address: "email".to_owned(),
            verified: Some("email_verified".to_owned()),
            verified_if: None,
        }],
        full_name: one("name"),
        first_name: one("given_name"),
        last_name: one("family_name"),
    }
}
