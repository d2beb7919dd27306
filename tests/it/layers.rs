//! Keeps the arrows between the layers: who may import whom, and which crate has its home where.

mod code;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path as FilePath;

use code::{Path, Token, paths, tokens};

/// Our modules below `src`, and which others each may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("providers", &["domain"]),
    ("storage", &["domain"]),
    ("app", &["domain", "providers", "storage"]),
    ("flows", &["app", "domain", "providers", "storage"]),
    ("web", &["app", "domain", "flows", "providers", "storage"]),
    ("config", &["app", "domain", "providers", "storage", "web"]),
    (
        "start",
        &[
            "app",
            "config",
            "domain",
            "flows",
            "providers",
            "storage",
            "web",
        ],
    ),
    (
        "cli",
        &[
            "app",
            "config",
            "domain",
            "flows",
            "providers",
            "start",
            "storage",
            "web",
        ],
    ),
    ("main", &["cli"]),
    ("lib", &[]),
];

/// Crates that have a home, and the modules that are it.
const HOMES: &[(&str, &[&str])] = &[
    ("reqwest", &["providers"]),
    ("oauth2", &["providers"]),
    ("diesel", &["storage"]),
    ("diesel_migrations", &["storage"]),
    ("libsqlite3_sys", &["storage"]),
    ("pq_sys", &["storage"]),
    ("actix_web", &["web", "start", "cli", "main"]),
    ("actix_http", &["web"]),
    ("actix_session", &["web"]),
    ("askama", &["web"]),
    ("rust_embed", &["web"]),
    ("governor", &["web"]),
    ("figment", &["config", "providers"]),
    ("clap", &["cli", "main"]),
    // The trait of session stores has it in its signatures.
    ("anyhow", &["cli", "main", "web"]),
    ("argon2", &["app"]),
    ("totp_rs", &["domain"]),
    ("qrcodegen", &["web"]),
    ("chrono_tz", &["web"]),
    ("tracing_subscriber", &["cli"]),
];

/// What the domain has no use for: it neither reads nor waits.
const NOT_IN_DOMAIN: &[&str] = &[
    "tokio",
    "std::fs",
    "std::process",
    "std::thread",
    "std::io",
    "std::env",
];

/// The functions of `std::env` that read the environment; only `config` does.
const ENVIRONMENT: &[&str] = &["var", "var_os", "vars", "vars_os"];

/// Lines of a file that hold code, tests apart. Comments and blank lines are free: documentation is not what makes a file long.
const LONGEST_FILE: usize = 400;

/// A rule that a line breaks.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    file: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}:{}: {}", self.file, self.line, self.rule)
    }
}

/// A source file below `src`, without its tests.
struct Source {
    /// Its path below `src`.
    file: String,
    /// Where it stands in the module tree: `flows/sign_up/apply.rs` is `flows`, `sign_up`, `apply`.
    module: Vec<String>,
    tokens: Vec<Token>,
    /// Lines that hold code.
    lines: usize,
    /// Modules that it declares for tests alone.
    test_modules: Vec<String>,
}

impl Source {
    fn parse(file: &str, text: &str) -> Self {
        let stem = file.trim_end_matches(".rs").trim_end_matches("/mod");
        let (tokens, test_modules) = without_tests(&tokens(text));
        let lines: BTreeSet<usize> = tokens.iter().map(|token| token.line).collect();
        Self {
            file: file.to_owned(),
            module: stem.split('/').map(str::to_owned).collect(),
            tokens,
            lines: lines.len(),
            test_modules,
        }
    }

    fn layer(&self) -> &str {
        &self.module[0]
    }

    fn violation(&self, line: usize, rule: String) -> Violation {
        Violation {
            file: self.file.clone(),
            line,
            rule,
        }
    }

    /// Whether `other` declares this file, or a folder it is in, for tests alone.
    fn is_test_of(&self, other: &Self) -> bool {
        let parent: &[String] = match other.layer() {
            "lib" | "main" => &[],
            _ => &other.module,
        };
        self.module.strip_prefix(parent).is_some_and(|rest| {
            rest.first()
                .is_some_and(|first| other.test_modules.contains(first))
        })
    }

    fn violations(&self) -> Vec<Violation> {
        let mut found: Vec<Violation> = paths(&self.tokens)
            .iter()
            .flat_map(|path| self.judge(path))
            .collect();
        if self.lines > LONGEST_FILE {
            let rule = format!(
                "{} lines of code, at most {LONGEST_FILE} are allowed: split it",
                self.lines
            );
            found.push(self.violation(1, rule));
        }
        found
    }

