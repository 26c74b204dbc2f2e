//! mailauth's DMARC vectors, of RFC 7489 and RFC 9989.

use gatepost_authentication::{Authentication, DmarcFact, DmarcPolicy, Facts, Settings};
use test_support::suites::mailauth::{Field, Test, Vector};

use crate::world::{World, other_body};

/// Returns the DMARC fact of a vector's message.
fn judged(vector: &Vector) -> DmarcFact {
    let facts = facts(vector, <[u8]>::to_vec);
    for one in &facts.dkim {
        assert_eq!(one.result, Authentication::Pass, "{one:?}");
    }
    facts.dmarc
}

/// Returns the facts about a vector's message after this change.
fn facts(vector: &Vector, change: impl Fn(&[u8]) -> Vec<u8>) -> Facts {
    let mail = vector.mail();
    let message = change(&mail.message);
    World::of(mail.zone).facts_from(&mail.reverse_path, &message, &Settings::default())
}

fn field(fact: &DmarcFact, field: Field) -> Option<String> {
    let policy = |policy: DmarcPolicy| {
        serde_json::to_value(policy)
            .ok()?
            .as_str()
            .map(str::to_owned)
    };
    match field {
        Field::Result => Some(fact.result.word().to_owned()),
        // mailauth's policy already takes t=y into account.
        Field::Policy => fact.applied.or(fact.policy).and_then(policy),
        Field::Domain => Some(fact.organizational_domain.clone()),
    }
}

#[test]
fn every_vector_has_the_result_of_the_suite() {
    let Some(suite) = Test::all() else { return };
    let mut right = 0;
    let mut wrong = Vec::new();
    for test in &suite {
        if test.expected.is_empty() {
            continue;
        }
        let facts: Vec<_> = test.vectors.iter().map(judged).collect();
        for expected in &test.expected {
            let fact = &facts[expected.vector];
            match field(fact, expected.field) == expected.value {
                true => right += 1,
                false => wrong.push(format!("{}: {expected:?}, {fact:?}", test.name)),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{right} right; wrong:\n{}",
        wrong.join("\n")
    );
    assert_eq!(right, 71);
}

#[test]
fn no_vector_passes_with_a_changed_body() {
    let Some(suite) = Test::all() else { return };
    let mut passing = 0;
    for test in &suite {
        for vector in &test.vectors {
            if vector.has_spf() || judged(vector).result != Authentication::Pass {
                continue;
            }
            let other = facts(vector, other_body).dmarc;
            assert_eq!(other.result, Authentication::Fail, "{}", test.name);
            passing += 1;
        }
    }
    assert!(passing > 15, "{passing} pass");
}

#[test]
fn the_tree_walk_asks_in_the_order_of_the_rfc() {
    let Some(suite) = Test::all() else { return };
    let mut checked = 0;
    for test in &suite {
        let Some(walk) = &test.walk else { continue };
        let vector = &test.vectors[0];
        let world = World::of(vector.zone());
        let message = format!("From: {}\r\n\r\n", vector.author());
        world.facts(message.as_bytes(), &Settings::default());
        let asked = world.server().asked();
        let asked = asked.iter().map(|one| &one.name);
        let asked: Vec<_> = asked.filter(|name| name.starts_with("_dmarc.")).collect();
        assert_eq!(serde_json::json!(asked), *walk);
        checked += 1;
    }
    assert_eq!(checked, 1);
}
