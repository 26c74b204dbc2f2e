//! The child's side: the loading process.

use std::io::{self, Read as _, Stdout, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use crate::cache::Code;
use crate::engine::{Engine, EngineSettings};
use crate::error::LoadError;
use crate::prepare::{self, Job, Prepared};
use crate::version::Compiled;
use parking_lot::Mutex;

use super::LoadingLimits;
use super::confine::confine;
use super::frames::{FrameKind, read_piece, write_frame};
use super::logged::LogSender;

/// Stack on which a module is read and compiled, in bytes.
const STACK: usize = 16 << 20;

/// Stack on which the code is tried, in bytes: half of the stack on which the relay will use it.
const TRIAL_STACK: usize = 1 << 20;

/// Loads the module that comes over standard input and writes the result to standard output. This
/// is the work of the hidden command that a [`super::Program`] names.
pub fn serve(limits: LoadingLimits) -> ExitCode {
    match try_serve(limits) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If the relay has gone, nobody reads this.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn try_serve(limits: LoadingLimits) -> io::Result<()> {
    confine(limits)?;
    let mut input = io::stdin().lock();
    let job: Job = serde_json::from_slice(&read_piece(&mut input)?)?;
    let module = read_piece(&mut input)?;
    drop(input);
    thread::Builder::new().spawn(end_with_the_relay)?;
    let output = Arc::new(Output(Mutex::new(io::stdout())));
    let send = Arc::clone(&output);
    let logged = LogSender {
        send: Arc::new(move |line: &str| send.frame(FrameKind::Log, line.as_bytes())),
        lines: 0.into(),
    };
    tracing::subscriber::set_global_default(logged).map_err(io::Error::other)?;
    let steps = Arc::clone(&output);
    let work = move || {
        load(&job, &module, &move |step| {
            steps.frame(FrameKind::Step, step.as_bytes())
        })
    };
    let loaded = thread::Builder::new().stack_size(STACK).spawn(work)?;
    let loaded = loaded.join().unwrap_or_else(|panic| {
        let detail = panic.downcast_ref::<String>().cloned();
        let detail = detail.or_else(|| Some((*panic.downcast_ref::<&str>()?).to_owned()));
        Err(LoadError::Fault {
            step: "loading".into(),
            detail: detail.unwrap_or_else(|| "it panicked".to_owned()),
        })
    });
    match loaded {
        Ok(Prepared { inspection, code }) => {
            output.frame(FrameKind::Inspection, &serde_json::to_vec(&inspection)?);
            output.frame(FrameKind::Code, code.bytes());
        }
        Err(error) => {
            let error = serde_json::to_vec(&error.bounded())?;
            output.frame(FrameKind::Refused, &error);
        }
    }
    Ok(())
}

/// Ends this process when the relay closes its end of the pipe: it keeps the pipe open for as long
/// as it wants the answer.
fn end_with_the_relay() {
    // The relay never sends another byte. An error means the same as the end.
    let _ = io::stdin().read(&mut [0]);
    std::process::exit(1);
}

struct Output(Mutex<Stdout>);

impl Output {
    fn frame(&self, kind: FrameKind, bytes: &[u8]) {
        let mut output = self.0.lock();
        if write_frame(&mut *output, kind, bytes).is_err() {
            // The relay has gone, or no longer wants the answer.
            std::process::exit(1);
        }
    }
}

fn load(
    job: &Job,
    module: &[u8],
    on_step: &(dyn Fn(&'static str) + Sync),
) -> Result<Prepared, LoadError> {
    let fault = |detail: String| LoadError::Fault {
        step: "preparing to load it".into(),
        detail,
    };
    let engine = Engine::new(EngineSettings {
        instances: 2,
        ..EngineSettings::default()
    });
    let engine = engine.map_err(|error| fault(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| fault(error.to_string()))?;
    let prepared = runtime.block_on(prepare::prepare(&engine, job, module, on_step))?;
    if job.settings.is_none() {
        return Ok(prepared);
    }
    on_step("taking its code");
    try_code(&engine, prepared.code).map(|code| Prepared { code, ..prepared })
}

/// Takes the code as the relay will, so that a failure happens in this process and not there.
fn try_code(engine: &Arc<Engine>, code: Code) -> Result<Code, LoadError> {
    let engine = Arc::clone(engine);
    let tried = thread::Builder::new()
        .stack_size(TRIAL_STACK)
        .spawn(move || Compiled::from_code(&engine, &code).map(|_| code));
    let tried = tried.map(thread::JoinHandle::join);
    let fault = |detail: &str| LoadError::Fault {
        step: "taking its code".into(),
        detail: detail.to_owned(),
    };
    match tried {
        Ok(Ok(tried)) => tried,
        Ok(Err(_)) => Err(fault("it panicked")),
        Err(error) => Err(fault(&error.to_string())),
    }
}
