//! The DNS tree walk (RFC 9989 section 4.10): from a name upwards, with at most eight questions.

use super::record::{DmarcRecord, Psd};
use crate::rejection::Rejection;
use gatepost_dns::Dns;

/// Number of labels that the second name of a walk has at most.
const MAX_LABELS: usize = 7;

/// Records that a walk found, the longest name first.
#[derive(Debug)]
pub(super) struct Walk {
    start: String,
    found: Vec<(String, DmarcRecord)>,
    /// True if the first name has several records. This is its effect:
    ///
    /// - RFC 9989 section 4.10, step 2: several records of one name are all discarded, and the walk
    ///   goes on. This holds for every name *above* the first. For the organisational domain
    ///   (section 4.10.2) it holds for the first name, too.
    /// - The author's own domain has published a policy in the discarded records, but it is unknown
    ///   which: DMARC does not apply, and no record above is used instead. RFC 7489 section 6.6.3,
    ///   step 5, ends there, and the suite of mailauth reads section 4.10 of RFC 9989 in the same
    ///   way. A record above could have a message refused for a policy that its domain replaced.
    pub(super) several_at_start: bool,
}

impl Walk {
    /// Walks up from `start`.
    pub(super) async fn up(dns: &impl Dns, start: &str) -> Result<Self, Rejection> {
        Self::of(dns, names(start)).await
    }

    /// Asks at each of these names. The longest comes first.
    pub(super) async fn of<'a>(
        dns: &impl Dns,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Rejection> {
        let mut walk: Option<Self> = None;
        for name in names {
            let walk = walk.get_or_insert_with(|| Self {
                start: name.to_owned(),
                found: Vec::new(),
                several_at_start: false,
            });
            if walk.found.iter().any(|(other, _)| other == name) {
                continue;
            }
            let found = match dns.txt(&format!("_dmarc.{name}")).await {
                Ok(found) => found,
                // With a record below, a top-level domain could only declare the obvious: that it
                // is a public suffix.
                Err(_) if !name.contains('.') && !walk.found.is_empty() => break,
                Err(unavailable) => return Err(unavailable.into()),
            };
            let mut records = found
                .records()
                .iter()
                .filter_map(|record| DmarcRecord::parse(record));
            let record = records.next();
            if records.next().is_some() {
                walk.several_at_start |= name == walk.start;
                continue;
            }
            if let Some(record) = record {
                let boundary = record.psd != Psd::Unknown;
                walk.found.push((name.to_owned(), record));
                if boundary {
                    break;
                }
            }
        }
        walk.ok_or_else(|| Rejection::malformed("there is no name to ask for"))
    }

    /// Returns true if no record was found.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns the record at a name.
    pub(super) fn at(&self, name: &str) -> Option<&DmarcRecord> {
        self.found
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, record)| record)
    }

    /// Returns the record with the shortest name.
    pub(super) fn last(&self) -> Option<&DmarcRecord> {
        self.found.last().map(|(_, record)| record)
    }

    /// Returns the organisational domain of the first name (RFC 9989 section 4.10.2).
    pub(super) fn organizational_domain(&self) -> &str {
        for (name, record) in &self.found {
            match record.psd {
                Psd::No => return name,
                Psd::Yes if *name != self.start => return one_label_more(name, &self.start),
                _ => {}
            }
        }
        self.found.last().map_or(&self.start, |(name, _)| name)
    }
}

/// Returns the names to ask at: `start`, then those above it with at most seven labels.
fn names(start: &str) -> impl Iterator<Item = &str> {
    let above = std::iter::successors(Some(start), |name| {
        name.split_once('.').map(|(_, above)| above)
    });
    above
        .enumerate()
        .filter(|(position, name)| *position == 0 || name.split('.').count() <= MAX_LABELS)
        .map(|(_, name)| name)
}

/// Returns the name one label below `suffix` on the way down to `name`.
fn one_label_more<'a>(suffix: &str, name: &'a str) -> &'a str {
    let below = name.strip_suffix(suffix).unwrap_or_default();
    let below = below.strip_suffix('.').unwrap_or_default();
    let label = below.rsplit('.').next().unwrap_or_default();
    &name[name.len() - suffix.len() - 1 - label.len()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_from_a_long_name_asks_eight_questions() {
        let asked: Vec<_> = names("a.b.c.d.e.f.g.h.i.j.k.example.com").collect();
        assert_eq!(
            asked,
            [
                "a.b.c.d.e.f.g.h.i.j.k.example.com",
                "g.h.i.j.k.example.com",
                "h.i.j.k.example.com",
                "i.j.k.example.com",
                "j.k.example.com",
                "k.example.com",
                "example.com",
                "com",
            ]
        );
        assert_eq!(one_label_more("example", "a.b.example"), "b.example");
    }
}
