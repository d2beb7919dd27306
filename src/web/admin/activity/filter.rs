//! What the audit log is looked for by: each filter a parameter of its own in the address, each with a chip on the page.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;

use super::entry::Names;
use crate::app::App;
use crate::domain::UserId;
use crate::storage::audit_search::{AuditFilter, AuditPosition};
use crate::web::admin::lists::query::{BadQuery, ListQuery};
use crate::web::admin::text::{Message, ToArg, t};
use crate::web::admin::words;

/// Kinds of actors, each with the id of its words.
const ACTORS: [(&str, &str); 5] = [
    ("staff", "activity-all-staff"),
    ("api_client", "activity-api-clients"),
    ("user", "activity-users"),
    ("anonymous", "activity-nobody-known"),
    ("system", "actor-service"),
];

/// What the address says. Empty texts are what an untouched field of a form sends.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActivityQuery {
    /// `staff`, `staff:3`, `user`, ...
    actor: String,
    action: String,
    /// A user's id.
    user: String,
    provider: String,
    /// The first day, UTC.
    from: String,
    /// The last day, UTC.
    to: String,
    older: Option<i64>,
    newer: Option<i64>,
}

impl ActivityQuery {
    /// What an address says that was read already.
    pub(in crate::web::admin) fn of(query: &ListQuery) -> Result<Self, BadQuery> {
        let text = |name| query.get(name).unwrap_or_default().to_owned();
        let id = |name| {
            let id = query.get(name).map(str::parse).transpose();
            id.map_err(|_unreadable| unreadable("activity-unreadable-entry", name))
        };
        if query.all("provider").count() > 1 {
            return Err(unreadable("activity-unreadable-provider", "provider"));
        }
        Ok(Self {
            actor: text("actor"),
            action: text("action"),
            user: text("user"),
            provider: text("provider"),
            from: text("from"),
            to: text("to"),
            older: id("older")?,
            newer: id("newer")?,
        })
    }

    /// Which entries are looked for.
    pub(in crate::web::admin) fn filter(&self) -> Result<AuditFilter, BadQuery> {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (actor_kind, actor_id) = self.actor()?;
        let from = day("from", &self.from)?;
        let to = day("to", &self.to)?;
        Ok(AuditFilter {
            actor_kind,
            actor_id,
            action: text(&self.action),
            user_id: match self.user.as_str() {
                "" => None,
                id => Some(UserId(id.parse().map_err(|_unreadable| {
                    unreadable("activity-unreadable-user", "user")
                })?)),
            },
            provider: text(&self.provider),
            from: from.map(midnight),
            before: to.and_then(|day| day.succ_opt()).map(midnight),
        })
    }

    fn actor(&self) -> Result<(Option<String>, Option<i64>), BadQuery> {
        let (kind, id) = match self.actor.split_once(':') {
            None => (self.actor.as_str(), None),
            Some((kind, id)) => {
                let id = id
                    .parse()
                    .map_err(|_unreadable| unreadable("activity-unreadable-actor-id", "actor"))?;
                (kind, Some(id))
            }
        };
        if !kind.is_empty() && !ACTORS.iter().any(|(known, _)| *known == kind) {
            return Err(unreadable("activity-unreadable-actor", "actor"));
        }
        Ok(((!kind.is_empty()).then(|| kind.to_owned()), id))
    }

    /// Where the page begins.
    pub(in crate::web::admin) fn position(&self) -> Result<AuditPosition, BadQuery> {
        match (self.older, self.newer) {
            (None, None) => Ok(AuditPosition::Newest),
            (Some(id), None) => Ok(AuditPosition::OlderThan(id)),
            (None, Some(id)) => Ok(AuditPosition::NewerThan(id)),
            (Some(_), Some(_)) => Err(BadQuery(t("activity-older-or-newer"))),
        }
    }

