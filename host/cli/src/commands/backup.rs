//! `gatepost backup`.

use std::process::ExitCode;

use clap::Args;
use gatepost_backup::BackupProgress;
use gatepost_operations::backups::{AwaitBackup, BackupState, BeginBackup};

use super::operate::Ask;
use super::{exit, output, report};

/// Copy queue, directory, keys and configuration to a new folder, while the relay runs or not.
///
/// The backup holds all that the relay holds, mail and keys too: guard it as you guard the store.
/// `gatepost restore` makes a store of it.
#[derive(Debug, Args)]
pub(super) struct Backup {
    #[command(flatten)]
    ask: Ask<BeginBackup>,
}

pub(super) async fn run(Backup { ask }: Backup) -> miette::Result<ExitCode> {
    let Ask {
        target,
        mut request,
    } = ask;
    // The relay runs in another folder.
    request.to = std::path::absolute(&request.to).map_err(report)?;
    let mut session = target.session()?;
    let mut state = session.call(request).await?;
    let mut shown = None;
    loop {
        match &state {
            BackupState::Running { id, progress } => {
                if shown.as_ref() != Some(progress) {
                    match target.json {
                        true => output::print_json([&state])?,
                        false if progress.total == 0 => {}
                        false => output::print(progress_text(progress))?,
                    }
                    shown = Some(*progress);
                }
                let id = *id;
                state = session.call(AwaitBackup { id }).await?;
            }
            BackupState::Complete { .. } if target.json => {
                output::print_json([&state])?;
                return Ok(exit(true));
            }
            BackupState::Complete {
                folder,
                begun,
                files,
                bytes,
                keys,
                ..
            } => {
                let size = output::size(*bytes);
                let keys = match keys {
                    true => "with the keys: guard it as you guard the store",
                    false => "without the keys: restoring it needs the key ring",
                };
                output::print(format!(
                    "{}: {files} files, {size}, with all that was accepted before {begun}, {keys}",
                    folder.display()
                ))?;
                return Ok(exit(true));
            }
        }
    }
}

/// Returns the progress on one line.
pub(super) fn progress_text(progress: &BackupProgress) -> String {
    let BackupProgress { stage, done, total } = progress;
    format!("{done} of {total} {}", stage.words())
}
