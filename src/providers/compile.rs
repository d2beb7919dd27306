//! From an entry to a plan: compiles every text and checks what refers to what.

use std::collections::BTreeMap;

use super::entry::{Entry, ErrorRule, OneOrMany};
use super::expression::{Expr, Scope, Source, is_name};
use super::jwks::{Guarded, KeySource};
use super::plan::{ErrorPlan, Pairs, Plan};
use super::settings::Problems;
use super::template::{Names, Template, checked_host};
use super::url_template::UrlTemplate;
use super::{check, waves};

mod identity;
mod requests;
mod tokens;

/// Names that the service itself keeps in `extra_data`; no answer may set them.
pub const RESERVED: [&str; 9] = [
    "access_token",
    "access_token_secret",
    "refresh_token",
    "id_token",
    "token_type",
    "auth_time",
    "expires_at",
    "scope",
    "client_id",
];

/// Compiles `entry`; what is wrong goes to `problems`.
pub fn compile(entry: &Entry, guarded: &Guarded, problems: &mut Problems<'_>) -> Option<Plan> {
    let names: Vec<String> = entry
        .requests
        .iter()
        .map(|request| request.name.clone())
        .collect();
    let mut compiler = Compiler {
        entry,
        requests: &names,
        problems,
    };
    compiler.check_names();
    let requests = compiler.requests()?;
    let main = compiler.main_source();
    let identity = match &entry.identity {
        Some(identity) => Some(compiler.identity("identity", identity, main)?),
        None => None,
    };
    let audience = compiler.audience(&entry.audience)?;
    let extra = compiler.extra("extra_data", &entry.extra_data, main);
    let oauth2 = match &entry.oauth2 {
        Some(oauth2) => Some(compiler.oauth2(oauth2)?),
        None => None,
    };
    let id_token = match &entry.id_token {
        Some(id_token) => Some(compiler.id_token(id_token, guarded)?),
        None => None,
    };
    let revoke = match &entry.revoke {
        Some(revoke) => Some(compiler.revoke(revoke)?),
        None => None,
    };
    let (full, profile) = waves::order(&requests, identity.as_ref(), compiler.problems)?;
    let plan = Plan {
        takes_token_pair: requests.iter().any(|request| request.token.takes_pairs()),
        takes_access_token: identity.as_ref().is_some_and(check::uid_is_in_answers)
            && !requests.iter().any(|request| request.token.needs_pair()),
        uses_input: extra.iter().any(|extra| reads(&extra.from, Source::Input)),
        requests,
        full,
        profile,
        identity,
        audience,
        extra,
        oauth2,
        id_token,
        revoke,
    };
    check::check(&plan, entry, problems);
    problems.is_empty().then_some(plan)
}

/// Whether `expr` reads `source`.
pub(super) fn reads(expr: &Expr, source: Source) -> bool {
    let mut found = false;
    expr.visit_sources(&mut |read| found |= read == source);
    found
}

/// The discovery document for endpoints, where the keys are pinned apart from it.
pub(super) fn separate_discovery(
    entry: &Entry,
    plan: &Plan,
    guarded: &Guarded,
) -> Option<KeySource> {
    let id_token = entry.id_token.as_ref()?;
    id_token.jwks_url.as_ref()?;
    let names = Names {
        host: entry.host.as_deref(),
        params: &entry.params,
        scope: Scope {
            requests: &[],
            main: Source::Claims,
        },
    };
    match UrlTemplate::compile(id_token.discovery_url.as_ref()?, &names) {
        Ok(UrlTemplate::Fixed(url)) => {
            let issuers = plan.id_token.as_ref()?.rules.issuers.clone();
            Some(KeySource::at_discovery_url(guarded.clone(), url, issuers))
        }
        _ => None,
    }
}

struct Compiler<'a, 'p, 'n> {
    entry: &'a Entry,
    requests: &'a [String],
    problems: &'p mut Problems<'n>,
}

const FIX_ENTRY: &str = "correct the entry";

impl Compiler<'_, '_, '_> {
    fn names(&self, main: Source) -> Names<'_> {
        Names {
            host: self.entry.host.as_deref(),
            params: &self.entry.params,
            scope: Scope {
                requests: self.requests,
                main,
            },
        }
    }

    /// What a path without a source begins in.
    fn main_source(&self) -> Source {
        if !self.requests.is_empty() {
            Source::Answer(0)
        } else if self.entry.oauth2.is_some() {
            Source::Token
        } else {
            Source::Claims
        }
    }

    fn check_names(&mut self) {
        if let Some(host) = &self.entry.host
            && let Err(problem) = checked_host(Some(host))
        {
            self.problems.add("host", problem, "set the bare host name");
        }
        for (index, name) in self.requests.iter().enumerate() {
            let key = format!("requests[{index}].name");
            if !is_name(name)
                || matches!(
                    name.as_str(),
                    "token" | "claim" | "input" | "const" | "tpl" | "discovery"
                )
            {
                self.problems.add(
                    key,
                    format!("`{name}` cannot name a request"),
                    "use a-z, 0-9 and `_`, and no word of the mapping language",
                );
            } else if self.requests.iter().take(index).any(|other| other == name) {
                self.problems.add(
                    key,
                    format!("`{name}` is there twice"),
                    "give each request its own name",
                );
            }
        }
    }

    fn expr(&mut self, key: &str, text: &str, main: Source) -> Option<Expr> {
        let scope = Scope {
            requests: self.requests,
            main,
        };
        match Expr::compile(text, &scope) {
            Ok(expr) => Some(expr),
            Err(error) => {
                self.problems.add(key, error.to_string(), FIX_ENTRY);
                None
            }
        }
    }

    fn maybe_expr(&mut self, key: &str, text: Option<&String>, main: Source) -> Option<Expr> {
        text.and_then(|text| self.expr(key, text, main))
    }

    fn exprs(&mut self, key: &str, texts: &OneOrMany, main: Source) -> Box<[Expr]> {
        texts
            .as_slice()
            .iter()
            .filter_map(|text| self.expr(key, text, main))
            .collect()
    }

    fn template(&mut self, key: &str, text: &str) -> Option<Template> {
        match Template::compile(text, &self.names(Source::Answer(0))) {
            Ok(template) => Some(template),
            Err(problem) => {
                self.problems.add(key, problem, FIX_ENTRY);
                None
            }
        }
    }

    fn url(&mut self, key: &str, text: &str) -> Option<UrlTemplate> {
        match UrlTemplate::compile(text, &self.names(Source::Answer(0))) {
            Ok(template) => Some(template),
            Err(problem) => {
                self.problems.add(key, problem, FIX_ENTRY);
                None
            }
        }
    }

    fn pairs(&mut self, key: &str, texts: &BTreeMap<String, String>) -> Pairs {
        texts
            .iter()
            .filter_map(|(name, text)| {
                Some((name.clone(), self.template(&format!("{key}.{name}"), text)?))
            })
            .collect()
    }

    fn errors(&mut self, key: &str, rules: &[ErrorRule]) -> Box<[ErrorPlan]> {
        rules
            .iter()
            .filter_map(|rule| {
                Some(ErrorPlan {
                    when: self.expr(key, &rule.when, Source::This)?,
                    is: rule.is.clone(),
                    not: rule.not.clone(),
                    verdict: rule.verdict,
                })
            })
            .collect()
    }
}