    /// The parameters that are set, positions left out.
    fn set(&self) -> Vec<(&'static str, &str)> {
        [
            ("actor", self.actor.as_str()),
            ("action", &self.action),
            ("user", &self.user),
            ("provider", &self.provider),
            ("from", &self.from),
            ("to", &self.to),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
    }

    fn query(&self, without: &[&str], with: Option<(&str, i64)>) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in self.set() {
            if !without.contains(&name) {
                query.append_pair(name, value);
            }
        }
        if let Some((name, id)) = with {
            query.append_pair(name, &id.to_string());
        }
        match query.finish() {
            query if query.is_empty() => query,
            query => format!("?{query}"),
        }
    }

    /// The address of the page that begins at an entry.
    pub(super) fn href_with(&self, name: &str, id: i64) -> String {
        format!("/admin/activity{}", self.query(&[], Some((name, id))))
    }

    /// Where the same entries are exported.
    pub(super) fn export_href(&self) -> String {
        format!("/admin/activity/export{}", self.query(&[], None))
    }

    /// The filters as they are noted in the audit log.
    pub(super) fn to_json(&self) -> serde_json::Value {
        self.set()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

/// The parameter `name` cannot be read; the string with this id says what it should be.
fn unreadable(id: &'static str, name: &str) -> BadQuery {
    BadQuery(t(id).with("name", name))
}

fn day(name: &str, text: &str) -> Result<Option<NaiveDate>, BadQuery> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_unreadable| unreadable("activity-unreadable-day", name))
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The row of chips.
pub(super) struct Chips {
    pub(super) choices: Vec<Chip>,
    pub(super) user: FieldChip,
    pub(super) dates: DatesChip,
    pub(super) is_filtered: bool,
}

/// A filter with options.
pub(super) struct Chip {
    pub(super) name: &'static str,
    /// What it says: its name, and what is chosen.
    pub(super) label: Message,
    pub(super) is_on: bool,
    pub(super) options: Vec<ChipOption>,
    /// The other parameters, which the form carries on.
    pub(super) others: Vec<(&'static str, String)>,
    /// Where only this filter is gone.
    pub(super) clear: String,
}

pub(super) struct ChipOption {
    pub(super) value: String,
    pub(super) label: Message,
    pub(super) is_chosen: bool,
}

/// The filter by user.
pub(super) struct FieldChip {
    pub(super) label: Message,
    pub(super) is_on: bool,
    pub(super) value: String,
    pub(super) others: Vec<(&'static str, String)>,
    pub(super) clear: String,
}

/// The filter by days.
pub(super) struct DatesChip {
    pub(super) label: Message,
    pub(super) is_on: bool,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) others: Vec<(&'static str, String)>,
    pub(super) clear: String,
}

impl Chips {
    pub(super) fn new(app: &App, query: &ActivityQuery, names: &Names) -> Self {
        let actors = ACTORS
            .iter()
            .map(|(value, label)| ((*value).to_owned(), t(label)))
            .chain(
                names
                    .iter()
                    .map(|(actor, name)| (actor.to_owned(), name.clone())),
            );
        let actions = words::ACTIONS
            .iter()
            .map(|(code, label)| ((*code).to_owned(), t(label)));
        let ids = app
            .providers
            .iter()
            .map(|provider| provider.id().to_string());
        let off = app.providers.switched_off().map(|(id, _)| id.to_owned());
        let providers = ids.chain(off).map(|id| {
            let title = app.providers.face(&id).title;
            (id, Message::verbatim(title))
        });
        Self {
            choices: vec![
                query.chip("actor", t("activity-who"), &query.actor, actors),
                query.chip("action", t("activity-what"), &query.action, actions),
                query.chip("provider", t("filter-provider"), &query.provider, providers),
            ],
            user: FieldChip {
                label: if query.user.is_empty() {
                    t("list-user")
                } else {
                    chosen(t("list-user"), &query.user)
                },
                is_on: !query.user.is_empty(),
                value: query.user.clone(),
                others: query.others(&["user"]),
                clear: query.without(&["user"]),
            },
            dates: DatesChip {
                label: dates_label(&query.from, &query.to),
                is_on: !query.from.is_empty() || !query.to.is_empty(),
                from: query.from.clone(),
                to: query.to.clone(),
                others: query.others(&["from", "to"]),
                clear: query.without(&["from", "to"]),
            },
            is_filtered: !query.set().is_empty(),
        }
    }
}

/// A filter and what is chosen.
fn chosen(filter: Message, value: impl ToArg) -> Message {
    t("activity-chosen")
        .with("filter", filter)
        .with("value", value)
}

fn dates_label(from: &str, to: &str) -> Message {
    match (from, to) {
        ("", "") => t("activity-when"),
        (from, "") => t("activity-since").with("from", from),
        ("", to) => t("activity-until").with("to", to),
        (from, to) => t("activity-from-to").with("from", from).with("to", to),
    }
}

impl ActivityQuery {
    fn others(&self, without: &[&str]) -> Vec<(&'static str, String)> {
        self.set()
            .into_iter()
            .filter(|(name, _)| !without.contains(name))
            .map(|(name, value)| (name, value.to_owned()))
            .collect()
    }

