//! Examples of fields: their addresses, and the agreement of readers.

use gatepost_mailboxes::{Clarity, Doubt, Reading, read};

fn domains(reading: &Reading) -> Vec<&str> {
    let mut domains: Vec<_> = reading.domains().collect();
    domains.sort_unstable();
    domains
}

fn entries(field: &str) -> Vec<(String, String)> {
    let reading = read([field]);
    let entries = reading.mailboxes().iter();
    let text = |one: &gatepost_mailboxes::ListedMailbox| {
        let address = one.address.as_ref();
        (
            one.name.clone(),
            address.map(ToString::to_string).unwrap_or_default(),
        )
    };
    entries.map(text).collect()
}

#[test]
fn fields_of_the_grammar_are_unequivocal() {
    for (field, shown) in [
        ("a@One.example", &["one.example"][..]),
        ("Ann B. Weaver <a@one.example>", &["one.example"]),
        ("\"x@two.example\" <a@one.example>", &["one.example"]),
        (
            "\"a, <x@two.example>\" <a@one.example> (he)",
            &["one.example"],
        ),
        ("b@one.example <a@one.example>", &["one.example"]),
        ("A (x@two.example) <a@one.example>", &["one.example"]),
        ("a@one.example (x@two.example)", &["one.example"]),
        (
            "=?utf-8?q?x=40two.example?= <a@one.example>",
            &["one.example"],
        ),
        ("[List] Ann <a@one.example>", &["one.example"]),
        ("\"a b\"@one.example", &["one.example"]),
        (
            "\"Ann \\\"Annie\\\" Weaver\" <a@one.example>",
            &["one.example"],
        ),
        (
            "A <a@one.example>, B\r\n <b@two.example>",
            &["one.example", "two.example"],
        ),
        (
            "group: a@one.example, <b@two.example>;",
            &["one.example", "two.example"],
        ),
        ("a@b\u{fc}cher.example", &["b\u{fc}cher.example"]),
        ("root@localhost", &["localhost"]),
        ("a@[192.0.2.1]", &[]),
    ] {
        let reading = read([field]);
        assert_eq!(domains(&reading), shown, "{field}");
        assert_eq!(
            reading.clarity(),
            Clarity::Unequivocal,
            "{field}: {:?}",
            reading.doubt()
        );
    }
}

#[test]
fn equivocal_fields_show_the_addresses_of_all_readers() {
    const BANK: &[&str] = &["bank.example"];
    const BOTH: &[&str] = &["bank.example", "good.example"];
    for (field, shown) in [
        ("ceo@ bank.example", BANK),
        ("ceo @bank.example", BANK),
        ("ceo@\r\n bank.example", BANK),
        ("ceo@(x)bank.example", BANK),
        ("ceo@bank(x).(y)example", BANK),
        ("ceo@bank.exa(x)mple", &["bank.exa", "bank.example"]),
        ("ceo @ bank . example", BANK),
        ("<ceo@bank.example.>", BANK),
        ("ceo@bank\u{3002}example", BANK),
        ("ceo@bank\u{ad}.example", BANK),
        ("ceo\u{ff20}bank.example", BANK),
        ("ceo@\"bank.example\"", BANK),
        ("ceo@[bank.example]", BANK),
        ("ceo@bank\\.example", BANK),
        ("<@good.example:ceo@bank.example>", BOTH),
        (
            "<@r.example,@s.example:ceo@bank.example>",
            &["bank.example", "r.example", "s.example"],
        ),
        ("<ceo@bank.example> <a@good.example>", BOTH),
        ("<ceo@bank.example> a@good.example", BOTH),
        ("<ceo@bank.example<a@good.example>", BOTH),
        ("ceo@bank.example <a@good.example>", BOTH),
        ("Chief ceo @bank.example (he) <a@good.example>", BOTH),
        ("ceo@bank.example a@good.example", BOTH),
        ("ceo@bank.example@good.example", BOTH),
        ("ceo@bank.example;a@good.example", BOTH),
        ("ceo@bank.example: a@good.example", BOTH),
        ("<ceo@bank.example", BANK),
        ("ceo@bank.example>", BANK),
        ("\"ceo@bank.example", BANK),
        ("(ceo@bank.example", BANK),
        ("a@good.example (<ceo@bank.example>", BOTH),
        ("mailto:ceo@bank.example", BANK),
        ("ceo@bank.example\u{b}<a@good.example>", BOTH),
        ("ceo@bank\0.example", BANK),
        ("=?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQ==?=", BANK),
        ("<=?utf-8?q?ceo=40bank.example?=>", BANK),
        (
            "=?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQ==?==?utf-8?q?=00?=@good.example",
            BOTH,
        ),
        ("=?utf-8?q?<ceo@bank.example>?= <a@good.example>", BOTH),
        ("\"\\\" <ceo@bank.example>\" <a@good.example>", BOTH),
        ("((x) <ceo@bank.example>) <a@good.example>", BOTH),
        ("Weaver, Ann <a@good.example>", &["good.example"]),
        ("[<ceo@bank.example>] <a@good.example>", BOTH),
    ] {
        let reading = read([field]);
        assert_eq!(domains(&reading), shown, "{field}: {reading:?}");
        assert_eq!(reading.clarity(), Clarity::Equivocal, "{field}");
        assert!(reading.doubt().is_some(), "{field}");
    }
}

