//! The table of routes has every operation, and the page on the API has every route.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use std::collections::BTreeSet;
use std::path::Path;

use gatepost_api::table::{ROUTES, UNROUTED};
use gatepost_api::{AnswerForm, ApiRoute, HttpMethod, RouteReach};
use gatepost_operations::{NAMES, READING};

#[test]
fn every_operation_is_routed_or_has_a_reason_not_to_be() {
    let routed: BTreeSet<_> = ROUTES.iter().map(|route| route.operation).collect();
    let unrouted: BTreeSet<_> = UNROUTED.iter().map(|(name, _)| *name).collect();
    assert!(routed.is_disjoint(&unrouted));
    let all: BTreeSet<_> = NAMES.iter().copied().collect();
    assert_eq!(
        routed.union(&unrouted).copied().collect::<BTreeSet<_>>(),
        all
    );
}

#[test]
fn no_two_routes_are_the_same() {
    let mut seen = BTreeSet::new();
    for route in ROUTES {
        assert!(seen.insert((route.path, route.method.word())), "{route:?}");
    }
}

#[test]
fn what_is_got_only_reads_and_what_reads_needs_no_greater_scope() {
    let reads = |route: &ApiRoute| {
        let found = READING.iter().find(|(name, _)| *name == route.operation);
        found.unwrap().1
    };
    for route in ROUTES {
        let is_get = route.method == HttpMethod::Get;
        assert!(!is_get || reads(route), "{route:?} changes something");
        let is_list = matches!(
            route.form,
            AnswerForm::List(_) | AnswerForm::Page(_) | AnswerForm::Events | AnswerForm::Stream
        );
        assert!(!is_list || is_get, "{route:?} lists");
    }
}

/// Returns the row of the page for a route.
fn row(route: &ApiRoute) -> String {
    let about = match route.reach {
        RouteReach::Site => "site",
        RouteReach::Account | RouteReach::ThingsOfAccount => "account",
        RouteReach::Accounts => "site or account",
    };
    format!(
        "| `{} {}` | {} | {about} | {} |",
        route.method, route.path, route.scope, route.sentence
    )
}

#[test]
fn the_page_on_the_api_has_every_route_and_no_other() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows: Vec<_> = page
        .lines()
        .skip_while(|line| !line.starts_with("| Request | Scope |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    let expected: Vec<_> = ROUTES.iter().map(row).collect();
    assert_eq!(rows, expected);
}

#[test]
fn the_page_on_the_api_names_what_has_no_route() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md");
    let page = std::fs::read_to_string(page).unwrap();
    for (name, _) in UNROUTED {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}