    fn without(&self, names: &[&str]) -> String {
        format!("/admin/activity{}", self.query(names, None))
    }

    fn chip(
        &self,
        name: &'static str,
        title: Message,
        wanted: &str,
        options: impl Iterator<Item = (String, Message)>,
    ) -> Chip {
        let mut options: Vec<ChipOption> = options
            .map(|(value, label)| ChipOption {
                is_chosen: value == wanted,
                value,
                label,
            })
            .collect();
        // What is no longer offered is still looked for.
        if !wanted.is_empty() && !options.iter().any(|option| option.is_chosen) {
            options.push(ChipOption {
                value: wanted.to_owned(),
                label: Message::verbatim(wanted.to_owned()),
                is_chosen: true,
            });
        }
        let on = options.iter().find(|option| option.is_chosen);
        Chip {
            name,
            is_on: on.is_some(),
            label: match on {
                Some(option) => chosen(title, &option.label),
                None => title,
            },
            options,
            others: self.others(&[name]),
            clear: self.without(&[name]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> ActivityQuery {
        serde_urlencoded::from_str(text).unwrap()
    }

    #[test]
    fn filters_are_read_from_the_address_and_untouched_fields_are_none() {
        let filter =
            query("actor=staff%3A3&action=&user=7&provider=github&from=2026-11-01&to=2026-11-02")
                .filter()
                .unwrap();

        assert_eq!(
            (filter.actor_kind.as_deref(), filter.actor_id),
            (Some("staff"), Some(3))
        );
        assert_eq!(filter.action, None);
        assert_eq!(filter.user_id, Some(UserId(7)));
        assert_eq!(filter.from, Some("2026-11-01T00:00:00Z".parse().unwrap()));
        // The last day is in it.
        assert_eq!(filter.before, Some("2026-11-03T00:00:00Z".parse().unwrap()));
        assert_eq!(query("").filter().unwrap(), AuditFilter::default());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, name) in [
            ("actor=staff:x", "actor"),
            ("actor=nobody", "actor"),
            ("user=ada", "user"),
            ("from=yesterday", "from"),
            ("to=2026-13-01", "to"),
        ] {
            let BadQuery(sentence) = query(text).filter().unwrap_err();
            assert!(sentence.to_string().starts_with(name), "{sentence}");
        }
        assert!(query("older=1&newer=2").position().is_err());
        assert!(serde_urlencoded::from_str::<ActivityQuery>("colour=red").is_err());
    }

    #[test]
    fn clearing_one_filter_keeps_the_others() {
        let query = query("actor=staff&provider=github&older=9");

        assert_eq!(query.without(&["provider"]), "/admin/activity?actor=staff");
        assert_eq!(
            query.href_with("older", 5),
            "/admin/activity?actor=staff&provider=github&older=5"
        );
        assert_eq!(
            query.export_href(),
            "/admin/activity/export?actor=staff&provider=github"
        );
        assert_eq!(
            query.to_json(),
            serde_json::json!({"actor": "staff", "provider": "github"})
        );
    }
}
