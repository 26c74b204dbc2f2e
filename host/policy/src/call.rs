//! One call of one hook: a fresh store from the configured snapshot, the guest's answer or the
//! fault, and nothing left behind.

use std::time::Instant;

use wasmtime::component::{ComponentNamedList, Lift, Lower, Resource, TypedFunc};
use wasmtime::{Store, UpdateDeadline};

use crate::decision::{Decision, Fault, FaultKind};
use crate::definition::Limits;
use crate::engine::{Engine, TICK};
use crate::host::{CallState, DecisionHandle, MessageHandle, Stop, View};
use crate::version::{Hook, Loaded};

/// What came of a call.
pub(crate) struct Called<R> {
    pub(crate) answer: Result<(R, Decision), Fault>,
    pub(crate) micros: u64,
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
    let decision = store.into_data().decision;
    Called {
        answer: answer
            .map(|answer| (answer, decision))
            .map_err(|error| fault(&error)),
        micros: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
    }
}

/// What kind of fault an error is, and what it says.
pub(crate) fn fault(error: &wasmtime::Error) -> Fault {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        let kind = match stop {
            Stop::Deadline(_) => FaultKind::Deadline,
            Stop::Limit(_) => FaultKind::Limit,
            Stop::Answer(_) => FaultKind::Answer,
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
