//! The vectors of mailauth, of RFC 7489 and RFC 9989. Their "passing" DKIM domains sign the message
//! here, their "passing" SPF domains publish a policy that allows everyone.

use gatepost_authentication::{Authentication, DmarcFact, DmarcPolicy, Facts, Settings};
use serde_json::Value;
use test_support::zone::Fault;
use test_support::{Zone, conformance};

use crate::sign::Signer;
use crate::world::{World, other_body};

/// What is compared: of mailauth's result what every implementation must know.
const FIELDS: [&str; 3] = ["status.result", "policy", "domain"];

fn suite() -> Option<Vec<Value>> {
    let file = conformance("dmarc-mailauth")?.join("vectors.json");
    let text = std::fs::read_to_string(file).expect("the suite");
    Some(serde_json::from_str(&text).expect("JSON"))
}

fn strings(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Value::Array(items) => items.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect(),
    }
}

/// A name server's view of a vector.
fn zone(vector: &Value) -> Zone {
    let mut zone = Zone::new();
    for (question, answers) in vector["dns_answers"].as_object().into_iter().flatten() {
        let (name, kind) = question.split_once(' ').expect("name and type");
        if vector["zone"].is_null() {
            publish(&mut zone, name, kind, answers);
        }
    }
    for (name, kinds) in vector["zone"].as_object().into_iter().flatten() {
        zone.exists(name);
        for (kind, answers) in kinds.as_object().into_iter().flatten() {
            publish(&mut zone, name, kind, answers);
        }
    }
    for (question, error) in vector["dns_errors"].as_object().into_iter().flatten() {
        let (name, _) = question.split_once(' ').expect("name and type");
        if error != "ENOTFOUND" && error != "ENODATA" {
            zone.fault(name, Fault::ServFail);
        }
    }
    zone
}

fn publish(zone: &mut Zone, name: &str, kind: &str, answers: &Value) {
    for answer in answers.as_array().into_iter().flatten() {
        match kind {
            "TXT" => {
                let strings = strings(answer);
                let strings: Vec<_> = strings.iter().map(String::as_bytes).collect();
                zone.txt_strings(name, &strings);
            }
            "A" => {
                let address = answer.as_str().and_then(|a| a.parse().ok());
                zone.a(name, address.expect("an address"));
            }
            _ => {
                zone.exists(name);
            }
        }
    }
}

/// What a vector gives.
fn judged(vector: &Value) -> DmarcFact {
    let facts = facts(vector, <[u8]>::to_vec);
    for one in &facts.dkim {
        assert_eq!(one.result, Authentication::Pass, "{one:?}");
    }
    facts.dmarc
}

/// The facts about a vector's message, once it has been changed.
fn facts(vector: &Value, change: impl Fn(&[u8]) -> Vec<u8>) -> Facts {
    let mut zone = zone(vector);
    let from =
        strings(&vector["header_from"])
            .into_iter()
            .map(|address| match address.contains('@') {
                true => address,
                false => format!("user@{address}"),
            });
    let from: Vec<_> = from.collect();
    let mut message =
        format!("From: {}\r\nSubject: a\r\n\r\nbody\r\n", from.join(", ")).into_bytes();
    let signer = Signer::new();
    for domain in strings(&vector["dkim_pass_domains"]) {
        signer.publish(&mut zone, &domain);
        message = signer.sign(&message, &domain);
    }
    let mut reverse_path = String::new();
    for domain in strings(&vector["spf_pass_domains"]) {
        zone.txt(&domain, "v=spf1 +all");
        reverse_path = format!("sender@{domain}");
    }
    World::of(zone).facts_from(&reverse_path, &change(&message), &Settings::default())
}

fn field(fact: &DmarcFact, field: &str) -> Option<String> {
    let policy = |policy: DmarcPolicy| {
        serde_json::to_value(policy)
            .ok()?
            .as_str()
            .map(str::to_owned)
    };
    match field {
        "status.result" => serde_json::to_value(fact.result)
            .ok()?
            .as_str()
            .map(str::to_owned),
        // mailauth's has t=y in it already.
        "policy" => fact.applied.or(fact.policy).and_then(policy),
        _ => Some(fact.organizational_domain.clone()),
    }
}

#[test]
fn every_vector_is_judged_as_the_suite_expects() {
    let Some(suite) = suite() else { return };
    let right = judge(&suite);
    assert_eq!(right, 71);
}

/// Holds the facts against what is expected; says how often they agree.
fn judge(suite: &[Value]) -> usize {
    let mut right = 0;
    let mut wrong = Vec::new();
    for test in suite {
        let name = test["test"].as_str().unwrap_or_default();
        let vectors = test["vectors"].as_array().expect("vectors");
        let expected: Vec<_> = test["expect"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|expect| FIELDS.contains(&expect["field"].as_str().unwrap_or_default()))
            .filter(|expect| expect.get("equals").is_some())
            .collect();
        if expected.is_empty() {
            continue;
        }
        let facts: Vec<_> = vectors.iter().map(judged).collect();
        for (position, expect) in expected.iter().enumerate() {
            // With two vectors the expectations follow their order.
            let fact = match expect["var"].as_str() {
                _ if facts.len() == 1 => &facts[0],
                _ => &facts[position * facts.len() / expected.len()],
            };
            let about = expect["field"].as_str().unwrap_or_default();
            let wanted = expect["equals"].as_str().map(str::to_owned);
            match field(fact, about) == wanted {
                true => right += 1,
                false => wrong.push(format!("{name}: {about} {wanted:?}, {fact:?}")),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{right} right; wrong:\n{}",
        wrong.join("\n")
    );
    right
}

#[test]
fn no_vector_passes_by_a_signature_over_another_body() {
    let Some(suite) = suite() else { return };
    let mut passing = 0;
    for test in &suite {
        for vector in test["vectors"].as_array().into_iter().flatten() {
            let by_spf = !strings(&vector["spf_pass_domains"]).is_empty();
            if by_spf || judged(vector).result != Authentication::Pass {
                continue;
            }
            let other = facts(vector, other_body).dmarc;
            assert_eq!(other.result, Authentication::Fail, "{}", test["test"]);
            passing += 1;
        }
    }
    assert!(passing > 15, "{passing} pass");
}

#[test]
fn the_walk_asks_in_the_order_of_the_rfc() {
    let Some(suite) = suite() else { return };
    let mut checked = 0;
    for test in &suite {
        for expect in test["expect"].as_array().into_iter().flatten() {
            if expect["var"] != "dns_txt_query_sequence" {
                continue;
            }
            let vector = &test["vectors"][0];
            let world = World::of(zone(vector));
            let from = vector["header_from"].as_str().unwrap_or_default();
            let message = format!("From: {from}\r\n\r\n");
            world.facts(message.as_bytes(), &Settings::default());
            let asked: Vec<_> = world
                .server()
                .asked()
                .into_iter()
                .map(|one| one.name)
                .collect();
            let asked: Vec<_> = asked
                .iter()
                .filter(|name| name.starts_with("_dmarc."))
                .collect();
            assert_eq!(serde_json::json!(asked), expect["equals"]);
            checked += 1;
        }
    }
    assert_eq!(checked, 1);
}
