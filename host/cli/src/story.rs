//! The story of one decision: `gatepost policy run`.
//!
//! A message is judged as in `gatepost check`, under observation. The story tells every call of a
//! hook with every call of the host in it, everything that the policy said, the changes of the header
//! section, and what came of it.

mod people;

use gatepost_message::{Edit, FieldName};
use gatepost_model::{Judgement, RecipientVerdict};
use gatepost_policy::observation::{HostCall, ObservedCall};
use serde::{Serialize, Serializer};
use similar::TextDiff;

use crate::check::report::{EditReport, EffectKind, Report, ReportedRoute};
use crate::commands::output;

/// Story of the decision on one message, as `--json` prints it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Story {
    /// The report of `gatepost check`.
    #[serde(flatten)]
    pub(crate) report: Report,
    /// Envelope and circumstances, in one line.
    #[serde(skip)]
    pub(crate) envelope: String,
    /// Calls of hooks, in order.
    pub(crate) calls: Vec<CallStory>,
    /// Changes of the header section, as a diff; empty if there are none.
    pub(crate) header_diff: String,
}

/// One call of a hook of a policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CallStory {
    pub(crate) policy: String,
    digest: String,
    hook: String,
    verdict: &'static str,
    /// Reply of a verdict that refuses, or reason of a quarantine.
    with: Option<String>,
    /// Routing, in the route hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    routing: Option<ReportedRoute>,
    micros: u64,
    /// Largest linear memory in bytes.
    memory: usize,
    host_calls: Vec<HostCallStory>,
    /// Number of host calls that are not told.
    more_host_calls: u64,
    reasons: Vec<String>,
    tags: Vec<String>,
    class: Option<&'static str>,
    reply_allowed: Option<bool>,
    edits: Vec<EditReport>,
    /// Fields that no later policy may touch.
    protected: Vec<FieldName>,
    /// Verdicts on single recipients.
    recipients: Vec<(String, String)>,
    effects: Vec<EffectKind>,
    report_suppressed: bool,
    /// Requests that the relay dropped, with the reasons.
    dropped: Vec<String>,
    error: Option<String>,
}

/// Call of the host, whose arguments are an object in JSON.
#[derive(Debug)]
struct HostCallStory(HostCall);

impl Serialize for HostCallStory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;

        let HostCall {
            interface,
            function,
            arguments,
            answer,
            nanos,
        } = &self.0;
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("interface", interface)?;
        map.serialize_entry("function", function)?;
        let arguments: serde_json::Map<_, _> = (arguments.iter())
            .map(|(name, value)| (name.clone(), serde_json::json!(value)))
            .collect();
        map.serialize_entry("arguments", &arguments)?;
        map.serialize_entry("answer", answer)?;
        map.serialize_entry("nanos", nanos)?;
        map.end()
    }
}

/// Returns the story of each judgement, given the calls that were observed.
pub(crate) fn calls(judgements: &[Judgement], observed: Vec<ObservedCall>) -> Vec<CallStory> {
    let mut observed = observed.into_iter().peekable();
    judgements
        .iter()
        .map(|judgement| {
            let of = |call: &ObservedCall| {
                (&call.policy, &call.hook) == (&judgement.policy, &judgement.hook)
            };
            CallStory::new(judgement, observed.next_if(of).unwrap_or_default())
        })
        .collect()
}

impl CallStory {
    fn new(judgement: &Judgement, observed: ObservedCall) -> Self {
        let decision = &judgement.decision;
        let recipients = decision.recipients.iter().map(|(address, verdict)| {
            let verdict = match verdict {
                RecipientVerdict::Reject(reply) => format!("reject {reply}"),
                RecipientVerdict::Suppress(reason) => format!("suppress {reason}"),
            };
            (address.to_string(), verdict)
        });
        let edit = |edit: &Edit| EditReport::new(&judgement.policy, edit);
        let class = decision.classification;
        Self {
            policy: judgement.policy.clone(),
            digest: judgement.digest.clone(),
            hook: judgement.hook.clone(),
            verdict: judgement.verdict.word(),
            with: people::with(&judgement.verdict),
            routing: judgement.routing.as_deref().cloned().map(Into::into),
            micros: judgement.micros,
            memory: observed.memory,
            host_calls: observed.host_calls.into_iter().map(HostCallStory).collect(),
            more_host_calls: observed.more_host_calls,
            reasons: decision.reasons.clone(),
            tags: decision.tags.clone(),
            class: class.map(|of| of.class.word()),
            reply_allowed: class.map(|of| of.reply_allowed),
            edits: decision.edits.iter().map(edit).collect(),
            protected: decision.protected.clone(),
            recipients: recipients.collect(),
            effects: decision.effects.iter().cloned().map(Into::into).collect(),
            report_suppressed: decision.report_suppressed,
            dropped: decision.dropped.clone(),
            error: judgement.error.as_ref().map(ToString::to_string),
        }
    }
}

/// Returns the changes of a header section as a diff of its lines, each with the line before and
/// after it; empty if nothing changes.
pub(crate) fn header_diff(before: &[u8], after: &[u8]) -> String {
    let text = |section: &[u8]| String::from_utf8_lossy(section).replace("\r\n", "\n");
    let (before, after) = (text(before), text(after));
    let diff = TextDiff::from_lines(&before, &after);
    let diff = diff.unified_diff().context_radius(1).to_string();
    let lines = diff.lines();
    let lines = lines.filter(|line| !line.starts_with("@@") && !line.trim().is_empty());
    lines.fold(String::new(), |diff, line| diff + line + "\n")
}

impl Story {
    /// Prints the story: one JSON object, or a page for people.
    pub(crate) fn print(&self, json: bool) -> miette::Result<()> {
        match json {
            true => output::print_json([self]),
            false => output::print(self.for_people().trim_end()),
        }
    }
}
