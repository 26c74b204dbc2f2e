//! `gatepost dkim`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use gatepost_directory::DkimState;
use gatepost_operations::Operation;
use gatepost_operations::dkim::{
    CheckDkim, DkimKeyDetails, GenerateDkim, RetireDkim, RotateDkim, ShowDkim,
};

use super::answer::{Row, item, list, print_rows};
use super::operate::Ask;
use super::output;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make keys of a domain, and print the records to publish. They sign once these are seen.
    Generate(Ask<GenerateDkim>),
    /// Show keys with their states, and the records to publish.
    Show(Ask<ShowDkim>),
    /// Look for the records of keys in the DNS, now.
    Check(Ask<CheckDkim>),
    /// Make the next keys of a domain. They take over when their own records are seen.
    Rotate(Ask<RotateDkim>),
    /// Retire a key: it signs no more, and its private half is erased.
    Retire(Ask<RetireDkim>),
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Generate(ask) => with_records(ask).await,
        Command::Show(ask) => with_records(ask).await,
        Command::Check(ask) => list(ask, NONE).await,
        Command::Rotate(ask) => with_records(ask).await,
        Command::Retire(ask) => item(ask).await,
    }
}

const NONE: &str = "there are no such DKIM keys";

/// Executes an operation and prints the keys that it answers with, and below them the records to
/// publish.
async fn with_records<R>(ask: Ask<R>) -> miette::Result<ExitCode>
where
    R: Args + Operation<Answer = Vec<DkimKeyDetails>>,
{
    let json = ask.target.json;
    let keys = ask.answer().await?;
    let code = print_rows(&keys, NONE, json)?;
    if !json {
        let wanted = keys.iter().filter(|key| key.state != DkimState::Retired);
        for key in wanted {
            output::print(records(key))?;
        }
    }
    Ok(code)
}

/// Returns the record of a key in both forms.
fn records(key: &DkimKeyDetails) -> String {
    let record = &key.record;
    let mut text = format!(
        "\n{} at {}: the domain publishes either this record\n  {}",
        key.domain, key.selector, record.line
    );
    if let Some(alias) = &record.alias {
        text += &format!(
            "\nor this alias, with which later keys need no change there\n  {}\nfor which this \
             site's own zone has\n  {}",
            alias.line, alias.site_line
        );
    }
    text
}

impl Row for DkimKeyDetails {
    const HEADER: &[&str] = &[
        "STATE",
        "DOMAIN",
        "SELECTOR",
        "ALGORITHM",
        "SINCE",
        "FOUND",
        "ACCOUNT",
    ];

    fn cells(&self) -> Vec<String> {
        let removable = self
            .removable
            .map(|at| format!("the record may go at {at}"));
        vec![
            self.state.to_string(),
            self.domain.to_string(),
            self.selector.to_string(),
            self.algorithm.to_string(),
            self.since.to_string(),
            removable
                .or_else(|| self.finding.clone())
                .unwrap_or_default(),
            self.account
                .map_or_else(|| "site".to_owned(), |id| id.to_string()),
        ]
    }
}
