//! The identity, the proof of the audience, and what is kept.

use super::super::entry::{Audience, ExtraField, Identity, OneOrMany};
use super::super::expression::{Expr, Source};
use super::super::plan::{AudiencePlan, EmailPlan, EqualsPlan, ExtraPlan, IdentityPlan};
use super::{Compiler, FIX_ENTRY, RESERVED};

impl Compiler<'_, '_, '_> {
    pub(super) fn identity(
        &mut self,
        key: &str,
        identity: &Identity,
        main: Source,
    ) -> Option<IdentityPlan> {
        let uid = self.exprs(&format!("{key}.uid"), &identity.uid, main);
        if uid.is_empty() || uid.len() < identity.uid.as_slice().len() {
            if problems_free(&uid, &identity.uid) {
                self.problems
                    .add(format!("{key}.uid"), "no uid", "say where the uid stands");
            }
            return None;
        }
        let email = identity
            .email
            .iter()
            .filter_map(|field| {
                let key = format!("{key}.email");
                Some(EmailPlan {
                    address: self.expr(&key, &field.address, main)?,
                    verified: self.maybe_expr(&key, field.verified.as_ref(), main),
                    verified_if: self.maybe_expr(&key, field.verified_if.as_ref(), main),
                })
            })
            .collect();
        Some(IdentityPlan {
            uid,
            email,
            username: self.exprs(&format!("{key}.username"), &identity.username, main),
            full_name: self.exprs(&format!("{key}.full_name"), &identity.full_name, main),
            first_name: self.exprs(&format!("{key}.first_name"), &identity.first_name, main),
            last_name: self.exprs(&format!("{key}.last_name"), &identity.last_name, main),
        })
    }

    pub(super) fn audience(&mut self, audience: &Audience) -> Option<AudiencePlan> {
        let request = match &audience.request {
            None => None,
            Some(name) => {
                let found = self.requests.iter().position(|request| request == name);
                if found.is_none() {
                    self.problems.add(
                        "audience.request",
                        format!("no request is called `{name}`"),
                        FIX_ENTRY,
                    );
                }
                Some(found?)
            }
        };
        let main = request.map_or_else(|| self.main_source(), Source::Answer);
        let equals = audience
            .equals
            .iter()
            .filter_map(|(text, value)| {
                let expected = self.template("audience.equals", value)?;
                let expected = expected.fixed().map(str::to_owned);
                if expected.is_none() {
                    self.problems.add(
                        "audience.equals",
                        format!("`{value}` depends on the caller"),
                        "use only `{host}` and params",
                    );
                }
                Some(EqualsPlan {
                    value: self.expr("audience.equals", text, main)?,
                    expected: expected?,
                    names_us: value.contains('{'),
                })
            })
            .collect();
        Some(AudiencePlan {
            proof: audience.proof,
            request,
            client_id: self.exprs("audience.client_id", &audience.client_id, main),
            authorized_party: self.maybe_expr(
                "audience.authorized_party",
                audience.authorized_party.as_ref(),
                main,
            ),
            uid: self.maybe_expr("audience.uid", audience.uid.as_ref(), main),
            valid: self.maybe_expr("audience.valid", audience.valid.as_ref(), main),
            equals,
            expires_at: self.maybe_expr("audience.expires_at", audience.expires_at.as_ref(), main),
            expires_in: self.maybe_expr("audience.expires_in", audience.expires_in.as_ref(), main),
            scope: self.maybe_expr("audience.scope", audience.scope.as_ref(), main),
            reason: audience.reason.clone(),
        })
    }

    /// Members with a reserved name are left out: the service keeps those itself, sealed where they are secrets.
    pub(super) fn extra(
        &mut self,
        key: &str,
        fields: &[ExtraField],
        main: Source,
    ) -> Box<[ExtraPlan]> {
        fields
            .iter()
            .filter_map(|field| {
                let (text, name) = match field {
                    ExtraField::Same(text) => (text, None),
                    ExtraField::Renamed { from, to } => (from, Some(to.as_str())),
                };
                let from = self.expr(key, text, main)?;
                let Some(name) = name.or_else(|| from.last_name()).map(str::to_owned) else {
                    self.problems.add(
                        key,
                        format!("`{text}` has no name of its own"),
                        "write { from = \"..\", to = \"..\" }",
                    );
                    return None;
                };
                let is_secret = name.ends_with("token") || name.ends_with("secret");
                (!RESERVED.contains(&name.as_str())).then_some(ExtraPlan {
                    name,
                    from,
                    is_secret,
                })
            })
            .collect()
    }
}

/// Whether nothing was reported yet about an empty list.
fn problems_free(compiled: &[Expr], texts: &OneOrMany) -> bool {
    compiled.is_empty() && texts.as_slice().is_empty()
}
