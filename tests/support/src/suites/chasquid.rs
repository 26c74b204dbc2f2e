//! chasquid's DKIM test data.

use super::{crlf, json, read};
use crate::zone::Fault;
use crate::{Zone, conformance};

/// Number of signatures that chasquid checks. It also accepts those that cover a part of the body.
pub const SIGNATURES: usize = 5;

/// One message.
#[derive(Debug)]
pub struct Case {
    /// Name of its files.
    pub name: String,
    /// Message that arrives.
    pub message: Vec<u8>,
    records: Vec<(String, String)>,
    /// [`state`] of each signature; none if chasquid does not accept the message as one.
    pub expected: Vec<String>,
}

impl Case {
    /// Returns all cases.
    pub fn all() -> Option<Vec<Self>> {
        let folder = conformance("dkim-chasquid")?;
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
        let names = entries.flatten().map(|entry| entry.path());
        let messages = names.filter(|path| path.extension().is_some_and(|end| end == "msg"));
        let case = |message: std::path::PathBuf| {
            let beside = |extension: &str| Some(message.with_extension(extension));
            let there = |extension| beside(extension).filter(|file| file.is_file());
            let result = there("result").map(|file| json(&file)).unwrap_or_default();
            let states = result["Results"].as_array().into_iter().flatten();
            let name = message.file_stem().unwrap_or_default();
            Self {
                name: name.to_string_lossy().into_owned(),
                message: crlf(&read(&message)),
                records: there("dns").map_or_else(Vec::new, |file| records(&read(&file))),
                expected: states
                    .map(|one| one["State"].as_str().unwrap_or_default().to_owned())
                    .collect(),
            }
        };
        Some(messages.map(case).collect())
    }

    /// Returns the DNS, each record as `record` makes it of the suite's.
    pub fn zone(&self, record: impl Fn(&str) -> String) -> Zone {
        let mut zone = Zone::new();
        for (name, text) in &self.records {
            match text.as_str() {
                "TEMPERROR" => zone.fault(name, Fault::ServFail),
                "PERMERROR" => zone.exists(name),
                text => zone.txt(name, record(text)),
            };
        }
        zone
    }
}

/// Returns chasquid's word for a result.
pub fn state(result: &str) -> &'static str {
    match result {
        "pass" => "SUCCESS",
        "temperror" => "TEMPFAIL",
        _ => "PERMFAIL",
    }
}

fn records(text: &str) -> Vec<(String, String)> {
    text.replace("\\\n", "")
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, text)| (name.trim().to_owned(), text.trim().to_owned()))
        .collect()
}
