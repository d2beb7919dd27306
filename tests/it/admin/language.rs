//! The pages in another language: wholly in it, and as sound in a browser as in English.

use std::collections::{BTreeMap, BTreeSet};

use latchkey::domain::Role;
use serde_json::json;

use super::browser::{WEBHOOK, give_up_a_delivery, populate};
use super::frame::POLICY;
use super::providers::SETTINGS;
use crate::support::{
    Backend, Page, StaffClient, TestApp, assert_nothing_wrong, chromium_script, on_both,
};

/// The fields of a form.
type Fields = &'static [(&'static str, &'static str)];

/// A browser of somebody with this role who reads German.
async fn german(app: &TestApp, role: Role) -> StaffClient {
    let mut browser = app.staff(role).await;
    let chosen = browser
        .post("/admin/preferences", &[("language", "de")])
        .await;
    assert_eq!(chosen.status, 303, "{}", chosen.html);
    browser
}

on_both!(
    the_language_is_the_browsers_until_somebody_chooses,
    "",
    |app| {
        let mut nobody = StaffClient::new(app);
        for (wanted, lang, heading) in [
            ("de-CH,de;q=0.9,en;q=0.8", "de", "<h1>Anmelden</h1>"),
            ("fr,en;q=0.8,de;q=0.5", "en", "<h1>Sign in</h1>"),
            ("fr", "en", "<h1>Sign in</h1>"),
        ] {
            let request = nobody.request("GET", "/admin/sign-in");
            let page = nobody.send(request.header("accept-language", wanted)).await;
            page.assert_says(200, &format!("<html lang=\"{lang}\" dir=\"ltr\""));
            page.assert_says(200, heading);
        }

        // Whoever chooses something else has not chosen a language.
        let mut al = app.staff(Role::Staff).await;
        al.post("/admin/preferences", &[("theme", "dark")]).await;
        let request = al.request("GET", "/admin/preferences");
        let page = al.send(request.header("accept-language", "de")).await;
        page.assert_says(200, "<html lang=\"de\" dir=\"ltr\" data-theme=\"dark\"");

        let mut jo = german(app, Role::Staff).await;
        let request = jo.request("GET", "/admin/preferences");
        let page = jo.send(request.header("accept-language", "en")).await;
        page.assert_says(200, "<html lang=\"de\"");
        page.assert_says(
            200,
            "<option value=\"de\" lang=\"de\" selected>Deutsch</option>",
        );
        // The rest stays as it is, and so does the language.
        for field in [("theme", "light"), ("language", "tlh")] {
            jo.post("/admin/preferences", &[field]).await;
            let page = jo.get("/admin/preferences").await;
            page.assert_says(200, "<html lang=\"de\"");
        }
        jo.post("/admin/preferences", &[("language", "en")]).await;
        jo.get("/admin/preferences")
            .await
            .assert_says(200, "<h1>Preferences</h1>");
    }
);

/// What a page shows and says, piece by piece: its text, and the attributes that are read out or shown.
fn words(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    // JSON as it is stored.
    let mut html = html.to_owned();
    while let Some((before, rest)) = html.split_once("<pre") {
        html = format!("{before}{}", rest.split_once("</pre>").unwrap().1);
    }
    for piece in html.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap();
        // Zones, codes, and what the check of the configuration and a provider's entry say.
        let is_data = ["option", "option selected", "code"].contains(&tag)
            || tag.starts_with("code ")
            || tag.ends_with(" lang=\"en\"");
        if is_data {
            continue;
        }
        // The languages' own names for themselves, and what was typed.
        if tag.starts_with("option value=\"en\"") || tag.starts_with("option value=\"de\"") {
            continue;
        }
        for name in [
            "aria-label",
            "title",
            "placeholder",
            "alt",
            "data-l",
            "data-copy",
            "data-sort",
            "data-words",
        ] {
            if let Some((_, rest)) = tag.split_once(&format!(" {name}=\"")) {
                found.push(rest.split('"').next().unwrap().to_owned());
            }
        }
        found.push(text.trim().to_owned());
    }
    found.retain(|text| text.contains(|letter: char| letter.is_alphabetic()));
    found
}

/// What is the same in both languages and is no word of a page: names, addresses, codes.
const DATA: &[&str] = &[
    "Latchkey",
    "Jo Meyer",
    "Ada",
    "Okafor",
    "Linus",
    "Berg",
    "Margaret",
    "Silva",
    "Kenji",
    "Watanabe",
    "Ingrid",
    "Solheim",
    "Maximiliane-Konstantina",
    "Wolfeschlegelsteinhausen",
    "Fake provider",
    "SQLite",
    "PostgreSQL",
    "Error with social authentication",
    "Fake",
    "Tests/1.0",
    "Tests 1.0",
    "crm",
    "acme",
    "UTC",
    "Asked for by mail, ticket 5190",
];

/// English words that no German sentence has.
const ENGLISH: &[&str] = &[
    "the", "of", "and", "with", "has", "not", "by", "this", "your", "is", "are", "ago", "since",
    "no", "yet", "for", "nobody",
];

