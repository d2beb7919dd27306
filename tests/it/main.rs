//! The one integration test binary: the real server, its own database for each test, providers on loopback.

// `cfg(test)` says to clippy that even the helpers are tests, which may unwrap.
#[cfg(test)]
mod support;

#[cfg(test)]
mod admin;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod canaries;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod oauth1_differential;
#[cfg(test)]
mod observability;
#[cfg(test)]
mod oidc_provider;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod races;
#[cfg(test)]
mod removed_providers;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod social_sign_up;
