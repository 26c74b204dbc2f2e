//! Cost of reading and editing a message of 10 KiB: `cargo bench -p gatepost-message`.

#![allow(clippy::unwrap_used)] // the inputs are valid

use bytes::Bytes;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use gatepost_message::{Address, Edit, FieldBody, FieldName, HeadEnd, Message};

fn main() {
    divan::main();
}

/// Returns a message of twenty fields and a body.
fn raw() -> Bytes {
    let mut text = String::new();
    for number in 0..15 {
        text += &format!("X-Field-{number}: a value of some length, as fields have it\r\n");
    }
    text += "Received: from client.example by mx.sender.example;\r\n\tMon, 1 Jan 2024 00:00:01 +0000\r\n\
             From: Ann <ann@sender.example>\r\nTo: Help <help@desk.example>\r\n\
             Message-ID: <1@sender.example>\r\nSubject: performance\r\n\r\n";
    while text.len() < 10 << 10 {
        text += &"x".repeat(78);
        text += "\r\n";
    }
    text.into()
}

fn edit(name: &str, body: &str) -> Edit {
    Edit::Set {
        name: FieldName::new(name).unwrap(),
        body: FieldBody::new(body).unwrap(),
    }
}

#[divan::bench]
fn parse(bencher: Bencher) {
    let raw = raw();
    let counter = BytesCount::of_slice(&raw);
    bencher
        .counter(counter)
        .bench(|| Message::from_bytes(black_box(&raw).clone()));
}

#[divan::bench]
fn find_the_end_of_the_header_section(bencher: Bencher) {
    let raw = raw();
    bencher.bench(|| HeadEnd::default().find(black_box(&raw), true));
}

#[divan::bench]
fn look_up_a_field(bencher: Bencher) {
    let message = Message::from_bytes(raw());
    bencher.bench(|| black_box(&message).header(black_box("Message-ID")));
}

#[divan::bench(args = [1, 3, 10])]
fn edit_fields(bencher: Bencher, edits: usize) {
    let message = Message::from_bytes(raw());
    let edits: Vec<Edit> = (0..edits)
        .map(|n| edit(&format!("X-Field-{n}"), "another"))
        .collect();
    bencher.bench(|| black_box(&message).edited(black_box(&edits)));
}

#[divan::bench]
fn parse_an_address() -> Address {
    Address::parse(black_box("help.desk+tag@desk.example")).unwrap()
}
