//! All operations: the name of each, its request, its answer and the function that executes it.

use std::future::Future;

use gatepost_spool::{Changed, Summary};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::OperationError;
use crate::message::MessageDetails;
use crate::quarantine::{
    self, DeleteQuarantined, ListQuarantine, ReleaseQuarantined, ShowQuarantined,
};
use crate::queue::{
    self, CancelRecipients, HoldRecipients, ListQueue, ReleaseRecipients, RetryRecipients,
    ShowQueued,
};
use crate::runtime::Runtime;
use crate::socket::{Received, Reply};
use crate::stage::RequestHandler;

/// A request, which has an answer of its own.
pub trait Operation: Serialize + DeserializeOwned + Send + 'static {
    /// Answer to the request.
    type Answer: Serialize + DeserializeOwned + Send;

    /// Name of the operation on the control socket.
    const NAME: &'static str;

    /// True if it changes the configuration or the policies of a running relay, not only its
    /// store. A relay that stops refuses it.
    const ACTIVATES: bool = false;

    /// Executes the operation.
    fn execute(
        self,
        on: &Runtime,
    ) -> impl Future<Output = Result<Self::Answer, OperationError>> + Send;
}

macro_rules! operations {
    ($($name:literal $(($activates:ident))?: $request:ty => $answer:ty,
        |$on:ident, $asked:ident| $call:expr;)*) => {
        $(impl Operation for $request {
            type Answer = $answer;
            const NAME: &'static str = $name;
            $(const $activates: bool = true;)?

            async fn execute(self, $on: &Runtime) -> Result<$answer, OperationError> {
                let $asked = self;
                $call.await
            }
        })*

        /// Names of all operations.
        pub const NAMES: &[&str] = &[$($name),*];

        /// Executes a request that came over the control socket, and returns the reply as JSON.
        pub(crate) async fn answer(
            handler: &RequestHandler,
            received: Received,
        ) -> serde_json::Result<Vec<u8>> {
            match received.operation.as_str() {
                $($name => serde_json::to_vec(&handler.answer::<$request>(received).await),)*
                _ => serde_json::to_vec(&Reply::<()>::Error(received.unknown_operation())),
            }
        }
    };
}

operations! {
    "queue-list": ListQueue => Vec<Summary>, |on, asked| queue::list(&*on.queue, asked);
    "queue-show": ShowQueued => MessageDetails, |on, asked| queue::show(&*on.queue, asked);
    "queue-retry": RetryRecipients => Changed,
        |on, asked| queue::retry(&*on.queue, &on.trace, asked);
    "queue-cancel": CancelRecipients => Changed,
        |on, asked| queue::cancel(&*on.queue, &on.trace, asked);
    "queue-hold": HoldRecipients => Changed,
        |on, asked| queue::hold(&*on.queue, &on.trace, asked);
    "queue-release": ReleaseRecipients => Changed,
        |on, asked| queue::release(&*on.queue, &on.trace, asked);
    "quarantine-list": ListQuarantine => Vec<Summary>,
        |on, asked| quarantine::list(&*on.queue, asked);
    "quarantine-show": ShowQuarantined => MessageDetails,
        |on, asked| quarantine::show(&*on.queue, asked);
    "quarantine-release": ReleaseQuarantined => (),
        |on, asked| quarantine::release(&*on.queue, &on.trace, asked);
    "quarantine-delete": DeleteQuarantined => (),
        |on, asked| quarantine::delete(&*on.queue, &on.trace, asked);
}
