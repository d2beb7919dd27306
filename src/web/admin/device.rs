//! What a browser calls itself, in a few words.

use super::text::{Message, t};

/// Browsers by what only they write; those that pretend to be others come first.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Systems, likewise.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// Such as "Firefox on Linux"; else the name and version that the program gives first, which is what apps do.
#[must_use]
pub fn device_name(user_agent: Option<&str>) -> Message {
    let Some(text) = user_agent.map(str::trim).filter(|text| !text.is_empty()) else {
        return t("device-unknown");
    };
    let find = |table: &[(&str, &'static str)]| {
        let found = table.iter().find(|(mark, _)| text.contains(mark));
        found.map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => t("device-browser-on")
            .with("browser", browser)
            .with("system", system),
        (Some(browser), None) => Message::verbatim(browser),
        (None, _) => {
            let first = text.split_whitespace().next().unwrap_or_default();
            let name: String = first.replace('/', " ").chars().take(60).collect();
            Message::verbatim(name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::admin::text::Language;

    #[test]
    fn browsers_are_named_with_their_system_and_apps_by_their_own_name() {
        let name = |text| device_name(Some(text)).to_string();

        assert_eq!(
            name("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
            "Firefox on Linux"
        );
        assert_eq!(
            name(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0"
            ),
            "Edge on Windows"
        );
        assert_eq!(
            name(
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1"
            ),
            "Safari on iPhone"
        );
        assert_eq!(name("ShopApp/4.2 (build 7; iOS)"), "ShopApp 4.2");
        assert_eq!(device_name(None).to_string(), "Unknown device");
        let firefox = device_name(Some("Firefox/140.0 (X11; Linux x86_64)"));
        assert_eq!(firefox.text(Language::German), "Firefox auf Linux");
    }
}
