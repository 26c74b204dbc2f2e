//! `gatepost check`: takes stored messages through the relay like live ones, up to the reply to
//! data and the routing, but without effect: nothing is queued and nothing is sent.
//!
//! A file holds one message. Bare LF are read as CRLF, and an mbox `From ` line in front is
//! skipped. The envelope comes from the command line. Missing parts are taken from the message:
//!
//! - The reverse-path is that of the Return-Path field, which a final delivery leaves (RFC 5321
//!   section 4.4; `<>` is the null reverse-path), else the first address of From, else null.
//! - The recipient is that of Delivered-To, else of X-Original-To, else those of To. On an inbound
//!   listener, addresses outside the accounts' domains are left out. If none is left, the recipient
//!   is the postmaster of the first domain of an account, or of the relay. A Delivered-To field
//!   that gave the recipient was added by the delivery that stored the message, and is removed.
//!
//! Messages are judged in a [dry run](gatepost_intake::dry_run): neither store is opened. Giving
//! the same file twice shows the effect of a loop. What caps and the suppression list say of a
//! submission is asked of the relay, if it runs.

mod activated;
pub(crate) mod envelope;
pub(crate) mod judge;
pub(crate) mod report;
mod stages;

use std::collections::HashSet;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use gatepost_intake::pipeline::judge::Disposition;
use gatepost_message::Message;
use gatepost_policy_set::eml;
use gatepost_terminal::{BufferedOutput, Progress};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use self::judge::MessageJudge;
use self::stages::{CheckedMessage, Staged};
use crate::commands::{CheckArgs, output};

/// Judges stored messages and prints a report of each.
///
/// # Errors
/// The configuration or the policies cannot be used, or the results cannot be written. A message
/// that cannot be read is reported on standard error; the others are judged, and the exit code is
/// 1.
pub async fn run(args: CheckArgs) -> miette::Result<ExitCode> {
    let judge = Arc::new(MessageJudge::new(args.judge.clone()).await?);
    let files = args.files.clone();
    let printer = Printer {
        judge: Arc::clone(&judge),
        out: BufferedOutput::default(),
        progress: Progress::new(true),
        written: HashSet::new(),
        printed: 0,
        unreadable: 0,
        is_full: false,
        args,
    };
    let printer = stages::run(&judge, files, printer).await?;
    Ok(match printer.unreadable {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(1),
    })
}

/// Last stage of a run: prints reports and errors, and writes messages.
struct Printer {
    judge: Arc<MessageJudge>,
    args: CheckArgs,
    out: BufferedOutput,
    progress: Progress,
    /// Paths of the messages that were written.
    written: HashSet<PathBuf>,
    /// Number of files so far.
    printed: usize,
    /// Number of those that could not be read.
    unreadable: usize,
    /// True once it was told that not all is remembered.
    is_full: bool,
}

impl Printer {
    fn print(&mut self, staged: Staged<CheckedMessage>) -> miette::Result<()> {
        let Staged { file, message, .. } = staged;
        self.printed += 1;
        let CheckedMessage {
            result,
            dropped_effects,
        } = match message {
            Ok(judged) => judged,
            Err(error) => {
                self.unreadable += 1;
                self.complain(format!("gatepost: cannot read {}: {error}", file.display()));
                return Ok(());
            }
        };
        let kept = matches!(result.disposition, Disposition::Accepted { .. });
        let message = kept.then(|| result.message.clone());
        self.judge
            .report(&file, result)
            .print(&mut self.out, self.args.json)?;
        if !self.is_full && dropped_effects {
            self.is_full = true;
            self.complain(format!(
                "gatepost: from {} on, not all that policies count and mark is remembered in this \
                 run: give fewer messages at a time to see what counts come to",
                file.display()
            ));
        }
        if let (Some(directory), Some(message)) = (&self.args.output, message) {
            let path = output_path(directory, &file, &mut self.written);
            refuse_overwrite(&self.args.files, &path)?;
            write(&path, &message)?;
        }
        let all = self.args.files.len();
        self.progress.show(self.printed, all, "messages");
        Ok(())
    }

    fn flush(&mut self) -> miette::Result<()> {
        self.out.flush()
    }

    /// Prints a message to the operator, after the results before it.
    fn complain(&mut self, text: String) {
        // If standard output fails, the next result tells.
        let _ = self.out.flush();
        self.progress.clear();
        output::complain(text);
    }
}

/// Reads a message from a file; `-` is standard input.
///
/// # Errors
/// It cannot be read, or is longer than any message.
pub(crate) fn read(file: &Path) -> std::io::Result<Message> {
    let mut stored = Vec::new();
    if file == Path::new("-") {
        let stdin = std::io::stdin().lock();
        stdin.take(eml::LONGEST + 1).read_to_end(&mut stored)?;
    } else {
        let file = std::fs::File::open(file)?;
        file.take(eml::LONGEST + 1).read_to_end(&mut stored)?;
    }
    eml::admit(&stored)?;
    Ok(Message::from_stored(&stored))
}

/// Returns the path to which a message is written, with the name of its file. Files of the same
/// name from several directories get a number.
fn output_path(directory: &Path, file: &Path, written: &mut HashSet<PathBuf>) -> PathBuf {
    let name = match file.file_name() {
        Some(name) if file != Path::new("-") => name.to_string_lossy().into_owned(),
        _ => "stdin.eml".to_owned(),
    };
    let numbered = (2..).map(|number| directory.join(format!("{number}-{name}")));
    std::iter::once(directory.join(&name))
        .chain(numbered)
        .find(|path| written.insert(path.clone()))
        .unwrap_or_else(|| directory.join(&name))
}

fn write(path: &Path, message: &Message) -> miette::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(path))
        .and_then(|()| std::fs::write(path, message.to_bytes()?))
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", path.display()))
}

/// Refuses to overwrite one of the messages to be judged, also by another path.
fn refuse_overwrite(files: &[PathBuf], path: &Path) -> miette::Result<()> {
    let identity = |path: &Path| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.dev(), found.ino()))
    };
    let target = identity(path);
    if target.is_none() || files.iter().all(|file| identity(file) != target) {
        return Ok(());
    }
    Err(miette!(
        help = "name another directory with --output",
        "{} is one of the messages to be judged, and would be overwritten",
        path.display()
    ))
}
