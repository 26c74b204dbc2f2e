//! Every fixture through `gatepost check --json`, for the scenarios that look at the reports.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use serde_json::Value;
use test_support::{ChainCase, RelayBuilder, chain_cases, run};

/// Every fixture with its report.
pub fn reports() -> &'static [(ChainCase, Value)] {
    static REPORTS: OnceLock<Vec<(ChainCase, Value)>> = OnceLock::new();
    REPORTS.get_or_init(check)
}

fn check() -> Vec<(ChainCase, Value)> {
    let directory = tempfile::tempdir().unwrap();
    let config = relay().write(directory.path());
    // Messages of one session go through one run, as what one left behind meets the next; and
    // every run compiles the policies.
    let mut sessions: BTreeMap<Vec<String>, Vec<ChainCase>> = BTreeMap::new();
    for case in chain_cases() {
        sessions.entry(session(&case)).or_default().push(case);
    }
    let reports = sessions.into_iter().flat_map(|(session, cases)| {
        let mut arguments = vec!["check".to_owned(), "--json".to_owned()];
        arguments.extend(["--config".to_owned(), config.display().to_string()]);
        arguments.extend(session);
        arguments.extend(cases.iter().map(|case| case.path.display().to_string()));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run(&arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        let text = String::from_utf8(output.stdout).unwrap();
        let reports: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(reports.len(), cases.len(), "{text}");
        cases.into_iter().zip(reports)
    });
    reports.collect()
}

/// Returns a relay on any port, for commands that need none.
pub fn relay() -> RelayBuilder {
    let nowhere = "127.0.0.1:1".parse().unwrap();
    RelayBuilder::fixtures(nowhere, nowhere)
}

/// The session on the command line, and of the envelope what the message does not say itself.
pub fn session(case: &ChainCase) -> Vec<String> {
    let fixture = &case.fixture;
    let mut arguments = vec!["--listener".to_owned(), fixture.listener().to_owned()];
    if let Some(user) = &fixture.user {
        arguments.extend(["--auth-user".to_owned(), user.clone()]);
    }
    let sender = fixture.reverse_path();
    if sender.as_str().is_empty() {
        arguments.extend(["--mail-from".to_owned(), "<>".to_owned()]);
    } else if !case
        .message
        .header("From")
        .unwrap()
        .contains(sender.as_str())
    {
        arguments.extend(["--mail-from".to_owned(), sender.as_str().to_owned()]);
    }
    arguments
}

/// The settings of each policy in the fixtures' configuration.
pub fn settings() -> HashMap<String, Value> {
    let directory = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(relay().write(directory.path())).unwrap();
    let config: Value = toml::from_str(&text).unwrap();
    let policies = config["policy"].as_array().unwrap().iter();
    policies
        .map(|policy| {
            let settings = policy.get("settings").cloned();
            let name = policy["name"].as_str().unwrap().to_owned();
            (name, settings.unwrap_or(serde_json::json!({})))
        })
        .collect()
}
