//! All operations: the name of each, its request, its answer and the function that executes it.

use std::future::Future;

use gatepost_policy_set::Swap;
use gatepost_spool::{Changed, KnownMachine, Summary};
use gatepost_trace::Event;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::OperationError;
use crate::machines::{self, ForgetMachine, ListMachines};
use crate::message::MessageDetails;
use crate::policies::{self, ActivateModule, ListPolicies, PolicyStatus, RollBack};
use crate::quarantine::{
    self, DeleteQuarantined, ListQuarantine, ReleaseQuarantined, ShowQuarantined,
};
use crate::queue::{
    self, CancelRecipients, HoldRecipients, ListQueue, ReleaseRecipients, RetryRecipients,
    ShowQueued,
};
use crate::reload::{self, Reload, Reloaded};
use crate::runtime::Runtime;
use crate::socket::{Received, Reply};
use crate::stage::RequestHandler;
use crate::trace::{self, ShowTrace};

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
                $call
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
    "queue-list": ListQueue => Vec<Summary>,
        |on, asked| queue::list(&*on.queue, asked).await;
    "queue-show": ShowQueued => MessageDetails,
        |on, asked| queue::show(&*on.queue, asked).await;
    "queue-retry": RetryRecipients => Changed,
        |on, asked| queue::retry(&*on.queue, &on.trace, asked).await;
    "queue-cancel": CancelRecipients => Changed,
        |on, asked| queue::cancel(&*on.queue, &on.trace, asked).await;
    "queue-hold": HoldRecipients => Changed,
        |on, asked| queue::hold(&*on.queue, &on.trace, asked).await;
    "queue-release": ReleaseRecipients => Changed,
        |on, asked| queue::release(&*on.queue, &on.trace, asked).await;
    "quarantine-list": ListQuarantine => Vec<Summary>,
        |on, asked| quarantine::list(&*on.queue, asked).await;
    "quarantine-show": ShowQuarantined => MessageDetails,
        |on, asked| quarantine::show(&*on.queue, asked).await;
    "quarantine-release": ReleaseQuarantined => (),
        |on, asked| quarantine::release(&*on.queue, &on.trace, asked).await;
    "quarantine-delete": DeleteQuarantined => (),
        |on, asked| quarantine::delete(&*on.queue, &on.trace, asked).await;
    "trace": ShowTrace => Vec<Event>,
        |on, asked| trace::show(&on.trace, asked).await;
    "machine-list": ListMachines => Vec<KnownMachine>,
        |on, asked| Ok(machines::list(&*on.counters, &on.directory, asked));
    "machine-forget": ForgetMachine => (),
        |on, asked| machines::forget(&*on.counters, &on.directory, asked).await;
    "policy-list": ListPolicies => Vec<PolicyStatus>,
        |on, asked| Ok(policies::list(on.running_policies()?, asked));
    "policy-activate" (ACTIVATES): ActivateModule => Swap,
        |on, asked| policies::activate(on.running_policies()?, asked).await;
    "policy-rollback" (ACTIVATES): RollBack => Swap,
        |on, asked| policies::roll_back(on.running_policies()?, asked).await;
    "reload" (ACTIVATES): Reload => Reloaded,
        |on, asked| reload::reload(on.reload.as_ref(), asked).await;
}
