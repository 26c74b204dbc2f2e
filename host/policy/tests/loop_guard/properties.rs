//! What holds of any subject and any body.

use loop_guard::{digest, subject};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_subject_that_is_normalised_stays_as_it_is(text in any::<String>()) {
        let once = subject::normalised(&text);
        prop_assert_eq!(subject::normalised(&once), once);
    }

    #[test]
    fn no_number_of_answers_changes_a_subject(
        text in "[A-Za-z][a-z ]{0,30}",
        prefixes in prop::collection::vec(
            prop_oneof![Just("Re: "), Just("AW: "), Just("Fwd:"), Just("RE[2]: "), Just("[#12] "), Just("Sv : ")],
            0..6,
        ),
        ticket in prop_oneof![Just(String::new()), "[0-9]{1,6}".prop_map(|number| format!(" #{number}"))],
    ) {
        let answered = format!("{}{text}{ticket}", prefixes.concat());
        prop_assert_eq!(subject::normalised(&answered), subject::normalised(&text));
    }

    #[test]
    fn any_octets_have_a_digest_or_none(body in prop::collection::vec(any::<u8>(), 0..4096)) {
        let _ = digest::of(&body);
    }

    #[test]
    fn what_does_not_count_does_not_change_a_digest(
        words in prop::collection::vec("[a-z]{1,9}", 8..60),
        number in any::<u32>(),
    ) {
        let text = words.join(" ");
        let other = format!("> quoted\r\n{}  {number}\r\n> and more", text.to_uppercase());
        prop_assert_eq!(digest::of(text.as_bytes()).near, digest::of(other.as_bytes()).near);
    }

    /// A word that differs in a long text leaves most of its digest as it is.
    #[test]
    fn nearly_the_same_words_have_nearly_the_same_digest(
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
