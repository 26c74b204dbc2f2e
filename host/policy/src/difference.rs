//! Differences between the answers of two versions to the same call.

use gatepost_model::{Judgement, Routing, Verdict};
use gatepost_rollout::DifferenceKind;

/// Returns the kinds of difference between the active version's answer and a candidate's; a version
/// that does not have the hook gives none, which is a pass without requests. After a fault the rest is
/// not compared: there is no answer.
pub(crate) fn differences(
    active: Option<&Judgement>,
    candidate: Option<&Judgement>,
) -> Vec<DifferenceKind> {
    let nothing = nothing();
    let (old, new) = (active.unwrap_or(&nothing), candidate.unwrap_or(&nothing));
    let kind_of_fault = |of: &Judgement| of.error.as_ref().map(|fault| fault.kind);
    if old.error.is_some() || new.error.is_some() {
        let differs = kind_of_fault(old) != kind_of_fault(new);
        return differs
            .then_some(DifferenceKind::Faults)
            .into_iter()
            .collect();
    }
    let is_changed = word(old) != word(new);
    let (was, is) = (&old.decision, &new.decision);
    let recipients =
        was.recipients != is.recipients || was.report_suppressed != is.report_suppressed;
    let found = [
        (DifferenceKind::Verdict, is_changed),
        (
            DifferenceKind::Reply,
            !is_changed && old.verdict != new.verdict,
        ),
        (
            DifferenceKind::Class,
            was.classification != is.classification,
        ),
        (DifferenceKind::Tags, was.tags != is.tags),
        (
            DifferenceKind::Edits,
            was.edits != is.edits || was.protected != is.protected,
        ),
        (DifferenceKind::Recipients, recipients),
        (DifferenceKind::Route, routing(old) != routing(new)),
        (DifferenceKind::Effects, was.effects != is.effects),
        (DifferenceKind::Reasons, was.reasons != is.reasons),
    ];
    let found = found.into_iter().filter(|(_, differs)| *differs);
    found.map(|(kind, _)| kind).collect()
}

/// Returns the word of the verdict; in the route hook that of the routing.
pub(crate) fn word(judgement: &Judgement) -> &'static str {
    match &judgement.routing {
        Some(routing) => routing.word(),
        None => judgement.verdict.word(),
    }
}

/// Returns the routing, if the version has an opinion.
fn routing(judgement: &Judgement) -> Option<&Routing> {
    let routing = judgement.routing.as_deref();
    routing.filter(|routing| **routing != Routing::Pass)
}

fn nothing() -> Judgement {
    Judgement {
        policy: String::new(),
        digest: String::new(),
        hook: String::new(),
        verdict: Verdict::Pass,
        routing: None,
        decision: gatepost_model::Decision::default(),
        micros: 0,
        error: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_that_only_one_version_has_differs_if_it_says_something() {
        let answered = |routing| Judgement {
            routing: Some(Box::new(routing)),
            ..nothing()
        };
        assert_eq!(differences(None, Some(&answered(Routing::Pass))), []);
        assert_eq!(differences(Some(&answered(Routing::Pass)), None), []);
        assert_eq!(
            differences(
                None,
                Some(&answered(Routing::Fail(gatepost_smtp::Reply::new(
                    550, "5.7.1", "No"
                ))))
            ),
            [DifferenceKind::Verdict, DifferenceKind::Route]
        );
    }
}
