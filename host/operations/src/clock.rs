//! Times as people read them by a clock.

use gatepost_message::Millis;

/// Returns a time to the minute, such as `22:05 UTC`; on another day than `now` with its date, such
/// as `2026-01-31 22:05 UTC`.
pub fn clock(at: Millis, now: Millis) -> String {
    // RFC 3339 in UTC: the date has ten characters, hours and minutes begin at the twelfth.
    let (at, now) = (at.to_string(), now.to_string());
    let part = |text: &str, from, to| text.get(from..to).unwrap_or_default().to_owned();
    let (date, minute) = (part(&at, 0, 10), part(&at, 11, 16));
    match date == part(&now, 0, 10) {
        true => format!("{minute} UTC"),
        false => format!("{date} {minute} UTC"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_stands_with_a_time_of_another_day_alone() {
        let at = |text: &str| text.parse::<Millis>().unwrap();
        let now = at("2026-01-31T12:00:00Z");
        assert_eq!(clock(at("2026-01-31T22:05:59Z"), now), "22:05 UTC");
        assert_eq!(
            clock(at("2026-02-01T00:01:00Z"), now),
            "2026-02-01 00:01 UTC"
        );
    }
}
