//! Every operation is declared to change nothing, or is in the audit log.

use std::sync::Arc;

use gatepost_directory::{AuditRecord, Directory};
use gatepost_operations::READING;
use gatepost_operations::audit::{self, ListAudit};

/// Operations that change nothing. Whatever is added and is not named here is audited.
const READ: [&str; 52] = [
    "queue-list",
    "queue-destinations",
    "queue-show",
    "events",
    "quarantine-list",
    "quarantine-show",
    "trace",
    "diagnosis",
    "trace-find",
    "events-webhooks",
    "machine-list",
    "suppression-list",
    "submission-check",
    "policy-list",
    "policy-history",
    "policy-status",
    "backup-wait",
    "dkim-show",
    "account-list",
    "account-show",
    "account-test-user-list",
    "account-volume",
    "account-erase-wait",
    "correspondent-erase-wait",
    "administrator-list",
    "connector-list",
    "connector-show",
    "connector-verification",
    "connector-headers",
    "connector-progress",
    "connector-instructions",
    "domain-check",
    "address-list",
    "address-show",
    "credential-list",
    "credential-show",
    "token-list",
    "connection-list",
    "connection-show",
    "connection-authorization",
    "endpoint-list",
    "endpoint-show",
    "audit",
    "sharing-list",
    "partner-list",
    "partner-entries",
    "partner-lookup",
    "recipient-lookup",
    "partner-import-begin",
    "partner-import-add",
    "partner-import-abandon",
    "partner-feed-list",
];

#[test]
fn only_what_reads_is_left_out_of_the_audit_log() {
    let reading = READING.iter().filter(|(_, reads)| *reads);
    let reading: Vec<_> = reading.map(|(name, _)| *name).collect();
    assert_eq!(reading, READ);
}

#[tokio::test]
async fn entries_are_listed_newest_first_and_by_pages() {
    let store = tempfile::tempdir().unwrap();
    let settings = gatepost_config::Directory::default().settings(store.path());
    let directory = Arc::new(Directory::open(&settings).unwrap());
    for number in 1..=5 {
        let entry = serde_json::json!({
            "at": number, "actor": "root", "action": "reload", "subject": number.to_string(),
        });
        let entry = serde_json::from_value(entry).unwrap();
        directory.record_audit(entry).unwrap();
    }
    let list = async |before, limit| {
        let asked = ListAudit {
            before,
            limit,
            ..ListAudit::default()
        };
        let listed = audit::list(&directory, asked).await.unwrap();
        let subjects = listed
            .into_iter()
            .map(|AuditRecord { entry, .. }| entry.subject);
        subjects.collect::<Vec<_>>()
    };
    assert_eq!(list(None, 2).await, ["5", "4"]);
    assert_eq!(list(Some(4), usize::MAX).await, ["3", "2", "1"]);
    assert!(list(None, 0).await.is_empty());
}
