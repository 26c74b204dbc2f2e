//! End and fields of the header section; hostile ones cost no more than others.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use gatepost_message::{Body, HeadEnd, Message, head_length};
use proptest::prelude::*;

fn message(raw: &'static [u8]) -> Message {
    Message::from_bytes(Bytes::from_static(raw))
}

#[test]
fn the_section_ends_where_it_should() {
    for (raw, head) in [
        (
            &b"A: 1\r\nB: 2\r\n\r\nbody"[..],
            &b"A: 1\r\nB: 2\r\n\r\n"[..],
        ),
        (b"A: 1\nB: 2\n\nbody", b"A: 1\nB: 2\n\n"),
        (b"A: 1\r\nno colon\r\n\r\nbody", b"A: 1\r\n"),
        (b"A: 1\r\nno colon", b"A: 1\r\n"),
        (b"A: 1\r\n", b"A: 1\r\n"),
        (b"A: 1", b"A: 1"),
        (
            b"A: 1\r\n folded\r\n\tonce more\r\n\r\n",
            b"A: 1\r\n folded\r\n\tonce more\r\n\r\n",
        ),
        (b"A: 1\r\n \r\nB: 2\r\n\r\n", b"A: 1\r\n \r\nB: 2\r\n\r\n"),
        (
            b"  \r\n\tx\r\nA: 1\r\n\r\nbody",
            b"  \r\n\tx\r\nA: 1\r\n\r\n",
        ),
        (b" A: 1\r\njunk", b" A: 1\r\n"),
        (b"\r\nbody: not a field\r\n", b"\r\n"),
        (b"junk\r\nA: 1\r\n\r\n", b""),
        (
            b"odd name: 1\r\nA: 1\r\n\r\n",
            b"odd name: 1\r\nA: 1\r\n\r\n",
        ),
        (b"A: 1\r\r\n\r\n", b"A: 1\r\r\n\r\n"),
        (b"A: 1\r\n\r", b"A: 1\r\n"),
        (b"", b""),
    ] {
        assert_eq!(
            message(raw).head(),
            head,
            "{:?}",
            raw.escape_ascii().to_string()
        );
        assert_eq!(head_length(raw, true), Some(head.len()));
    }
}

#[test]
fn the_end_is_unknown_until_the_deciding_octet() {
    assert_eq!(head_length(b"", false), None);
    assert_eq!(head_length(b"A: 1\r\n", false), None);
    assert_eq!(head_length(b"A: 1\r\n\r", false), None);
    assert_eq!(head_length(b"A: 1\r\n\r\n", false), Some(8));
    // A colon may still come.
    assert_eq!(head_length(b"A: 1\r\njunk", false), None);
    assert_eq!(head_length(b"A: 1\r\njunk\r\n", false), Some(6));
}

#[test]
fn fields_show_names_and_bodies() {
    let message =
        message(b"Subject:  caf\xc3\xa9 \r\n\tau lait \r\nSUBJECT : \xff\r\nX:\r\n\r\nbody");
    let fields: Vec<_> = message
        .fields()
        .map(|field| (field.name(), field.body_raw(), field.unfolded()))
        .collect();
    assert_eq!(
        fields,
        [
            (
                "Subject".into(),
                &b"  caf\xc3\xa9 \r\n\tau lait "[..],
                "café \tau lait".to_owned()
            ),
            ("SUBJECT".into(), b" \xff", "\u{fffd}".to_owned()),
            ("X".into(), b"", String::new()),
        ]
    );
    assert_eq!(message.header("subject").unwrap(), "café \tau lait");
    assert_eq!(message.headers_named("SuBjEcT").len(), 2);
    assert_eq!(message.count("x"), 1);
    assert_eq!(message.count("subj"), 0);
    assert_eq!(message.header("body"), None);
}

#[test]
fn lines_above_the_first_field_hide_no_field() {
    let message = message(b"  \r\n x: y\r\nReceived: 1\r\nReceived: 2\r\n\r\nbody");
    assert_eq!(message.headers_named("received"), ["1", "2"]);
    assert_eq!(message.fields().len(), 2);
}

