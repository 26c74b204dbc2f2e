//! Smart hosts that open no session: the reason is known before a probe is sent.

use crate::{LOGIN, OPEN, Site, SmartHost, assert_failed};

/// Verifies mail that leaves, which must fail at once.
fn fails_at_once(
    smart_host: SmartHost,
    keys: &str,
    password: Option<&str>,
    reason: &str,
    words: &str,
) {
    let site = Site::start("outbound-only");
    site.connection(keys, password);
    let known = site.verify("--outbound");
    assert_failed(&known, "outbound", reason, words);
    assert!(known["waiting"].as_array().unwrap().is_empty(), "{known}");
    let told = site.relay.json(&["events", "--kind", "notice"]);
    assert!(
        told.iter().any(|one| one["subject"] == "verification"),
        "{told:?}"
    );
    assert!(smart_host.sink.rest().is_empty());
    site.ends();
}

#[test]
fn the_log_in_is_refused() {
    let smart_host = SmartHost::start(LOGIN);
    let keys = smart_host.with_login();
    let words = "5.7.8";
    fails_at_once(
        smart_host,
        &keys,
        Some("wrong"),
        "credentials-refused",
        words,
    );
}

#[test]
fn only_windows_log_ins_are_offered() {
    let smart_host = SmartHost::start(
        "tls = { mode = 'starttls' }\n[auth]\nrequired = true\nmechanisms = []\n\
         others = ['NTLM', 'GSSAPI']\nusers = []\n",
    );
    let keys = smart_host.with_login();
    fails_at_once(
        smart_host,
        &keys,
        Some("any"),
        "only-ntlm-or-gssapi",
        "NTLM",
    );
}

#[test]
fn the_certificate_is_not_trusted() {
    let smart_host = SmartHost::start(LOGIN);
    let other = SmartHost::start(OPEN);
    let file = &other.certificate.certificate;
    let keys = format!(
        "{}user = 'desk'\nca = {{ file = {file:?} }}\n",
        smart_host.place()
    );
    fails_at_once(smart_host, &keys, Some("any"), "tls-untrusted", "");
}

#[test]
fn the_certificate_is_for_another_name() {
    let smart_host = SmartHost::named(LOGIN, &["other.example"]);
    let keys = smart_host.with_login();
    fails_at_once(smart_host, &keys, Some("any"), "tls-wrong-name", "");
}

#[test]
fn the_certificate_has_expired() {
    let smart_host = SmartHost::expired(LOGIN);
    let keys = smart_host.with_login();
    fails_at_once(smart_host, &keys, Some("any"), "tls-expired", "expired");
}

/// A script of a smart host whose handshake fails in this way.
fn broken_tls(fault: &str) -> SmartHost {
    SmartHost::start(&format!(
        "tls = {{ mode = 'starttls', fault = '{fault}' }}\n"
    ))
}

#[test]
fn only_old_versions_of_tls_are_spoken() {
    let smart_host = broken_tls("version");
    let keys = smart_host.with_login();
    fails_at_once(
        smart_host,
        &keys,
        Some("any"),
        "tls-version",
        "ProtocolVersion",
    );
}

#[test]
fn the_handshake_fails() {
    for fault in ["alert", "drop", "garbage"] {
        let smart_host = broken_tls(fault);
        let keys = smart_host.with_login();
        fails_at_once(smart_host, &keys, Some("any"), "tls-failed", "TLS");
    }
}

#[test]
fn no_log_in_that_the_connection_may_use_is_offered() {
    let smart_host = SmartHost::start(LOGIN);
    let keys = format!(
        "{}mechanisms = ['scram-sha-256']\n",
        smart_host.with_login()
    );
    fails_at_once(
        smart_host,
        &keys,
        Some("hush-of-the-desk"),
        "no-common-log-in",
        "PLAIN",
    );
}

#[test]
fn no_tls_is_offered() {
    let smart_host = SmartHost::start(OPEN);
    let keys = smart_host.with_login();
    fails_at_once(smart_host, &keys, Some("any"), "tls-not-offered", "");
}

#[test]
fn nobody_listens() {
    let smart_host = SmartHost::start(OPEN);
    let port = test_support::free_port().port();
    let keys =
        format!("host = '127.0.0.1'\nport = {port}\nserves = ['@customer.test']\ntls = 'none'\n");
    fails_at_once(smart_host, &keys, None, "unreachable", "");
}
