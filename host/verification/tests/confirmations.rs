//! Demands of providers to confirm a forwarding, and messages that only look like one.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod support;

use gatepost_authentication::Authentication::{Fail, Pass};
use gatepost_authentication::Facts;
use gatepost_verification::{ForwardingConfirmation, Provider};
use support::{address, message, signed};

/// Facts of a message that this domain has signed.
fn of(domain: &str) -> Facts {
    Facts {
        dkim: vec![signed(Pass, domain)],
        ..Facts::default()
    }
}

fn recognise(text: &str, facts: &Facts) -> Option<ForwardingConfirmation> {
    let octets = text.replace('\n', "\r\n");
    ForwardingConfirmation::recognise(&message(&octets), octets.as_bytes(), facts)
}

/// A demand in the form of Google's, in words of our own.
fn google(from: &str, subject: &str, text: &str) -> String {
    format!(
        "From: {from}\nTo: f-abc@native.desk.example\nSubject: {subject}\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n"
    )
}

const GOOGLE: &str = "Google <forwarding-noreply@google.com>";

const TEXT: &str = "ann@customer.example wants to forward mail to f-abc@native.desk.example.\n\
    Code: 123456789\n\n\
    https://mail-settings.google.com/mail/vf-%5BAbc%5D-def\n\n\
    To refuse:\nhttps://mail-settings.google.com/mail/uf-%5BAbc%5D-def\n";

#[test]
fn the_code_and_the_link_of_google_are_found_in_every_language() {
    for (subject, text) in [
        ("(#123456789) Mail from ann@customer.example", TEXT),
        ("Forwarding", TEXT),
        (
            "=?utf-8?q?Best=C3=A4tigung_der_Weiterleitung?=",
            "ann@customer.example möchte weiterleiten an f-abc@native.desk.example.\n\
             Bestätigungscode: 123456789\n\
             <https://mail-settings.google.com/mail/vf-%5BAbc%5D-def>\n",
        ),
        (
            "(#123456789)",
            "ann@customer.example から。\n確認コード：123456789\n\
             https://mail-settings.google.com/mail/vf-%5BAbc%5D-def\n",
        ),
    ] {
        let found = recognise(&google(GOOGLE, subject, text), &of("google.com"));
        let found = found.unwrap_or_else(|| panic!("{subject}"));
        assert_eq!(found.provider, Provider::Google);
        assert_eq!(found.code.unwrap().as_str(), "123456789");
        let link = found.link.unwrap();
        assert_eq!(
            link.as_str(),
            "https://mail-settings.google.com/mail/vf-%5BAbc%5D-def"
        );
        assert_eq!(found.mailbox, Some(address("ann@customer.example")));
    }
}

#[test]
fn a_link_in_html_alone_is_found() {
    let text = "From: forwarding-noreply@google.com\nTo: f-abc@native.desk.example\n\
        Subject: Forwarding\nMIME-Version: 1.0\nContent-Type: text/html\n\n\
        <p>Code: 4711471147</p>\
        <a href=\"https://mail.google.com/mail/vf-abc?a=1&amp;b=2\">confirm</a>\n";
    let found = recognise(text, &of("google.com")).unwrap();
    assert_eq!(found.code.unwrap().as_str(), "4711471147");
    let link = found.link.unwrap();
    assert_eq!(link.as_str(), "https://mail.google.com/mail/vf-abc?a=1&b=2");
}

#[test]
fn other_providers_are_recognised_by_the_same_structure() {
    for (from, signer, subject, text, provider) in [
        (
            "noreply@zohomail.com",
            "zohomail.com",
            "Confirm email forwarding",
            "https://mail.zoho.com/mail/confirm/forward/abc",
            Provider::Zoho,
        ),
        (
            "no-reply@notify.proton.me",
            "notify.proton.me",
            "ann@proton.me wants to forward",
            "https://account.proton.me/forwarding/accept/abc",
            Provider::Proton,
        ),
        (
            "noreply@yandex.ru",
            "yandex.ru",
            "Подтверждение пересылки",
            "https://mail.yandex.ru/confirm/abc",
            Provider::Yandex,
        ),
    ] {
        let text = google(from, subject, text);
        let found = recognise(&text, &of(signer)).unwrap_or_else(|| panic!("{from}"));
        assert_eq!(found.provider, provider);
        assert!(found.link.is_some());
    }
}

#[test]
fn a_demand_is_believed_only_if_the_domain_of_the_provider_is_proved() {
    let text = google(GOOGLE, "Forwarding", TEXT);
    assert!(recognise(&text, &of("google.com")).is_some());
    let mut by_spf = Facts::default();
    by_spf.spf.mailfrom.result = Pass;
    by_spf.spf.mailfrom.domain = "forwarding.bounces.google.com".to_owned();
    assert!(recognise(&text, &by_spf).is_some());
    by_spf.spf.mailfrom.result = Fail;
    let mut broken = of("google.com");
    broken.dkim[0].result = Fail;
    for facts in [
        Facts::default(),
        by_spf,
        broken,
        of("evil.example"),
        of("notgoogle.com"),
        of("google.com.evil.example"),
    ] {
        assert_eq!(recognise(&text, &facts), None, "{facts:?}");
    }
}

#[test]
fn other_mail_of_a_provider_and_of_its_users_is_none() {
    for from in [
        "drive-shares-noreply@google.com",
        "ann@google.com",
        "forwarding-noreply@gmail.com",
        "forwarding-noreply@google.com, ann@customer.example",
        "\"forwarding-noreply@google.com\" <ann@customer.example>",
    ] {
        let text = google(from, "(#123456789) Forwarding", TEXT);
        assert_eq!(recognise(&text, &of("google.com")), None, "{from}");
    }
    let two = google(GOOGLE, "Forwarding", TEXT);
    let two = format!("From: ann@customer.example\n{two}");
    assert_eq!(recognise(&two, &of("google.com")), None);
    // A machine that writes of many things has to name forwarding.
    let news = google(
        "noreply@yandex.ru",
        "News",
        "https://mail.yandex.ru/confirm/abc",
    );
    assert_eq!(recognise(&news, &of("yandex.ru")), None);
}

#[test]
fn a_link_that_leads_elsewhere_is_not_shown() {
    for link in [
        "https://evil.example/mail/vf-abc",
        "https://mail.google.com.evil.example/mail/vf-abc",
        "https://mail.google.com@evil.example/mail/vf-abc",
        "https://evil.example\\@mail.google.com/mail/vf-abc",
        "https://evil.example/https://mail.google.com/mail/vf",
        "https://www.google.com/url?q=https://evil.example/mail/vf-abc",
        "https://mail.google.com/url?q=https://evil.example/mail/vf-abc",
        "http://mail.google.com/mail/vf-abc",
        "https://mail-settings.google.com/mail/uf-abc",
    ] {
        let text = google(GOOGLE, "(#123456789) Forwarding", link);
        let found = recognise(&text, &of("google.com")).unwrap();
        assert_eq!(found.link, None, "{link}");
        assert!(found.code.is_some());
    }
}

#[test]
fn a_message_with_neither_code_nor_link_is_none() {
    for text in [
        "nothing",
        "Code: 12",
        "Code: 1234567890123",
        "Code: 12ab34",
        "#: :",
    ] {
        let text = google(GOOGLE, "Forwarding", text);
        assert_eq!(recognise(&text, &of("google.com")), None, "{text}");
    }
}
