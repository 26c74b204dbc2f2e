//! Addresses by the grammar of RFC 5321 section 4.1.2 are accepted, others refused.

use gatepost_message::{Address, AddressError, ReversePath};
use proptest::prelude::*;

#[test]
fn mailboxes_of_the_grammar_are_accepted() {
    for (text, local, domain) in [
        ("a@b", "a", "b"),
        ("John.Doe+tag@Example.COM", "John.Doe+tag", "example.com"),
        (
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "!#$%&'*+-/=?^_`{|}~",
            "example.com",
        ),
        (r#""a@b \" c"@example.com"#, r#""a@b \" c""#, "example.com"),
        (r#"""@example.com"#, r#""""#, "example.com"),
        (r#"".a..b."@example.com"#, r#"".a..b.""#, "example.com"),
        ("a@xn--bcher-kva.example", "a", "xn--bcher-kva.example"),
        ("a@1.2.3.4", "a", "1.2.3.4"),
        ("a@[192.0.2.1]", "a", "[192.0.2.1]"),
        ("a@[ipv6:2001:DB8:0:0:0:0:0:1]", "a", "[IPv6:2001:db8::1]"),
        ("jürgen@BÜCHER.example", "jürgen", "bücher.example"),
    ] {
        let address = Address::parse(text).unwrap();
        assert_eq!((address.local(), address.domain()), (local, domain));
        assert_eq!(address.to_string(), format!("{local}@{domain}"));
    }
    assert!(Address::parse("a@b").unwrap().is_ascii());
    assert!(!Address::parse("ü@b").unwrap().is_ascii());
}

#[test]
fn malformed_mailboxes_are_refused() {
    use AddressError::{Domain, Literal, Local, NoDomain};
    for (text, error) in [
        ("", NoDomain),
        ("postmaster", NoDomain),
        (r#""a""#, NoDomain),
        (r#""a"b@example.com"#, NoDomain),
        ("@example.com", Local),
        (".@example.com", Local),
        ("a b@example.com", Local),
        (" a@example.com", Local),
        ("(comment)a@example.com", Local),
        ("<a@example.com", Local),
        ("a,b@example.com", Local),
        ("@relay.example:a@example.com", Local),
        ("a\"b\"@example.com", Local),
        ("\"a@example.com", Local),
        ("\"a\\\"@example.com", Local),
        ("\"a\r\nRCPT TO:<b\"@example.com", Local),
        ("\"a\0\"@example.com", Local),
        ("\"\\\u{e9}\"@example.com", Local),
        ("a\u{2028}b@example.com", Local),
        ("a\u{85}b@example.com", Local),
        ("a@", Domain),
        ("a@.example.com", Domain),
        ("a@example..com", Domain),
        ("a@example.com.", Domain),
        ("a@-example.com", Domain),
        ("a@example-.com", Domain),
        ("a@b@example.com", Domain),
        ("a@example.com ", Domain),
        ("a@example.com>", Domain),
        ("a@example\u{3002}com", Domain),
        ("a@[192.0.2]", Literal),
        ("a@[192.0.2.256]", Literal),
        ("a@[192.0.2.1", Literal),
        ("a@[192.0.2.1].example", Literal),
        ("a@[2001:db8::1]", Literal),
        ("a@[IPv6:192.0.2.1]", Literal),
        ("a@[IPv6:fe80::1%eth0]", Literal),
        ("a@[X-tag:content]", Literal),
        ("a@[]", Literal),
    ] {
        assert_eq!(Address::parse(text), Err(error), "{text:?}");
    }
}

#[test]
fn lengths_are_those_of_section_4_5_3() {
    let local = "l".repeat(64);
    let label = "d".repeat(63);
    let is_strict = |text: &str| Address::parse(text).unwrap().is_strict();
    assert!(is_strict(&format!("{local}@example.com")));
    assert!(!is_strict(&format!("{local}l@example.com")));
    let long = format!("{}@example.com", "l".repeat(254 - 12));
    assert!(!is_strict(&long));
    assert_eq!(
        Address::parse(&format!("l{long}")),
        Err(AddressError::TooLong(255))
    );
    assert!(Address::parse(&format!("a@{label}")).is_ok());
    assert_eq!(
        Address::parse(&format!("a@{label}d")),
        Err(AddressError::Domain)
    );
    let longest = format!("{local}@{label}.{label}.{}", "d".repeat(61));
    assert_eq!(longest.len(), 254);
    assert!(Address::parse(&longest).is_ok());
    assert_eq!(
        Address::parse(&format!("{longest}d")),
        Err(AddressError::TooLong(255))
    );
}

#[test]
fn addresses_that_large_servers_accept_are_accepted_but_not_strict() {
    for text in [
        "try..this..0511@carrier.example",
        "xxx.yyy.@carrier.example",
        ".xxx@carrier.example",
        "a@my_host.example",
        "a@_host.example",
    ] {
        let address = Address::parse(text).unwrap();
        assert_eq!(address.as_str(), text);
        assert!(!address.is_strict(), "{text}");
    }
    for text in ["a.b@example.com", "\"a..b\"@example.com", "a_b@example.com"] {
        assert!(Address::parse(text).unwrap().is_strict(), "{text}");
    }
    for dots in [".@example.com", "...@example.com"] {
        assert_eq!(Address::parse(dots), Err(AddressError::Local));
    }
}

#[test]
fn unicode_and_a_labels_are_the_same_mailbox() {
    let same = |one: &str, two: &str| {
        let parse = |text| Address::parse(text).unwrap();
        let (one, two) = (parse(one), parse(two));
        assert_eq!(one.is_same_mailbox(&two), two.is_same_mailbox(&one));
        one.is_same_mailbox(&two)
    };
    assert!(same("a@Example.com", "a@example.COM"));
    assert!(same("a@b\u{fc}cher.example", "a@xn--bcher-kva.example"));
    // Composed or not (RFC 5891 section 5.2).
    assert!(same("a@b\u{fc}cher.example", "a@bu\u{308}cher.example"));
    assert!(!same("a@b\u{fc}cher.example", "a@bucher.example"));
    assert!(!same("a@b\u{fc}cher.example", "b@xn--bcher-kva.example"));
    assert!(!same("A@example.com", "a@example.com"));
    assert!(!same("a@[192.0.2.1]", "a@xn--bcher-kva.example"));
}

#[test]
fn the_null_reverse_path_is_empty() {
    let null = ReversePath::parse("").unwrap();
    assert!(null.is_null() && null.address().is_none());
    assert_eq!(null.to_string(), "");
    let some = ReversePath::parse("a@B.example").unwrap();
    assert_eq!(some, Address::parse("a@b.example").unwrap().into());
    assert_eq!(some.to_string(), "a@b.example");
    assert!(ReversePath::parse("<>").is_err());
}

#[test]
fn json_is_the_text_and_reading_checks_it() {
    let address: Address = serde_json::from_str(r#""a@B.example""#).unwrap();
    assert_eq!(serde_json::to_string(&address).unwrap(), r#""a@b.example""#);
    assert!(serde_json::from_str::<Address>(r#""a b@c""#).is_err());
    let null: ReversePath = serde_json::from_str(r#""""#).unwrap();
    assert_eq!(null, ReversePath::Null);
    assert_eq!(serde_json::to_string(&null).unwrap(), r#""""#);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_what_is_read_reads_back(
        text in prop_oneof![
            any::<String>(),
            r#"["\\a.@\[\]: é-]{0,12}"#,
            r#"("[ -~]{0,8}"|[a-zA-Z.+]{1,8})@(\[IPv6:[0-9a-fA-F:.]{2,20}\]|[\[\]0-9.]{7,17}|\PC{1,80})"#,
        ]
    ) {
        if let Ok(address) = Address::parse(&text) {
            prop_assert!(address.as_str().len() <= Address::MAX_LENGTH);
            prop_assert!(!address.is_strict() || address.local().len() <= Address::MAX_STRICT_LOCAL);
            prop_assert!(!address.as_str().contains(['\r', '\n', '\0']));
            prop_assert_eq!(Address::parse(address.as_str()), Ok(address));
        }
    }
}
