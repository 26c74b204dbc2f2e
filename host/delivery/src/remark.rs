//! What a server says between the lines of a transient reply.
//!
//! RFC 5321 has one way to say "not now", and servers use it for very different things: a
//! recipient whom they greylist (RFC 6647) is to be tried again at their pace, and a client that
//! sends too much is to send less. The words differ from server to server; those here are of
//! servers in common use. An unknown reply is an ordinary deferral.

use std::time::Duration;

use gatepost_smtp::{Reply, tells_of_greylisting};

/// Meaning of a transient reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remark {
    /// The sender is new to the recipient: try again after this time.
    Greylisted(Duration),
    /// The server has too much to do, or too many of our connections or messages.
    Throttled,
    /// Nothing more than the reply says.
    Nothing,
}

/// Wait of a greylisted recipient if the server names none: longer than the five minutes that are
/// the usual setting.
const GREYLIST_WAIT: Duration = Duration::from_secs(5 * 60 + 15);

/// Bounds on the wait that a server names.
const SHORTEST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(60 * 60);

impl Remark {
    /// Reads a reply.
    pub(crate) fn of(reply: &Reply) -> Self {
        if !reply.is_transient() {
            return Self::Nothing;
        }
        let text = reply.text().to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if tells_of_greylisting(&text) {
            let wait = named_time(&text).unwrap_or(GREYLIST_WAIT);
            return Self::Greylisted(wait.clamp(SHORTEST, LONGEST));
        }
        let too_much = [
            "throttl",
            "rate limit",
            "ratelimit",
            "rate exceeded",
            "sending rate",
            "too many connections",
            "too many concurrent",
            "too many messages",
            "connections limit exceeded",
        ];
        match reply.code() == 421 || has(&too_much) {
            true => Self::Throttled,
            false => Self::Nothing,
        }
    }
}

/// Returns the time in a text such as `try again in 300 seconds`, `5 minutes` or `00:04:59`.
fn named_time(text: &str) -> Option<Duration> {
    let words: Vec<&str> = text.split([' ', ',', '(', ')', ';', '.']).collect();
    let at = |place: usize| words.get(place).copied().unwrap_or_default();
    (0..words.len()).find_map(|place| {
        let word = at(place);
        let clock: Vec<Option<u64>> = word.split(':').map(|part| part.parse().ok()).collect();
        if let [Some(hours), Some(minutes), Some(seconds)] = clock[..] {
            let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
            return Some(Duration::from_secs(
                minutes.checked_mul(60)?.checked_add(seconds)?,
            ));
        }
        let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = word[..digits].parse().ok()?;
        let unit = match &word[digits..] {
            "" => at(place + 1),
            unit => unit,
        };
        let seconds = match unit {
            "s" | "sec" | "secs" | "second" | "seconds" => 1,
            "m" | "min" | "mins" | "minute" | "minutes" => 60,
            _ => return None,
        };
        number.checked_mul(seconds).map(Duration::from_secs)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: u16, text: &str) -> Remark {
        let enhanced = if code < 500 { "4.2.0" } else { "5.2.0" };
        Remark::of(&Reply::new(code, enhanced, text))
    }

    #[test]
    fn greylisting_is_known_by_its_words_and_its_time() {
        for (text, seconds) in [
            ("Greylisted, see http://postgrey.example/help", 315),
            ("greylisting in action, please come back in 00:04:59", 299),
            ("Greylisted for 120 seconds", 120),
            ("You are greylisted, try again in 7 minutes", 420),
            ("temporarily deferred: graylisted (600s)", 600),
            ("Greylisted for 1 second", 30),
            ("Greylisted for 99999 minutes", 3600),
            ("Greylisted for 99999999999999999999 minutes", 315),
            ("Greylisted for 18446744073709551615 minutes", 315),
        ] {
            let wait = Duration::from_secs(seconds);
            assert_eq!(of(451, text), Remark::Greylisted(wait), "{text}");
        }
    }

    #[test]
    fn a_server_with_too_much_is_known_by_its_code_or_its_words() {
        assert_eq!(of(421, "closing"), Remark::Throttled);
        assert_eq!(
            of(454, "Throttling failure: Maximum sending rate exceeded."),
            Remark::Throttled
        );
        assert_eq!(of(450, "mailbox is locked"), Remark::Nothing);
        assert_eq!(of(550, "greylisted"), Remark::Nothing);
    }
}
