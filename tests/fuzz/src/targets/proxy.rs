//! PROXY headers, version 2.

use gatepost_smtp::proxy::{Parsed, parse};

use crate::Target;

/// Headers of load balancers.
pub const TARGET: Target = Target {
    name: "proxy",
    rule: "a header that is whole stays the same header whatever follows, and no beginning of it is invalid",
    seeds: || {
        let header = |family: u8, addresses: &[u8]| {
            let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21".to_vec();
            header.push(family);
            header.extend(u16::try_from(addresses.len()).unwrap_or(0).to_be_bytes());
            header.extend(addresses);
            header
        };
        vec![
            header(0x11, &[192, 0, 2, 1, 198, 51, 100, 1, 0, 25, 4, 0]),
            header(0x21, &[7; 36]),
            header(0x11, &[9; 60]),
        ]
    },
    words: &[
        b"\r\n\r\n\0\r\nQUIT\n",
        b"\x20",
        b"\x21",
        b"\x11",
        b"\xff\xff",
        b"\0\0",
    ],
    suite: 20_000,
    check,
};

fn check(input: &[u8]) {
    let whole = parse(input);
    let Parsed::Header { length, .. } = whole else {
        return;
    };
    assert!(length <= input.len());
    assert_eq!(parse(&input[..length]), whole);
    for end in 0..length {
        assert_eq!(parse(&input[..end]), Parsed::NeedMore, "of {end} octets");
    }
}
