//! `gatepost suppression`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use gatepost_model::Suppression;
use gatepost_operations::Code;
use gatepost_operations::suppression::{
    AddSuppression, ImportSuppressions, Imported, ListSuppressions, MOST, RemoveSuppression,
};
use serde_json::json;

use super::answer::{Row, done, print_rows};
use super::operate::{Ask, Target, report};
use super::{exit, import, output, suppression_file};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the addresses to which accounts send nothing any more, with cause and evidence.
    List(Ask<ListSuppressions>),
    /// Put an address on the list of an account.
    Add(Ask<AddSuppression>),
    /// Take an address off the list: mail to it goes again at once. Exits with 1 if it is not there.
    Remove(Ask<RemoveSuppression>),
    /// Import addresses from a CSV file: all of them or, if a line is wrong, none.
    Import(Import),
    /// Export the list of an account as CSV.
    Export(Export),
}

#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(flatten)]
    target: Target,
    /// Id of the account, or the native domain of one in the directory.
    account: String,
    /// File to import; - for standard input.
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    target: Target,
    /// Id of the account, or the native domain of one in the directory.
    account: String,
    /// File to write; standard output when not given.
    file: Option<PathBuf>,
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::List(ask) => list(ask).await,
        Command::Add(ask) => done(ask, "added").await,
        Command::Remove(ask) => remove(ask).await,
        Command::Import(of) => import_file(of).await,
        Command::Export(of) => export(of).await,
    }
}

async fn list(ask: Ask<ListSuppressions>) -> miette::Result<ExitCode> {
    let (json, limit) = (ask.target.json, ask.request.limit);
    let of_one = ask.request.account.is_some();
    let entries = ask.answer().await?;
    let code = print_rows(&entries, "no address is suppressed", json)?;
    if let Some(last) = entries.last().filter(|_| entries.len() == limit && !json) {
        let account = match of_one {
            true => String::new(),
            false => format!(" --after-account {}", last.account),
        };
        output::print(format!(
            "there may be more: --after {}{account}",
            last.address
        ))?;
    }
    Ok(code)
}

async fn remove(ask: Ask<RemoveSuppression>) -> miette::Result<ExitCode> {
    let address = ask.request.address.clone();
    let found = match ask.target.session()?.try_call(ask.request).await? {
        Ok(()) => true,
        Err(error) if error.code == Code::NotSuppressed => false,
        Err(error) => return Err(report(error)),
    };
    match (ask.target.json, found) {
        (true, _) => output::print_json([json!({ "address": address, "done": found })])?,
        (false, true) => output::print(format!("{address} removed"))?,
        (false, false) => output::print(format!("{address} is not on the list"))?,
    }
    Ok(exit(found))
}

/// Imports a file. Reads all of it before any request, so that a wrong line changes nothing.
async fn import_file(of: Import) -> miette::Result<ExitCode> {
    let text = import::read(&of.file, suppression_file::LONGEST)?;
    let entries = suppression_file::parse(&text).map_err(|errors| {
        miette::miette!(
            help = "mend these lines and import the file again; nothing of it was taken",
            "{}: {}",
            of.file.display(),
            errors.join("\n")
        )
    })?;
    let total = entries.len();
    let mut session = of.target.session()?;
    let (mut handed_over, mut stored) = (0, 0);
    for page in entries.chunks(MOST) {
        let page = ImportSuppressions {
            account: of.account.clone(),
            entries: page.to_vec(),
        };
        handed_over += page.entries.len();
        stored += session.call(page).await?.stored;
        if total > MOST {
            import::progress(handed_over, total);
        }
    }
    let left = total as u64 - stored;
    match (of.target.json, left) {
        (true, _) => output::print_json([Imported { stored }])?,
        (false, 0) => output::print(format!("{stored} addresses imported"))?,
        (false, left) => output::print(format!(
            "{stored} addresses imported; {left} left out, because the list is full"
        ))?,
    }
    Ok(exit(left == 0))
}

/// Writes the list of an account, a page at a time.
async fn export(of: Export) -> miette::Result<ExitCode> {
    let mut session = of.target.session()?;
    let mut file = match &of.file {
        Some(path) => {
            let made = std::fs::File::create(path);
            Some(made.map_err(|error| miette::miette!("cannot write {}: {error}", path.display()))?)
        }
        None => None,
    };
    let mut after = None;
    for number in 0.. {
        let page = ListSuppressions {
            account: Some(of.account.clone()),
            after,
            limit: MOST,
            ..ListSuppressions::default()
        };
        let page = session.call(page).await?;
        after = page.last().map(|entry| entry.address.clone());
        match (&mut file, of.target.json) {
            (None, true) => output::print_json(&page)?,
            (None, false) => {
                let text = suppression_file::write(&page, number == 0)?;
                if !text.is_empty() {
                    output::print(text.trim_end())?;
                }
            }
            (Some(file), _) => {
                let text = suppression_file::write(&page, number == 0)?;
                file.write_all(text.as_bytes())
                    .map_err(|error| miette::miette!("cannot write the file: {error}"))?;
            }
        }
        if page.len() < MOST {
            break;
        }
    }
    Ok(exit(true))
}

impl Row for Suppression {
    const HEADER: &[&str] = &["ADDRESS", "ACCOUNT", "CAUSE", "SINCE", "COUNT", "EVIDENCE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.address.clone(),
            self.account.clone(),
            self.cause.word().to_owned(),
            self.at.to_string(),
            self.count.to_string(),
            output::shorten(&self.evidence),
        ]
    }
}
