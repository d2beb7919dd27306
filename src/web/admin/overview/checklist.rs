//! What an operator does first, in place of charts without figures.

use crate::app::App;

/// One step of the five.
pub(super) struct Step {
    pub(super) is_done: bool,
    pub(super) title: &'static str,
    pub(super) text: String,
    /// Label and address.
    pub(super) link: Option<(&'static str, &'static str)>,
}

pub(super) fn steps(app: &App) -> Vec<Step> {
    let names: Vec<&str> = app
        .providers
        .iter()
        .filter(|provider| provider.id().as_str() != "fake")
        .map(|provider| provider.title())
        .collect();
    vec![
        Step {
            is_done: true,
            title: "Start the service",
            text: format!(
                "It runs, and its database ({}) is up to date.",
                app.db.backend().as_str()
            ),
            link: Some(("See its health", "/admin/settings/health")),
        },
        Step {
            is_done: true,
            title: "Sign in as staff",
            text: "You are signed in. Invite your colleagues, each with a role of their own."
                .to_owned(),
            link: Some(("Staff accounts", "/admin/settings")),
        },
        Step {
            is_done: !names.is_empty(),
            title: "Set up a provider",
            text: if names.is_empty() {
                "Put a client id from the provider's console into the configuration, and start again."
                    .to_owned()
            } else {
                format!("{} can be used.", names.join(", "))
            },
            link: Some(("Providers", "/admin/providers")),
        },
        Step {
            is_done: false,
            title: "Prove that it works",
            text: "Open a provider and press Test. Paste an access token from your app to see whether it counts as yours."
                .to_owned(),
            link: Some(("Test a provider", "/admin/providers")),
        },
        Step {
            is_done: false,
            title: "Hand in the first access token",
            text: "Let your app send it to POST /social_sign_up/. The figures appear here with the first sign-up."
                .to_owned(),
            link: None,
        },
    ]
}
