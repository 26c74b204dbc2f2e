//! A comparison in words.

use gatepost_intake::pipeline::judge::RecipientDisposition;
use gatepost_model::Judgement;
use gatepost_replay::{Compared, Ended, Group, Replayed, Tally};
use gatepost_rollout::DifferenceKind;

use crate::commands::output;
use crate::fixtures::effect_text;

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

/// Returns the counts and groups of a comparison; `name` names the example of a group.
pub fn summary(tally: &Tally, most: usize, name: impl Fn(&Group) -> String) -> String {
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

/// Returns both sides of one entry, what differs marked.
pub fn side_by_side(compared: &Compared) -> String {
    let (old, new) = (facts(&compared.old), facts(&compared.new));
    let mut table = output::table(["", "", "OLD", "NEW"]);
    for ((name, old), (_, new)) in old.iter().zip(&new) {
        let mark = match old == new {
            true => "",
            false => "*",
        };
        table.add_row([mark, name, old, new]);
    }
    output::in_text(table)
}

/// Returns the facts of one side, by name; both sides have the same names in the same order.
pub fn facts(of: &Replayed) -> Vec<(String, String)> {
    let list = |items: Vec<String>| match items.is_empty() {
        true => "-".to_owned(),
        false => items.join("\n"),
    };
    let judged = |text: &dyn Fn(&Judgement) -> Vec<String>| {
        let all = of.judgements.iter().flat_map(text);
        list(all.collect())
    };
    let route = match &of.ended {
        Ended::Routed(routing) => routing.to_string(),
        _ => "-".to_owned(),
    };
    let recipients = of
        .recipients
        .iter()
        .map(|(to, of)| format!("{to} {}", disposition(of)));
    let refused = of.refused.iter().map(|(to, reply)| format!("{to} {reply}"));
    let head = of.message.as_ref().map_or_else(String::new, |message| {
        String::from_utf8_lossy(message.head()).replace("\r\n", "\n")
    });
    [
        ("verdict", of.ended.word().to_owned()),
        (
            "reply",
            of.reply
                .as_ref()
                .map_or_else(|| "-".to_owned(), ToString::to_string),
        ),
        (
            "class",
            of.class
                .map_or_else(|| "-".to_owned(), |class| class.class.word().to_owned()),
        ),
        ("tags", list(of.tags.clone())),
        ("recipients", list(recipients.chain(refused).collect())),
        ("route", route),
        (
            "reasons",
            judged(&|of| {
                let reasons = of.decision.reasons.iter();
                reasons
                    .map(|reason| format!("{}: {reason}", of.policy))
                    .collect()
            }),
        ),
        (
            "faults",
            judged(&|of| {
                let fault = of.error.iter();
                fault
                    .map(|fault| format!("{} in {}: {fault}", of.policy, of.hook))
                    .collect()
            }),
        ),
        (
            "effects",
            list(
                of.effects
                    .iter()
                    .map(|(scope, effect)| format!("{}: {}", scope.policy, effect_text(effect)))
                    .collect(),
            ),
        ),
        (
            "header section",
            list(head.lines().map(str::to_owned).collect()),
        ),
        (
            "answered now",
            list(
                of.unknown
                    .iter()
                    .map(|of| format!("{}: {}", of.policy, of.look_up))
                    .collect(),
            ),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

fn disposition(of: &RecipientDisposition) -> String {
    match of {
        RecipientDisposition::Delivered => "delivered".to_owned(),
        RecipientDisposition::Suppressed(why) => format!("suppressed: {why}"),
        RecipientDisposition::Rejected(reply) => format!("rejected: {reply}"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_have_separators() {
        let numbers = [0, 999, 1_000, 1_234_567].map(super::number);
        assert_eq!(numbers, ["0", "999", "1,000", "1,234,567"]);
    }
}
