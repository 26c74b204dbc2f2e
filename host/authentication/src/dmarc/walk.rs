//! The DNS tree walk (RFC 9989 section 4.10): from a name upwards, at most eight questions.

use super::record::{Psd, Record};
use crate::Dns;
use crate::rejection::Rejection;

/// How many labels the second name has at most.
const LABELS: usize = 7;

/// The records that were found, the longest name first.
#[derive(Debug)]
pub(super) struct Walk {
    start: String,
    found: Vec<(String, Record)>,
    /// There are several records at the name where the walk began. What that means:
    ///
    /// - RFC 9989 section 4.10, step 2: several records of one name are all discarded, and the walk
    ///   goes on. So it does here at every name *above* the first, and for the organisational
    ///   domain (section 4.10.2) at the first, too.
    /// - At the author's own domain the discarded records have spoken, though nobody can tell what
    ///   they said: DMARC does not apply, and no record above stands in. RFC 7489 section 6.6.3,
    ///   step 5, ends there; the suite of mailauth reads section 4.10 of RFC 9989 in the same way.
    ///   To inherit would have a message refused for a policy that its domain has replaced.
    pub(super) several_at_start: bool,
}

impl Walk {
    /// Walks up from `start`.
    pub(super) async fn up(dns: &impl Dns, start: &str) -> Result<Self, Rejection> {
        Self::of(dns, names(start)).await
    }

    /// Asks at each of the names, the longest of which comes first.
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
                // With a record below, a top-level domain could only say what nobody doubts: that
                // it is a public suffix.
                Err(_) if !name.contains('.') && !walk.found.is_empty() => break,
                Err(unavailable) => return Err(unavailable.into()),
            };
            let mut records = found
                .records()
                .iter()
                .filter_map(|record| Record::parse(record));
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

    /// Whether no record was found at all.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The record at a name.
    pub(super) fn at(&self, name: &str) -> Option<&Record> {
        self.found
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, record)| record)
    }

    /// The record with the shortest name.
    pub(super) fn last(&self) -> Option<&Record> {
        self.found.last().map(|(_, record)| record)
    }

    /// The organisational domain of the name where the walk began (RFC 9989 section 4.10.2).
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

/// The names to ask at: `start`, then those above it with seven labels and fewer.
fn names(start: &str) -> impl Iterator<Item = &str> {
    let above = std::iter::successors(Some(start), |name| {
        name.split_once('.').map(|(_, above)| above)
    });
    above
        .enumerate()
        .filter(|(position, name)| *position == 0 || name.split('.').count() <= LABELS)
        .map(|(_, name)| name)
}

/// The name one label below `suffix` on the way down to `name`.
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
    fn a_long_name_takes_eight_questions() {
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
