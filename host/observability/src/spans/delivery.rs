//! The spans of delivery: attempts, and notices to senders.

use std::sync::Arc;

use gatepost_delivery::{Action, Attempt};
use gatepost_message::TransactionId;
use gatepost_model::{Ending, Judgement};
use gatepost_smtp::Reply;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use super::span::{Context, Moment};
use super::{MessageTrace, Outlet};

/// `delivery.attempt`, which has ended; calls of the hook `outcome` follow.
pub struct AttemptSpan {
    outlet: Arc<Outlet>,
    context: Context,
}

impl MessageTrace {
    /// Records an attempt at a recipient that has just ended.
    pub fn attempt(self, attempt: &Attempt<'_>, ending: Ending, reply: &Reply) -> AttemptSpan {
        let ended = Moment::now();
        let began = ended.minus(attempt.took);
        let mut span = self.root().child("delivery.attempt", began).client();
        span.number("gatepost.attempt", attempt.recipient.attempts + 1);
        span.text("gatepost.ending", ending.word());
        span.reply(reply, self.outlet.addresses);
        if let Some(destination) = attempt.destination {
            span.text("gatepost.destination", destination.to_string());
        }
        if let Some((host, port)) = attempt.server {
            span.text("server.address", host);
            if let Some(port) = port {
                span.number("server.port", port);
            }
        }
        if let Some(tls) = attempt.tls {
            span.text("gatepost.tls", tls);
        }
        if self.outlet.addresses {
            span.text("gatepost.rcpt_to", attempt.recipient.address.to_string());
        }
        if ending != Ending::Delivered {
            span.failed("");
        }
        let context = span.context();
        self.outlet.calls(context, attempt.judgements, began);
        self.outlet.queue(span, ended);
        AttemptSpan {
            outlet: self.outlet,
            context,
        }
    }

    /// Records a notice that the relay wrote about so many recipients of the `original`, and that
    /// is now in the queue. It is the root of its trace, since no client began it.
    pub fn notification(self, original: TransactionId, action: Action, recipients: usize) {
        let written = Moment::of_millis(self.id.unix_millis());
        let root = self.root();
        let mut span = root.begin("notification", SpanKind::Internal, written);
        span.text("gatepost.transaction", self.id.to_string());
        span.text("gatepost.original", original.to_string());
        span.text("gatepost.action", action.word());
        span.number("gatepost.recipients", recipients);
        span.link(Context::of(original));
        self.outlet.queue(span, Moment::now());
    }
}

impl AttemptSpan {
    /// Records the policies' calls for the outcome, which have just ended.
    pub fn calls(&self, judgements: &[Judgement]) {
        self.outlet.calls_until_now(self.context, judgements);
    }
}
