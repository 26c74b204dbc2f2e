//! Comparison of what two sides decided about one entry.

use std::collections::{BTreeMap, BTreeSet};

use gatepost_intake::pipeline::judge::RecipientDisposition;
use gatepost_model::{Classification, Effect, Judgement, Routing, Scope};
use gatepost_rollout::DifferenceKind;
use serde::Serialize;

use crate::given::is_alike;
use crate::replayed::{Ended, Replayed};

/// One change, in general words: changes that are alike have the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DecisionChange {
    /// Kind.
    pub kind: DifferenceKind,
    /// Before and after.
    pub what: String,
}

/// Returns the changes from one side to the other, in the order of their kinds; none if both decided
/// the same.
pub fn changes(old: &Replayed, new: &Replayed) -> Vec<DecisionChange> {
    let mut both = old.trail.iter().zip(&*new.trail);
    if old.trail.len() == new.trail.len() && both.all(|(old, new)| is_alike(old, new)) {
        // All else follows from the calls.
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut add = |kind, what: Option<String>| {
        found.extend(what.map(|what| DecisionChange { kind, what }));
    };
    let word = |of: &Replayed| of.ended.word().to_owned();
    add(DifferenceKind::Verdict, from_to(word(old), word(new)));
    let (routed, told) = (routing(&old.ended), routing(&new.ended));
    let beyond =
        matches!(new.ended, Ended::BeyondRecord) || matches!(old.ended, Ended::BeyondRecord);
    if !beyond {
        add(DifferenceKind::Reply, reply(old, new));
    }
    add(
        DifferenceKind::Class,
        from_to(class(old.class), class(new.class)),
    );
    add(
        DifferenceKind::Tags,
        in_and_out(old.tags.iter(), new.tags.iter(), |tag| tag.clone()),
    );
    add(DifferenceKind::Edits, edits(old, new));
    add(DifferenceKind::Recipients, recipients(old, new));
    if routed != told {
        add(
            DifferenceKind::Route,
            from_to(
                routed.map_or_else(String::new, route),
                told.map_or_else(String::new, route),
            )
            .or_else(|| Some("another plan".to_owned())),
        );
    }
    add(DifferenceKind::Effects, effects(old, new));
    add(DifferenceKind::Reasons, reasons(old, new));
    add(DifferenceKind::Faults, faults(old, new));
    found
}

fn from_to(old: String, new: String) -> Option<String> {
    (old != new).then(|| format!("{old} -> {new}"))
}

/// Returns the entries that are only on one side, in general words: `-` of those that went, `+` of those
/// that came.
fn in_and_out<'a, T: Ord + 'a>(
    old: impl Iterator<Item = &'a T>,
    new: impl Iterator<Item = &'a T>,
    word: impl Fn(&T) -> String,
) -> Option<String> {
    let count = |items: &mut dyn Iterator<Item = &'a T>| {
        let mut counts: BTreeMap<&'a T, usize> = BTreeMap::new();
        items.for_each(|item| *counts.entry(item).or_default() += 1);
        counts
    };
    let (mut old, mut new) = (old, new);
    let (old, new) = (count(&mut old), count(&mut new));
    let only = |one: &BTreeMap<&'a T, usize>, other: &BTreeMap<&'a T, usize>, sign: char| {
        let only = one
            .iter()
            .filter(|(item, count)| other.get(*item) < Some(count));
        let words: BTreeSet<_> = only
            .map(|(item, _)| format!("{sign}{}", word(item)))
            .collect();
        words
    };
    let words: Vec<_> = (only(&old, &new, '-').into_iter())
        .chain(only(&new, &old, '+'))
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn class(of: Option<Classification>) -> String {
    let Some(of) = of else {
        return "none".to_owned();
    };
    let class = of.class.word().to_owned();
    match of.reply_allowed {
        true => class,
        false => format!("{class}, not to be answered"),
    }
}

fn reply(old: &Replayed, new: &Replayed) -> Option<String> {
    let words = |of: &Replayed| general(&of.reply_in_words().unwrap_or_default());
    if old.reply == new.reply {
        return None;
    }
    from_to(words(old), words(new)).or_else(|| Some("another text".to_owned()))
}

fn edits(old: &Replayed, new: &Replayed) -> Option<String> {
    let (old, new) = (old.message.as_ref()?, new.message.as_ref()?);
    if old.head() == new.head() {
        return None;
    }
    let fields = |message: &gatepost_message::Message| {
        let fields = message.fields();
        let fields = fields.map(|field| (field.name().into_owned(), field.body_raw().to_vec()));
        fields.collect::<Vec<_>>()
    };
    let (old, new) = (fields(old), fields(new));
    let changed = in_and_out(old.iter(), new.iter(), |(name, _)| name.clone());
    changed.or_else(|| Some("another order of fields".to_owned()))
}

fn recipients(old: &Replayed, new: &Replayed) -> Option<String> {
    let words = |of: &Replayed| {
        let judged = of.recipients.iter().map(|(to, disposition)| {
            let word = match disposition {
                RecipientDisposition::Delivered => "delivered".to_owned(),
                RecipientDisposition::Suppressed(why) => format!("suppressed ({})", general(why)),
                RecipientDisposition::Rejected(reply) => general(&reply.to_string()),
            };
            (to.as_str().to_owned(), word)
        });
        let refused = of.refused.iter();
        let refused =
            refused.map(|(to, reply)| (to.as_str().to_owned(), general(&reply.to_string())));
        judged.chain(refused).collect::<BTreeMap<_, _>>()
    };
    let (old, new) = (words(old), words(new));
    let all: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let word = |of: &BTreeMap<String, String>, to: &str| {
        of.get(to)
            .cloned()
            .unwrap_or_else(|| "no more asked".to_owned())
    };
    // Where one side refused the message as a whole, its verdict says so.
    if old.is_empty() || new.is_empty() {
        return None;
    }
    let changed: BTreeSet<_> = all
        .into_iter()
        .filter_map(|to| from_to(word(&old, to), word(&new, to)))
        .collect();
    let changed: Vec<_> = changed.into_iter().collect();
    (!changed.is_empty()).then(|| changed.join("; "))
}

fn routing(ended: &Ended) -> Option<&Routing> {
    match ended {
        Ended::Routed(routing) => Some(routing),
        _ => None,
    }
}

fn route(routing: &Routing) -> String {
    match routing {
        Routing::Pass => "pass".to_owned(),
        Routing::Deliver(plan) => {
            let steps = plan.steps.iter().map(ToString::to_string);
            format!("deliver {}", steps.collect::<Vec<_>>().join(", "))
        }
        Routing::Hold(why) => format!("hold ({})", general(why)),
        Routing::Discard(why) => format!("discard ({})", general(why)),
        Routing::Defer(reply) => format!("defer {}", general(&reply.to_string())),
        Routing::Fail(reply) => format!("fail {}", general(&reply.to_string())),
    }
}

fn effects(old: &Replayed, new: &Replayed) -> Option<String> {
    if old.effects == new.effects && old.report_suppressed == new.report_suppressed {
        return None;
    }
    let words = |of: &Replayed| {
        let effects = of.effects.iter().map(|(scope, effect)| {
            let key = serde_key(scope, effect);
            (key, format!("{}:{}", scope.policy, effect_word(effect)))
        });
        let notice = of
            .report_suppressed
            .then(|| (String::new(), "notice of suppressed".to_owned()));
        effects.chain(notice).collect::<Vec<_>>()
    };
    let (old, new) = (words(old), words(new));
    let changed = in_and_out(old.iter(), new.iter(), |(_, word)| word.clone());
    changed.or_else(|| Some("another order".to_owned()))
}

fn serde_key(scope: &Scope, effect: &Effect) -> String {
    format!("{scope:?} {effect:?}")
}

fn effect_word(effect: &Effect) -> &'static str {
    match effect {
        Effect::Count { .. } => "count",
        Effect::MarkSeen { .. } => "mark-seen",
        Effect::ForgetCount { .. } => "forget-count",
        Effect::RememberMachine { .. } => "remember-machine",
        Effect::ForgetMachine { .. } => "forget-machine",
    }
}

