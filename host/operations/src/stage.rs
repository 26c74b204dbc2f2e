//! How far the relay is with its life, as operators are told.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::execute::execute;
use super::protocol::{Request, Response};
use super::runtime::Runtime;

/// What requests meet.
enum Stage {
    /// The relay starts, and this is what it is at.
    Starting(String),
    /// They are executed.
    Running(Box<Runtime>),
    /// They are executed, but for those that would put something in use.
    Stopping(Box<Runtime>),
}

/// Answers requests from the first step of the start to the end of the process. Clones are the
/// same one.
#[derive(Clone)]
pub struct Counter(Arc<ArcSwap<Stage>>);

impl Counter {
    /// That of a relay whose first step this is.
    pub fn starting(step: &str) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(Stage::Starting(
            step.to_owned(),
        ))))
    }

    /// The relay is at another step of its start.
    pub fn step(&self, step: impl Into<String>) {
        self.0.store(Arc::new(Stage::Starting(step.into())));
    }

    /// The relay runs.
    pub fn running(&self, runtime: Runtime) {
        self.0.store(Arc::new(Stage::Running(Box::new(runtime))));
    }

    /// The relay finishes what it has in hand.
    pub fn stopping(&self) {
        if let Stage::Running(runtime) = &**self.0.load() {
            self.0.store(Arc::new(Stage::Stopping(runtime.clone())));
        }
    }

    /// Answers a request.
    pub(super) async fn answer(&self, request: Request) -> Response {
        let stage = self.0.load_full();
        match &*stage {
            Stage::Starting(step) => Response::Starting(step.clone()),
            Stage::Stopping(_) if puts_in_use(&request) => Response::Failed(
                "the relay is stopping: it finishes what it has in hand and puts nothing else in use"
                    .to_owned(),
            ),
            Stage::Running(runtime) | Stage::Stopping(runtime) => execute(runtime, request).await,
        }
    }
}

/// Whether a request changes what the running relay works by, and not what is in its store.
fn puts_in_use(request: &Request) -> bool {
    matches!(
        request,
        Request::Reload { .. } | Request::PolicyActivate { .. } | Request::PolicyRollback { .. }
    )
}
