//! `gatepost domain`.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Subcommand;
use gatepost_domain_check::{Finding, Report, Standing};
use gatepost_operations::domains::CheckDomain;

use super::operate::Ask;
use super::output;
use gatepost_terminal::escape;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Compare the DNS of a domain with what its mail needs, and print what to paste.
    ///
    /// Exits with 0 if all that is needed is there, 1 if something is missing or differs, 2 if
    /// something could not be looked up.
    Check(Ask<CheckDomain>),
}

pub(super) async fn run(command: Command) -> ExitCode {
    let Command::Check(ask) = command;
    let json = ask.target.json;
    let checked = ask.answer().await.and_then(|report| {
        match json {
            true => output::print_json([&report])?,
            false => output::print(text(&report))?,
        }
        Ok(report)
    });
    match checked {
        Ok(report) if report.is_wanting() => ExitCode::from(1),
        Ok(report) if report.is_incomplete() => ExitCode::from(2),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            super::tell(&error);
            ExitCode::from(2)
        }
    }
}

/// Returns a report for people.
fn text(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        text += &paragraph(finding);
    }
    text += "\nseen from outside\n";
    for outlook in &report.outside {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {}", escape::line(&outlook.sentence));
    }
    text + match (report.is_wanting(), report.is_incomplete()) {
        (true, _) => "\nsomething is missing or differs",
        (false, true) => "\nsomething could not be looked up",
        (false, false) => "\nall that is needed is there",
    }
}

/// Returns one finding: its details only where there is something to do.
fn paragraph(finding: &Finding) -> String {
    let standing = match finding.needed || finding.standing == Standing::Right {
        true => finding.standing.to_string(),
        false => format!("advice: {}", finding.standing),
    };
    let name = escape::line(&finding.name);
    let mut text = format!("{standing:<18}  {:<14}  {name}", finding.topic);
    let words = escape::line(&finding.words);
    if !words.is_empty() {
        let _ = write!(text, ": {words}");
    }
    text.push('\n');
    if finding.standing == Standing::Right {
        return text;
    }
    let mut line = |word: &str, what: &str| {
        let _ = writeln!(text, "    {word:<8}  {}", escape::line(what));
    };
    line("wanted", &finding.sought);
    for found in &finding.found {
        line("found", found);
    }
    for paste in &finding.paste {
        line("paste", paste);
    }
    text
}

#[cfg(test)]
mod tests {
    use gatepost_domain_check::{Outlook, OutlookKind, Topic};

    use super::*;

    #[test]
    fn what_the_dns_says_commands_no_terminal() {
        let hostile = "a\u{1b}[2J\n\u{202e}b".to_owned();
        let report = Report {
            domain: "a.example".to_owned(),
            findings: vec![Finding {
                topic: Topic::Spf,
                name: hostile.clone(),
                sought: hostile.clone(),
                found: vec![hostile.clone()],
                standing: Standing::Differs,
                needed: true,
                words: hostile.clone(),
                paste: vec![hostile.clone()],
            }],
            outside: vec![Outlook {
                kind: OutlookKind::Mx,
                result: "fail".to_owned(),
                sentence: hostile,
            }],
        };
        let text = text(&report);
        let is_hidden = |c: char| escape::is_hidden(c) && c != '\n';
        assert!(!text.contains(is_hidden), "{}", text.escape_debug());
        assert_eq!(text.matches("\\n").count(), 6);
    }
}
