//! The listener of an observation: a subscriber that keeps what is told of hooks and host calls,
//! and hands everything else on to the subscriber around it.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Metadata, Subscriber};

use super::reading::{Cut, read};
use super::{HOOK_TARGET, HOST_CALL_TARGET, HostCall, HostValue, MAX_CALLS, ObservedCall};

/// Bytes of all values of one observation.
const MAX_OCTETS: usize = 16 << 20;

/// Number of hooks' calls of one observation.
const MAX_HOOKS: usize = 100_000;

/// Id of the span of a host call. Host calls do not nest, and the subscriber around counts up.
const SPAN: u64 = u64::MAX;

/// Detail in which host calls are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Arguments and answers.
    All,
    /// Their number alone.
    Number,
}

/// Subscriber of one observation.
pub(super) struct HostCallCollector {
    around: Dispatch,
    detail: Detail,
    observed: Arc<Observed>,
}

/// Calls that an observation has seen so far.
#[derive(Default)]
pub(super) struct Observed(Mutex<State>);

#[derive(Default)]
struct State {
    hooks: Vec<ObservedCall>,
    /// True while a version is tried.
    trial: bool,
    /// Host call that has begun, with the time at which the host began.
    begun: Option<(HostCall, Instant)>,
    octets: usize,
}

impl Observed {
    /// Returns the calls.
    pub(super) fn take(&self) -> Vec<ObservedCall> {
        std::mem::take(&mut self.0.lock().hooks)
    }
}

impl State {
    fn hook(&mut self) -> Option<&mut ObservedCall> {
        self.hooks.last_mut().filter(|_| !self.trial)
    }

    /// Returns true if there is room for another host call; counts it if not.
    fn has_room(&mut self, detail: Detail) -> bool {
        let full = detail == Detail::Number || self.octets >= MAX_OCTETS;
        let Some(hook) = self.hook() else {
            return false;
        };
        if full || hook.host_calls.len() >= MAX_CALLS {
            hook.more_host_calls += 1;
            return false;
        }
        true
    }

    fn began(&mut self, span: SpanNames, detail: Detail) {
        self.begun = self.has_room(detail).then(|| {
            let call = HostCall {
                interface: span.interface,
                function: span.function,
                arguments: Vec::new(),
                answer: HostValue::Nothing,
                nanos: 0,
            };
            (call, Instant::now())
        });
    }

    /// Adds the arguments, or the answer of the host call that has begun.
    fn told(&mut self, told: &Event<'_>) {
        let Some((mut call, since)) = self.begun.take() else {
            return;
        };
        let nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut fields = Fields::default();
        told.record(&mut fields);
        self.octets += fields.octets;
        if !fields.ended {
            call.arguments = fields.values;
            self.begun = Some((call, Instant::now()));
            return;
        }
        call.nanos = nanos;
        if let Some((_, answer)) = fields.values.into_iter().next() {
            call.answer = answer;
        }
        if let Some(hook) = self.hook() {
            hook.host_calls.push(call);
        }
    }

    /// Notes the begin or the end of a hook's call.
    fn hook_told(&mut self, told: &Event<'_>) {
        let mut of = HookFields::default();
        told.record(&mut of);
        if let Some(memory) = of.memory {
            if let Some(hook) = self.hook() {
                hook.memory = usize::try_from(memory).unwrap_or(usize::MAX);
            }
            return;
        }
        self.trial = of.trial || self.hooks.len() >= MAX_HOOKS;
        if !self.trial {
            self.hooks.push(ObservedCall {
                policy: of.policy,
                hook: of.hook,
                ..ObservedCall::default()
            });
        }
    }
}

impl HostCallCollector {
    pub(super) fn new(around: Dispatch, detail: Detail) -> (Self, Arc<Observed>) {
        let observed = Arc::<Observed>::default();
        let collector = Self {
            around,
            detail,
            observed: Arc::clone(&observed),
        };
        (collector, observed)
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with(HOST_CALL_TARGET)
}

fn is_our_span(id: &Id) -> bool {
    id.into_u64() == SPAN
}

impl Subscriber for HostCallCollector {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // The subscriber around may change its mind.
        Interest::sometimes()
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(tracing::level_filters::LevelFilter::TRACE)
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_ours(metadata) || self.around.enabled(metadata)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        if !is_ours(span.metadata()) {
            return self.around.new_span(span);
        }
        let mut names = SpanNames::default();
        if self.detail == Detail::All {
            span.record(&mut names);
        }
        self.observed.0.lock().began(names, self.detail);
        Id::from_u64(SPAN)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        if !is_our_span(id) {
            self.around.record(id, values);
        }
    }

    fn record_follows_from(&self, id: &Id, follows: &Id) {
        if !is_our_span(id) && !is_our_span(follows) {
            self.around.record_follows_from(id, follows);
        }
    }

    fn event(&self, event: &Event<'_>) {
        if !is_ours(event.metadata()) {
            return self.around.event(event);
        }
        let mut state = self.observed.0.lock();
        if event.metadata().target() == HOOK_TARGET {
            state.hook_told(event);
        } else {
            state.told(event);
        }
    }

    fn enter(&self, id: &Id) {
        if !is_our_span(id) {
            self.around.enter(id);
        }
    }

    fn exit(&self, id: &Id) {
        if !is_our_span(id) {
            self.around.exit(id);
        }
    }

    fn clone_span(&self, id: &Id) -> Id {
        match is_our_span(id) {
            true => id.clone(),
            false => self.around.clone_span(id),
        }
    }

    fn try_close(&self, id: Id) -> bool {
        !is_our_span(&id) && self.around.try_close(id)
    }
}

/// Names of a host call, from its span.
#[derive(Default)]
struct SpanNames {
    interface: String,
    function: String,
}

impl Visit for SpanNames {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "module" => value.clone_into(&mut self.interface),
            // Behind the module. A method is written `[method]message.header`.
            "function" => match value.rsplit_once(']') {
                None => value.clone_into(&mut self.function),
                Some((kind, name)) => {
                    let (resource, method) = name.split_once('.').unwrap_or((name, "new"));
                    resource.clone_into(&mut self.interface);
                    method.clone_into(&mut self.function);
                    if kind == "[resource-drop" {
                        "drop".clone_into(&mut self.function);
                    }
                }
            },
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// Arguments of a host call, or its answer.
#[derive(Default)]
struct Fields {
    values: Vec<(String, HostValue)>,
    /// True if the call has ended.
    ended: bool,
    octets: usize,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let cut = Cut::of(value);
        match field.name() {
            "message" => self.ended = cut.text() == "return",
            // The handle of a resource.
            "self_" | "self" => {}
            name => {
                self.octets += cut.text().len() + name.len();
                let name = name.trim_start_matches("r#").replace('_', "-");
                self.values.push((name, read(&cut)));
            }
        }
    }
}

/// Fields of a hook's begin and end.
#[derive(Default)]
struct HookFields {
    policy: String,
    hook: String,
    trial: bool,
    memory: Option<u64>,
}

impl Visit for HookFields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "policy" => value.clone_into(&mut self.policy),
            "hook" => value.clone_into(&mut self.hook),
            _ => {}
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "trial" {
            self.trial = value;
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "memory" {
            self.memory = Some(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
