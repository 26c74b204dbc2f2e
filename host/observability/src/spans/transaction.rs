//! The spans of intake: the transaction, and its acceptance by the spool.

use std::sync::Arc;

use gatepost_model::{Judgement, Transaction};
use gatepost_smtp::Reply;
use gatepost_spool::{NewBody, NewMessage, SpoolError};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use super::session::{SessionSpan, describe};
use super::span::{Moment, Span};
use super::{MessageTrace, Outlet};

/// `smtp.transaction`, the root of a message's trace: from MAIL to the reply to its data.
pub struct TransactionSpan {
    outlet: Arc<Outlet>,
    span: Span,
}

impl MessageTrace {
    /// Begins the span of a transaction at MAIL, linked to its session's span if there is one.
    pub fn transaction(self, session: Option<&mut SessionSpan>) -> TransactionSpan {
        let root = self.root();
        let mut span = root.begin("smtp.transaction", SpanKind::Server, Moment::now());
        span.text("gatepost.transaction", self.id.to_string());
        if let Some(session) = session {
            span.link(session.transaction());
        }
        TransactionSpan {
            outlet: self.outlet,
            span,
        }
    }

    /// Begins the span of a hand-over to the spool.
    pub fn accepting(self, message: &NewMessage) -> AcceptSpan {
        let mut span = self.root().child("spool.accept", Moment::now());
        let body = message.body.body().len();
        span.number("gatepost.size", message.head.len() as u64 + body);
        // A large message is on disk already, in a file of its own.
        span.flag(
            "gatepost.staged",
            matches!(message.body, NewBody::Staged(_)),
        );
        span.number("gatepost.recipients", message.recipients.len());
        AcceptSpan {
            outlet: self.outlet,
            span,
        }
    }
}

impl TransactionSpan {
    /// Records the policies' calls for the transaction, which have just ended.
    pub fn calls(&self, judgements: &[Judgement]) {
        let parent = self.span.context();
        self.outlet.calls_until_now(parent, judgements);
    }

    /// Adds the envelope. To be called once, when the client has no more to add.
    pub fn describe(&mut self, transaction: &Transaction) {
        let span = &mut self.span;
        describe(span, &transaction.session);
        if let Some(account) = &transaction.account {
            span.text("gatepost.account", account);
        }
        span.number("gatepost.recipients", transaction.recipients.len());
        if self.outlet.addresses {
            span.text("gatepost.mail_from", transaction.reverse_path.to_string());
            let recipients = transaction.recipients.iter();
            span.texts("gatepost.rcpt_to", recipients.map(ToString::to_string));
        }
    }

    /// Ends with the last reply, after so many octets of the message.
    pub fn replied(mut self, verdict: &'static str, reply: &Reply, size: u64) {
        self.span.reply(reply, self.outlet.addresses);
        self.span.number("gatepost.size", size);
        if reply.is_transient() {
            self.span.failed("the client has to come again");
        }
        self.end(verdict);
    }

    /// Ends because the client gave up, or was cut off.
    pub fn aborted(mut self, reason: &str) {
        self.span.failed(reason);
        self.end("aborted");
    }

    fn end(mut self, verdict: &'static str) {
        self.span.text("gatepost.verdict", verdict);
        self.outlet.queue(self.span, Moment::now());
    }
}

/// `spool.accept`: until the message is on disk.
pub struct AcceptSpan {
    outlet: Arc<Outlet>,
    span: Span,
}

impl AcceptSpan {
    /// Ends with the spool's answer.
    pub fn accepted<T>(mut self, answer: &Result<T, SpoolError>) {
        if let Err(error) = answer {
            self.span.failed(error.to_string());
        }
        self.outlet.queue(self.span, Moment::now());
    }
}
