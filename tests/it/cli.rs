//! Every command, as a person types it: what works says so, what does not names the remedy.

use std::net::TcpListener;

use crate::support::{Backend, Place, Process, in_place};

fn place() -> Place {
    Place::new(Backend::Sqlite).unwrap()
}

#[test]
fn help_is_there_for_every_command() {
    let place = place();
    let commands = [
        vec![],
        vec!["demo"],
        vec!["serve"],
        vec!["migrate"],
        vec!["createsuperuser"],
        vec!["config"],
        vec!["config", "check"],
        vec!["config", "example"],
        vec!["providers"],
        vec!["providers", "list"],
        vec!["providers", "show"],
        vec!["providers", "check"],
        vec!["keys"],
        vec!["keys", "generate"],
        vec!["clients"],
        vec!["clients", "create"],
        vec!["clients", "list"],
        vec!["clients", "deactivate"],
    ];
    for mut command in commands {
        command.push("--help");
        let help = place.run(&command).succeeded();
        assert!(help.contains("Usage: latchkey"), "{command:?}: {help}");
    }
    assert!(
        place
            .run(&["--version"])
            .succeeded()
            .starts_with("latchkey ")
    );
    place.run(&["srve"]).failed_with(&["serve"]);
}

#[test]
fn the_example_is_accepted_by_the_check() {
    let place = place();
    let example = place.run(&["config", "example"]).succeeded();
    let file = place.write("mine.toml", &example);

    let checked = place.run(&["config", "check", "--config", file.to_str().unwrap()]);

    assert!(checked.succeeded().contains("1 providers are on"));
}

#[test]
fn a_typo_is_answered_with_file_key_and_remedy() {
    let place = place();
    place.write("latchkey.toml", "[server]\nbnid = \"127.0.0.1:1\"\n");

    let said = place.run(&["config", "check"]);

    said.failed_with(&["latchkey.toml", "server.bnid", "did you mean `bind`?"]);
    for (text, words) in [
        (
            "[policy]\nsign_ups = \"opne\"",
            ["policy.sign_ups", "`open`"],
        ),
        (
            "[providers.githbu]\nclient_id = \"x\"",
            ["githbu", "github"],
        ),
        ("[providers.github]", ["github", "client_id"]),
        ("[server\n", ["latchkey.toml", "TOML"]),
        (
            "[server]\ntrusted_proxies = \"no\"",
            ["server.trusted_proxies", "write"],
        ),
    ] {
        place.write("latchkey.toml", text);
        place.run(&["config", "check"]).failed_with(&words);
        place.run(&["serve"]).failed_with(&words);
    }
    place
        .run(&["config", "check", "--config", "absent.toml"])
        .failed_with(&["absent.toml", "latchkey config example"]);
}

#[tokio::test]
async fn production_demands_keys_and_names_the_command_that_makes_them() {
    let place = place();
    let production = "environment = \"production\"\n[server]\npublic_url = \"https://id.example.org\"\n\
                      [providers.github]\nclient_id = \"x\"\nclient_secret = \"y\"\n";
    place.write("latchkey.toml", production);
    let url = place.url().to_owned();
    let start = ["serve", "--bind", "127.0.0.1:0", "--database-url", &url];
    place
        .run(&["config", "check"])
        .failed_with(&["latchkey keys generate", "latchkey.keys.toml"]);
    place
        .run(&start)
        .failed_with(&["latchkey keys generate", "latchkey.keys.toml"]);

    let path = place.folder().join("latchkey.keys.toml");
    let path = path.to_str().unwrap();
    assert!(
        place
            .run(&["keys", "generate", "--file", path])
            .succeeded()
            .contains(path)
    );
    place
        .run(&["keys", "generate", "--file", path])
        .failed_with(&[path, "exists already"]);
    assert!(
        place
            .run(&["config", "check"])
            .succeeded()
            .contains("valid")
    );

    let server = Process::spawn(place.command(&start)).listening();
    server.ready().await;
    assert_eq!(server.get("/fake/jwks", None).await.status, 404);
    for more in [
        "[providers.fake]\n",
        "[development]\nprovider_origin = \"http://127.0.0.1:9009\"\n",
        "[providers.sham]\nentry = \"fake\"\n",
    ] {
        place.write("latchkey.toml", &format!("{production}{more}"));
        place
            .run(&start)
            .failed_with(&["is refused in production", "remove it"]);
    }
}

