//! Validation of a policy's settings against the schema that its module supplies.
//!
//! The schema is not trusted, and a validator follows it without bound: a few lines of references
//! that double at each step can take hours. So its size is limited, and so is the processor time.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

use crate::error::{LoadError, Resource};

/// Limit on the schema of a module's settings, in bytes.
pub const LONGEST_SCHEMA: usize = 256 << 10;

/// Limit on the processor time for checking settings against a schema.
pub const VALIDATION: Duration = Duration::from_secs(2);

/// Name of the check in errors.
pub(crate) const STEP: &str = "checking its settings against its schema";

/// Number of problems that are reported; others show once these are mended.
const MAX_PROBLEMS: usize = 20;

/// Stack of the validator's thread, in bytes: schemas and settings may be nested.
const STACK: usize = 8 << 20;

/// Interval at which the processor time is compared with its limit.
const POLL: Duration = Duration::from_millis(20);

/// Checks settings against the module's own schema; the error has the path of each problem.
///
/// `within` limits the processor time of the whole process, and a thread that exceeds it is left
/// running. Both are right only in a process that does nothing else and ends with the answer, so
/// a limit is given only there.
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
    thread.map_err(|error| schema_fault(error.to_string()))?;
    loop {
        match answered.recv_timeout(POLL) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(schema_fault("the validator panicked".into()));
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

fn schema_fault(detail: String) -> LoadError {
    LoadError::Fault {
        step: "reading its settings' schema".into(),
        detail,
    }
}

fn parse(text: &str) -> Result<Value, LoadError> {
    serde_json::from_str(text).map_err(|error| schema_fault(error.to_string()))
}

/// Returns the processor time of this process, all threads together.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn validate(schema: &Value, settings: &Value) -> Result<(), LoadError> {
    let validator =
        jsonschema::validator_for(schema).map_err(|error| schema_fault(error.to_string()))?;
    let problems: Vec<String> = validator
        .iter_errors(settings)
        .take(MAX_PROBLEMS)
        .map(|error| problem(&error, settings))
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(LoadError::Settings { problems })
    }
}

/// Describes one problem, with its JSON path in front.
fn problem(error: &ValidationError<'_>, settings: &Value) -> String {
    let path = error.instance_path().to_string();
    let place = if path.is_empty() { "/" } else { &path };
    match (error.kind(), settings.pointer(&path)) {
        // Where the schema allows nothing, the validator's error names the value and not the key.
        (ValidationErrorKind::FalseSchema, Some(Value::Object(object))) => {
            let keys: Vec<_> = object.keys().map(|key| format!("'{key}'")).collect();
            format!(
                "{place}: no setting is allowed here (found {})",
                keys.join(", ")
            )
        }
        _ => format!("{place}: {error}"),
    }
}
