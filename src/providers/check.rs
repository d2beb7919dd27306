//! What a compiled entry must satisfy beyond being well written: nothing that proves may be missing, optional or the caller's.

use super::compile::reads;
use super::entry::{AudienceProof, Entry, Method, TokenPlace};
use super::expression::{Expr, Source};
use super::plan::{IdentityPlan, Plan};
use super::settings::Problems;
use super::waves::visit_identity;

/// Whether a handed-in access token leads to a uid, without a token endpoint's answer.
pub(super) fn uid_is_in_answers(identity: &IdentityPlan) -> bool {
    identity.uid.iter().any(only_answers)
}

fn only_answers(expr: &Expr) -> bool {
    let (mut some, mut only) = (false, true);
    expr.visit_sources(&mut |source| {
        some = true;
        only &= matches!(source, Source::Answer(_));
    });
    some && only
}

/// Checks `plan`; what is wrong goes to `problems`.
pub(super) fn check(plan: &Plan, entry: &Entry, problems: &mut Problems<'_>) {
    if entry.id_token.is_none() && entry.identity.is_none() {
        problems.add(
            "identity",
            "nothing says where the identity stands",
            "add [identity], or [id_token] for an OpenID Connect provider",
        );
    }
    if let Some(identity) = &plan.identity {
        check_identity("identity.uid", identity, problems);
    }
    if let Some(id_token) = &plan.id_token {
        check_identity("id_token.identity.uid", &id_token.identity, problems);
    }
    check_discovery(plan, entry, problems);
    check_revocation(plan, problems);
    check_audience(plan, problems);
}

fn check_identity(key: &str, identity: &IdentityPlan, problems: &mut Problems<'_>) {
    if identity.uid.iter().any(Expr::may_be_incomplete) {
        problems.add(
            key,
            "a uid must not be a constant or have parts that may be missing: people would share it",
            "write `tpl!:` instead of `tpl:`",
        );
    }
    visit_identity(identity, &mut |source| {
        if source == Source::Input {
            problems.add(
                key,
                "the identity would come from the caller",
                "read it from an answer",
            );
        }
    });
}

fn check_discovery(plan: &Plan, entry: &Entry, problems: &mut Problems<'_>) {
    let needs_discovery = plan.full.needs.discovery
        || plan.oauth2.as_ref().is_some_and(|oauth2| {
            let sends_browsers = oauth2.authorization_url.as_ref();
            oauth2.needs.discovery || sends_browsers.is_some_and(|url| url.needs().discovery)
        })
        || plan
            .revoke
            .as_ref()
            .is_some_and(|revoke| revoke.request.needs.discovery);
    let has_discovery = entry
        .id_token
        .as_ref()
        .is_some_and(|id_token| id_token.discovery_url.is_some());
    if needs_discovery && !has_discovery {
        problems.add(
            "id_token.discovery_url",
            "`{discovery...}` is used without a discovery document",
            "set it, or write the addresses out",
        );
    }
}

/// A request of a hand-in cannot know whom it is about, and one that revokes has no answers to build on.
fn check_revocation(plan: &Plan, problems: &mut Problems<'_>) {
    let sends_browsers = plan
        .oauth2
        .as_ref()
        .and_then(|oauth2| oauth2.authorization_url.as_ref());
    let too_early = plan.full.needs.uid
        || plan.oauth2.as_ref().is_some_and(|oauth2| oauth2.needs.uid)
        || sends_browsers.is_some_and(|url| url.needs().uid);
    if too_early {
        problems.add(
            "requests",
            "`{uid}` is used before anybody is identified",
            "use it in `[revoke]` only",
        );
    }
    let Some(revoke) = &plan.revoke else {
        return;
    };
    if !revoke.request.needs.requests.is_empty() || revoke.request.needs.input {
        problems.add(
            "revoke",
            "the request uses an answer, and there is none",
            "use `{access_token}`, `{uid}`, `{client_id}` and `{client_secret}`",
        );
    }
    if revoke.request.method == Method::Get || revoke.tokens.is_empty() {
        problems.add(
            "revoke",
            "a request that changes something, for a token that is stored",
            "use POST or DELETE, and name a token in `tokens`",
        );
    }
}

