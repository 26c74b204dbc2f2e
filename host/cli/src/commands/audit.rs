//! `gatepost audit`.

use gatepost_directory::AuditRecord;

use super::answer::Row;
use super::output;

impl Row for AuditRecord {
    const HEADER: &[&str] = &[
        "NUMBER", "TIME", "WHO", "FROM", "WHAT", "SUBJECT", "DETAIL", "ACCOUNT",
    ];

    fn cells(&self) -> Vec<String> {
        let entry = &self.entry;
        let text = |of: &Option<String>| of.clone().unwrap_or_default();
        vec![
            self.seq.to_string(),
            entry.at.to_string(),
            entry.actor.clone(),
            text(&entry.origin),
            entry.action.clone(),
            output::shorten(&entry.subject),
            text(&entry.detail),
            text(&entry.account),
        ]
    }
}
