//! The TXT record that announces a policy (RFC 8461 section 3.1).

use serde::{Deserialize, Serialize};

/// Longest id.
const LONGEST: usize = 32;

/// Id of a policy: up to 32 letters and digits. It changes when the policy does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PolicyId(String);

/// Error of a text that is no id of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a policy has 1 to 32 letters and digits")]
pub struct NoId;

impl PolicyId {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PolicyId {
    type Error = NoId;

    fn try_from(text: String) -> Result<Self, NoId> {
        let is_id = (1..=LONGEST).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_id.then_some(Self(text)).ok_or(NoId)
    }
}

impl From<PolicyId> for String {
    fn from(id: PolicyId) -> Self {
        id.0
    }
}

/// Returns the id of the policy that these TXT records announce. Records for something else are
/// skipped; with several records, or a malformed one, there is no policy.
pub fn published(records: &[Box<[u8]>]) -> Option<PolicyId> {
    let mut announced = records.iter().filter_map(|record| fields(record));
    match (announced.next(), announced.next()) {
        (Some(fields), None) => id(fields),
        _ => None,
    }
}

/// Returns the part behind the version, for a record with it.
fn fields(record: &[u8]) -> Option<&[u8]> {
    let rest = record.strip_prefix(b"v=STSv1")?;
    rest.trim_ascii_start().strip_prefix(b";")
}

fn id(fields: &[u8]) -> Option<PolicyId> {
    let fields = std::str::from_utf8(fields).ok()?.trim_end();
    let fields = fields.strip_suffix(';').unwrap_or(fields);
    let mut id = None;
    for field in fields.split(';') {
        let (name, value) = field.trim().split_once('=')?;
        if name == "id" {
            let read = PolicyId::try_from(value.to_owned()).ok()?;
            if id.replace(read).is_some() {
                return None;
            }
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(records: &[&str]) -> Option<String> {
        let records: Vec<Box<[u8]>> = records.iter().map(|text| text.as_bytes().into()).collect();
        published(&records).map(String::from)
    }

    #[test]
    fn one_record_with_an_id_announces_a_policy() {
        for record in [
            "v=STSv1; id=20261129A;",
            "v=STSv1;id=20261129A",
            "v=STSv1 ; a=b; id=20261129A ; ",
        ] {
            assert_eq!(read(&[record]).as_deref(), Some("20261129A"), "{record}");
        }
        let beside = read(&["v=spf1 -all", "v=STSv1; id=1;", "v=STSv10; id=2"]);
        assert_eq!(beside.as_deref(), Some("1"));
    }

    #[test]
    fn other_records_announce_none() {
        let long = format!("v=STSv1; id={}", "1".repeat(33));
        for records in [
            &[][..],
            &["v=STSv1; id=1", "v=STSv1; id=1"],
            &["v=STSv1; id=1", "v=STSv1; broken"],
            &["v=STSv1"],
            &["v=STSv1; "],
            &["v=STSv1; id="],
            &["v=STSv1; id=a-b"],
            &["v=STSv1; id=1; id=2"],
            &["v=stsv1; id=1"],
            &[" v=STSv1; id=1"],
            &["v=STSv1; id=1;; a=b"],
            &[long.as_str()],
        ] {
            assert_eq!(read(records), None, "{records:?}");
        }
    }

    proptest! {
        #[test]
        fn no_record_panics_and_an_id_is_bounded(rest in prop::collection::vec(any::<u8>(), 0..80)) {
            let record: Box<[u8]> = [b"v=STSv1;id=".as_slice(), &rest].concat().into();
            if let Some(id) = published(&[record]) {
                prop_assert!(id.as_str().len() <= LONGEST);
            }
        }
    }
}