/// Strings of the catalogue that are the same in both languages.
fn same_in_both() -> BTreeSet<&'static str> {
    let strings = |source: &'static str| -> BTreeMap<&str, &str> {
        let pairs = source.lines().filter_map(|line| line.split_once(" = "));
        pairs.collect()
    };
    let english = strings(include_str!("../../../src/web/admin/text/en.ftl"));
    let german = strings(include_str!("../../../src/web/admin/text/de.ftl"));
    let same = english
        .iter()
        .filter(|(id, text)| german.get(*id) == Some(text));
    same.map(|(_, text)| *text).collect()
}

/// The titles of providers, the longest first.
fn titles(app: &TestApp) -> Vec<String> {
    let providers = &app.app.providers;
    let off = providers.not_configured().map(|(id, _)| id);
    let ids = providers.configured().chain(off);
    let mut titles: Vec<String> = ids.map(|id| providers.face(id).title).collect();
    titles.sort_by_key(|title| std::cmp::Reverse(title.len()));
    titles
}

/// What of a German page is not German, beside the English one.
fn left_in_english(app: &TestApp, german: &Page, english: &Page) -> Vec<String> {
    let (same, english) = (same_in_both(), words(&english.html));
    let english: BTreeSet<&String> = english.iter().collect();
    let titles = titles(app);
    let without_data = |text: &str| {
        let mut text = text.to_owned();
        for data in titles
            .iter()
            .map(String::as_str)
            .chain(DATA.iter().copied())
        {
            text = text.replace(data, "");
        }
        text
    };
    let german = words(&german.html).into_iter();
    let left = german.filter(|text| {
        let is_code = |word: &str| {
            word.contains(['_', '@', '/', '.', '=', '-', '\\', '"'])
                || word.contains(char::is_numeric)
        };
        let rest = without_data(text);
        let words = rest.split(|next: char| !next.is_alphanumeric() && !"_@/.=-".contains(next));
        let words: Vec<&str> = words
            .filter(|word| {
                word.chars().filter(|next| next.is_alphabetic()).count() > 1 && !is_code(word)
            })
            .collect();
        let is_the_same = english.contains(text)
            && words.iter().any(|word| word.len() > 2)
            && !same.contains(rest.trim_matches(|next: char| !next.is_alphanumeric()));
        is_the_same || words.iter().any(|word| ENGLISH.contains(word))
    });
    left.collect()
}

/// Addresses of a page, without exports.
fn links(html: &str) -> BTreeSet<String> {
    let found = html.split("href=\"/admin").skip(1);
    let found = found.map(|rest| {
        format!(
            "/admin{}",
            rest.split('"')
                .next()
                .unwrap()
                .replace("&#38;", "&")
                .replace("&amp;", "&")
        )
    });
    found
        .filter(|path| !path.contains("/export") && !path.contains(".json"))
        .collect()
}

/// The kind of page that an address is: ids, providers and values stand for each other.
fn kind_of(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let names = query.split('&').map(|pair| pair.split('=').next());
    let is_id = |piece: &&str| piece.parse::<u64>().is_ok();
    let pieces: Vec<&str> = path.split('/').filter(|piece| !is_id(piece)).collect();
    let provider = pieces.iter().position(|piece| *piece == "providers");
    let pieces = pieces
        .split_at(provider.map_or(pieces.len(), |at| at + 1))
        .0;
    format!("{pieces:?} {:?}", names.collect::<BTreeSet<_>>())
}