#[test]
fn fields_without_an_address_are_unreadable() {
    for field in [
        "", "Somebody", "<>", "Nobody:;", "a@", "(a)", "<a>", "@@", "a@b(", ",",
    ] {
        let reading = read([field]);
        let none = field != "a@b(";
        assert_eq!(
            reading.clarity() == Clarity::Unreadable,
            none,
            "{field}: {reading:?}"
        );
    }
    let missing = read::<&str>([]);
    assert_eq!(
        (missing.clarity(), missing.doubt()),
        (Clarity::Unreadable, Some(Doubt::NoField))
    );
}

#[test]
fn several_fields_show_all_their_addresses() {
    let reading = read(["ceo@bank.example", "a@good.example"]);
    assert_eq!(domains(&reading), ["bank.example", "good.example"]);
    assert_eq!(
        (reading.clarity(), reading.doubt()),
        (Clarity::Equivocal, Some(Doubt::SeveralFields))
    );
}

#[test]
fn entries_keep_their_names() {
    let pair = |name: &str, address: &str| (name.to_owned(), address.to_owned());
    for (field, expected) in [
        ("Ann <a@one.example>", vec![pair("Ann", "a@one.example")]),
        (
            "\"Weaver,  Ann\" <a@one.example>",
            vec![pair("Weaver,  Ann", "a@one.example")],
        ),
        ("a@one.example (Ann)", vec![pair("Ann", "a@one.example")]),
        (
            "A\r\n  B. <a . b@ one.example>",
            vec![pair("A B.", "a.b@one.example")],
        ),
        (
            "\"a \\\"b\"@one.example",
            vec![pair("", "\"a \\\"b\"@one.example")],
        ),
        ("Nobody", vec![pair("Nobody", "")]),
        (
            "T: a@one.example, B <b@two.example>; c@[IPv6:2001:DB8::1],",
            vec![
                pair("", "a@one.example"),
                pair("B", "b@two.example"),
                pair("", "c@[ipv6:2001:db8::1]"),
            ],
        ),
        (
            "<@r.example:a@one.example>",
            vec![pair("", "a@one.example")],
        ),
        (
            "a@one.example b@two.example",
            vec![pair("", "a@one.example"), pair("", "b@two.example")],
        ),
    ] {
        assert_eq!(entries(field), expected, "{field}");
    }
}

#[test]
fn fields_beyond_the_limits_are_unreadable() {
    let many: String = (0..501).map(|n| format!("a{n}@b.example,")).collect();
    let reading = read([&many]);
    assert_eq!(reading.mailboxes().len(), 500);
    assert_eq!(
        (reading.clarity(), reading.doubt()),
        (Clarity::Unreadable, Some(Doubt::TooLong))
    );
    let long = format!("{}<a@b.example>", " ".repeat(64 * 1024));
    assert_eq!(read([long]).clarity(), Clarity::Unreadable);
    // An address that is named again and again counts once.
    let same = read(["a@b.example,".repeat(1000)]);
    assert_eq!(same.shown().len(), 1);
    assert_eq!(same.doubt(), None);
}
