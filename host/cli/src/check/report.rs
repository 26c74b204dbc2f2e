//! Report on one message, as JSON and [for people](people).

pub(crate) mod people;
mod read;

use std::path::Path;

use gatepost_authentication::{Sasl, Summary};
use gatepost_message::{Address, Edit};
use gatepost_model::{Classification, Effect, Judgement, Plan, Routing};
use gatepost_smtp::Reply;
use gatepost_terminal::BufferedOutput;
use serde::Serialize;

use self::read::ReadReport;
use gatepost_intake::dry_run::DryRunResult;
use gatepost_intake::pipeline::judge::{Disposition, RecipientDisposition};
use gatepost_policy::Findings;

/// Report on one message, as `--json` prints it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Report {
    /// File as it was given on the command line.
    file: String,
    /// Verdict: `accept`, `reject`, `tempfail`, `quarantine` or `discard`.
    verdict: &'static str,
    /// Last reply that the client would get.
    #[serde(serialize_with = "serialize_reply")]
    reply: Reply,
    recipients: Vec<RecipientReport>,
    /// Class of the message; `unknown` if no policy determined it.
    class: &'static str,
    /// True if an automatic reply may be sent: only if a policy allowed it for an accepted message.
    /// A reply to a message of unknown class could answer a machine, and loop.
    reply_allowed: bool,
    /// Authentication results; `None` if no policy wanted them.
    authentication: Option<Summary>,
    tags: Vec<String>,
    /// Route of the first recipient that has one; each recipient has its own as well.
    route: Option<ReportedRoute>,
    edits: Vec<EditReport>,
    /// Effects that would be stored: none of a message that is refused.
    effects: Vec<EffectReport>,
    /// True if policies asked for effects, and the refusal drops them.
    #[serde(skip)]
    effects_dropped: bool,
    /// Report on another message, if the message is one.
    report: Option<ReadReport>,
    /// True if the submitter would be told of suppressed recipients.
    report_suppressed: bool,
    policies: Vec<PolicyReport>,
}

/// Recipient of the envelope.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct RecipientReport {
    address: Address,
    /// Verdict for the recipient: that of the message, or `suppress`.
    verdict: &'static str,
    /// Reason why the recipient does not simply get the message.
    reason: Option<String>,
    /// First route; `None` if the message is not sent to the recipient.
    route: Option<ReportedRoute>,
}