    fn judge(&self, path: &Path) -> Vec<Violation> {
        let layer = self.layer();
        let mut rules = Vec::new();
        if let Some(other) = self.imported_layer(path) {
            let allowed = may_import(layer).unwrap_or_default();
            if other != layer && !allowed.contains(&other) {
                rules.push(format!(
                    "`{layer}` may not import `{other}`, only {allowed:?}"
                ));
            }
        }
        let root = path.names[0].as_str();
        if let Some((_, homes)) = HOMES.iter().find(|(name, _)| *name == root)
            && !homes.contains(&layer)
        {
            rules.push(format!("`{root}` is at home in {homes:?} only"));
        }
        let text = path.names.join("::");
        let is_in = |name: &&&str| text == **name || text.starts_with(&format!("{name}::"));
        if layer == "domain"
            && let Some(name) = NOT_IN_DOMAIN.iter().find(is_in)
        {
            rules.push(format!("`domain` has no use for `{name}`"));
        }
        if layer != "config" && reads_environment(&path.names) {
            rules.push("only `config` reads the environment".to_owned());
        }
        rules
            .into_iter()
            .map(|rule| self.violation(path.line, rule))
            .collect()
    }

    /// The module below `src` that a path leads to.
    fn imported_layer<'a>(&self, path: &'a Path) -> Option<&'a str> {
        let names: Vec<&str> = path.names.iter().map(String::as_str).collect();
        let below_root = match names.as_slice() {
            ["crate" | "latchkey", rest @ ..] => rest,
            ["super", ..] => {
                let up = names.iter().take_while(|name| **name == "super").count();
                if up < self.module.len() {
                    return None;
                }
                &names[up..]
            }
            _ => return None,
        };
        let first = *below_root.first()?;
        MAY_IMPORT
            .iter()
            .any(|(layer, _)| *layer == first)
            .then_some(first)
    }
}

fn may_import(layer: &str) -> Option<&'static [&'static str]> {
    MAY_IMPORT
        .iter()
        .find(|(name, _)| *name == layer)
        .map(|(_, allowed)| *allowed)
}

fn reads_environment(names: &[String]) -> bool {
    names
        .windows(2)
        .any(|pair| pair[0] == "env" && ENVIRONMENT.contains(&pair[1].as_str()))
}

/// Leaves out what `#[cfg(test)]` stands before, and says which modules of other files those are.
fn without_tests(all: &[Token]) -> (Vec<Token>, Vec<String>) {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let text = |at: usize| all.get(at).map_or("", |token| token.text.as_str());
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < all.len() {
        let is_marked = MARK
            .iter()
            .enumerate()
            .all(|(offset, mark)| text(at + offset) == *mark);
        if !is_marked {
            kept.push(all[at].clone());
            at += 1;
            continue;
        }
        at += MARK.len();
        let end = item_end(all, at);
        if text(end - 1) == ";"
            && let Some(keyword) = (at..end).find(|at| text(*at) == "mod")
        {
            modules.push(text(keyword + 1).to_owned());
        }
        at = end;
    }
    (kept, modules)
}

/// Behind the item that begins at `at`: its `;`, or the brace that closes its block.
fn item_end(all: &[Token], mut at: usize) -> usize {
    let mut depth = 0_i32;
    while at < all.len() {
        match all[at].text.as_str() {
            "{" | "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            "}" => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
        at += 1;
    }
    at
}

/// What is wrong with these files, as paths below `src` and texts.
fn check(files: &[(String, String)]) -> Vec<Violation> {
    let sources: Vec<Source> = files
        .iter()
        .map(|(file, text)| Source::parse(file, text))
        .collect();
    let mut found = Vec::new();
    for source in &sources {
        if sources.iter().any(|other| source.is_test_of(other)) {
            continue;
        }
        if may_import(source.layer()).is_none() {
            let rule = "a new module below src: say in tests/it/layers.rs whom it may import";
            found.push(source.violation(1, rule.to_owned()));
            continue;
        }
        found.extend(source.violations());
    }
    found
}

