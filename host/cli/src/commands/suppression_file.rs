//! Suppression lists as files of comma-separated values (RFC 4180).
//!
//! The first line names the columns: `address`, and as wanted `cause`, `evidence`, `at` and
//! `count`. `email` and `reason`, as other services write, stand for `address` and `evidence`; columns with
//! other names are not read. A file whose first line is an address has addresses alone.

use csv::{Position, ReaderBuilder, StringRecord, Terminator, WriterBuilder};
use gatepost_message::{Address, Millis};
use gatepost_model::{Suppression, SuppressionCause};
use gatepost_operations::suppression::ImportedSuppression;
use gatepost_spool::MAX_SUPPRESSIONS;

/// Bytes of the longest file that is read.
pub(super) const LONGEST: u64 = 128 << 20;

/// Most wrong lines that are shown.
const MAX_ERRORS: usize = 20;

/// Names of the columns, as they are written.
const COLUMNS: [&str; 5] = ["address", "cause", "evidence", "at", "count"];

/// Places of the columns in a file.
#[derive(Debug, Clone, Copy)]
struct Columns {
    address: usize,
    cause: Option<usize>,
    evidence: Option<usize>,
    at: Option<usize>,
    count: Option<usize>,
}

impl Columns {
    /// Reads the first line; `None` if it is an address.
    fn of(first: &StringRecord) -> Result<Option<Self>, String> {
        let place = |names: &[&str]| {
            first.iter().position(|name| {
                names
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(name.trim()))
            })
        };
        if let Some(address) = place(&["address", "email"]) {
            return Ok(Some(Self {
                address,
                cause: place(&["cause"]),
                evidence: place(&["evidence", "reason"]),
                at: place(&["at"]),
                count: place(&["count"]),
            }));
        }
        match first.get(0).map(|first| Address::parse(first.trim())) {
            Some(Ok(_)) => Ok(None),
            _ => Err("it names no column `address`, and is no address".to_owned()),
        }
    }

    /// Returns the columns of a file of addresses alone.
    fn alone() -> Self {
        Self {
            address: 0,
            cause: None,
            evidence: None,
            at: None,
            count: None,
        }
    }

    fn read(self, record: &StringRecord) -> Result<ImportedSuppression, String> {
        let cell = |at: Option<usize>| {
            let cell = record.get(at?)?.trim();
            (!cell.is_empty()).then_some(cell)
        };
        let address = cell(Some(self.address)).ok_or("there is no address")?;
        let address = Address::parse(address).map_err(|error| error.to_string())?;
        let cause = match cell(self.cause) {
            None => SuppressionCause::Import,
            Some(word) => SuppressionCause::from_word(word)
                .filter(|cause| cause.suppresses())
                .ok_or_else(|| format!("`{}` is no cause", word.escape_default()))?,
        };
        let evidence = cell(self.evidence).unwrap_or_default();
        if evidence.len() > Suppression::LONGEST_EVIDENCE {
            return Err("the evidence has over 512 octets".to_owned());
        }
        let at = cell(self.at).map(|at| at.parse::<Millis>().map_err(|error| error.to_string()));
        let count = cell(self.count).unwrap_or("0");
        Ok(ImportedSuppression {
            address,
            cause,
            // Of more lines one is made, and no character commands a terminal.
            evidence: evidence.replace(char::is_control, " "),
            at: at.transpose()?,
            count: count.parse().map_err(|_| "the count is no number")?,
        })
    }
}

/// Reads a file.
///
/// # Errors
/// The wrong lines, each with its number.
pub(super) fn parse(text: &[u8]) -> Result<Vec<ImportedSuppression>, Vec<String>> {
    let reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text);
    let mut columns = None;
    let mut entries = Vec::new();
    let mut errors = Vec::new();
    for record in reader.into_records() {
        let (line, read) = match record {
            Err(error) => (
                error.position().map_or(0, Position::line),
                Err("it is not CSV in UTF-8".to_owned()),
            ),
            Ok(record) => {
                let line = record.position().map_or(0, Position::line);
                let first = columns.is_none();
                let read = match columns {
                    Some(columns) => Columns::read(columns, &record).map(Some),
                    None => Columns::of(&record).and_then(|of| match of {
                        Some(named) => {
                            columns = Some(named);
                            Ok(None)
                        }
                        None => {
                            columns = Some(Columns::alone());
                            Columns::alone().read(&record).map(Some)
                        }
                    }),
                };
                if first && let Err(error) = read {
                    // No other line can be read without the columns.
                    return Err(vec![format!("line {line}: {error}")]);
                }
                (line, read)
            }
        };
        match read {
            Ok(entry) => entries.extend(entry),
            Err(error) => errors.push(format!("line {line}: {error}")),
        }
        if entries.len() > MAX_SUPPRESSIONS {
            errors.push(format!("there are over {MAX_SUPPRESSIONS} addresses"));
        }
        if errors.len() >= MAX_ERRORS || entries.len() > MAX_SUPPRESSIONS {
            break;
        }
    }
    match errors.is_empty() {
        true => Ok(entries),
        false => Err(errors),
    }
}

