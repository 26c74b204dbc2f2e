//! Stages of the relay's life, and the requests that it answers in each.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::runtime::Runtime;
use crate::asker::Asker;
use crate::audit;
use crate::code::Code;
use crate::error::OperationError;
use crate::operation::Operation;
use crate::wire::{Received, Reply};

/// Stage of the relay's life.
enum Stage {
    /// The relay starts, and is at this step.
    Starting(String),
    /// The relay runs and executes all requests.
    Running(Box<Runtime>),
    /// The relay drains, and executes all requests except those that would activate something.
    Stopping(Box<Runtime>),
}

/// Handler of requests from the first step of the start to the end of the process. Clones share
/// their state.
#[derive(Clone)]
pub struct RequestHandler(Arc<ArcSwap<Stage>>);

impl RequestHandler {
    /// Makes the handler of a relay that is at the first step of its start.
    pub fn starting(step: &str) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(Stage::Starting(
            step.to_owned(),
        ))))
    }

    /// Records the current step of the start.
    pub fn step(&self, step: impl Into<String>) {
        self.0.store(Arc::new(Stage::Starting(step.into())));
    }

    /// Records that the relay runs; requests are executed from now on.
    pub fn running(&self, runtime: Runtime) {
        self.0.store(Arc::new(Stage::Running(Box::new(runtime))));
    }

    /// Records that the relay drains.
    pub fn stopping(&self) {
        if let Stage::Running(runtime) = &**self.0.load() {
            self.0.store(Arc::new(Stage::Stopping(runtime.clone())));
        }
    }

    /// Answers a request.
    pub(crate) async fn answer<O: Operation>(
        &self,
        received: Received,
        asker: &Asker,
    ) -> Reply<O::Answer> {
        let executed = async {
            let request: O = received.request()?;
            self.execute(request, asker).await
        };
        executed.await.map_or_else(Reply::Error, Reply::Answer)
    }

    /// Executes an operation. If it changes something, it is in the audit log afterwards.
    ///
    /// # Errors
    /// The relay is starting, or stops and the operation would activate something; or those of the
    /// operation.
    pub async fn execute<O: Operation>(
        &self,
        request: O,
        asker: &Asker,
    ) -> Result<O::Answer, OperationError> {
        audit::perform(request, &self.runtime::<O>()?, asker).await
    }

    /// Returns what the running relay works on, for looking at it.
    ///
    /// # Errors
    /// The relay is starting.
    pub fn running_relay(&self) -> Result<Runtime, OperationError> {
        match &**self.0.load() {
            Stage::Starting(step) => Err(is_starting(step)),
            Stage::Running(runtime) | Stage::Stopping(runtime) => Ok((**runtime).clone()),
        }
    }

    /// Returns the store and the policies on which an operation is executed.
    fn runtime<O: Operation>(&self) -> Result<Runtime, OperationError> {
        match &**self.0.load() {
            Stage::Starting(step) => Err(is_starting(step)),
            Stage::Stopping(_) if O::ACTIVATES => Err(OperationError::new(
                Code::RelayStopping,
                "the relay is stopping: it finishes what it has in hand and activates nothing else",
            )),
            Stage::Running(runtime) | Stage::Stopping(runtime) => Ok((**runtime).clone()),
        }
    }
}

fn is_starting(step: &str) -> OperationError {
    let text = format!("the relay is starting: {step}");
    OperationError::new(Code::RelayStarting, text)
}