/// Route of a recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", untagged)]
pub(crate) enum ReportedRoute {
    /// Plan: `{"steps": […]}`.
    Plan(Plan),
    /// Default route, because no policy chose one: `"default"`.
    Default(&'static str),
    /// Hold for an operator: `{"hold": REASON}`.
    Hold {
        /// Reason.
        hold: String,
    },
    /// Drop without a notice: `{"discard": REASON}`.
    Discard {
        /// Reason.
        discard: String,
    },
    /// Deferral: `{"defer": {"code", "enhanced", "text"}}`.
    Defer {
        /// Reply that would be recorded.
        defer: ReplyReport,
    },
    /// Failure: `{"fail": {"code", "enhanced", "text"}}`.
    Fail {
        /// Reply that the sender would be told.
        fail: ReplyReport,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ReplyReport {
    code: u16,
    enhanced: Option<String>,
    text: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct EditReport {
    policy: String,
    /// Action: `add`, `remove` or `set`.
    action: &'static str,
    name: String,
    /// New body; `None` for a removal.
    body: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct EffectReport {
    policy: String,
    /// Account whose counts and marks change.
    account: Option<String>,
    /// Effect: `count`, `mark-seen`, `forget-count`, `remember-machine` or `forget-machine`, with
    /// its data.
    #[serde(flatten)]
    effect: EffectKind,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "action")]
pub(crate) enum EffectKind {
    Count {
        key: String,
        amount: u32,
    },
    MarkSeen {
        key: String,
        seconds: u32,
    },
    ForgetCount {
        key: String,
    },
    RememberMachine {
        address: String,
        evidence: String,
        seconds: u32,
    },
    ForgetMachine {
        address: String,
    },
}

impl From<Effect> for EffectKind {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Count { key, amount } => Self::Count { key, amount },
            Effect::MarkSeen { key, seconds } => Self::MarkSeen { key, seconds },
            Effect::ForgetCount { key } => Self::ForgetCount { key },
            Effect::RememberMachine {
                address,
                evidence,
                seconds,
            } => Self::RememberMachine {
                address,
                evidence,
                seconds,
            },
            Effect::ForgetMachine { address } => Self::ForgetMachine { address },
        }
    }
}

/// Call of a policy.
#[derive(Debug, Serialize)]
struct PolicyReport {
    name: String,
    digest: String,
    hook: String,
    verdict: &'static str,
    /// Routing, in the route hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    routing: Option<ReportedRoute>,
    reasons: Vec<String>,
    /// Edits that were dropped, with the reasons.
    dropped: Vec<String>,
    micros: u64,
    error: Option<String>,
}

impl Report {
    /// Makes the report on a message that was judged in a dry run. `sasl` is the user who submitted
    /// it.
    pub(crate) fn new(file: &Path, result: DryRunResult, sasl: Option<Sasl>) -> Self {
        let refused = result.refused.into_iter();
        let mut recipients: Vec<_> = refused
            .map(|(address, reply)| RecipientReport::refused(address, &reply))
            .collect();
        let verdict = result.disposition.word();
        let is_refused = matches!(result.disposition, Disposition::Refused(_));
        let (class, reply_allowed) =
            class_and_reply(result.findings.classification, &result.disposition);
        match result.disposition {
            Disposition::Accepted {
                recipients: accepted,
                quarantine,
            } => recipients.extend(accepted.iter().map(|(address, disposition)| {
                let mut routes = result.routes.iter();
                let route = routes.find(|(of, _)| of == address);
                RecipientReport {
                    route: route.map(|(_, routing)| routing.clone().into()),
                    ..RecipientReport::kept(address, disposition, quarantine.as_deref())
                }
            })),
            Disposition::Refused(_) | Disposition::Discarded | Disposition::Recorded => {
                let refusal = result.reply.is_negative().then(|| result.reply.text());
                let shared = result.transaction.recipients.into_iter();
                recipients.extend(shared.map(|address| RecipientReport {
                    address,
                    verdict,
                    reason: refusal.clone(),
                    route: None,
                }));
            }
        }
        let report = Self {
            file: file.display().to_string(),
            verdict,
            reply: result.reply,
            route: recipients.iter().find_map(|of| of.route.clone()),
            recipients,
            class,
            reply_allowed,
            authentication: result.facts.map(|facts| facts.summary(sasl)),
            tags: Vec::new(),
            edits: Vec::new(),
            effects: Vec::new(),
            effects_dropped: is_refused && !result.findings.effects.is_empty(),
            report: result.report.map(ReadReport::from),
            report_suppressed: false,
            policies: Vec::new(),
        };
        report.with_findings(result.findings)
    }

    /// Adds the findings of the policies.
    fn with_findings(mut self, findings: Findings) -> Self {
        self.tags = findings.tags;
        self.report_suppressed = findings.report_suppressed;
        let kept = findings.effects.into_iter();
        let is_kept = !self.effects_dropped;
        for (scope, effect) in kept.filter(|_| is_kept) {
            self.effects.push(EffectReport {
                policy: scope.policy,
                account: scope.account,
                effect: effect.into(),
            });
        }
        for judgement in findings.judgements {
            let edits = judgement.decision.edits.iter();
            self.edits
                .extend(edits.map(|edit| EditReport::new(&judgement.policy, edit)));
            self.policies.push(judgement.into());
        }
        self
    }

    /// Prints the report: one JSON object a line, or a few lines for people.
    pub(super) fn print(&self, out: &mut BufferedOutput, json: bool) -> miette::Result<()> {
        match json {
            true => out.print_json(self),
            false => out.print(self.for_people()),
        }
    }
}

impl RecipientReport {
    /// Makes the report on a recipient that was refused at RCPT.
    fn refused(address: Address, reply: &Reply) -> Self {
        Self {
            address,
            verdict: Disposition::Refused(reply.clone()).word(),
            reason: Some(reply.text()),
            route: None,
        }
    }

    /// Makes the report on a recipient of an accepted message.
    fn kept(
        address: &Address,
        disposition: &RecipientDisposition,
        quarantine: Option<&str>,
    ) -> Self {
        let (verdict, reason) = match (disposition, quarantine) {
            (RecipientDisposition::Rejected(reply), _) => ("reject", Some(reply.text())),
            (RecipientDisposition::Suppressed(reason), _) => ("suppress", Some(reason.clone())),
            (RecipientDisposition::Delivered, Some(reason)) => {
                ("quarantine", Some(reason.to_owned()))
            }
            (RecipientDisposition::Delivered, None) => ("accept", None),
        };
        Self {
            address: address.clone(),
            verdict,
            reason,
            route: None,
        }
    }
}

impl From<Routing> for ReportedRoute {
    fn from(routing: Routing) -> Self {
        match routing {
            Routing::Pass => Self::Default("default"),
            Routing::Deliver(plan) => Self::Plan(plan),
            Routing::Hold(hold) => Self::Hold { hold },
            Routing::Discard(discard) => Self::Discard { discard },
            Routing::Defer(reply) => Self::Defer {
                defer: (&reply).into(),
            },
            Routing::Fail(reply) => Self::Fail {
                fail: (&reply).into(),
            },
        }
    }
}

impl From<&Reply> for ReplyReport {
    fn from(reply: &Reply) -> Self {
        Self {
            code: reply.code(),
            enhanced: reply.enhanced().map(|code| code.to_string()),
            text: reply.text(),
        }
    }
}

fn serialize_reply<S: serde::Serializer>(reply: &Reply, serializer: S) -> Result<S::Ok, S::Error> {
    ReplyReport::from(reply).serialize(serializer)
}

/// Returns the class of the message, and true if a machine may reply. A refused message allows no
/// reply.
fn class_and_reply(
    classification: Option<Classification>,
    disposition: &Disposition,
) -> (&'static str, bool) {
    let Some(Classification {
        class,
        reply_allowed,
    }) = classification
    else {
        return ("unknown", false);
    };
    (
        class.word(),
        reply_allowed && !matches!(disposition, Disposition::Refused(_)),
    )
}

impl EditReport {
    pub(crate) fn new(policy: &str, edit: &Edit) -> Self {
        let (action, body) = match edit {
            Edit::Add { body, .. } => ("add", Some(body)),
            Edit::Set { body, .. } => ("set", Some(body)),
            Edit::Remove { .. } => ("remove", None),
        };
        Self {
            policy: policy.to_owned(),
            action,
            name: edit.name().to_string(),
            body: body.map(ToString::to_string),
        }
    }
}

impl From<Judgement> for PolicyReport {
    fn from(judgement: Judgement) -> Self {
        Self {
            verdict: judgement.verdict.word(),
            routing: judgement.routing.map(|routing| (*routing).into()),
            name: judgement.policy,
            digest: judgement.digest,
            hook: judgement.hook,
            reasons: judgement.decision.reasons,
            dropped: judgement.decision.dropped,
            micros: judgement.micros,
            error: judgement.error.map(|fault| fault.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use gatepost_model::MessageClass;

    use super::*;

    #[test]
    fn a_machine_may_reply_only_to_accepted_mail_if_a_policy_allows_it() {
        let human = Some(Classification {
            class: MessageClass::Human,
            reply_allowed: true,
        });
        let kept = Disposition::Accepted {
            recipients: Vec::new(),
            quarantine: None,
        };
        let refused = Disposition::Refused(Reply::new(550, "5.7.1", "no"));
        assert_eq!(class_and_reply(human, &kept), ("human", true));
        assert_eq!(class_and_reply(None, &kept), ("unknown", false));
        assert_eq!(class_and_reply(human, &refused), ("human", false));
    }
}
