//! Trials of connections for operators, by the ways of the running relay.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use gatepost_connections::FoundConnection;
use gatepost_operations::connections::{SessionTester, TestRefusal, TestedSession};
use gatepost_routing::Ways;

/// Opens sessions by the ways of the relay.
pub(super) struct WaysTester(pub(super) Arc<Ways>);

impl fmt::Debug for WaysTester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaysTester(..)")
    }
}

impl SessionTester for WaysTester {
    fn test<'a>(
        &'a self,
        found: &'a FoundConnection,
    ) -> Pin<Box<dyn Future<Output = TestedSession> + Send + 'a>> {
        Box::pin(async {
            let trial = self.0.try_connection(found).await;
            TestedSession {
                dialogue: trial.dialogue,
                refusal: trial.failure.map(|failure| TestRefusal {
                    stage: failure.stage,
                    reply: failure.reply,
                    words: failure.words,
                    is_permanent: failure.is_permanent,
                }),
            }
        })
    }
}
