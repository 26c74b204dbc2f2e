//! Tests of connections: a session by the ways of the running relay.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use gatepost_connections::FoundConnection;
use gatepost_delivery::OpeningTerms;
use gatepost_operations::connections::{SessionTester, TestRefusal, TestedSession};
use gatepost_routing::{Trial, Ways};

/// Tester of connections.
pub(super) struct Tester<T> {
    pub(super) ways: Arc<Ways>,
    /// Tells the terms of the active settings.
    pub(super) terms: T,
}

impl<T> fmt::Debug for Tester<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tester").finish_non_exhaustive()
    }
}

impl<T: Fn() -> OpeningTerms + Send + Sync> SessionTester for Tester<T> {
    fn test<'a>(
        &'a self,
        found: &'a FoundConnection,
    ) -> Pin<Box<dyn Future<Output = TestedSession> + Send + 'a>> {
        Box::pin(async {
            let Trial { dialogue, refusal } =
                self.ways.try_connection(found, &(self.terms)()).await;
            let refusal = refusal.map(|refusal| TestRefusal {
                stage: refusal.stage,
                reply: refusal.reply,
                words: refusal.words,
                is_permanent: refusal.is_permanent,
            });
            TestedSession { dialogue, refusal }
        })
    }
}
