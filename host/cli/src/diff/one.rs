//! Both sides of one entry, beside each other.
//!
//! What both sides have alike stands there once, over the whole width. A star marks what the summary
//! counts as a change, and nothing else.

use gatepost_intake::pipeline::judge::RecipientDisposition;
use gatepost_model::Judgement;
use gatepost_replay::{Compared, Ended, Replayed};
use gatepost_rollout::DifferenceKind;
use gatepost_terminal::escape;
use serde_json::{Map, Value, json};

use crate::fixtures::effect_text;
use crate::story::header_diff;

/// Verdict of a side that read a body which the record does not have.
pub const NOT_COMPARED: &str = "not compared: the policy read the body, and the record has none \
                                ([record] bodies = true keeps them)";

/// Value of a fact that there is not.
const NONE: &str = "-";

/// Columns before the values: the star and the name.
const MARGIN: usize = 18;

/// Columns between both sides.
const GAP: usize = 2;

/// Least width, in columns: below it the sides would have no room.
const NARROWEST: usize = 50;

/// One fact about one side.
struct SideFact {
    name: &'static str,
    /// Kind of change that the summary counts it as.
    kind: Option<DifferenceKind>,
    /// Value, of several lines where there are several.
    value: String,
}

/// Returns both sides of one entry in lines of at most this many columns.
pub fn side_by_side(compared: &Compared, width: usize) -> String {
    let width = width.max(NARROWEST);
    let column = (width - MARGIN - GAP) / 2;
    let mut lines = vec![beside("", "", ("OLD", "NEW"), column)];
    for (old, new) in both(compared) {
        let change = compared.changes.iter().find(|of| Some(of.kind) == old.kind);
        let mark = if change.is_some() { "*" } else { "" };
        if old.value == new.value {
            let mut value = old.value;
            if let Some(change) = change {
                value = format!("{value}\n({})", change.what);
            }
            if value != NONE && !value.is_empty() {
                lines.extend(across(mark, old.name, &value, width));
            }
        } else if old.kind == Some(DifferenceKind::Edits) {
            let section = |value: &str| format!("{value}\n").into_bytes();
            let diff = header_diff(&section(&old.value), &section(&new.value));
            lines.extend(across(mark, old.name, diff.trim_end(), width));
        } else {
            let (old_value, new_value) = (wrap(&old.value, column), wrap(&new.value, column));
            let empty = String::new();
            for at in 0..old_value.len().max(new_value.len()) {
                let cell = |of: &[String]| of.get(at).unwrap_or(&empty).clone();
                let (mark, name) = if at == 0 { (mark, old.name) } else { ("", "") };
                let sides = (&*cell(&old_value), &*cell(&new_value));
                lines.push(beside(mark, name, sides, column));
            }
        }
    }
    lines.join("\n")
}

/// Returns both sides of one entry for programs.
pub fn in_json(compared: &Compared) -> Value {
    let (old, new): (Map<_, _>, Map<_, _>) = both(compared)
        .into_iter()
        .map(|(old, new)| {
            let name = old.name.replace(' ', "-");
            ((name.clone(), json!(old.value)), (name, json!(new.value)))
        })
        .unzip();
    json!({
        "compared": !compared.lacks_body(),
        "changes": compared.changes,
        "old": old,
        "new": new,
    })
}

/// Returns the facts of both sides in pairs.
fn both(compared: &Compared) -> Vec<(SideFact, SideFact)> {
    let side = |of: &Replayed, lacks_body: bool| match lacks_body {
        false => facts(of),
        true => {
            let mut facts = facts(of);
            for fact in &mut facts {
                fact.value = match fact.kind {
                    Some(DifferenceKind::Verdict) => NOT_COMPARED.to_owned(),
                    _ => String::new(),
                };
            }
            facts
        }
    };
    let old = side(&compared.old, compared.old_lacks_body);
    let new = side(&compared.new, compared.new_lacks_body);
    let both = old.into_iter().zip(new);
    let is_shown = |kind| kind != Some(DifferenceKind::Edits) || !compared.lacks_body();
    both.filter(|(old, _)| is_shown(old.kind)).collect()
}

