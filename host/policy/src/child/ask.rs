//! The relay's end: starts the process, hands it the module, and says what came of it or what
//! became of it.

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

use super::frames::{Kind, length, read_frame};
use super::logged;
use super::{LoadingLimits, Program};

/// Octets that are kept of what the process writes as its last words.
const LAST_WORDS: u64 = 16 << 10;

/// The system's words for what it has no memory for.
const NO_MEMORY: &str = "Cannot allocate memory";

/// Threads that compile.
const THREADS: &str = "2";

/// Has a module prepared by a process of its own, which ends when this ends or is dropped.
pub(crate) async fn ask(
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
    // All that it was for is said. It may have ended already.
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
        // Nothing of the relay's secrets is in there, whatever its own environment says.
        .env_clear()
        .env("RAYON_NUM_THREADS", THREADS)
        // What ends the relay from its terminal is for the relay to hear.
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
    // Kept until the answer is there: when it is closed, the process ends.
    let mut stdin = child.stdin.take().ok_or_else(lost)?;
    let stdout = child.stdout.take().ok_or_else(lost)?;
    let stderr = child.stderr.take().ok_or_else(lost)?;
    let ((), answer, last_words) = tokio::join!(
        tell(&mut stdin, job, module),
        hear(stdout, &job.policy, step, limits),
        last_words(stderr),
    );
    if let Some(answer) = answer? {
        return Ok(answer);
    }
    let status = child.wait().await?;
    tracing::debug!(%status, last_words, "the process that loads a module has died");
    Ok(Err(became(status, &last_words, step, limits)))
}

/// Hands over job and module. A process that does not take them is dead or dying, and that shows.
async fn tell(stdin: &mut ChildStdin, job: &Job, module: &[u8]) {
    let told = async {
        let job = serde_json::to_vec(job)?;
        for piece in [job.as_slice(), module] {
            stdin.write_all(&length(piece)?).await?;
            stdin.write_all(piece).await?;
        }
        stdin.flush().await
    };
    if let Err(error) = told.await {
        tracing::debug!(%error, "a module was not taken by the process that loads it");
    }
}

/// Hears what it says; `None` if it ends before the answer. Closes the pipe behind it, so that
/// nobody is left writing to it.
async fn hear(
    mut stdout: ChildStdout,
    policy: &str,
    step: &mut String,
    limits: LoadingLimits,
) -> io::Result<Option<Result<Prepared, LoadError>>> {
    let mut inspected: Option<Inspection> = None;
    while let Some((kind, octets)) = read_frame(&mut stdout, limits.code).await? {
        match kind {
            Kind::Step => *step = String::from_utf8_lossy(&octets).into_owned(),
            Kind::Log => logged::log(policy, &String::from_utf8_lossy(&octets)),
            Kind::Refused => {
                let error = serde_json::from_slice(&octets)?;
                return Ok(Some(Err(for_want_of_memory(error, step, limits))));
            }
            Kind::Inspection => inspected = Some(serde_json::from_slice(&octets)?),
            Kind::Code => {
                let code = Code::from_child(octets);
                let prepared = inspected.map(|inspection| Prepared { inspection, code });
                return Ok(prepared.map(Ok));
            }
        }
    }
    Ok(None)
}

/// Reads all that it complains of, and keeps the beginning.
async fn last_words(mut stderr: ChildStderr) -> String {
    let mut kept = Vec::new();
    // What there is of them is enough, if they cannot be read to the end.
    let _ = (&mut stderr).take(LAST_WORDS).read_to_end(&mut kept).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&kept).into_owned()
}

/// Where a library has told of memory that it did not get, it has told of what it needed it for.
fn for_want_of_memory(error: LoadError, step: &str, limits: LoadingLimits) -> LoadError {
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

/// Why it has ended without an answer.
fn became(status: ExitStatus, last_words: &str, step: &str, limits: LoadingLimits) -> LoadError {
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
        // It could not begin, as where the system does not let it set its limits.
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
