//! Address fields.

use gatepost_mailboxes::{ADDRESS_LIMIT, Clarity, mailboxes, read};

use crate::Target;

/// Bodies of From, To and Reply-To.
pub const TARGET: Target = Target {
    name: "addresses",
    rule: "no field is read as unequivocal that shows an address of another domain, and none is read beyond its bounds",
    seeds: || {
        [
            "Ann <ann@one.example>, \"b, c\" <b@two.example>",
            "Team: a@one.example, b@one.example;",
            "=?utf-8?q?ceo=40bank.example?= <a@good.example>",
            "<@relay.example:a@one.example> (comment (nested \\) ) )",
            "a@[192.0.2.1], \"a b\"@one.example",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
    },
    words: &[
        b"<",
        b">",
        b"@",
        b",",
        b";",
        b":",
        b"\"",
        b"\\",
        b"(",
        b")",
        b"\r\n ",
        b"=?utf-8?b?",
        b"=?utf-8?q?",
        b"?=",
        b"\xe3\x80\x82",
        b"\xef\xbc\xa0",
        b".",
        b"xn--",
        b"\0",
        b"ceo@bank.example",
        b"[",
        b"]",
    ],
    suite: 10_000,
    check,
};

fn check(input: &[u8]) {
    let reading = read([input]);
    let listed = mailboxes(input);
    assert!(listed.len() <= ADDRESS_LIMIT + 1);
    let domains: Vec<_> = reading.domains().collect();
    assert!(domains.len() <= ADDRESS_LIMIT);
    if reading.clarity() == Clarity::Unequivocal {
        // A second look at the same octets finds no other author.
        let again: Vec<_> = read([input]).domains().map(str::to_owned).collect();
        assert_eq!(domains, again);
        assert!(!domains.is_empty());
    }
}
