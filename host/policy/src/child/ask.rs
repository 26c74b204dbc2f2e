//! The relay's side: starts the loading process, hands it the module, and returns its answer, or
//! the reason of its death.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};

use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::cache::Code;
use crate::error::{LoadError, Resource};
use crate::prepare::{Job, Prepared};
use crate::version::Inspection;

use super::frames::{FrameKind, length_prefix, read_frame};
use super::logged;
use super::{LoadingLimits, Program};

/// Number of bytes that are kept of the process's standard error.
const MAX_STDERR: u64 = 16 << 10;

/// Text of the system's error ENOMEM.
const NO_MEMORY: &str = "Cannot allocate memory";

/// Number of threads that compile.
const THREADS: &str = "2";

/// Prepares a module in a process of its own, which ends when this future ends or is dropped.
pub(crate) async fn load_in_child(
    program: &Program,
    job: &Job,
    module: &[u8],
) -> Result<Prepared, LoadError> {
    let mut step = "starting a process for it".to_owned();
    let mut child = start(program).map_err(|error| failed(&step, error))?;
    let limits = program.limits;
    let conversed = timeout(
        limits.clock,
        converse(&mut child, job, module, &mut step, limits),
    );
    let answer = match conversed.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => Err(failed(&step, error)),
        Err(_) => Err(LoadError::Exhausted {
            step: step.clone(),
            resource: Resource::Clock(limits.clock),
        }),
    };
    // The process is no longer needed. It may have ended already.
    let _ = child.start_kill();
    let _ = child.wait().await;
    answer
}

fn failed(step: &str, error: io::Error) -> LoadError {
    LoadError::Fault {
        step: step.to_owned(),
        detail: error.to_string(),
    }
}

fn start(program: &Program) -> io::Result<Child> {
    let limits = program.limits;
    Command::new(&program.path)
        .arg0("gatepost")
        .args(&program.arguments)
        .arg(format!("--memory={}", limits.memory))
        .arg(format!("--processor={}", limits.processor.as_secs()))
        // The relay's environment may hold secrets.
        .env_clear()
        .env("RAYON_NUM_THREADS", THREADS)
        // A signal from the relay's terminal is for the relay alone.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

async fn converse(
    child: &mut Child,
    job: &Job,
    module: &[u8],
    step: &mut String,
    limits: LoadingLimits,
) -> io::Result<Result<Prepared, LoadError>> {
    let lost = || io::Error::other("the process has no pipes");
    // Held until the answer is there: the process ends when it is closed.
    let mut stdin = child.stdin.take().ok_or_else(lost)?;
    let stdout = child.stdout.take().ok_or_else(lost)?;
    let stderr = child.stderr.take().ok_or_else(lost)?;
    let ((), answer, last_words) = tokio::join!(
        send_job(&mut stdin, job, module),
        read_answer(stdout, &job.policy, step, limits),
        last_words(stderr),
    );
    if let Some(answer) = answer? {
        return Ok(answer);
    }
    let status = child.wait().await?;
    tracing::debug!(%status, last_words, "the process that loads a module has died");
    Ok(Err(error_of_death(status, &last_words, step, limits)))
}

/// Sends job and module. A failure is only logged: the process is dead or dying, and its answer
/// will be missing.
async fn send_job(stdin: &mut ChildStdin, job: &Job, module: &[u8]) {
    let sent = async {
        let job = serde_json::to_vec(job)?;
        for piece in [job.as_slice(), module] {
            stdin.write_all(&length_prefix(piece)?).await?;
            stdin.write_all(piece).await?;
        }
        stdin.flush().await
    };
    if let Err(error) = sent.await {
        tracing::debug!(%error, "a module could not be sent to the process that loads it");
    }
}

/// Reads the answer; `None` if the process ends before it. Closes the pipe, so that the process
/// does not wait to write more.
async fn read_answer(
    mut stdout: ChildStdout,
    policy: &str,
    step: &mut String,
    limits: LoadingLimits,
) -> io::Result<Option<Result<Prepared, LoadError>>> {
    let mut inspected: Option<Inspection> = None;
    while let Some((kind, bytes)) = read_frame(&mut stdout, limits.code).await? {
        match kind {
            FrameKind::Step => {
                *step = String::from_utf8_lossy(&bytes).into_owned();
                tracing::debug!(policy, step, "loading a policy");
            }
            FrameKind::Log => logged::log(policy, &String::from_utf8_lossy(&bytes)),
            FrameKind::Refused => {
                let error = serde_json::from_slice(&bytes)?;
                return Ok(Some(Err(recognise_lack_of_memory(error, step, limits))));
            }
            FrameKind::Inspection => inspected = Some(serde_json::from_slice(&bytes)?),
            FrameKind::Code => {
                let code = Code::from_child(bytes);
                let prepared = inspected.map(|inspection| Prepared { inspection, code });
                return Ok(prepared.map(Ok));
            }
        }
    }
    Ok(None)
}

/// Reads standard error to the end and keeps the beginning.
async fn last_words(mut stderr: ChildStderr) -> String {
    let mut kept = Vec::new();
    // If it cannot be read to the end, the part that was read is enough.
    let _ = (&mut stderr).take(MAX_STDERR).read_to_end(&mut kept).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&kept).into_owned()
}

/// Turns the error of a library that got no memory into an exceeded limit on memory. Such an error
/// names only the purpose of the memory.
fn recognise_lack_of_memory(error: LoadError, step: &str, limits: LoadingLimits) -> LoadError {
    match &error {
        LoadError::Fault { detail, .. } | LoadError::Invalid(detail)
            if detail.contains(NO_MEMORY) =>
        {
            LoadError::Exhausted {
                step: step.to_owned(),
                resource: Resource::Memory(limits.memory),
            }
        }
        _ => error,
    }
}

/// Returns the error for a process that ended without an answer.
fn error_of_death(
    status: ExitStatus,
    last_words: &str,
    step: &str,
    limits: LoadingLimits,
) -> LoadError {
    let says = |words: &str| last_words.contains(words);
    let resource = if says("has overflowed its stack") {
        Resource::Stack
    } else if says("memory allocation of") || says(NO_MEMORY) {
        Resource::Memory(limits.memory)
    } else if status.signal() == Some(Signal::XCPU.as_raw()) {
        Resource::Processor(limits.processor)
    } else if let Some(signal) = status.signal() {
        Resource::Signal(signal)
    } else {
        // It could not begin: for example, the system did not let it set its limits.
        return LoadError::Fault {
            step: step.to_owned(),
            detail: format!("its process gave up: {}", last_words.trim()),
        };
    };
    LoadError::Exhausted {
        step: step.to_owned(),
        resource,
    }
}
