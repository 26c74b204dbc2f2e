//! `gatepost restore`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use gatepost_backup::{BackupProgress, HeldMessage, RestoreOrder, Restored};
use gatepost_message::Millis;
use gatepost_spool::RestoredQueue;
use parking_lot::Mutex;

use super::backup::progress_text;
use super::{ConfigFile, exit, output, report};
use gatepost_config::Directory;

/// Make a store of a backup, in a folder that does not exist or is empty.
///
/// Queued mail comes back held, and is listed: nobody knows what was delivered after the backup. See
/// it with `gatepost queue list --status held`, and give your word with `gatepost queue release` or
/// `gatepost queue cancel`. The configuration is not touched: the backup has a copy in
/// `configuration`.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// Folder of the backup.
    from: PathBuf,
    #[command(flatten)]
    file: ConfigFile,
    /// Folder of the new store, in place of the one that the configuration names.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    store: Option<PathBuf>,
    /// Key ring to take in place of the backup's, such as for one that was made without keys.
    #[arg(long, value_name = "FILE")]
    key_ring: Option<PathBuf>,
    /// Leave queued mail due: no relay has run on the store since the backup was begun. Otherwise
    /// mail may be delivered twice.
    #[arg(long)]
    nothing_delivered_since: bool,
    /// Print one JSON object a line: the store, then each message that is held.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(restore: Restore) -> miette::Result<ExitCode> {
    let (store, directory) = match &restore.store {
        Some(store) => (store.clone(), Directory::default()),
        None => {
            let config = restore.file.load()?;
            (config.relay.store, config.directory)
        }
    };
    let order = RestoreOrder {
        from: restore.from,
        directory: directory.settings(&store),
        store,
        key_ring: restore.key_ring,
        queue: match restore.nothing_delivered_since {
            true => RestoredQueue::Due,
            false => RestoredQueue::Held,
        },
        fatal: gatepost_operations::fatal(),
    };
    let json = restore.json;
    let shown = Mutex::new(None);
    let progress = Arc::new(move |progress: BackupProgress| {
        // The last line of each stage, and the first.
        let mut shown = shown.lock();
        if !json && (*shown != Some(progress.stage) || progress.done == progress.total) {
            *shown = Some(progress.stage);
            let _ = output::print(progress_text(&progress));
        }
    });
    let restored = gatepost_backup::restore(order, Millis::now(), progress).await;
    let restored = restored.map_err(report)?;
    match json {
        true => {
            output::print_json([&restored])?;
            output::print_json(&restored.held)?;
        }
        false => show(&restored)?,
    }
    Ok(exit(restored.damaged_bodies == 0))
}

fn show(restored: &Restored) -> miette::Result<()> {
    let store = restored.store.display();
    output::print(format!(
        "{store}: as it was at {}, by gatepost {}",
        restored.begun, restored.version
    ))?;
    if restored.damaged_bodies > 0 {
        output::print(format!(
            "{} messages lack their body, as they did when the backup was made: see `gatepost doctor`",
            restored.damaged_bodies
        ))?;
    }
    if restored.held.is_empty() {
        return Ok(());
    }
    let mut table = output::table(["HELD", "RECEIVED", "FROM", "TO"]);
    for message in &restored.held {
        add_rows(&mut table, message);
    }
    output::print_table(table, "")?;
    output::print(format!(
        "{} recipients of {} messages are held: they may have been delivered since. Start the relay, \
         and give your word with `gatepost queue release` or `gatepost queue cancel`",
        restored.recipients,
        restored.held.len()
    ))
}

fn add_rows(table: &mut output::Table, message: &HeldMessage) {
    let mut first = [
        message.id.to_string(),
        message.received_at.to_string(),
        format!("<{}>", message.from),
    ];
    for to in &message.to {
        let cells = std::mem::take(&mut first);
        table.add_row(cells.into_iter().chain([format!("<{to}>")]));
    }
}