fn check_audience(plan: &Plan, problems: &mut Problems<'_>) {
    let audience = &plan.audience;
    let request = audience.request.and_then(|index| plan.requests.get(index));
    let checks = [
        &audience.authorized_party,
        &audience.uid,
        &audience.valid,
        &audience.expires_at,
        &audience.expires_in,
    ];
    let read_by_check = checks
        .into_iter()
        .flatten()
        .chain(audience.client_id.iter())
        .chain(audience.equals.iter().map(|equals| &equals.value));
    for expr in read_by_check {
        if reads(expr, Source::Input) || expr.may_be_incomplete() {
            problems.add(
                "audience",
                "the proof would not come from an answer",
                "read it from the answer to `audience.request`",
            );
        }
    }
    match audience.proof {
        AudienceProof::DebugToken | AudienceProof::Tokeninfo | AudienceProof::Introspection => {
            check_request(plan, problems);
            if !audience.names_application() {
                problems.add(
                    "audience.client_id",
                    "nothing says where the answer names the application",
                    "add it; without it another application's token would pass",
                );
            }
        }
        AudienceProof::AppCheck => {
            check_request(plan, problems);
            if request
                .is_some_and(|request| !request.needs.client_id && !audience.names_application())
            {
                problems.add(
                    "audience.request",
                    "the request does not name our application",
                    "use `{client_id}` or `basic_auth` in it, or set `audience.client_id`",
                );
            }
        }
        AudienceProof::SecretProof => {
            check_uid_requests(plan, problems, "use our client secret", |index| {
                plan.requests
                    .get(index)
                    .is_some_and(|request| request.needs.client_secret)
            });
        }
        AudienceProof::Oauth1Signature => {
            check_uid_requests(plan, problems, "be signed: `token = \"oauth1\"`", |index| {
                plan.requests
                    .get(index)
                    .is_some_and(|request| request.token == TokenPlace::Oauth1)
            });
        }
        AudienceProof::IdToken if plan.id_token.is_none() => problems.add(
            "audience.proof",
            "`id_token` without [id_token]",
            "add [id_token], or another proof",
        ),
        AudienceProof::None if audience.reason.is_none() => problems.add(
            "audience.reason",
            "`none` without a reason",
            "say why there is no proof; the operator reads it",
        ),
        AudienceProof::IdToken | AudienceProof::None => {}
    }
}

/// The request of a proof exists, is mandatory, and is about the same person as the identity.
fn check_request(plan: &Plan, problems: &mut Problems<'_>) {
    let Some(request) = plan
        .audience
        .request
        .and_then(|index| plan.requests.get(index))
    else {
        problems.add(
            "audience.request",
            "nothing says which request proves the audience",
            "name the request",
        );
        return;
    };
    if request.optional {
        problems.add(
            "audience.request",
            "the request that proves the audience is optional",
            "remove `optional`: a proof that may fail proves nothing",
        );
    }
    if !request.needs.access_token {
        problems.add(
            "audience.request",
            "the request that proves the audience does not carry the access token",
            "send the token in it",
        );
    }
    if plan.audience.uid.is_none() {
        // Where the answer names nobody, that both requests carry the same token is what ties it to the identity.
        check_uid_requests(plan, problems, "carry the access token", |index| {
            plan.requests
                .get(index)
                .is_some_and(|request| request.needs.access_token)
        });
    }
}

/// Every request that the uid is read from must satisfy `binds`.
fn check_uid_requests(
    plan: &Plan,
    problems: &mut Problems<'_>,
    must: &str,
    binds: impl Fn(usize) -> bool,
) {
    let mut all_bind = plan.identity.is_some();
    for uid in plan.identity.iter().flat_map(|identity| &identity.uid) {
        uid.visit_sources(&mut |source| {
            if let Source::Answer(index) = source {
                all_bind &= binds(index);
            }
        });
    }
    if !all_bind {
        problems.add(
            "audience.proof",
            format!("the request that the uid is read from must {must}"),
            "correct the request, or choose another proof",
        );
    }
}
