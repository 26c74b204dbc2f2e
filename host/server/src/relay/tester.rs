//! Tests and authorizations of connections by the ways of the running relay.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use gatepost_connections::FoundConnection;
use gatepost_delivery::OpeningTerms;
use gatepost_operations::authorizations::{ConnectionAuthorizer, ConsentPrompt, ShowPrompt};
use gatepost_operations::connections::{SessionTester, TestRefusal, TestedSession};
use gatepost_operations::{Code, OperationError};
use gatepost_routing::{NotAuthorized, Trial, Ways};

/// Authorizer of connections.
pub(super) struct Authorizer(pub(super) Arc<Ways>);

impl fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizer").finish_non_exhaustive()
    }
}

impl ConnectionAuthorizer for Authorizer {
    fn authorize<'a>(
        &'a self,
        found: &'a FoundConnection,
        show: ShowPrompt,
    ) -> Pin<Box<dyn Future<Output = Result<(), OperationError>> + Send + 'a>> {
        Box::pin(async move {
            let authorized = self.0.authorize(found, |prompt| {
                show(ConsentPrompt {
                    page: prompt.page,
                    code: prompt.code,
                    valid_for: prompt.valid_for,
                });
            });
            authorized.await.map_err(|error| {
                let code = match &error {
                    NotAuthorized::Refused(_) => Code::NotAuthorized,
                    _ => Code::InvalidConnection,
                };
                OperationError::new(code, error)
            })
        })
    }
}

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