/// Every file below `src` whose name ends in `ending`, as paths below `src`.
fn files(ending: &str) -> Vec<(String, String)> {
    let root = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(ending) {
                let file = path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                found.push((file, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_file_keeps_to_its_layer() {
    let files = files(".rs");

    let found: Vec<String> = check(&files).iter().map(ToString::to_string).collect();

    assert!(files.len() > 50, "only {} files found", files.len());
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_entry_of_the_catalogue_has_its_line() {
    let in_folder: BTreeSet<String> = files(".toml")
        .into_iter()
        .filter_map(|(file, _)| file.strip_prefix("providers/catalog/").map(str::to_owned))
        .collect();

    let in_catalog: BTreeSet<String> = latchkey::providers::catalog::lines()
        .iter()
        .map(|line| format!("{}.toml", line.id))
        .collect();

    assert!(!in_folder.is_empty());
    assert_eq!(
        in_folder, in_catalog,
        "src/providers/catalog/ and src/providers/catalog.rs differ"
    );
}

/// The rules that `text` breaks as the file `file`, each with its line.
fn broken(file: &str, text: &str) -> Vec<(usize, String)> {
    check(&[(file.to_owned(), text.to_owned())])
        .into_iter()
        .map(|violation| (violation.line, violation.rule))
        .collect()
}

#[test]
fn a_forbidden_import_is_found_in_every_spelling() {
    for (file, text, rule) in [
        (
            "domain/user.rs",
            "use crate::storage::Db;",
            "`domain` may not import `storage`",
        ),
        (
            "domain/user.rs",
            "use crate::{domain::Uid, web::Error};",
            "`domain` may not import `web`",
        ),
        (
            "domain/user.rs",
            "fn f() { super::super::flows::sign_up() }",
            "`domain` may not import `flows`",
        ),
        (
            "domain/user.rs",
            "fn f() { tokio::spawn(g()); }",
            "`domain` has no use for `tokio`",
        ),
        (
            "domain/user.rs",
            "use std::{fs, str};",
            "`domain` has no use for `std::fs`",
        ),
        (
            "providers/mod.rs",
            "use super::storage;",
            "`providers` may not import `storage`",
        ),
        (
            "providers/jwks/cache.rs",
            "pub(crate) use crate::app::App;",
            "`providers` may not import `app`",
        ),
        (
            "storage/db.rs",
            "use crate::config::Config;",
            "`storage` may not import `config`",
        ),
        (
            "flows/sign_up.rs",
            "fn f(_: crate::web::Error) {}",
            "`flows` may not import `web`",
        ),
        (
            "web/api/me.rs",
            "use crate::config::Config as C;",
            "`web` may not import `config`",
        ),
        (
            "web/api/me.rs",
            "use {std::fmt, diesel::prelude::*};",
            "`diesel` is at home in [\"storage\"] only",
        ),
        (
            "flows/sign_up.rs",
            "use reqwest::Client;",
            "`reqwest` is at home in",
        ),
        (
            "flows/sign_up.rs",
            "fn f() -> actix_web::HttpResponse { g() }",
            "`actix_web` is at home in",
        ),
        (
            "start.rs",
            "fn f() { std::env::var(\"A\"); }",
            "only `config` reads the environment",
        ),
        (
            "web.rs",
            "use std::env;\nfn f() { env::vars_os(); }",
            "only `config` reads the environment",
        ),
        (
            "main.rs",
            "use latchkey::storage::Db;",
            "`main` may not import `storage`",
        ),
        ("utils.rs", "", "a new module below src"),
    ] {
        let found = broken(file, text);

        assert_eq!(found.len(), 1, "{file}: {text}: {found:?}");
        assert!(found[0].1.starts_with(rule), "{file}: {text}: {found:?}");
        assert_eq!(found[0].0, text.lines().count().max(1), "{file}: {text}");
    }
}

#[test]
fn what_is_allowed_passes() {
    for (file, text) in [
        (
            "flows/sign_up.rs",
            "//! Not [`crate::web`].\nuse super::Bearer;\nuse crate::{app::App, domain::User};",
        ),
        (
            "flows/sign_up/apply.rs",
            "use super::super::TokenSet;\nconst A: &str = \"diesel::prelude\";",
        ),
        ("storage/db.rs", "use diesel::prelude::*;\nuse std::fs;"),
        ("config/environment.rs", "fn f() { std::env::vars_os(); }"),
        (
            "cli/demo.rs",
            "fn f() { std::env::temp_dir(); env!(\"CARGO_PKG_NAME\"); }",
        ),
        (
            "providers/oauth.rs",
            "use crate::domain::Proof;\n#[cfg(test)]\nmod tests {\n    use crate::config::Config;\n}",
        ),
    ] {
        assert_eq!(broken(file, text), [], "{file}");
    }
}

#[test]
fn a_file_of_tests_may_import_what_it_likes() {
    let declaring = (
        "storage/mod.rs".to_owned(),
        "#[cfg(test)]\nmod acceptance;\nmod db;".to_owned(),
    );
    let offending = "use crate::web::Error;".to_owned();
    let tests = ("storage/acceptance.rs".to_owned(), offending.clone());
    let code = ("storage/db.rs".to_owned(), offending);

    let found = check(&[declaring, tests, code]);

    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].to_string().split(':').next(),
        Some("src/storage/db.rs")
    );
}

#[test]
fn a_long_file_is_found_where_neither_comments_nor_tests_count() {
    let code = "/// Something.\nfn f() {}\n\n".repeat(LONGEST_FILE);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{code}}}\n");

    assert_eq!(broken("flows/long.rs", &format!("{code}{tests}")), []);
    assert_eq!(
        broken("flows/long.rs", &format!("{code}fn g() {{}}\n")).len(),
        1
    );
}
