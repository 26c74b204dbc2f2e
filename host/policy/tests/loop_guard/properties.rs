//! Properties of the normalised subject and the body's digest, for any input.

use loop_guard::{digest, subject};
use proptest::prelude::*;

proptest! {
    #[test]
    fn normalising_a_subject_twice_changes_nothing_more(text in any::<String>()) {
        let once = subject::normalised(&text);
        prop_assert_eq!(subject::normalised(&once), once);
    }

    #[test]
    fn reply_prefixes_and_ticket_numbers_do_not_change_a_normalised_subject(
        text in "[A-Za-z][a-z ]{0,30}",
        prefixes in prop::collection::vec(
            prop::sample::select(&["Re: ", "AW: ", "Fwd:", "RE[2]: ", "[#12] ", "Sv : "][..]),
            0..6,
        ),
        ticket in prop_oneof![
            Just(String::new()),
            "[0-9]{1,6}".prop_map(|number| format!(" #{number}")),
        ],
    ) {
        let answered = format!("{}{text}{ticket}", prefixes.concat());
        prop_assert_eq!(subject::normalised(&answered), subject::normalised(&text));
    }

    #[test]
    fn the_digest_of_any_bytes_does_not_panic(body in prop::collection::vec(any::<u8>(), 0..4096)) {
        let _ = digest::of(&body);
    }

    #[test]
    fn case_quotes_and_numbers_do_not_change_a_digest(
        words in prop::collection::vec("[a-z]{1,9}", 8..60),
        number in any::<u32>(),
    ) {
        let text = words.join(" ");
        let other = format!("> quoted\r\n{}  {number}\r\n> and more", text.to_uppercase());
        prop_assert_eq!(digest::of(text.as_bytes()).near, digest::of(other.as_bytes()).near);
    }

    /// One different word in a long text leaves a band of its digest as it is.
    #[test]
    fn one_different_word_leaves_a_band_of_the_digest_as_it_is(
        words in prop::collection::btree_set("[a-z]{4,8}", 100),
        at in 0usize..100,
    ) {
        let mut words: Vec<_> = words.into_iter().collect();
        let one = digest::of(words.join(" ").as_bytes()).near.unwrap();
        words[at] = "another".to_owned();
        let other = digest::of(words.join(" ").as_bytes()).near.unwrap();
        prop_assert!(one.iter().zip(&other).any(|(one, other)| one == other));
    }
}
