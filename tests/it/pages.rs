//! What a person sees who opens the address in a browser.

use serde_json::json;

use crate::support::{Backend, TestApp};

#[tokio::test]
async fn the_index_names_the_providers_that_are_on_and_needs_nothing_from_elsewhere() {
    let toml = "[providers.fake]\ntitle = \"<Fake> & co\"\n";
    let Some(app) = TestApp::spawn(Backend::Sqlite, toml) else {
        return;
    };

    let page = app.get("/", None).await;
    let style = app.get("/static/latchkey.css", None).await;

    let html = page.body.as_str().unwrap();
    assert_eq!((page.status, style.status), (200, 200));
    assert!(
        html.contains("<code>fake</code>") && !html.contains("<Fake>"),
        "{html}"
    );
    assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("<script"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn providers_are_listed_with_the_proofs_and_client_ids_that_they_take() {
    let toml = "[providers.google]\nclients = [{ id = \"ios.example\", platform = \"ios\" }, { id = \"web.example\", secret = \"s\" }]\n[providers.github]\nenabled = false\nclient_id = \"x\"\n";
    let Some(app) = TestApp::spawn(Backend::Sqlite, toml) else {
        return;
    };

    let answer = app.get("/providers", None).await;

    let providers = answer.body["providers"].as_array().unwrap();
    assert_eq!(providers.len(), 1);
    assert_eq!(providers[0]["id"], "google");
    assert_eq!(
        providers[0]["proofs"],
        json!(["access_token", "id_token", "code"])
    );
    assert_eq!(
        providers[0]["clients"][0],
        json!({ "client_id": "ios.example", "platform": "ios", "label": null })
    );
    assert!(!answer.body.to_string().contains("secret"));
}
