//! Which entry a provider's table stands for.

use std::collections::BTreeMap;

use super::super::catalog;
use super::super::entry::Entry;
use super::super::mark::Mark;
use super::super::settings::{Problems, ProviderSettings};

/// The entry that a table stands for, with the table's own values in place.
pub(super) fn entry_of(
    slug: &str,
    settings: &ProviderSettings,
    problems: &mut Problems<'_>,
) -> Option<Entry> {
    if let (Some(_), Some(entry)) = (&settings.issuer, settings.entry.as_deref())
        && entry != "oidc"
    {
        problems.add(
            "issuer",
            format!("tokens of `{entry}` have an issuer of their own"),
            "remove `issuer`, or `entry`",
        );
        return None;
    }
    let from_catalog = if settings.issuer.is_some() {
        Some("oidc")
    } else {
        settings.entry.as_deref()
    };
    if let Some(owner) = catalog::find_by_name(slug)
        && from_catalog.map_or(settings.has_entry_tables(), |entry| entry != owner.id)
    {
        problems.add(
            "",
            format!("`{slug}` is the name of a catalogue entry, which this table is not"),
            format!("choose another id, such as `{slug}-own`"),
        );
        return None;
    }
    let name = from_catalog.unwrap_or(slug);
    let mut entry = match catalog::find(name) {
        Some(line) => match line.entry() {
            Ok(entry) => entry,
            Err(error) => {
                problems.add("entry", error, "report it: the catalogue is broken");
                return None;
            }
        },
        None => inline_entry(name, settings, problems)?,
    };
    if slug != name {
        entry.aliases = Vec::new();
        // Two instances of one entry must not look the same.
        (entry.mark, entry.color) = (None, None);
        if settings.title.is_none() {
            slug.clone_into(&mut entry.title);
        }
    }
    apply(&mut entry, settings);
    check_mark(&entry, problems);
    Some(entry)
}

/// An entry of the operator's own.
fn inline_entry(
    name: &str,
    settings: &ProviderSettings,
    problems: &mut Problems<'_>,
) -> Option<Entry> {
    let Some(audience) = &settings.audience else {
        let (problem, remedy) = match catalog::find_by_name(name) {
            Some(line) => (
                format!("`{name}` is another name of `{}`", line.id),
                format!("write [providers.{}]", line.id),
            ),
            None if settings.has_entry_tables() => (
                "nothing says how a token is proven to be ours".to_owned(),
                "add [audience]".to_owned(),
            ),
            None => (
                format!("no entry is called `{name}`"),
                match nearest(name) {
                    Some(near) => format!(
                        "did you mean `{near}`? Otherwise set `issuer`, `entry`, or describe the provider"
                    ),
                    None => "set `issuer`, `entry`, or describe the provider".to_owned(),
                },
            ),
        };
        problems.add("entry", problem, remedy);
        return None;
    };
    Some(Entry {
        title: name.to_owned(),
        mark: None,
        color: None,
        aliases: Vec::new(),
        status: settings.status.unwrap_or_default(),
        docs: None,
        checked: None,
        host: None,
        params: BTreeMap::new(),
        oauth2: None,
        id_token: None,
        requests: Vec::new(),
        identity: None,
        audience: audience.clone(),
        extra_data: Vec::new(),
        revoke: None,
    })
}

fn nearest(name: &str) -> Option<&'static str> {
    catalog::lines()
        .iter()
        .map(|line| (strsim::damerau_levenshtein(name, line.id), line.id))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, id)| id)
}

fn check_mark(entry: &Entry, problems: &mut Problems<'_>) {
    if let Some(letters) = &entry.mark
        && !Mark::accepts(letters)
    {
        problems.add(
            "mark",
            "a mark is one or two letters or digits",
            "shorten it, or remove it to have it derived from the title",
        );
    }
}

/// Puts what the table says over what the entry says.
fn apply(entry: &mut Entry, settings: &ProviderSettings) {
    if let Some(title) = &settings.title {
        entry.title.clone_from(title);
    }
    if settings.mark.is_some() {
        entry.mark.clone_from(&settings.mark);
    }
    if settings.color.is_some() {
        entry.color = settings.color;
    }
    entry.aliases.extend(settings.aliases.iter().cloned());
    if let Some(status) = settings.status {
        entry.status = status;
    }
    if settings.docs.is_some() {
        entry.docs.clone_from(&settings.docs);
    }
    if settings.host.is_some() {
        entry.host.clone_from(&settings.host);
    }
    for (name, value) in &settings.params {
        entry.params.insert(name.clone(), value.clone());
    }
    if let Some(issuer) = &settings.issuer {
        entry.params.insert("issuer".to_owned(), issuer.clone());
    }
    if settings.oauth2.is_some() {
        entry.oauth2.clone_from(&settings.oauth2);
    }
    if settings.id_token.is_some() {
        entry.id_token.clone_from(&settings.id_token);
    }
    if !settings.requests.is_empty() {
        entry.requests.clone_from(&settings.requests);
    }
    if settings.identity.is_some() {
        entry.identity.clone_from(&settings.identity);
    }
    if let Some(audience) = &settings.audience {
        entry.audience = audience.clone();
    }
    if let Some(revoke) = &settings.revoke {
        entry.revoke = Some(revoke.clone());
    }
    if !settings.extra_data.is_empty() {
        entry.extra_data.clone_from(&settings.extra_data);
    }
    if let (Some(scopes), Some(oauth2)) = (&settings.scopes, entry.oauth2.as_mut()) {
        oauth2.scopes.clone_from(scopes);
    }
}
