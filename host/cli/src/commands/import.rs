//! `gatepost partner import`.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use gatepost_feeds::lines;
use gatepost_operations::imports::{AbandonImport, AddToImport, BeginImport, FinishImport};

use super::operate::Target;
use super::output;
use super::partner::{PAGE, print_change};

/// Maximum number of wrong lines that are shown.
const MAX_ERRORS: usize = 20;

/// Bytes of the longest list that is imported.
const LONGEST_LIST: u64 = 1 << 30;

#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account.
    account: String,
    /// File to import; - for standard input.
    file: PathBuf,
    /// Name of the list that gets the entries; the file's name when not given.
    #[arg(long)]
    name: Option<String>,
    /// Replace the entries of the list, instead of adding to them.
    #[arg(long)]
    replace: bool,
    /// Accept whole domains, too: lines such as @partner.example.
    #[arg(long)]
    domains: bool,
}

/// Imports a file. Reads all of it before any request, so that a wrong line changes nothing.
pub(super) async fn run(of: Import) -> miette::Result<ExitCode> {
    let text = read(&of.file, LONGEST_LIST)?;
    let entries = lines::parse(&text, of.domains, MAX_ERRORS).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
        miette::miette!(
            help = "mend these lines and import the file again; nothing of it was taken",
            "{}: {}",
            of.file.display(),
            lines.join("\n")
        )
    })?;
    let name = match (of.name, of.file.file_name()) {
        (Some(name), _) => name,
        (None, Some(name)) if of.file != Path::new("-") => name.to_string_lossy().into_owned(),
        (None, _) => "standard input".to_owned(),
    };
    let account = of.account;
    let mut session = of.target.session()?;
    let begin = BeginImport {
        account: account.clone(),
    };
    let import = session.call(begin).await?;
    let total = entries.len();
    let mut done = 0;
    for page in entries.chunks(PAGE) {
        let entries = page.to_vec();
        if let Err(error) = session.call(AddToImport { import, entries }).await {
            // Best effort: an abandoned import has no effect.
            let _ = session.call(AbandonImport { import }).await;
            return Err(error);
        }
        done += page.len();
        if total > PAGE {
            progress(done, total);
        }
    }
    let finish = FinishImport {
        import,
        account,
        name,
        replace: of.replace,
    };
    print_change(&session.call(finish).await?, of.target.json)
}

/// Prints the progress of a long import on standard error: in place on a terminal, else line by
/// line.
pub(super) fn progress(done: usize, total: usize) {
    let (begin, end) = match (io::stderr().is_terminal(), done == total) {
        (true, false) => ("\r", ""),
        (true, true) => ("\r", "\n"),
        (false, _) => ("", "\n"),
    };
    let text = format!("{begin}{done} of {total} addresses handed over{end}");
    // Not escaped: the text holds only numbers, and is overwritten in place.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// It cannot be read, or is longer than that.
pub(super) fn read(file: &Path, longest: u64) -> miette::Result<Vec<u8>> {
    let read = |from: &mut dyn io::Read| {
        let mut text = Vec::new();
        from.take(longest + 1).read_to_end(&mut text)?;
        match text.len() as u64 > longest {
            true => Err(io::Error::other(format!(
                "it is longer than {}",
                output::size(longest)
            ))),
            false => Ok(text),
        }
    };
    let text = match file == Path::new("-") {
        true => read(&mut io::stdin().lock()),
        false => std::fs::File::open(file).and_then(|mut file| read(&mut file)),
    };
    text.map_err(|error| miette::miette!("cannot read {}: {error}", file.display()))
}
