//! The report of a comparison as one HTML page without anything outside, to be mailed.

use gatepost_replay::{Group, Tally};
use gatepost_rollout::DifferenceKind;
use minijinja::{Environment, context};

const TEMPLATE: &str = include_str!("report.html");

/// Returns the page. `title` says what was compared, and `nothing` why nothing was; `name` names the example
/// of a group.
///
/// # Errors
/// The template is wrong.
pub fn page(
    title: &str,
    tally: &Tally,
    nothing: Option<&str>,
    name: impl Fn(&Group) -> String,
) -> Result<String, minijinja::Error> {
    let mut templates = Environment::new();
    // By the ending of this name, every value is escaped.
    templates.add_template("report.html", TEMPLATE)?;
    let kinds = DifferenceKind::ALL.map(|kind| (kind.word(), tally.of_kind(kind)));
    let kinds: Vec<_> = kinds.into_iter().filter(|(_, count)| *count > 0).collect();
    let groups: Vec<_> = (tally.groups().iter())
        .map(|group| {
            let changes = group.changes.iter();
            let changes: Vec<_> = changes
                .map(|of| (of.kind.word(), of.what.clone()))
                .collect();
            context! { count => group.count, example => name(group), changes }
        })
        .collect();
    templates.get_template("report.html")?.render(context! {
        title,
        nothing,
        compared => tally.compared,
        changed => tally.changed,
        kinds,
        groups,
        without_body => tally.without_body,
        without_listener => tally.without_listener,
        answered_now => tally.answered_now,
        ungrouped => tally.ungrouped,
    })
}

#[cfg(test)]
mod tests {
    use gatepost_replay::DecisionChange;

    use super::*;

    #[test]
    fn what_strangers_wrote_is_escaped() {
        let mut tally = Tally::default();
        let what = "x: <script>alert(1)</script>".to_owned();
        let change = DecisionChange {
            kind: DifferenceKind::Reasons,
            what,
        };
        let id = "00000000-0000-7000-8000-000000000000".parse().unwrap();
        tally.add(id, vec![change]);
        let page = page("p", &tally, None, |group| group.example.to_string()).unwrap();
        assert!(
            page.contains("&lt;script&gt;") && !page.contains("<script>"),
            "{page}"
        );
    }

    #[test]
    fn a_comparison_of_nothing_is_not_shown_as_a_good_result() {
        let why = Some("the record has no entry");
        let page = page("p", &Tally::default(), why, |_| String::new()).unwrap();
        assert!(
            page.contains("Nothing was compared: the record has no entry"),
            "{page}"
        );
        assert!(!page.contains("decide the same"), "{page}");
    }
}