/// Writes entries, with a first line that names the columns if that is wanted.
///
/// # Errors
/// None in practice: it is written into memory.
pub(super) fn write(entries: &[Suppression], with_header: bool) -> miette::Result<String> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    let header = with_header.then(|| COLUMNS.map(ToOwned::to_owned));
    let rows = entries.iter().map(|entry| {
        [
            entry.address.clone(),
            entry.cause.word().to_owned(),
            entry.evidence.clone(),
            entry.at.to_string(),
            entry.count.to_string(),
        ]
    });
    for row in header.into_iter().chain(rows) {
        writer.write_record(row).map_err(super::report)?;
    }
    let octets = writer
        .into_inner()
        .map_err(|error| super::report(error.into_error()))?;
    String::from_utf8(octets).map_err(super::report)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(address: &str, evidence: &str) -> Suppression {
        Suppression {
            account: "acme".to_owned(),
            address: address.to_owned(),
            cause: SuppressionCause::HardBounce,
            evidence: evidence.to_owned(),
            at: Millis(1_700_000_000_000),
            by: None,
            count: 1,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let entries = [
            entry("bob@b.example", "550 5.1.1 no \"bob\", sorry"),
            entry("\"a,b\"@b.example", "one, two"),
            entry("jörg@b.example", "550 é"),
        ];
        let text = write(&entries, true).unwrap();
        assert!(
            text.starts_with("address,cause,evidence,at,count\r\n"),
            "{text}"
        );
        let read = parse(text.as_bytes()).unwrap();
        assert_eq!(read.len(), entries.len());
        for (read, entry) in read.iter().zip(&entries) {
            assert_eq!(Suppression::key(&read.address), entry.address);
            assert_eq!(read.cause, entry.cause);
            assert_eq!(read.evidence, entry.evidence);
            assert_eq!((read.at, read.count), (Some(entry.at), entry.count));
        }
    }

    #[test]
    fn lists_of_other_services_are_read() {
        for text in [
            "Email,Reason,Created\nbob@b.example,\"no such\nuser\",1\n",
            "\u{feff}created;,email,reason\r\n1,bob@b.example,no such user\r\n",
            "bob@b.example\n",
            "address\nbob@b.example",
        ] {
            let read = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(read.len(), 1, "{text}");
            assert_eq!(read[0].address.as_str(), "bob@b.example");
            assert_eq!(read[0].cause, SuppressionCause::Import);
            assert!(
                ["", "no such user"].contains(&&*read[0].evidence),
                "{read:?}"
            );
        }
        assert_eq!(parse(b"").unwrap(), []);
        assert_eq!(parse(b"address\n").unwrap(), []);
    }

    #[test]
    fn each_wrong_line_is_told_with_its_number() {
        let text = "address,cause,at,count\nbob@b.example,import,,\n\"two\nlines\"@x y,,,\n\
                    eve@b.example,counting,,\neve@b.example,,yesterday,\neve@b.example,,,many\n";
        let errors = parse(text.as_bytes()).unwrap_err();
        let lines: Vec<_> = errors.iter().map(|error| &error[..7]).collect();
        assert_eq!(
            lines,
            ["line 3:", "line 5:", "line 6:", "line 7:"],
            "{errors:?}"
        );
        let errors = parse(b"name,street\nbob@b.example,x\n").unwrap_err();
        assert!(errors[0].starts_with("line 1: "), "{errors:?}");
        let errors = parse(b"address\n\xff@b.example\n").unwrap_err();
        assert!(errors[0].starts_with("line 2: "), "{errors:?}");
        assert_eq!(
            parse("address\nx\n".repeat(50).as_bytes())
                .unwrap_err()
                .len(),
            MAX_ERRORS
        );
    }
}