fn reasons(old: &Replayed, new: &Replayed) -> Option<String> {
    let all = |of: &Replayed| {
        let judgements = of.judgements.iter();
        let reasons = judgements.flat_map(|of| {
            let reasons = of.decision.reasons.iter();
            reasons.map(|reason| (of.policy.clone(), reason.clone()))
        });
        reasons.collect::<Vec<_>>()
    };
    let (old, new) = (all(old), all(new));
    if old == new {
        return None;
    }
    let word = |(policy, reason): &(String, String)| format!("{policy}: {}", general(reason));
    let changed = in_and_out(old.iter(), new.iter(), word);
    changed.or_else(|| Some("another order".to_owned()))
}

fn faults(old: &Replayed, new: &Replayed) -> Option<String> {
    let fault = |of: &Judgement| {
        let fault = of.error.as_ref()?;
        Some(format!(
            "{} {} in {}",
            of.policy,
            fault.kind.word(),
            of.hook
        ))
    };
    let all = |of: &Replayed| of.judgements.iter().filter_map(fault).collect::<Vec<_>>();
    let (old, new) = (all(old), all(new));
    in_and_out(old.iter(), new.iter(), Clone::clone)
}

/// Returns a text with what is of one message alone replaced: addresses, quoted words, numbers.
fn general(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split(' ').take(40) {
        let inner = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_own = inner.contains('@')
            || inner.len() > 3 && inner.chars().any(|c| c.is_ascii_digit()) && !is_code(inner)
            || word.len() > 60;
        words.push(match is_own {
            true => "…",
            false => word,
        });
    }
    words.join(" ")
}

/// Returns true for a reply code or an enhanced status code (RFC 3463).
fn is_code(word: &str) -> bool {
    word.split('.').count() == 3 && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_one_message_alone_is_left_out_of_general_words() {
        assert_eq!(
            general("550 5.7.1 <ann@x.example> sent invoice-20261130.exe twice"),
            "550 5.7.1 … sent … twice"
        );
    }
}
