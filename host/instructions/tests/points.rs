//! Each point that an administrator must know stands in the instructions of every kind to which it
//! applies, and no instructions hold a secret.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use gatepost_instructions::{
    AddressFacts, Arrangement, Facts, Form, InstructionsError, LogIn, Record, Software, render,
};

fn two_way() -> Arrangement {
    Arrangement::TwoWay(LogIn {
        port: 2525,
        implicit_tls: false,
        user_name: Some("in-abcdefgh23456789".to_owned()),
    })
}

fn facts(arrangement: Arrangement) -> Facts {
    let address = |text: &str, target: &str| AddressFacts {
        address: text.parse().unwrap(),
        target: Some(format!("f-{target}@acme.desk.example").parse().unwrap()),
    };
    Facts {
        product: "Desk".to_owned(),
        domain: "customer.example".parse().unwrap(),
        arrangement,
        addresses: vec![
            address("help@customer.example", "aaaa"),
            address("sales@customer.example", "bbbb"),
        ],
        native: "acme.desk.example".parse().unwrap(),
        relay: "mx.desk.example".parse().unwrap(),
        egress: vec!["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()],
        spf_include: Some("_spf.desk.example".to_owned()),
        ownership: Some(Record {
            name: "_gatepost.customer.example".to_owned(),
            kind: "TXT",
            value: "\"gatepost-verification=abc\"".to_owned(),
        }),
        dkim: vec![Record {
            name: "gp1._domainkey.customer.example".to_owned(),
            kind: "CNAME",
            value: "x.dkim.mx.desk.example.".to_owned(),
        }],
        return_path: Some(Record {
            name: "bounces.customer.example".to_owned(),
            kind: "CNAME",
            value: "bounces.desk.example.".to_owned(),
        }),
        headers: ["Auto-Submitted", "X-Auto-Response-Suppress", "X-Mailer"]
            .into_iter()
            .chain(["X-Gatepost-From-Account-Id", "X-Gatepost-Email-Id"])
            .map(str::to_owned)
            .collect(),
        contact: Some("Kim <kim@desk.example>".to_owned()),
    }
}

const ARRANGEMENTS: [fn() -> Arrangement; 3] = [
    two_way,
    || Arrangement::OutboundOnly,
    || Arrangement::Forwarded,
];

/// All instructions that there are, in Markdown on one line, so that a line break parts no words.
fn all() -> Vec<(Software, Arrangement, String)> {
    let arrangements = ARRANGEMENTS.into_iter().map(|arrangement| arrangement());
    let pairs = arrangements.flat_map(|of| Software::ALL.map(|software| (software, of.clone())));
    let fitting = pairs.filter(|(software, of)| software.fits(of));
    let rendered = fitting.map(|(software, of)| {
        let text = render(&facts(of.clone()), software, Form::Markdown).unwrap();
        let words: Vec<_> = text.split_whitespace().collect();
        (software, of, words.join(" "))
    });
    rendered.collect()
}

/// Arrangements and software that a point applies to.
type Applies = fn(Software, &Arrangement) -> bool;

const TO_ALL: Applies = |_, _| true;
const WITH_SMART_HOST: Applies = |_, of| *of != Arrangement::Forwarded;
const TO_TWO_WAY: Applies = |_, of| matches!(of, Arrangement::TwoWay(_));
const WHERE_FORWARDED: Applies = |_, of| !matches!(of, Arrangement::TwoWay(_));
const FROM_OUR_SERVERS: Applies = |_, of| *of == Arrangement::Forwarded;
const WITH_EXCHANGE_ONLINE: Applies = |software, _| software == Software::ExchangeOnline;
const BY_EXCHANGE_ONLINE: Applies =
    |software, of| software == Software::ExchangeOnline && *of == Arrangement::OutboundOnly;

const WITH_PASSWORD: Applies =
    |software, of| *of != Arrangement::Forwarded && software != Software::ExchangeOnline;
const ON_RED_HAT: Applies = |software, _| matches!(software, Software::Postfix | Software::Exim);
const WITH_POSTFIX: Applies = |software, _| software == Software::Postfix;

const POINTS: [(&str, Applies); 45] = [
    // Allow-list our egress addresses.
    ("**Allow the relay.**", TO_ALL),
    ("192.0.2.7", TO_ALL),
    ("2001:db8::7", TO_ALL),
    // No greylisting, least of all of probes.
    (
        "**No greylisting** of mail from the relay, least of all of probes",
        TO_ALL,
    ),
    // The customer's server does the final authorised sending.
    ("**Trust the relay for SPF.**", WITH_SMART_HOST),
    ("your server is the last to send", WITH_SMART_HOST),
    // Sign, and do not replace our signature.
    ("**Sign with DKIM**", WITH_SMART_HOST),
    ("Do not remove or replace", TO_ALL),
    ("**Leave signatures whole.**", FROM_OUR_SERVERS),
    // Multi-hop forwarding.
    ("(multi-hop forwarding) is not supported", TO_ALL),
    // Aliases and distribution groups.
    (
        "An alias, a distribution group or a list cannot be a support address",
        TO_ALL,
    ),
    // A sandbox first.
    ("sandbox account", TO_ALL),
    ("Have the test domain erased afterwards", TO_ALL),
    // Header fields that must not change.
    ("**Header fields that must not change**", TO_ALL),
    ("`Auto-Submitted`", TO_ALL),
    ("`X-Auto-Response-Suppress`", TO_ALL),
    ("`X-Mailer`", TO_ALL),
    ("`X-Gatepost-From-Account-Id`", TO_ALL),
    ("`X-Gatepost-Email-Id`", TO_ALL),
    ("`In-Reply-To`", TO_ALL),
    // Unique credentials.
    ("**A credential of its own**", WITH_SMART_HOST),
    ("in-abcdefgh23456789", TO_TWO_WAY),
    ("**Read receipts.**", TO_ALL),
    ("**Disconnect at a quiet hour.**", TO_ALL),
    // Exchange Online.
    (
        "SMTP AUTH has to be on for each support mailbox",
        BY_EXCHANGE_ONLINE,
    ),
    (
        "-SmtpClientAuthenticationDisabled $false",
        BY_EXCHANGE_ONLINE,
    ),
    ("5.7.520", WITH_EXCHANGE_ONLINE),
    ("-AutoForwardingMode On", WITH_EXCHANGE_ONLINE),
    (
        "must not block unknown device platforms",
        BY_EXCHANGE_ONLINE,
    ),
    ("runs on Linux", BY_EXCHANGE_ONLINE),
    ("from the end of December 2026", BY_EXCHANGE_ONLINE),
    ("Prefer OAuth.", BY_EXCHANGE_ONLINE),
    // What the operator is told, by a safe way.
    ("## What to tell the operator", WITH_SMART_HOST),
    ("by a way that nobody else reads", WITH_SMART_HOST),
    ("587 (STARTTLS) or 465 (TLS at once)", WITH_PASSWORD),
    ("Directory (tenant) id", BY_EXCHANGE_ONLINE),
    ("Application (client) id", BY_EXCHANGE_ONLINE),
    (
        "Client secret, or the private key of a certificate",
        BY_EXCHANGE_ONLINE,
    ),
    // Whom to ask, a test, and a way back.
    ("Questions go to Kim kim@desk.example.", TO_ALL),
    ("## Try it Send a message from an account outside", TO_ALL),
    ("## The way back", TO_ALL),
    // What is special about the customer's system.
    ("/etc/pki/tls/certs/ca-bundle.crt", ON_RED_HAT),
    ("`smtp_tls_policy_maps`", WITH_POSTFIX),
    ("SRS such as postsrsd", WITH_POSTFIX),
    // Where the mail goes.
    ("f-aaaa@acme.desk.example", WHERE_FORWARDED),
];

#[test]
fn every_point_stands_where_it_applies() {
    for (software, arrangement, text) in all() {
        for (point, applies) in POINTS {
            let has = text.contains(point);
            assert!(
                has || !applies(software, &arrangement),
                "{software}, {arrangement:?}: {point:?} is missing"
            );
        }
    }
}

#[test]
fn what_concerns_one_kind_alone_stands_in_no_other() {
    let only = [BY_EXCHANGE_ONLINE as usize, WITH_EXCHANGE_ONLINE as usize];
    for (software, arrangement, text) in all() {
        for (point, applies) in POINTS {
            if only.contains(&(applies as usize)) && !applies(software, &arrangement) {
                assert!(!text.contains(point), "{software}: {point:?}");
            }
        }
        let includes = text.contains("include:_spf.desk.example");
        assert_eq!(
            includes,
            arrangement == Arrangement::Forwarded,
            "{software}"
        );
    }
}

#[test]
fn every_record_stands_in_all_instructions() {
    for (software, _, text) in all() {
        for record in [
            "_gatepost.customer.example. TXT \"gatepost-verification=abc\"",
            "gp1._domainkey.customer.example. CNAME x.dkim.mx.desk.example.",
            "bounces.customer.example. CNAME bounces.desk.example.",
        ] {
            assert!(text.contains(record), "{software}: {record}");
        }
    }
}

#[test]
fn the_place_of_the_secret_is_named_where_one_is_needed() {
    for (software, arrangement, text) in all() {
        let logs_in = matches!(arrangement, Arrangement::TwoWay(_));
        assert_eq!(text.contains("THE-SECRET"), logs_in, "{software}");
        assert!(!text.contains("gpst_"), "{software}");
    }
}

#[test]
fn software_that_cannot_log_in_relays_nothing() {
    for (arrangement, software, fitting) in [
        (
            two_way(),
            Software::ExchangeOnline,
            "postfix, exim, exchange-server, gateway and generic",
        ),
        (
            Arrangement::Forwarded,
            Software::Postfix,
            "exchange-online, google-workspace and generic",
        ),
    ] {
        let error = render(&facts(arrangement), software, Form::Text).unwrap_err();
        let fitting = fitting.to_owned();
        assert_eq!(error, InstructionsError::Unfit { software, fitting });
    }
}

/// A local part may hold what a shell, a list or Markdown reads as its own.
#[test]
fn an_unusual_address_stands_in_no_line_to_copy() {
    for local in ["o'brien", "\"a b\"", "a`b", "-oProxy", "$HOME"] {
        for arrangement in ARRANGEMENTS {
            let mut facts = facts(arrangement());
            let address = format!("{local}@customer.example");
            facts.addresses.push(AddressFacts {
                address: address.parse().unwrap(),
                target: None,
            });
            for software in Software::ALL {
                if software.fits(&facts.arrangement) {
                    let text = render(&facts, software, Form::Markdown).unwrap();
                    assert_eq!(text.matches(&address).count(), 1, "{software}: {text}");
                    assert!(text.contains("Enter them by hand"), "{software}");
                }
            }
        }
    }
}

/// Of every optional fact there may be none.
#[test]
fn facts_that_are_missing_leave_no_hole() {
    for arrangement in ARRANGEMENTS {
        let all = facts(arrangement());
        let bare = Facts {
            addresses: Vec::new(),
            egress: Vec::new(),
            // A record of forwarded domains alone.
            spf_include: all
                .spf_include
                .filter(|_| all.arrangement != Arrangement::Forwarded),
            ownership: None,
            dkim: Vec::new(),
            return_path: None,
            headers: Vec::new(),
            contact: None,
            ..all
        };
        for software in Software::ALL {
            if software.fits(&bare.arrangement) {
                for form in [Form::Markdown, Form::Text] {
                    let text = render(&bare, software, form).unwrap();
                    assert!(text.contains("No support address is entered yet"), "{text}");
                    for left in ["\n\n\n", "{{", "{%", "local_parts", "transport_maps"] {
                        assert!(!text.contains(left), "{software}: {left:?} in {text}");
                    }
                    assert!(!text.contains("Records for the DNS"), "{text}");
                }
            }
        }
    }
}

#[test]
fn plain_text_has_the_words_without_the_marks() {
    let text = render(&facts(two_way()), Software::Postfix, Form::Text).unwrap();
    assert!(text.starts_with("customer.example at Desk: instructions for Postfix\n====="));
    assert!(text.contains("\n    help@customer.example gatepost:[mx.desk.example]:2525\n"));
    for mark in ["```", "**", "`", "\n# ", "\n## "] {
        assert!(!text.contains(mark), "{mark:?}: {text}");
    }
}

#[test]
fn implicit_tls_is_configured_where_the_port_expects_it() {
    for (software, words) in [
        (Software::Postfix, "smtp_tls_wrappermode=yes"),
        (Software::Exim, "protocol = smtps"),
        (Software::ExchangeServer, "expects TLS at once"),
        (Software::Generic, "from the first octet"),
        (Software::Gateway, "from the first octet"),
    ] {
        let text = |implicit_tls| {
            let arrangement = Arrangement::TwoWay(LogIn {
                port: 465,
                implicit_tls,
                user_name: None,
            });
            render(&facts(arrangement), software, Form::Markdown).unwrap()
        };
        assert!(text(true).contains(words), "{software}");
        assert!(!text(false).contains(words), "{software}");
    }
}
