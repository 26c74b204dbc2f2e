//! A comparison in words.

use gatepost_replay::{Group, Tally};
use gatepost_rollout::DifferenceKind;

/// Number with separators of thousands.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(String::from_utf8_lossy)
        .collect();
    groups.join(",")
}

/// Returns a number with the word for one thing, or that for several.
pub fn counted(count: u64, one: &str, several: &str) -> String {
    let word = if count == 1 { one } else { several };
    format!("{} {word}", number(count))
}

/// Returns why nothing was compared; `None` if something was. `no_entries` says why there were no entries.
pub fn nothing_compared(tally: &Tally, no_entries: impl FnOnce() -> String) -> Option<String> {
    if tally.compared > 0 {
        return None;
    }
    let of = match tally.not_compared() {
        0 => return Some(no_entries()),
        1 => "the only entry cannot be compared".to_owned(),
        all => format!("none of the {} can be compared", number(all)),
    };
    let reasons = [
        (
            tally.without_body,
            "a policy reads the body, which the record does not have ([record] bodies = true keeps it)",
        ),
        (
            tally.without_listener,
            "it came to a listener that the configuration does not have",
        ),
    ];
    let reasons = reasons.into_iter().filter(|(count, _)| *count > 0);
    let reasons: Vec<_> = reasons.map(|(_, reason)| reason).collect();
    Some(format!("{of}: {}", reasons.join(", or ")))
}

/// Returns the counts and groups of a comparison; `name` names the example of a group, and `nothing` says
/// why nothing was compared.
pub fn summary(
    tally: &Tally,
    nothing: Option<&str>,
    most: usize,
    name: impl Fn(&Group) -> String,
) -> String {
    if let Some(nothing) = nothing {
        return format!("nothing was compared: {nothing}");
    }
    let mut lines = Vec::new();
    let of = number(tally.compared);
    match tally.changed {
        0 => lines.push(format!("{of} compared: both decide the same on each.")),
        changed => {
            let differ = counted(changed, "differs", "differ");
            lines.push(format!("{of} compared: {differ}."));
        }
    }
    for kind in DifferenceKind::ALL {
        let count = tally.of_kind(kind);
        if count > 0 {
            lines.push(format!("  {:<10} {:>9}", kind.word(), number(count)));
        }
    }
    let groups = tally.groups();
    for group in groups.iter().take(most) {
        let alike = match group.count {
            1 => "once".to_owned(),
            count => format!("{} alike", number(count)),
        };
        lines.push(format!("\n{alike}, such as {}", name(group)));
        for change in &group.changes {
            lines.push(format!("  {:<10} {}", change.kind.word(), change.what));
        }
    }
    if groups.len() > most {
        let more = counted((groups.len() - most) as u64, "more group", "more groups");
        lines.push(format!("\n{more}: see all with --groups {}", groups.len()));
    }
    let mut remarks = Vec::new();
    if tally.ungrouped > 0 {
        remarks.push(counted(
            tally.ungrouped,
            "more changed entry is in no group",
            "more changed entries are in no group",
        ));
    }
    if tally.without_body > 0 {
        remarks.push(format!(
            "{} not compared: a policy reads the body, which the record does not have ([record] bodies = true)",
            number(tally.without_body)
        ));
    }
    if tally.without_listener > 0 {
        remarks.push(format!(
            "{} not compared: for mail to a listener that the configuration does not have",
            number(tally.without_listener)
        ));
    }
    if tally.answered_now > 0 {
        remarks.push(format!(
            "{} with look-ups that are not in the record, answered from the present state",
            number(tally.answered_now)
        ));
    }
    if !remarks.is_empty() {
        lines.push(String::new());
        lines.extend(remarks);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_of_nothing_is_no_good_result() {
        let nothing = Tally::default();
        let why = nothing_compared(&nothing, || "the record has no entry".to_owned()).unwrap();
        let text = summary(&nothing, Some(&why), 20, |_| String::new());
        assert_eq!(text, "nothing was compared: the record has no entry");

        let mut without_body = Tally::default();
        without_body.without_body = 21;
        let why = nothing_compared(&without_body, String::new).unwrap();
        assert!(why.starts_with("none of the 21 can be compared: a policy reads the body"));
        assert!(!why.contains("listener"), "{why}");

        without_body.compared = 1;
        assert_eq!(nothing_compared(&without_body, String::new), None);
    }

    #[test]
    fn numbers_have_separators() {
        let numbers = [0, 999, 1_000, 1_234_567].map(number);
        assert_eq!(numbers, ["0", "999", "1,000", "1,234,567"]);
    }
}
