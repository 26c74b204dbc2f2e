//! `gatepost trace` as text that is the same in every run, for snapshots.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::Relay;

/// Parts that differ between two runs, each by the name that takes its place.
static CHANGING: LazyLock<Regex> = LazyLock::new(|| {
    // Bytes, not letters of all scripts, whose tables are not built in.
    let pattern = "(?-u)(?<ID>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\
        |(?<ACCOUNT>\\b[0-9a-f]{32}\\b)\
        |(?<DIGEST>\\b[0-9a-f]{12}\\b)\
        |(?<TIME>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z)\
        |(?<USER>\\b(sub|in)-[0-9a-z]{16}\\b)\
        |(?<PORT>127[.]0[.]0[.]1:[1-9][0-9]*)\
        |(?<TAKEN>taken as [0-9]+)";
    Regex::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"))
});

impl Relay {
    /// Waits until `gatepost trace` of a transaction has these words, and returns it: one event a
    /// line, without its time; long lines go on indented. Ids, accounts, users of credentials,
    /// digests, times, ports and the sink's numbers have stable names: the transaction itself is
    /// `ID1`, the next id `ID2`.
    pub fn trace_until(&self, id: &str, words: &str) -> String {
        let text = self.eventually(words, |relay| {
            let output = relay.command(&["trace", id]);
            assert!(output.status.success(), "{output:?}");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.contains(words).then_some(text)
        });
        let mut names = Names::default();
        names.name("ID", id);
        let lines = text.lines().skip(1).map(|line| names.stable(line));
        let wrapped = lines.flat_map(|line| {
            let wrapped = textwrap::wrap(&line, wrapping());
            wrapped.into_iter().map(String::from).collect::<Vec<_>>()
        });
        wrapped.collect::<Vec<_>>().join("\n")
    }
}

/// Wraps as an inline snapshot stands in the source, which has 100 columns.
fn wrapping() -> textwrap::Options<'static> {
    textwrap::Options::new(88)
        .subsequent_indent("    ")
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit)
}

/// Stable names of the values that differ between two runs; equal values have equal names.
#[derive(Default)]
struct Names {
    given: HashMap<String, String>,
    count: HashMap<String, usize>,
}

impl Names {
    fn name(&mut self, kind: &str, value: &str) -> String {
        if let Some(name) = self.given.get(value) {
            return name.clone();
        }
        let count = self.count.entry(kind.to_owned()).or_default();
        *count += 1;
        let name = format!("{kind}{count}");
        self.given.insert(value.to_owned(), name.clone());
        name
    }

    /// Returns a line of the table without its time, with names in it and blanks joined.
    fn stable(&mut self, line: &str) -> String {
        let named = CHANGING.replace_all(line, |found: &Captures<'_>| self.replacement(found));
        let words: Vec<&str> = named.split_whitespace().collect();
        match words.as_slice() {
            ["TIME", rest @ ..] => rest.join(" "),
            _ => panic!("not a time and an event: {line:?}"),
        }
    }

    fn replacement(&mut self, found: &Captures<'_>) -> String {
        let value = &found[0];
        for kind in ["ID", "ACCOUNT", "USER"] {
            if found.name(kind).is_some() {
                return self.name(kind, value);
            }
        }
        let names = [
            ("DIGEST", "DIGEST"),
            ("TIME", "TIME"),
            ("PORT", "127.0.0.1:PORT"),
            ("TAKEN", "taken as N"),
        ];
        let name = names.iter().find(|(kind, _)| found.name(kind).is_some());
        name.map_or(value, |(_, name)| name).to_owned()
    }
}
