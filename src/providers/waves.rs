//! In which order the requests of an entry run.

use super::expression::{Expr, Source};
use super::plan::{IdentityPlan, RequestPlan, RunPlan};
use super::settings::Problems;
use super::template::Needs;

/// The waves of all requests, and of those that the identity is read from.
pub(super) fn order(
    requests: &[RequestPlan],
    identity: Option<&IdentityPlan>,
    problems: &mut Problems<'_>,
) -> Option<(RunPlan, RunPlan)> {
    let Some(levels) = levels(requests) else {
        problems.add(
            "requests",
            "requests need each other's answers in a circle",
            "break the circle",
        );
        return None;
    };
    let mut wanted = vec![false; requests.len()];
    if let Some(identity) = identity {
        visit_identity(identity, &mut |source| {
            if let Source::Answer(request) = source {
                mark(request, requests, &mut wanted);
            }
        });
    }
    let all = vec![true; requests.len()];
    Some((
        run(requests, &levels, &all),
        run(requests, &levels, &wanted),
    ))
}

/// The wave of each request, or nothing if they need each other in a circle.
fn levels(requests: &[RequestPlan]) -> Option<Vec<usize>> {
    let mut levels = vec![0; requests.len()];
    // Each round settles at least one more wave; a circle never settles.
    for _ in 0..=requests.len() {
        let next: Vec<usize> = requests
            .iter()
            .map(|request| {
                let needed = request.needs.requests.iter();
                needed
                    .filter_map(|needed| levels.get(*needed))
                    .map(|level| level + 1)
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        if next == levels {
            return Some(levels);
        }
        levels = next;
    }
    None
}

fn mark(request: usize, requests: &[RequestPlan], wanted: &mut [bool]) {
    match wanted.get_mut(request) {
        Some(mark) if !*mark => *mark = true,
        _ => return,
    }
    if let Some(plan) = requests.get(request) {
        for needed in &plan.needs.requests {
            mark(*needed, requests, wanted);
        }
    }
}

fn run(requests: &[RequestPlan], levels: &[usize], wanted: &[bool]) -> RunPlan {
    let mut needs = Needs::default();
    let mut waves: Vec<Vec<usize>> = Vec::new();
    for (index, ((request, level), wanted)) in requests.iter().zip(levels).zip(wanted).enumerate() {
        if !wanted {
            continue;
        }
        needs.add(&request.needs);
        while waves.len() <= *level {
            waves.push(Vec::new());
        }
        if let Some(wave) = waves.get_mut(*level) {
            wave.push(index);
        }
    }
    RunPlan {
        waves: waves.into_iter().map(Vec::into_boxed_slice).collect(),
        needs,
    }
}

/// Calls `visit` with every source that an identity is read from.
pub(super) fn visit_identity(identity: &IdentityPlan, visit: &mut impl FnMut(Source)) {
    let texts = [
        &identity.uid,
        &identity.username,
        &identity.full_name,
        &identity.first_name,
        &identity.last_name,
    ];
    let each = |exprs: &[Expr], visit: &mut dyn FnMut(Source)| {
        for expr in exprs {
            expr.visit_sources(&mut |source| visit(source));
        }
    };
    for exprs in texts {
        each(exprs, visit);
    }
    for email in &identity.email {
        let proofs = [&email.verified, &email.verified_if];
        for expr in proofs.into_iter().flatten().chain([&email.address]) {
            expr.visit_sources(visit);
        }
    }
}
