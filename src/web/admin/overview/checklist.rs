//! What an operator does first, in place of charts without figures.

use crate::app::App;
use crate::web::admin::text::{Message, t};

/// One step of the five.
pub(super) struct Step {
    pub(super) is_done: bool,
    pub(super) title: Message,
    pub(super) text: Message,
    /// Label and address.
    pub(super) link: Option<(Message, &'static str)>,
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
            title: t("checklist-start"),
            text: t("checklist-start-text").with("backend", app.db.backend().as_str()),
            link: Some((t("checklist-start-link"), "/admin/settings/health")),
        },
        Step {
            is_done: true,
            title: t("checklist-sign-in"),
            text: t("checklist-sign-in-text"),
            link: Some((t("checklist-sign-in-link"), "/admin/settings")),
        },
        Step {
            is_done: !names.is_empty(),
            title: t("checklist-provider"),
            text: if names.is_empty() {
                t("checklist-provider-none")
            } else {
                t("checklist-provider-some").with("providers", names.join(", "))
            },
            link: Some((t("nav-providers"), "/admin/providers")),
        },
        Step {
            is_done: false,
            title: t("checklist-prove"),
            text: t("checklist-prove-text"),
            link: Some((t("checklist-prove-link"), "/admin/providers")),
        },
        Step {
            is_done: false,
            title: t("checklist-hand-in"),
            text: t("checklist-hand-in-text"),
            link: None,
        },
    ]
}