/// Follows links from `start`, at most three of a kind, and compares each page in both languages.
async fn crawl(
    app: &TestApp,
    german: &mut StaffClient,
    english: &mut StaffClient,
    start: &[&str],
) -> usize {
    let mut queue: Vec<String> = start.iter().map(|path| (*path).to_owned()).collect();
    let mut known: BTreeSet<String> = queue.iter().cloned().collect();
    let mut kinds = BTreeMap::new();
    let (mut seen, mut found) = (0, BTreeMap::new());
    while let Some(path) = queue.pop() {
        let (mine, theirs) = (german.get(&path).await, english.get(&path).await);
        assert_eq!(mine.status, theirs.status, "{path}");
        if mine.status == 303 {
            continue;
        }
        assert!(mine.html.contains("<html lang=\"de\""), "{path}");
        let left = left_in_english(app, &mine, &theirs);
        if !left.is_empty() {
            found.insert(path, left);
        }
        seen += 1;
        for link in links(&mine.html) {
            let times = kinds.entry(kind_of(&link)).or_insert(0);
            if *times < 3 && known.insert(link.clone()) {
                *times += 1;
                queue.push(link);
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    seen
}

on_both!(
    every_page_is_wholly_in_the_other_language,
    &format!("{SETTINGS}{WEBHOOK}"),
    |app| {
        let (mut hans, mut jo) = (
            german(app, Role::Superuser).await,
            app.staff(Role::Superuser).await,
        );
        let empty = crawl(app, &mut hans, &mut jo, &["/admin/overview"]).await;
        assert!(empty >= 15, "{empty}");

        populate(app, &mut jo).await;
        give_up_a_delivery(app).await;
        let start = [
            "/admin/overview",
            "/admin/users?q=nobody-there",
            "/admin/users?status=inactive&provider=fake&from=today&seen_before=2030-01-01",
            "/admin/users?q=gho_0123456789abcdef0123",
            "/admin/users?colour=red",
            "/admin/users?dir=up",
            "/admin/accounts?provider=github&token=expired",
            "/admin/activity?user=4711",
            "/admin/activity?action=signed_in&from=today",
            "/admin/activity?from=never",
            "/admin/settings/webhooks?show=undelivered",
            "/admin/users/3/unlinked/1/ticket",
            "/admin/providers/acme",
            "/admin/nothing-here",
            "/admin/welcome?token=spent",
        ];
        let full = crawl(app, &mut hans, &mut jo, &start).await;
        assert!(full >= 60, "{full}");
    }
);

on_both!(
    what_comes_of_forms_is_in_the_other_language_too,
    &format!("{SETTINGS}{WEBHOOK}"),
    |app| {
        let (mut hans, mut jo) = (
            german(app, Role::Superuser).await,
            app.staff(Role::Superuser).await,
        );
        populate(app, &mut jo).await;
        let forms: &[(&str, Fields, u16)] = &[
            ("/admin/users/1/accounts/1/unlink", &[], 409),
            ("/admin/users/1/deactivate", &[("why", "x")], 422),
            ("/admin/users/2/reactivate", &[], 422),
            ("/admin/users/3/unlinked/1/ticket", &[("user", "x")], 422),
            ("/admin/users/1/accounts/1/check", &[], 303),
            (
                "/admin/settings/password",
                &[("current_password", "x"), ("new_password", "short")],
                422,
            ),
            (
                "/admin/settings/staff/invite",
                &[("email", "x"), ("display_name", ""), ("role", "king")],
                422,
            ),
            ("/admin/settings/sessions/end-others", &[], 303),
            (
                "/admin/providers/fake/test",
                &[("token", "not-a-token")],
                200,
            ),
            ("/admin/providers/fake/test", &[], 200),
            ("/admin/settings/webhooks/crm/test", &[], 303),
            ("/admin/users", &[], 405),
            ("/admin/settings/staff/4711", &[("role", "admin")], 409),
        ];
        let mut found = BTreeMap::new();
        for (path, fields, status) in forms {
            let (mut mine, mut theirs) =
                (hans.post(path, fields).await, jo.post(path, fields).await);
            assert_eq!(
                (mine.status, theirs.status),
                (*status, *status),
                "{path}: {}",
                mine.html
            );
            if *status == 303 {
                let to = mine.location().to_owned();
                (mine, theirs) = (hans.get(&to).await, jo.get(&to).await);
            }
            let left = left_in_english(app, &mine, &theirs);
            if !left.is_empty() {
                found.insert(path, left);
            }
        }
        assert!(found.is_empty(), "{found:#?}");
        // A notice speaks the language of whoever did it.
        let undone = hans.post("/admin/users/3/unlinked/1/undo", &[]).await;
        let page = hans.get(undone.location()).await;
        assert!(page.html.contains("role=\"status\""), "{}", page.html);
        let english = jo.get(undone.location()).await;
        let left = left_in_english(app, &page, &english);
        assert!(left.is_empty(), "{left:#?}");

        // A form without its token is refused in words, too.
        let request = hans.request("POST", "/admin/sign-out");
        let refused = hans
            .send(crate::support::staff::with_form(request, &[]))
            .await;
        refused.assert_says(403, "Dieses Formular wurde nicht angenommen");
    }
);

on_both!(
    pages_in_a_longer_language_fit_every_width,
    &format!("{SETTINGS}{WEBHOOK}"),
    |app| {
        let mut hans = german(app, Role::Superuser).await;
        populate(app, &mut hans).await;
        let is_brief = app.backend() == Backend::Postgres;
        let mut looks = vec![
            json!({"width": 1280, "theme": "light", "visitor": "superuser", "opens_each": false}),
            json!({"width": 390, "theme": "dark", "visitor": "superuser", "opens_each": false}),
        ];
        if is_brief {
            looks.truncate(1);
        }
        let (mut start, mut scenes) = (vec!["/admin/overview", "/admin/preferences"], json!([]));
        if is_brief {
            start.clear();
            scenes = ["overview", "users", "users/1", "settings"]
                .map(|path| json!({"visitor": "superuser", "path": format!("/admin/{path}"), "status": 200}))
                .into();
        }
        let job = json!({
            "policy": POLICY, "is_brief": is_brief, "looks": looks, "start": start, "most": 60, "scenes": scenes,
        });
        let report = chromium_script(app, "check.mjs", &[("superuser", &hans)], job).await;
        if let Some(report) = report {
            assert_nothing_wrong(&report);
        }
    }
);
