//! The vectors of mailauth, of RFC 7489 and RFC 9989. Their "passing" DKIM domains sign the message
//! here, their "passing" SPF domains publish a policy that allows everyone.

use std::net::Ipv4Addr;

use serde_json::Value;

use super::json;
use crate::zone::Fault;
use crate::{Signer, Zone, conformance};

/// A test with the compared part of its result: of mailauth's result what every implementation must
/// know.
#[derive(Debug)]
pub struct Test {
    /// Title.
    pub name: String,
    /// Vectors that are judged: one, or two that differ in something.
    pub vectors: Vec<Vector>,
    /// Expected results.
    pub expected: Vec<Expectation>,
    /// Names whose TXT records must be asked for, in this order, if the test gives them.
    pub walk: Option<Value>,
}

/// An expected result.
#[derive(Debug)]
pub struct Expectation {
    /// Index of the vector.
    pub vector: usize,
    /// Field that is compared.
    pub field: Field,
    /// Expected value.
    pub value: Option<String>,
}

/// Fields that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The result.
    Result,
    /// The policy that applies, `t=y` taken into account.
    Policy,
    /// The organisational domain.
    Domain,
}

/// Records of the DNS, and the authenticated domains.
#[derive(Debug)]
pub struct Vector(Value);

/// A vector as mail.
#[derive(Debug)]
pub struct Mail {
    /// Records of the DNS.
    pub zone: Zone,
    /// Reverse-path; empty where SPF is to prove nothing.
    pub reverse_path: String,
    /// Message that arrives.
    pub message: Vec<u8>,
}

impl Test {
    /// Returns all tests.
    pub fn all() -> Option<Vec<Self>> {
        let suite = json(&conformance("dmarc-mailauth")?.join("vectors.json"));
        Some(suite.as_array()?.iter().map(test).collect())
    }
}

fn test(test: &Value) -> Test {
    let vectors = test["vectors"].as_array().into_iter().flatten();
    let vectors: Vec<_> = vectors.cloned().map(Vector).collect();
    let expectations = || test["expect"].as_array().into_iter().flatten();
    let wanted = |expect: &Value| {
        let field = match expect["field"].as_str()? {
            "status.result" => Field::Result,
            "policy" => Field::Policy,
            "domain" => Field::Domain,
            _ => return None,
        };
        let value = expect.get("equals")?.as_str().map(str::to_owned);
        Some((field, value))
    };
    let wanted: Vec<_> = expectations().filter_map(wanted).collect();
    let count = wanted.len();
    let walk = expectations().find(|expect| expect["var"] == "dns_txt_query_sequence");
    let expected = wanted.into_iter().enumerate();
    Test {
        name: test["test"].as_str().unwrap_or_default().to_owned(),
        expected: expected
            .map(|(position, (field, value))| Expectation {
                // With two vectors the expectations follow their order.
                vector: position * vectors.len() / count,
                field,
                value,
            })
            .collect(),
        walk: walk.map(|expect| expect["equals"].clone()),
        vectors,
    }
}

impl Vector {
    /// Returns the author as the suite has it: an address, or a domain.
    pub fn author(&self) -> &str {
        self.0["header_from"].as_str().unwrap_or_default()
    }

    /// Returns true if SPF is to prove something.
    pub fn has_spf(&self) -> bool {
        !strings(&self.0["spf_pass_domains"]).is_empty()
    }

    /// Returns the records of the DNS, without those for the suite's authenticated domains.
    pub fn zone(&self) -> Zone {
        let vector = &self.0;
        let mut zone = Zone::new();
        for (question, answers) in vector["dns_answers"].as_object().into_iter().flatten() {
            if let (true, Some((name, kind))) = (vector["zone"].is_null(), question.split_once(' '))
            {
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
            if let (false, Some((name, _))) = (
                error == "ENOTFOUND" || error == "ENODATA",
                question.split_once(' '),
            ) {
                zone.fault(name, Fault::ServFail);
            }
        }
        zone
    }

    /// Returns mail for which the suite's authenticated domains really pass.
    pub fn mail(&self) -> Mail {
        let mut zone = self.zone();
        let address = |author: String| match author.contains('@') {
            true => author,
            false => format!("user@{author}"),
        };
        let from = strings(&self.0["header_from"]).into_iter().map(address);
        let from = from.collect::<Vec<_>>().join(", ");
        let mut message = format!("From: {from}\r\nSubject: a\r\n\r\nbody\r\n").into_bytes();
        let signer = Signer::new();
        for domain in strings(&self.0["dkim_pass_domains"]) {
            signer.publish(&mut zone, &domain);
            message = signer.sign(&message, &domain);
        }
        let mut reverse_path = String::new();
        for domain in strings(&self.0["spf_pass_domains"]) {
            zone.txt(&domain, "v=spf1 +all");
            reverse_path = format!("sender@{domain}");
        }
        Mail {
            zone,
            reverse_path,
            message,
        }
    }
}

fn strings(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Value::Array(items) => items.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect(),
    }
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
                let address = answer.as_str().and_then(|a| a.parse::<Ipv4Addr>().ok());
                zone.a(
                    name,
                    address.unwrap_or_else(|| panic!("no address: {answer}")),
                );
            }
            _ => {
                zone.exists(name);
            }
        }
    }
}