/// Returns the facts of one side; both sides have the same ones in the same order.
fn facts(of: &Replayed) -> Vec<SideFact> {
    let judged = |text: &dyn Fn(&Judgement) -> Vec<String>| {
        let all = of.judgements.iter().flat_map(text);
        all.collect::<Vec<_>>()
    };
    let recipients = of.recipients.iter();
    let recipients = recipients.map(|(to, of)| format!("{to} {}", disposition(of)));
    let refused = of.refused.iter().map(|(to, reply)| format!("{to} {reply}"));
    let reasons = judged(&|of| {
        let reasons = of.decision.reasons.iter();
        let reasons = reasons.map(|reason| format!("{}: {reason}", of.policy));
        reasons.collect()
    });
    let faults = judged(&|of| {
        let fault = of.error.iter();
        let fault = fault.map(|fault| format!("{} in {}: {fault}", of.policy, of.hook));
        fault.collect()
    });
    let effects = of.effects.iter();
    let effects =
        effects.map(|(scope, effect)| format!("{}: {}", scope.policy, effect_text(effect)));
    let notice = of
        .report_suppressed
        .then(|| "notice of suppressed recipients".to_owned());
    let head = of.message.as_ref().map_or_else(String::new, |message| {
        String::from_utf8_lossy(message.head()).replace("\r\n", "\n")
    });
    let answered = of
        .unknown
        .iter()
        .map(|of| format!("{}: {}", of.policy, of.look_up));
    let class = of.class.map(|of| match of.reply_allowed {
        true => of.class.word().to_owned(),
        false => format!("{}, not to be answered", of.class.word()),
    });
    let route = match &of.ended {
        Ended::Routed(routing) => Some(routing.to_string()),
        _ => None,
    };
    let fact = |name, kind, values: Vec<String>| SideFact {
        name,
        kind,
        value: match values.is_empty() {
            true => NONE.to_owned(),
            false => values.join("\n"),
        },
    };
    use DifferenceKind as Kind;
    vec![
        fact(
            "verdict",
            Some(Kind::Verdict),
            vec![of.ended.word().to_owned()],
        ),
        fact(
            "reply",
            Some(Kind::Reply),
            Vec::from_iter(of.reply_in_words()),
        ),
        fact("class", Some(Kind::Class), Vec::from_iter(class)),
        fact("tags", Some(Kind::Tags), of.tags.clone()),
        fact(
            "recipients",
            Some(Kind::Recipients),
            recipients.chain(refused).collect(),
        ),
        fact("route", Some(Kind::Route), Vec::from_iter(route)),
        fact("reasons", Some(Kind::Reasons), reasons),
        fact("faults", Some(Kind::Faults), faults),
        fact(
            "effects",
            Some(Kind::Effects),
            effects.chain(notice).collect(),
        ),
        fact(
            "header section",
            Some(Kind::Edits),
            head.lines().map(str::to_owned).collect(),
        ),
        fact("answered now", None, answered.collect()),
    ]
}

fn disposition(of: &RecipientDisposition) -> String {
    match of {
        RecipientDisposition::Delivered => "delivered".to_owned(),
        RecipientDisposition::Suppressed(why) => format!("suppressed: {why}"),
        RecipientDisposition::Rejected(reply) => format!("rejected: {reply}"),
    }
}

/// Returns one line with both sides.
fn beside(mark: &str, name: &str, (old, new): (&str, &str), column: usize) -> String {
    let line = format!("{mark:<2}{name:<16}{old:<column$}  {new}");
    line.trim_end().to_owned()
}

/// Returns a value over the whole width.
fn across(mark: &str, name: &str, value: &str, width: usize) -> Vec<String> {
    let lines = wrap(value, width - MARGIN).into_iter().enumerate();
    let lines = lines.map(|(at, line)| match at {
        0 => format!("{mark:<2}{name:<16}{line}"),
        _ => format!("{:<MARGIN$}{line}", ""),
    });
    lines.collect()
}

/// Breaks a value into lines of at most this many columns, each escaped for a terminal.
fn wrap(value: &str, columns: usize) -> Vec<String> {
    let lines = value.lines().flat_map(|line| {
        let escaped = escape::line(&line.replace('\t', " "));
        let options = textwrap::Options::new(columns).subsequent_indent("  ");
        let lines: Vec<_> = textwrap::wrap(&escaped, options)
            .into_iter()
            .map(|line| line.into_owned())
            .collect();
        lines
    });
    lines.collect()
}

#[cfg(test)]
mod tests;
