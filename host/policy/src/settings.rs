//! A policy's settings beside the schema that its module gives for them.
//!
//! The schema is the module's word, and validators follow it wherever it leads: a few lines of
//! references that double take longer than anybody waits. So the time is limited, in the seconds
//! of the processor, and the size.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

use crate::error::{LoadError, Resource};

/// Octets of the schema of a module's settings.
pub const LONGEST_SCHEMA: usize = 256 << 10;

/// How long the processor may be at work on checking settings against a schema.
pub const VALIDATION: Duration = Duration::from_secs(2);

/// What the check is called where it fails.
pub(crate) const STEP: &str = "checking its settings against its schema";

/// Problems that are said; the rest shows when they are mended.
const SAID: usize = 20;

/// The stack for schemas and settings that are nested.
const STACK: usize = 8 << 20;

/// How often to look whether the time is up.
const LOOK: Duration = Duration::from_millis(20);

/// Checks settings against the module's own schema, with the path of each problem.
///
/// The time is that of the whole process, and a thread that is still at work when it is up is left
/// behind: both are right in a process that does nothing else and ends with the answer, and there
/// alone is the time limited.
pub(crate) fn check(
    schema: &str,
    settings: &str,
    within: Option<Duration>,
) -> Result<(), LoadError> {
    let schema: Value = parse(schema)?;
    let settings: Value = parse(settings)?;
    let (answer, answered) = channel();
    let begun = processor_time();
    let thread = thread::Builder::new()
        .name("settings".into())
        .stack_size(STACK)
        .spawn(move || answer.send(validate(&schema, &settings)));
    thread.map_err(|error| broken(error.to_string()))?;
    loop {
        match answered.recv_timeout(LOOK) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(broken("the validator panicked".into()));
            }
            Err(RecvTimeoutError::Timeout) => {
                let taken = processor_time().saturating_sub(begun);
                if let Some(limit) = within.filter(|limit| taken > *limit) {
                    return Err(LoadError::Exhausted {
                        step: STEP.into(),
                        resource: Resource::Processor(limit),
                    });
                }
            }
        }
    }
}

fn broken(detail: String) -> LoadError {
    LoadError::Fault {
        step: "reading its settings' schema".into(),
        detail,
    }
}

fn parse(text: &str) -> Result<Value, LoadError> {
    serde_json::from_str(text).map_err(|error| broken(error.to_string()))
}

/// Of this process, all threads together.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn validate(schema: &Value, settings: &Value) -> Result<(), LoadError> {
    let validator = jsonschema::validator_for(schema).map_err(|error| broken(error.to_string()))?;
    let problems: Vec<String> = validator
        .iter_errors(settings)
        .take(SAID)
        .map(|error| problem(&error, settings))
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(LoadError::Settings { problems })
    }
}

/// Where in the settings something is wrong, and what.
fn problem(error: &ValidationError<'_>, settings: &Value) -> String {
    let path = error.instance_path().to_string();
    let place = if path.is_empty() { "/" } else { &path };
    match (error.kind(), settings.pointer(&path)) {
        // Where nothing is expected, the error would name the value and not the key.
        (ValidationErrorKind::FalseSchema, Some(Value::Object(object))) => {
            let keys: Vec<_> = object.keys().map(|key| format!("'{key}'")).collect();
            format!(
                "{place}: nothing is to be set here ({} was)",
                keys.join(", ")
            )
        }
        _ => format!("{place}: {error}"),
    }
}