in_place!(migrate_brings_a_database_up_to_date_once, |place| {
    migrate_twice(&place);
});

fn migrate_twice(place: &Place) {
    let arguments = ["migrate", "--database-url", place.url()];

    let first = place.run(&arguments).succeeded();
    let second = place.run(&arguments).succeeded();

    // The one on PostgreSQL is a copy of a migrated one.
    if place.url().starts_with("sqlite") {
        assert!(
            first.contains("applied ") && first.contains("migrations applied"),
            "{first}"
        );
    }
    assert_eq!(second, "The database is up to date.\n");
}

#[test]
fn providers_are_listed_shown_and_checked() {
    let place = place();
    place.write(
        "latchkey.toml",
        "[providers.github]\nclient_id = \"Iv1.cli\"\nclient_secret = \"cli-secret\"\n",
    );

    let list = place.run(&["providers", "list"]).succeeded();
    let line = |id: &str| {
        list.lines()
            .find(|line| line.starts_with(id))
            .unwrap()
            .to_owned()
    };
    assert!(line("github ").contains(" on "), "{list}");
    assert!(line("facebook ").contains(" off"), "{list}");

    let shown = place.run(&["providers", "show", "github"]).succeeded();
    assert!(shown.contains("Iv1.cli"), "{shown}");
    assert!(!shown.contains("cli-secret"));
    let alias = place
        .run(&["providers", "show", "github-oauth2"])
        .succeeded();
    assert_eq!(alias, shown);
    let off = place.run(&["providers", "show", "facebook"]).succeeded();
    assert!(off.contains("[providers.facebook]"), "{off}");
    place
        .run(&["providers", "show", "nobody"])
        .failed_with(&["nobody", "latchkey providers list"]);

    let checked = place.run(&["providers", "check"]).succeeded();
    assert!(checked.contains("github: the settings are complete"));
    for known in ["github", "github-oauth2"] {
        place.run(&["providers", "check", known]).succeeded();
    }
    place
        .run(&["providers", "check", "facebook"])
        .failed_with(&["facebook is off", "[providers.facebook]"]);
    place
        .run(&["providers", "check", "nobody"])
        .failed_with(&["nobody", "latchkey providers list"]);
}

#[test]
fn the_demo_shows_the_four_outcomes_and_wants_a_fresh_database() {
    let place = place();
    let folder = place.folder().join("demo");
    let arguments = [
        "demo",
        "--once",
        "--port",
        "0",
        "--dir",
        folder.to_str().unwrap(),
    ];

    let shown = place.run(&arguments).succeeded();

    for word in [
        "\"outcome\":\"signed_up\"",
        "\"outcome\":\"signed_in\"",
        "\"outcome\":\"associated\"",
        "That social media account is already in use",
        "\"code\":\"wrong_audience\"",
        "curl -s http://127.0.0.1:",
        "Every step held",
    ] {
        assert!(shown.contains(word), "{word} is missing in: {shown}");
    }
    place
        .run(&arguments)
        .failed_with(&["latchkey.db exists already", "choose another --dir"]);
}

#[test]
fn a_port_in_use_is_named_with_the_remedy() {
    let place = place();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();

    let ran = place.run(&["serve", "--bind", &address]);

    ran.failed_with(&[&address, "--bind", "server.bind"]);
}

