//! `--junit`: the results as JUnit XML, which CI servers show.
//!
//! There is no standard; the elements and attributes are those that Jenkins, GitLab and GitHub's
//! actions read. A decision that differs is a failure; a fixture that cannot be run is an error.

use std::io;
use std::path::Path;
use std::time::Duration;

use miette::{IntoDiagnostic as _, WrapErr as _};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Outcome, Tested};

/// Writes the results into a file.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write(
    file: &Path,
    module: &str,
    tested: &[Tested],
    time: Duration,
) -> miette::Result<()> {
    document(module, tested, time)
        .and_then(|document| std::fs::write(file, document))
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", file.display()))
}

fn document(module: &str, tested: &[Tested], time: Duration) -> io::Result<Vec<u8>> {
    let count = |is: fn(&Outcome) -> bool| {
        let of = tested.iter().filter(|tested| is(&tested.outcome));
        of.count().to_string()
    };
    let failures = count(|outcome| matches!(outcome, Outcome::Differs(_)));
    let errors = count(|outcome| matches!(outcome, Outcome::Broken(_)));
    let (tests, time) = (tested.len().to_string(), seconds(time));
    let module = allowed(module);
    let totals = [
        ("tests", tests.as_str()),
        ("failures", failures.as_str()),
        ("errors", errors.as_str()),
        ("time", time.as_str()),
    ];
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer
        .create_element("testsuites")
        .with_attribute(("name", "gatepost policy test"))
        .with_attributes(totals)
        .write_inner_content(|writer| {
            writer
                .create_element("testsuite")
                .with_attribute(("name", module.as_str()))
                .with_attributes(totals)
                .write_inner_content(|writer| {
                    tested
                        .iter()
                        .try_for_each(|tested| case(writer, &module, tested))
                })?;
            Ok(())
        })?;
    let mut document = writer.into_inner();
    document.push(b'\n');
    Ok(document)
}

fn case(writer: &mut Writer<Vec<u8>>, module: &str, tested: &Tested) -> io::Result<()> {
    let (name, file) = (
        allowed(&tested.found.name),
        allowed(&tested.found.path.display().to_string()),
    );
    let time = seconds(tested.time);
    let element = writer
        .create_element("testcase")
        .with_attribute(("name", name.as_str()))
        .with_attribute(("classname", module))
        .with_attribute(("file", file.as_str()))
        .with_attribute(("time", time.as_str()));
    let (kind, message, text) = match &tested.outcome {
        Outcome::Ok | Outcome::Blessed(_) => {
            element.write_empty()?;
            return Ok(());
        }
        Outcome::Differs(difference) => {
            let message = format!("other than expected: {}", difference.names.join(", "));
            ("failure", message, difference.diff.clone())
        }
        Outcome::Broken(error) => ("error", error.to_string(), format!("{error:?}")),
    };
    let (message, text) = (allowed(&message), allowed(&text));
    element.write_inner_content(|writer| {
        writer
            .create_element(kind)
            .with_attribute(("message", message.as_str()))
            .write_text_content(BytesText::new(&text))?;
        Ok(())
    })?;
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:.6}", time.as_secs_f64())
}

/// Returns a text in which XML allows every character (XML 1.0 section 2.2): others are U+FFFD.
fn allowed(text: &str) -> String {
    let is_allowed = |c: char| match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => c >= ' ',
    };
    let replaced = text
        .chars()
        .map(|c| if is_allowed(c) { c } else { '\u{fffd}' });
    replaced.collect()
}
