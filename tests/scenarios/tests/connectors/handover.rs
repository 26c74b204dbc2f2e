//! A secret gets to the customer by a link that shows it once, and is nowhere else.

use std::fs;

use test_support::Client;

use crate::Site;

const PAGE: &str = "[handover]\naddress = \"127.0.0.1:0\"\nurl = \"http://127.0.0.1:8443\"\n";

/// The path of the link of an answer.
fn path(answer: &serde_json::Value) -> String {
    let link = answer["link"].as_str().unwrap();
    link.strip_prefix("http://127.0.0.1:8443")
        .unwrap()
        .to_owned()
}

/// The secret on a page.
fn secret(page: &str) -> &str {
    &page[page.find("gpst_").unwrap()..][..43]
}

#[test]
fn a_link_shows_the_secret_once_and_survives_a_restart() {
    let mut site = Site::start(&format!("{PAGE}tls = \"none\"\n"));
    let command = ["credential", "add", "--inbound", &site.connector, "--link"];
    let made = site
        .relay
        .json(&[&command[..], &["--expires", "1h"]].concat());
    let made = made[0].clone();
    let user = made["user-name"].as_str().unwrap();
    assert!(made.get("secret").is_none(), "{made}");
    let link = path(&made);
    assert_eq!(link.len(), "/handover/".len() + 43, "{link}");

    site.relay.restart();
    // Whoever only looks at the link uses nothing up.
    for _ in 0..3 {
        let (status, page) = site.ask("GET", &link);
        assert_eq!(status, 200);
        assert!(!page.contains("gpst_"), "{page}");
    }
    let (status, page) = site.ask("POST", &link);
    assert_eq!(status, 200);
    let secret = secret(&page);
    let (status, page) = site.ask("POST", &link);
    assert_eq!(status, 410);
    assert!(!page.contains("gpst_"), "{page}");
    site.relay
        .logged("the secret of a credential was shown by its link");

    let mut client = Client::greeted(site.inbound);
    client.ehlo();
    client.starttls();
    assert_eq!(client.plain(user, secret).code, 235);
    drop(client);
    // It is in use now.
    let refused = site.relay.refuses(&["credential", "hand-over", user]);
    assert!(refused.contains("has logged in already"), "{refused}");

    let token = link.strip_prefix("/handover/").unwrap();
    for text in [secret, token] {
        assert!(!site.relay.log().contains(text));
        for entry in fs::read_dir(site.relay.directory().join("store")).unwrap() {
            let path = entry.unwrap().path();
            let octets = fs::read(&path).unwrap_or_default();
            let mut windows = octets.windows(text.len());
            let found = windows.any(|window| window == text.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
    site.relay.leaves_nothing(site.sink);
}

#[test]
fn another_link_takes_the_former_one_back_and_a_revoked_credential_all() {
    let site = Site::start(&format!("{PAGE}tls = \"none\"\n"));
    let (user, shown_at_first) = site.credential();
    let links = [(); 2].map(|()| {
        let made = site.relay.json(&["credential", "hand-over", &user]);
        path(&made[0])
    });
    assert_eq!(site.ask("GET", &links[0]).0, 410);
    assert_eq!(site.ask("GET", &links[1]).0, 200);
    // The secret that was shown before is void.
    let mut client = Client::greeted(site.inbound);
    client.ehlo();
    client.starttls();
    assert_eq!(client.plain(&user, &shown_at_first).code, 535);
    drop(client);
    site.relay.json(&["credential", "cancel", &user]);
    assert_eq!(site.ask("POST", &links[1]).0, 410);
    let refused = site.relay.refuses(&["credential", "hand-over", &user]);
    assert!(refused.contains("has ended"), "{refused}");
    site.relay.leaves_nothing(site.sink);
}

#[test]
fn the_page_speaks_tls_with_the_certificate_of_the_relay() {
    let site = Site::start(PAGE);
    let mut browser = Client::connect(site.relay.address("handover")).unwrap();
    browser.secure().unwrap();
    browser
        .send("GET /handover/x HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let page = browser.rest().unwrap().to_lowercase();
    assert!(page.starts_with("http/1.1 410 gone\r\n"), "{page}");
    assert!(
        page.contains("strict-transport-security: max-age="),
        "{page}"
    );
    drop(browser);
    site.relay.leaves_nothing(site.sink);
}

#[test]
fn without_a_page_no_credential_is_issued_by_a_link() {
    let site = Site::start("");
    let command = ["credential", "add", "--inbound", &site.connector, "--link"];
    let refused = site.relay.refuses(&command);
    assert!(refused.contains("no credential was issued"), "{refused}");
    assert!(
        refused.contains("add [handover] to the configuration"),
        "{refused}"
    );
    assert!(site.relay.json(&["credential", "list"]).is_empty());
    site.relay.leaves_nothing(site.sink);
}
