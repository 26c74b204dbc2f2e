//! Mail that a domain with `p=reject` has not sent is refused in every spelling of From, in both
//! modes.

use test_support::Zone;

use crate::{ITS_OWN, Site, codes};

const FROM: &[(&str, &str)] = &[
    ("From: ceo@bank.example", "5.7.1"),
    ("From: ceo@ bank.example", "5.7.1"),
    ("From: ceo@\r\n bank.example", "5.7.1"),
    ("From: ceo@(x)bank.example", "5.7.1"),
    ("From: ceo @ bank . example", "5.7.1"),
    ("From: ceo@bank.example.", "5.7.1"),
    ("From: ceo@bank\u{3002}example", "5.7.1"),
    ("From: <@good.example:ceo@bank.example>", "5.7.1"),
    ("From: ceo@bank.example, a@good.example", "5.7.1"),
    ("From: x:ceo@bank.example,a@good.example;", "5.7.1"),
    ("From: <ceo@bank.example> <a@good.example>", "5.7.1"),
    ("From: ceo@bank.example;a@good.example", "5.7.1"),
    ("From: <ceo@bank.example", "5.7.1"),
    ("From: ceo@bank.example>", "5.7.1"),
    ("From: \"ceo@bank.example", "5.7.1"),
    ("From: =?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQ==?=", "5.7.1"),
    ("From: ceo@\"bank.example\"", "5.7.1"),
    ("From: a@good.example,,, ceo@bank.example", "5.7.1"),
    ("From: ceo@bank.example\u{b}<a@good.example>", "5.7.1"),
    (
        "From\u{c}: ceo@bank.example\r\nFrom: a@good.example",
        "5.7.1",
    ),
    ("From: a@good.example\r\nFrom: ceo@bank.example", "5.7.1"),
    ("From: ceo at bank.example", "5.6.0"),
    ("Subject: no author", "5.6.0"),
];

fn zone() -> Zone {
    let mut zone = Zone::new();
    zone.txt("good.example", format!("v=spf1 ip4:{ITS_OWN} -all"))
        .txt("_dmarc.good.example", "v=DMARC1; p=reject")
        .txt("_dmarc.bank.example", "v=DMARC1; p=reject");
    zone
}

#[test]
fn a_forged_domain_is_refused_in_every_spelling() {
    for settings in [
        "{}",
        r#"{ mode = "enhanced", enhanced-failure = "refuse" }"#,
    ] {
        let site = Site::start(zone(), settings);
        for (from, code) in FROM {
            let message = format!("{from}\r\nTo: help@acme.desk.test\r\n\r\nbody\r\n");
            let reply = site.direct(ITS_OWN, message.as_bytes());
            assert_eq!(
                codes(&reply),
                (550, *code),
                "{settings} {from:?}: {reply:?}"
            );
        }
        site.ends();
    }
}
