//! Requests.

use std::collections::BTreeMap;

use super::super::entry::{Request, Revoke, TokenPlace, Verdict};
use super::super::plan::{RequestPlan, RevokePlan, SignaturePlan};
use super::super::template::Needs;
use super::Compiler;

impl Compiler<'_, '_, '_> {
    pub(super) fn requests(&mut self) -> Option<Box<[RequestPlan]>> {
        let entry = self.entry;
        let plans: Vec<_> = entry
            .requests
            .iter()
            .enumerate()
            .map(|(index, request)| self.request(&format!("requests[{index}]"), request))
            .collect();
        plans.into_iter().collect()
    }

    pub(super) fn revoke(&mut self, revoke: &Revoke) -> Option<RevokePlan> {
        let request = self.request("revoke", &revoke.to_request())?;
        Some(RevokePlan {
            request,
            tokens: revoke.tokens.as_slice().into(),
        })
    }

    fn request(&mut self, key: &str, request: &Request) -> Option<RequestPlan> {
        let url = self.url(&format!("{key}.url"), &request.url);
        let signature = match &request.signature {
            Some(signature) => Some(SignaturePlan {
                param: signature.param.clone(),
                algorithm: signature.algorithm,
                separator: signature.separator.clone(),
                secret: self.template(&format!("{key}.signature.secret"), &signature.secret)?,
                skip: signature.skip.clone(),
            }),
            None => None,
        };
        if !request.form.is_empty() && !request.json.is_empty() {
            self.problems
                .add(key, "both `form` and `json`", "keep one of the two");
        }
        let mut plan = RequestPlan {
            name: request.name.clone(),
            method: request.method,
            url: url?,
            token: request.token.clone(),
            headers: self.pairs(&format!("{key}.headers"), &request.headers),
            query: self.pairs(&format!("{key}.query"), &request.query),
            form: self.pairs(&format!("{key}.form"), &request.form),
            json: self.pairs(&format!("{key}.json"), &request.json),
            basic_auth: request.basic_auth,
            signature,
            format: request.format,
            optional: request.optional,
            statuses: self.statuses(key, &request.statuses),
            errors: self.errors(&format!("{key}.errors"), &request.errors),
            needs: Needs::default(),
        };
        plan.needs = needs_of(&plan);
        Some(plan)
    }

    fn statuses(
        &mut self,
        key: &str,
        statuses: &BTreeMap<String, Verdict>,
    ) -> Box<[(u16, Verdict)]> {
        statuses
            .iter()
            .filter_map(|(status, verdict)| {
                let parsed = status.parse().ok().filter(|s| (400..600).contains(s));
                if parsed.is_none() {
                    self.problems.add(
                        format!("{key}.statuses"),
                        format!("`{status}` is no status of a failure"),
                        "use 400 to 599",
                    );
                }
                Some((parsed?, *verdict))
            })
            .collect()
    }
}

fn needs_of(plan: &RequestPlan) -> Needs {
    let mut needs = plan.url.needs();
    let pairs = [&plan.headers, &plan.query, &plan.form, &plan.json];
    for (_, template) in pairs.into_iter().flatten() {
        needs.add(&template.needs());
    }
    if let Some(signature) = &plan.signature {
        needs.add(&signature.secret.needs());
    }
    let is_oauth1 = plan.token.takes_pairs();
    needs.access_token |= plan.token != TokenPlace::None;
    needs.access_token_secret |= plan.token.needs_pair();
    needs.client_id |= is_oauth1 || plan.basic_auth;
    needs.client_secret |= is_oauth1 || plan.basic_auth;
    needs
}