#[test]
fn a_body_read_in_small_pieces_is_whole() {
    #[derive(Debug)]
    struct Trickle(&'static [u8], u64);
    impl Body for Trickle {
        fn len(&self) -> u64 {
            self.1
        }
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
            let rest = &self.0[offset as usize..];
            let length = rest.len().min(buf.len()).min(3);
            buf[..length].copy_from_slice(&rest[..length]);
            Ok(length)
        }
    }
    let head = Bytes::from_static(b"A: 1\r\n\r\n");
    let whole = Message::from_parts(head.clone(), Arc::new(Trickle(b"0123456789", 10)));
    assert_eq!(whole.size(), 18);
    assert_eq!(whole.to_bytes().unwrap(), &b"A: 1\r\n\r\n0123456789"[..]);
    let cut = Message::from_parts(head, Arc::new(Trickle(b"0123456789", 11)));
    assert_eq!(
        cut.to_bytes().unwrap_err().kind(),
        io::ErrorKind::UnexpectedEof
    );
}

#[test]
fn octets_in_memory_are_a_body() {
    let body = Bytes::from_static(b"0123456789");
    let mut buf = [0; 4];
    assert_eq!(body.read_at(8, &mut buf).unwrap(), 2);
    assert_eq!(&buf[..2], b"89");
    assert_eq!(body.read_at(10, &mut buf).unwrap(), 0);
    assert_eq!(body.read_at(u64::MAX, &mut buf).unwrap(), 0);
}

/// Time limit: far more than linear work needs on a busy machine, far less than quadratic work
/// takes.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn a_header_section_in_single_octets_takes_linear_time() {
    let began = Instant::now();
    for raw in [
        [b"A: ".as_slice(), &b"x".repeat(4 << 20), b"\r\n\r\n"].concat(),
        [b"A: 1\r\n".repeat(100_000).as_slice(), b"\r\n"].concat(),
        [b"A: 1\r\n".as_slice(), &b" x\r\n".repeat(250_000), b"\r\n"].concat(),
    ] {
        let mut end = HeadEnd::default();
        for length in 0..raw.len() {
            assert_eq!(end.find(&raw[..length], false), None);
        }
        assert_eq!(end.find(&raw, false), Some(raw.len()));
    }
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
}

#[test]
fn long_fields_unfold_in_linear_time() {
    let began = Instant::now();
    let raw = [b"A: 1\r\n".as_slice(), &b" x\r\n".repeat(250_000), b"\r\n"].concat();
    let message = Message::from_bytes(raw.into());
    assert_eq!(message.fields().len(), 1);
    assert_eq!(message.header("a").unwrap().len(), 1 + 2 * 250_000);
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
}

fn hostile() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>(),
        proptest::collection::vec(
            proptest::sample::select(b"\r\n\t :aB\0\xff".as_slice()),
            0..60
        ),
    ]
}

proptest! {
    #[test]
    fn any_octets_are_a_message_of_those_octets(raw in hostile()) {
        let message = Message::from_bytes(raw.clone().into());
        prop_assert_eq!(&message.to_bytes().unwrap()[..], &raw[..]);
        prop_assert_eq!(message.size(), raw.len() as u64);
        let fields: Vec<u8> = message.fields().flat_map(|field| field.raw().to_vec()).collect();
        let preamble: usize = message.head()
            .split_inclusive(|octet| *octet == b'\n')
            .take_while(|line| line.starts_with(b" ") || line.starts_with(b"\t"))
            .map(<[u8]>::len)
            .sum();
        let rest = message.head()[preamble..].strip_prefix(&fields[..]);
        prop_assert!(matches!(rest, Some(b"" | b"\n" | b"\r\n")));
        for field in message.fields() {
            prop_assert!(!field.unfolded().contains('\n'));
            let lossy = std::str::from_utf8(field.name_raw()).is_err();
            prop_assert!(lossy || message.count(&field.name()) >= 1);
        }
    }

    #[test]
    fn a_message_of_two_parts_is_the_same_message(raw in hostile(), step in 1_usize..9) {
        let mut end = HeadEnd::default();
        let early = (0..raw.len()).step_by(step).find_map(|length| end.find(&raw[..length], false));
        let length = early.or_else(|| end.find(&raw, true)).unwrap();
        prop_assert_eq!(Some(length), head_length(&raw, true));
        let body = Bytes::copy_from_slice(&raw[length..]);
        let parts = Message::from_parts(Bytes::copy_from_slice(&raw[..length]), Arc::new(body));
        let whole = Message::from_bytes(raw.into());
        prop_assert_eq!(parts.head(), whole.head());
        prop_assert_eq!(parts.fields().len(), whole.fields().len());
        prop_assert_eq!(parts.to_bytes().unwrap(), whole.to_bytes().unwrap());
    }
}
