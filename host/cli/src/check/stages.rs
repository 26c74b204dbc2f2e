//! The stages that messages pass in one run, side by side: reading, submission, judgement, printing.
//!
//! Counts and marks of earlier messages are seen by later ones. So several messages are judged
//! [ahead](gatepost_intake::dry_run::JudgedAhead), and each is finished in its turn. Every stage keeps
//! the order, and the results are those of one message at a time. All messages under way together
//! have a bounded size.

use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use gatepost_intake::dry_run::{DryRunMessage, DryRunResult, JudgedAhead};
use gatepost_message::Message;
use miette::IntoDiagnostic as _;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::judge::MessageJudge;
use super::{Printer, read};

/// Number of messages that wait between two stages.
const WAITING: usize = 64;

/// Bytes of all messages under way, in KiB. The last of them may be longer.
const ROOM: u32 = 64 << 10;

/// A message in a stage, or the error of reading it. `T` is what the stage before has made of it.
pub(super) struct Staged<T> {
    /// File of the message.
    pub(super) file: PathBuf,
    /// Message.
    pub(super) message: io::Result<T>,
    /// Its share of the room.
    room: Option<OwnedSemaphorePermit>,
}

impl<T> Staged<T> {
    /// Takes the message to the next stage, unless it could not be read.
    async fn map<U>(self, next: impl AsyncFnOnce(T) -> U) -> Staged<U> {
        let Self {
            file,
            message,
            room,
        } = self;
        let message = match message {
            Ok(message) => Ok(next(message).await),
            Err(error) => Err(error),
        };
        Staged {
            file,
            message,
            room,
        }
    }
}

/// A judged message.
pub(super) struct CheckedMessage {
    pub(super) result: DryRunResult,
    /// True once policies wanted more remembered than there is room for.
    pub(super) dropped_effects: bool,
}

/// Sends every file through all stages, and returns the printer when it has printed all results, in
/// the order of the files.
///
/// # Errors
/// That of the printer, which ends the run.
pub(super) async fn run(
    judge: &Arc<MessageJudge>,
    files: Vec<PathBuf>,
    mut printer: Printer,
) -> miette::Result<Printer> {
    let (send_read, was_read) = channel(WAITING);
    let (send_submitted, was_submitted) = channel(WAITING);
    let (send_judged, mut was_judged) = channel::<Staged<CheckedMessage>>(WAITING);
    let handle = Handle::current();
    // It ends with the channel, or at the latest with the process: the file may be a pipe.
    spawn_blocking(move || read_all(&handle, files, &send_read));
    tokio::spawn(submit_all(Arc::clone(judge), was_read, send_submitted));
    let printing = spawn_blocking(move || {
        while let Some(judged) = was_judged.blocking_recv() {
            printer.print(judged)?;
            if was_judged.is_empty() {
                printer.flush()?;
            }
        }
        printer.flush()?;
        Ok(printer)
    });
    let submitted = stream::unfold(was_submitted, async |mut received| {
        received.recv().await.map(|staged| (staged, received))
    });
    let ahead = submitted.map(|staged| tokio::spawn(judge_ahead(Arc::clone(judge), staged)));
    let mut ahead = pin!(ahead.buffered(messages_ahead()));
    while let Some(staged) = ahead.next().await {
        let finish = async |message| CheckedMessage {
            result: judge.finish(message).await,
            dropped_effects: judge.dropped_effects(),
        };
        let judged = staged.into_diagnostic()?.map(finish).await;
        if send_judged.send(judged).await.is_err() {
            break;
        }
    }
    drop(send_judged);
    printing.await.into_diagnostic()?
}

/// Returns the number of messages that are judged ahead.
fn messages_ahead() -> usize {
    // So that no processor waits while a message is finished.
    4 * std::thread::available_parallelism().map_or(1, usize::from)
}

async fn judge_ahead(
    judge: Arc<MessageJudge>,
    staged: Staged<DryRunMessage>,
) -> Staged<JudgedAhead> {
    let ahead = async |message| judge.judge_ahead(message).await;
    staged.map(ahead).await
}

fn read_all(handle: &Handle, files: Vec<PathBuf>, send: &Sender<Staged<Message>>) {
    let room = Arc::new(Semaphore::new(ROOM as usize));
    for file in files {
        let message = read(&file);
        let kibibytes = message.as_ref().map_or(0, |message| {
            let length = message.head().len() as u64 + message.body().len();
            u32::try_from(length >> 10).unwrap_or(ROOM).min(ROOM - 1) + 1
        });
        // The semaphore is never closed, so this is never an error.
        let taken = Arc::clone(&room).acquire_many_owned(kibibytes);
        let room = handle.block_on(taken).ok();
        let staged = Staged {
            file,
            message,
            room,
        };
        if send.blocking_send(staged).is_err() {
            return;
        }
    }
}

async fn submit_all(
    judge: Arc<MessageJudge>,
    mut read: Receiver<Staged<Message>>,
    send: Sender<Staged<DryRunMessage>>,
) {
    while let Some(staged) = read.recv().await {
        let submitted = staged.map(async |message| judge.submit(message).await);
        if send.send(submitted.await).await.is_err() {
            return;
        }
    }
}
