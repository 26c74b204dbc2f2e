//! One call of one hook: a fresh store from the configured snapshot, the guest's answer or the
//! fault, and nothing left behind.

use std::time::{Duration, Instant};

use gatepost_model::{Decision, Fault, FaultKind};
use wasmtime::component::{ComponentNamedList, Lift, Lower, Resource, TypedFunc};
use wasmtime::{Store, UpdateDeadline};

use crate::budget::Allowance;
use crate::definition::Limits;
use crate::engine::{Engine, TICK};
use crate::host::{CallState, DecisionHandle, MessageHandle, Stop, View};
use crate::version::{Hook, Loaded};

/// What came of a call.
pub(crate) struct Called<R> {
    pub(crate) answer: Result<(R, Decision), Fault>,
    pub(crate) micros: u64,
    /// Ticks of the engine's clock during which it ran.
    pub(crate) slices: u32,
    /// What of the transaction's budget it has left.
    pub(crate) left: Allowance,
    /// The fault is that of the message, not of the version.
    pub(crate) is_messages_fault: bool,
}

impl<R> Called<R> {
    /// It was not called.
    pub(crate) fn not_made(fault: Fault) -> Self {
        Self {
            answer: Err(fault),
            micros: 0,
            slices: 0,
            left: Allowance::default(),
            is_messages_fault: false,
        }
    }
}

impl<R> Called<R> {
    /// Goes on with the answer where there is one; what is wrong with it is a fault.
    pub(crate) fn and_then<T>(
        self,
        check: impl FnOnce(R, &Decision) -> Result<T, Fault>,
    ) -> Called<T> {
        let answer =
            (self.answer).and_then(|(answer, decision)| Ok((check(answer, &decision)?, decision)));
        Called {
            answer,
            micros: self.micros,
            slices: self.slices,
            left: self.left,
            is_messages_fault: self.is_messages_fault,
        }
    }
}

/// A deadline in ticks of the engine's clock.
pub(crate) fn ticks(deadline: Duration) -> u32 {
    u32::try_from(deadline.as_nanos() / TICK.as_nanos()).unwrap_or(u32::MAX)
}

/// The handle of the call's one message. There is only one, so its number says nothing.
pub(crate) fn message_handle() -> Resource<MessageHandle> {
    Resource::new_borrow(0)
}

/// The handle of the call's one decision.
pub(crate) fn decision_handle() -> Resource<DecisionHandle> {
    Resource::new_borrow(0)
}

/// A store with every limit set: memory and tables by its limiter, time by the epoch, octets
/// towards the host by their own fuel.
pub(crate) fn store(engine: &Engine, limits: Limits, view: View) -> Store<CallState> {
    let mut store = Store::new(&engine.wasm, CallState::new(limits, view));
    store.limiter(|state| state);
    store.set_hostcall_fuel(limits.hostcall_bytes);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        let state = store.data_mut();
        state.slices += 1;
        // Slices of its own running, not the time of the day: on a busy machine a call must not
        // fail because others were served.
        if TICK * state.slices > state.limits.deadline {
            return Err(Stop::Deadline(state.limits.deadline).into());
        }
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

/// Calls `hook` in a fresh store. `R` is the list of its results, empty for the outcome hook.
pub(crate) async fn call<P, R>(
    engine: &Engine,
    loaded: &Loaded,
    hook: Hook,
    limits: Limits,
    view: View,
    parameters: P,
) -> Called<R>
where
    P: ComponentNamedList + Lower + Send + Sync,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
{
    let begun = Instant::now();
    let _clock = engine.run_clock();
    let mut store = store(engine, limits, view);
    let answer = async {
        let instance = loaded.pre.instantiate_async(&mut store).await?;
        let function: TypedFunc<P, R> =
            instance.get_typed_func(&mut store, loaded.export(hook)?)?;
        function.call_async(&mut store, parameters).await
    }
    .await;
    let state = store.into_data();
    let (slices, left) = (state.slices, state.left);
    Called {
        answer: answer
            .map(|answer| (answer, state.decided()))
            .map_err(|error| fault(&error)),
        micros: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        slices,
        left,
        is_messages_fault: false,
    }
}

/// What kind of fault an error is, and what it says.
pub(crate) fn fault(error: &wasmtime::Error) -> Fault {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        let kind = match stop {
            Stop::Deadline(_) => FaultKind::Deadline,
            Stop::Limit(_) => FaultKind::Limit,
            Stop::Answer(_) => FaultKind::Answer,
            Stop::Budget(_) => FaultKind::Budget,
        };
        return Fault {
            kind,
            detail: stop.to_string(),
        };
    }
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        return Fault {
            kind: FaultKind::Overload,
            detail: "every instance is in use".into(),
        };
    }
    if let Some(trap) = error.downcast_ref::<wasmtime::Trap>() {
        return Fault {
            kind: FaultKind::Trap,
            detail: trap.to_string(),
        };
    }
    let detail = error.root_cause().to_string();
    // The fuel for octets towards the host has no type of its own.
    let kind = if detail.contains("fuel") {
        FaultKind::Limit
    } else {
        FaultKind::Trap
    };
    Fault { kind, detail }
}
