//! One call of one hook: a fresh store from the configured snapshot, the guest's answer or a
//! fault. Nothing is left behind.

use std::time::{Duration, Instant};

use gatepost_model::{Decision, Fault, FaultKind, Plan};
use wasmtime::component::{ComponentNamedList, Lift, Lower, Resource, TypedFunc};
use wasmtime::{Store, UpdateDeadline};

use crate::budget::Allowance;
use crate::definition::Limits;
use crate::engine::{Engine, TICK};
use crate::host::{Abort, CallState, CallView, DecisionHandle, MessageHandle};
use crate::observation::HOOK_TARGET;
use crate::version::{Hook, Loaded};

/// Result of a call: the answer and decision, or the fault.
pub(crate) struct CallResult<R> {
    pub(crate) answer: Result<(R, Decision), Fault>,
    /// Plans that the call has begun, by number.
    pub(crate) plans: Vec<Plan>,
    pub(crate) micros: u64,
    /// Ticks of the engine's clock during which it ran.
    pub(crate) slices: u32,
    /// Octets that it wrote to the log, or would have written.
    pub(crate) logged: u64,
    /// Rest of the transaction's budget after the call.
    pub(crate) left: Allowance,
    /// True if the fault is attributed to the message, not to the version.
    pub(crate) is_messages_fault: bool,
}

impl<R> CallResult<R> {
    /// Makes the result of a call that was not made.
    pub(crate) fn not_called(fault: Fault) -> Self {
        Self {
            answer: Err(fault),
            plans: Vec::new(),
            micros: 0,
            slices: 0,
            logged: 0,
            left: Allowance::default(),
            is_messages_fault: false,
        }
    }
}

impl<R> CallResult<R> {
    /// Checks and converts the answer, if there is one; an error of `check` is a fault.
    pub(crate) fn and_then<T>(
        self,
        check: impl FnOnce(R, &Decision) -> Result<T, Fault>,
    ) -> CallResult<T> {
        let answer =
            (self.answer).and_then(|(answer, decision)| Ok((check(answer, &decision)?, decision)));
        CallResult {
            answer,
            plans: self.plans,
            micros: self.micros,
            slices: self.slices,
            logged: self.logged,
            left: self.left,
            is_messages_fault: self.is_messages_fault,
        }
    }
}

/// Converts a deadline to ticks of the engine's clock.
pub(crate) fn ticks(deadline: Duration) -> u32 {
    u32::try_from(deadline.as_nanos() / TICK.as_nanos()).unwrap_or(u32::MAX)
}

/// Returns the handle of the call's message. There is only one, so its number does not matter.
pub(crate) fn message_handle() -> Resource<MessageHandle> {
    Resource::new_borrow(0)
}

/// Returns the handle of the call's decision.
pub(crate) fn decision_handle() -> Resource<DecisionHandle> {
    Resource::new_borrow(0)
}

/// Makes a store with every limit set: memory and tables by its limiter, time by the epoch, bytes
/// towards the host by their own fuel.
pub(crate) fn store(engine: &Engine, limits: Limits, view: CallView) -> Store<CallState> {
    let mut store = Store::new(&engine.wasm, CallState::new(limits, view));
    store.limiter(|state| state);
    store.set_hostcall_fuel(limits.hostcall_bytes);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        let state = store.data_mut();
        state.slices += 1;
        // Counts the slices in which the call ran, not the elapsed time: on a busy machine a call
        // must not fail because others were served.
        if TICK * state.slices > state.limits.deadline {
            return Err(Abort::Deadline(state.limits.deadline).into());
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
    view: CallView,
    parameters: P,
) -> CallResult<R>
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
    let mut state = store.into_data();
    tracing::trace!(target: HOOK_TARGET, memory = state.memory_peak as u64);
    let (slices, logged, left) = (state.slices, state.logged, state.left);
    let plans = std::mem::take(&mut state.plans);
    CallResult {
        answer: answer
            .map(|answer| (answer, state.into_decision()))
            .map_err(|error| fault(&error)),
        plans,
        micros: running_time(begun.elapsed(), slices),
        slices,
        logged,
        left,
        is_messages_fault: false,
    }
}

/// Returns the running time of a call in microseconds: not the time in which others were served.
/// Between two ticks it has run for one tick at most.
fn running_time(elapsed: Duration, slices: u32) -> u64 {
    let most = TICK.saturating_mul(slices.saturating_add(1));
    u64::try_from(elapsed.min(most).as_micros()).unwrap_or(u64::MAX)
}

/// Converts an error of wasmtime to a fault.
pub(crate) fn fault(error: &wasmtime::Error) -> Fault {
    if let Some(abort) = error.downcast_ref::<Abort>() {
        let kind = match abort {
            Abort::Deadline(_) => FaultKind::Deadline,
            Abort::Limit(_) => FaultKind::Limit,
            Abort::Answer(_) => FaultKind::Answer,
            Abort::Budget(_) => FaultKind::Budget,
        };
        return Fault {
            kind,
            detail: abort.to_string(),
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
    // wasmtime has no error type for the fuel of bytes towards the host.
    let kind = if detail.contains("fuel") {
        FaultKind::Limit
    } else {
        FaultKind::Trap
    };
    Fault { kind, detail }
}