#[test]
fn an_api_client_is_made_listed_and_deactivated() {
    let place = place();
    let url = place.url().to_owned();
    let run = |words: &[&str]| {
        let words: Vec<&str> = words
            .iter()
            .copied()
            .chain(["--database-url", &url])
            .collect();
        place.run(&words)
    };
    let word_after = |text: &str, label: &str| {
        let (_, rest) = text.split_once(label).unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    };

    let scopes = ["--scope", "admin:write", "--scope", "admin:read"];
    let create = [
        &["clients", "create", "--title", "Support desk"][..],
        &scopes,
    ]
    .concat();
    let made = run(&create).succeeded();
    let (client_id, secret) = (
        word_after(&made, "client_id"),
        word_after(&made, "client_secret"),
    );
    assert!(made.contains("admin:read admin:write"), "{made}");
    assert!(
        secret.starts_with("lkcs_") && secret.len() == 48,
        "{secret}"
    );

    let listed = run(&["clients", "list"]).succeeded();
    let line = listed
        .lines()
        .find(|line| line.contains(&client_id))
        .unwrap();
    assert!(
        line.contains(" active ") && line.ends_with("Support desk"),
        "{line}"
    );
    assert!(!listed.contains(&secret));

    run(&["clients", "deactivate", &client_id]).succeeded();
    run(&["clients", "deactivate", &client_id]).succeeded();
    assert!(run(&["clients", "list"]).succeeded().contains(" inactive "));
    run(&["clients", "deactivate", "client-none"]).failed_with(&["client-none", "clients list"]);
    for wrong in [
        ["--title", " ", "--scope", "admin:read"],
        ["--title", "x", "--scope", "admin"],
    ] {
        let create = [&["clients", "create"][..], &wrong].concat();
        run(&create).failed_with(&["write --"]);
    }
}

#[tokio::test]
async fn the_environment_sets_what_the_file_does_not() {
    let place = place();
    place.write(
        "latchkey.toml",
        "[server]\nbind = \"127.0.0.1:1\"\n[database]\nurl = \"sqlite://file.db\"\n",
    );
    let port = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut command = place.command(&["serve"]);
    command
        .env("PORT", port.to_string())
        .env("DATABASE_URL", "sqlite://environment.db")
        .env("LATCHKEY_PROVIDERS__FAKE__ENABLED", "true")
        .env("LATCHKEY_SERVER__WORKERS", "1");

    let mut server = Process::spawn(command).listening();
    server.base = format!("http://127.0.0.1:{port}");
    server.ready().await;

    server.hand_in_of("ada").await.assert_outcome("signed_up");
    assert!(place.folder().join("environment.db").is_file());
    assert!(!place.folder().join("file.db").exists());

    let mut command = place.command(&["config", "check"]);
    command.env("LATCHKEY_SERVER__BNID", "127.0.0.1:1");
    let said = command.output().unwrap();
    assert!(!said.status.success());
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(
        said.contains("environment variable") && said.contains("server.bnid"),
        "{said}"
    );
}

#[test]
fn a_flag_wins_over_the_environment_and_the_prefixed_variable_over_the_plain_one() {
    let place = place();
    let mut command = place.command(&["migrate", "--database-url", "sqlite://flag.db"]);
    command.env("LATCHKEY_DATABASE__URL", "sqlite://prefixed.db");
    assert!(command.status().unwrap().success());
    let mut command = place.command(&["migrate"]);
    command
        .env("LATCHKEY_DATABASE__URL", "sqlite://prefixed.db")
        .env("DATABASE_URL", "sqlite://plain.db");
    assert!(command.status().unwrap().success());

    let exists = |name: &str| place.folder().join(name).exists();
    assert_eq!(
        (exists("flag.db"), exists("prefixed.db"), exists("plain.db")),
        (true, true, false)
    );
}

#[test]
fn a_foreign_postgres_host_is_refused_with_the_remedy_by_a_build_without_tls() {
    if cfg!(feature = "pg-tls") {
        return;
    }
    let place = place();
    let url = "postgres://latchkey:not-to-be-shown@db.example.org/latchkey";

    for command in ["migrate", "serve"] {
        let said = place.run(&[command, "--database-url", url]).failed_with(&[
            "db.example.org",
            "pg-tls",
            "sslmode=disable",
        ]);
        assert!(!said.contains("not-to-be-shown"), "{said}");
    }
}
