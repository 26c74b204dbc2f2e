//! An address in a display name is found in every spelling in which a person sees it.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gatepost_mailboxes::{AddrSpec, in_name, looks_like};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn ceo() -> AddrSpec {
    AddrSpec {
        local: "ceo".to_owned(),
        domain: "bank.example".to_owned(),
    }
}

fn one_of(spellings: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(spellings).prop_map(ToOwned::to_owned)
}

/// Generates spellings that a person reads as `ceo@bank.example`; `escaped` adds the escapes of
/// URLs and HTML.
fn spelling(escaped: bool) -> impl Strategy<Value = String> {
    let some = move |plain: &'static [&'static str], escapes: &'static [&'static str]| {
        let all = match escaped {
            true => [plain, escapes].concat(),
            false => plain.to_vec(),
        };
        prop::sample::select(all)
    };
    let at = some(
        &["@", "\u{ff20}", "\u{fe6b}", "\u{200b}@", "@\u{2060}"],
        &[
            "%40",
            "&#64;",
            "&#064",
            "&#x40;",
            "&commat;",
            "&amp;#64;",
            "%2540",
        ],
    );
    let dot = some(
        &[
            ".", "\u{3002}", "\u{ff0e}", "\u{ff61}", "\u{2024}", "\u{fe52}",
        ],
        &["%2E", "%2e", "&#46;", "&period;"],
    );
    let local = some(
        &["ceo", "CEO", "c\u{ad}eo", "\u{ff43}eo"],
        &["c%65o", "&#99;eo"],
    );
    let domain = some(
        &["bank", "BANK", "ba\u{200d}nk", "\u{ff42}ank"],
        &["b&#x61;nk"],
    );
    (local, at, domain, dot)
        .prop_map(|(local, at, domain, dot)| format!("{local}{at}{domain}{dot}example"))
}

/// Generates display names that hold such an address, plain, quoted or encoded.
fn named(escaped: bool) -> impl Strategy<Value = String> {
    let before = one_of(&[
        "",
        "The boss ",
        "'",
        "\u{2018}",
        "(",
        "<",
        "mailto:",
        "a, ",
        "* ",
    ]);
    let after = one_of(&[
        "",
        " via x",
        "'",
        "\u{2019}",
        ")",
        ">",
        ".",
        ", b",
        " \u{2014} c",
    ]);
    let plain =
        (before, spelling(escaped), after).prop_map(|(a, spelt, b)| format!("{a}{spelt}{b}"));
    (plain, 0..4_u8).prop_map(|(name, form)| match form {
        0 => format!("=?utf-8?b?{}?=", BASE64_STANDARD.encode(&name)),
        1 => {
            let octets = name.bytes().map(|octet| format!("={octet:02X}"));
            format!("=?UTF-8?Q?{}?=", octets.collect::<String>())
        }
        2 => {
            let (first, second) = name.split_at(name.floor_char_boundary(name.len() / 2));
            let word = |part: &str| format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(part));
            format!("{} {}", word(first), word(second))
        }
        _ => name,
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3000,
        rng_seed: RngSeed::Fixed(5322),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_spelling_hides_an_address(name in named(true)) {
        let shown = in_name(&name);
        prop_assert!(shown.contains(&ceo()), "{shown:?}");
    }

    #[test]
    fn a_name_with_the_own_address_shows_no_other(name in named(false)) {
        for shown in in_name(&name) {
            prop_assert!(looks_like(&shown, &ceo()), "{shown:?}");
        }
    }

    #[test]
    fn any_name_is_read_without_panic(name: String) {
        in_name(&name);
    }
}

#[test]
fn a_name_without_an_address_shows_none() {
    for name in [
        "",
        "Ann Smith",
        "Ann @ Shop.example",
        "@ann",
        "50% of A&B",
        "a@b",
        "R&D, Desk No. 5",
        "=?utf-8?q?J=C3=BCrgen?=",
        "100%40",
    ] {
        assert_eq!(in_name(name), [], "{name}");
    }
}

#[test]
fn reading_a_name_takes_linear_time() {
    for piece in [
        "@", "@ ", "a@b.c ", "%40", "%2540", "&#64;", "&amp;", "&", "%", "=?", "=?x?q?@", "@.",
        "@a. ",
    ] {
        let name = piece.repeat(64 * 1024 / piece.len());
        let start = Instant::now();
        in_name(&name);
        let took = start.elapsed();
        assert!(took < Duration::from_millis(500), "{piece:?}: {took:?}");
    }
}
