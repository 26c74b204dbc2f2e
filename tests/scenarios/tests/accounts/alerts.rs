//! Security notices go to the verified administrators of an account, each in their language, by the
//! default route: never through the account's own connection, and once in a set time.

use std::time::Duration;

use test_support::{Sink, Taken};

use crate::{NATIVE, Site, text};

/// Adds a verified administrator.
pub(crate) fn administrator(site: &Site, address: &str, language: &str) {
    let add = [
        "administrator",
        "add",
        NATIVE,
        address,
        "--language",
        language,
    ];
    site.relay.json(&add);
    let letter = site.world.take().text();
    let mut lines = letter.lines().map(str::trim);
    let code = lines.find(|line| line.len() == 14 && line.split('-').count() == 3);
    let verify = ["administrator", "verify", NATIVE, address, code.unwrap()];
    site.relay.json(&verify);
}

/// Returns the subject of a letter, in which the account's product stands first.
fn subject(letter: &Taken) -> String {
    let subject = letter.header("Subject").unwrap();
    assert_eq!(letter.from, "");
    assert!(
        letter
            .header("From")
            .unwrap()
            .contains("postmaster@trial.desk.test")
    );
    subject
}

#[test]
fn each_verified_administrator_is_alerted_in_their_language() {
    // The account's own connection has the name that the default route of the site may have, and
    // serves all that the account sends.
    let own = Sink::start();
    let mut site = Site::start(&[]);
    let file = site.relay.directory().join("own");
    let settings = format!(
        "host = '127.0.0.1'\nport = {}\ntls = 'none'\nserves = ['@acme.test']\n",
        own.address().port()
    );
    std::fs::write(&file, settings).unwrap();
    let add = [
        "connector",
        "add",
        "--account",
        NATIVE,
        "--kind",
        "two-way",
        "--domain",
    ];
    let connector = text(
        &site.relay.json(&[&add[..], &["acme.test"]].concat())[0],
        "id",
    );
    site.relay.json(&["connector", "vouch", &connector]);
    let add = [
        "connection",
        "add",
        "own",
        "--account",
        NATIVE,
        "--settings",
    ];
    site.relay
        .json(&[&add[..], &[file.to_str().unwrap()]].concat());
    administrator(&site, "ann@user.test", "en");
    administrator(&site, "rui@user.test", "pt-PT");
    site.relay
        .json(&["administrator", "add", NATIVE, "unproved@user.test"]);
    assert_eq!(site.world.take().to, ["unproved@user.test"]);

    let user = site.login.0.clone();
    site.relay.json(&["credential", "rotate", &user]);
    let mut letters = [site.world.take(), site.world.take()];
    letters.sort_by_key(|letter| letter.to.clone());
    assert_eq!(letters[0].to, ["ann@user.test"]);
    assert_eq!(
        subject(&letters[0]),
        format!("Desk: The credential {user} is being rotated")
    );
    assert_eq!(letters[1].to, ["rui@user.test"]);
    assert!(
        subject(&letters[1]).contains(&user),
        "{}",
        subject(&letters[1])
    );
    assert!(letters[1].text().contains("Content-Language: pt"));

    // The same again is left out within the hour, and stands in the events.
    for _ in 0..2 {
        site.relay.json(&["connector", "disconnect", &connector]);
        site.relay.json(&["connector", "reconnect", &connector]);
    }
    let disconnected = [site.world.take(), site.world.take()];
    for letter in &disconnected {
        assert!(letter.text().contains("acme.test"), "{}", letter.text());
    }
    // What is done while no relay runs is told of at the next start.
    assert!(site.relay.terminate().success());
    site.relay.json(&["credential", "cancel", &user]);
    site.relay.restart();
    let cancelled = [site.world.take(), site.world.take()];
    for letter in &cancelled {
        assert!(subject(letter).contains(&user), "{}", subject(letter));
    }
    let events = site.relay.json(&["events", "--kind", "notice"]);
    let alerts = events
        .iter()
        .filter(|event| event["alert"]["kind"] == "disconnected");
    assert_eq!(alerts.count(), 2, "{events:?}");
    assert!(site.world.take_within(Duration::from_secs(3)).is_none());
    site.relay.leaves_nothing_at([site.world, own]);
}
