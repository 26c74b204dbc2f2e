//! Headers of the PROXY protocol, version 2.

use gatepost_smtp::proxy::{Parsed, parse};

fn header(version_command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    bytes.extend([version_command, family]);
    bytes.extend(u16::try_from(addresses.len()).unwrap().to_be_bytes());
    bytes.extend(addresses);
    bytes
}

fn v4() -> Vec<u8> {
    [
        &[192, 0, 2, 1][..],
        &[198, 51, 100, 2],
        &[0x30, 0x39],
        &[0, 25],
    ]
    .concat()
}

fn source(bytes: &[u8]) -> Option<String> {
    match parse(bytes) {
        Parsed::Header { source, length } => {
            assert_eq!(length, bytes.len());
            source.map(|source| source.to_string())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_header_gives_the_clients_address() {
    assert_eq!(
        source(&header(0x21, 0x11, &v4())).as_deref(),
        Some("192.0.2.1:12345")
    );
    let mut v6 = [0; 36];
    v6[..2].copy_from_slice(&[0x20, 0x01]);
    v6[15] = 1;
    v6[33] = 25;
    assert_eq!(
        source(&header(0x21, 0x21, &v6)).as_deref(),
        Some("[2001::1]:25")
    );
    let with_fields = [&v4()[..], &[0x04, 0, 1, 0]].concat();
    assert_eq!(
        source(&header(0x21, 0x11, &with_fields)).as_deref(),
        Some("192.0.2.1:12345")
    );
}

#[test]
fn local_and_non_tcp_headers_give_no_client() {
    assert_eq!(source(&header(0x20, 0x00, &[])), None);
    assert_eq!(source(&header(0x20, 0x11, &v4())), None);
    assert_eq!(source(&header(0x21, 0x00, &[])), None);
    assert_eq!(source(&header(0x21, 0x31, &[0; 216])), None);
}

#[test]
fn an_invalid_header_is_refused_at_its_first_wrong_octet() {
    for bytes in [
        &b"EHLO"[..],
        b"PROXY TCP4",
        b"\r\n\r\r",
        &header(0x11, 0x11, &v4()),
        &header(0x22, 0x11, &v4()),
        &header(0x21, 0x11, &v4()[..11]),
    ] {
        assert_eq!(parse(bytes), Parsed::Invalid, "{bytes:?}");
    }
    let whole = header(0x21, 0x11, &v4());
    for length in 0..whole.len() {
        assert_eq!(parse(&whole[..length]), Parsed::NeedMore, "{length}");
    }
    let followed = [&whole[..], b"EHLO"].concat();
    assert!(matches!(
        parse(&followed),
        Parsed::Header { length: 28, .. }
    ));
}
