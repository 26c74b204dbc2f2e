//! ValiMail's ARC test suite: its tests of validation.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{crlf, json};
use crate::{Zone, conformance};

/// Tests that share their DNS.
#[derive(Debug)]
pub struct Scenario {
    records: BTreeMap<String, String>,
    /// Tests of the scenario.
    pub tests: Vec<Test>,
}

/// One message.
#[derive(Debug)]
pub struct Test {
    /// Name in the suite.
    pub name: String,
    /// Message that arrives.
    pub message: Vec<u8>,
    /// Result of its chain: `none`, `pass` or `fail`.
    pub expected: &'static str,
}

impl Scenario {
    /// Returns all scenarios.
    pub fn all() -> Option<Vec<Self>> {
        let folder = conformance("arc-valimail")?;
        let suite = json(&folder.join("json/arc-draft-validation-tests.json"));
        Some(suite.as_array()?.iter().map(scenario).collect())
    }

    /// Returns the DNS, each record as `record` makes it of the suite's.
    pub fn zone(&self, record: impl Fn(&str) -> String) -> Zone {
        let mut zone = Zone::new();
        for (name, text) in &self.records {
            zone.txt(name, record(text));
        }
        zone
    }
}

fn scenario(scenario: &Value) -> Scenario {
    let records = scenario["txt-records"].as_object().into_iter().flatten();
    let tests = scenario["tests"].as_object().into_iter().flatten();
    Scenario {
        records: records
            .map(|(name, text)| (name.clone(), text.as_str().unwrap_or_default().to_owned()))
            .collect(),
        tests: tests.map(test).collect(),
    }
}

fn test((name, test): (&String, &Value)) -> Test {
    let expected = match test["cv"].as_str() {
        Some("Pass") => "pass",
        // Three tests have an empty expectation: the chain exists and proves nothing.
        Some("Fail" | "") => "fail",
        None | Some("None") => "none",
        Some(other) => panic!("{name}: cv {other}"),
    };
    Test {
        name: name.clone(),
        message: crlf(test["message"].as_str().unwrap_or_default()),
        expected,
    }
}
