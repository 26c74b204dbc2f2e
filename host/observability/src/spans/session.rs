//! The span of a session: a trace of its own, since a client may send many messages in one.

use std::sync::Arc;

use gatepost_model::{Judgement, Session};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use super::span::{Context, Moment, Span};
use super::{Outlet, Spans};

/// `smtp.session`, until the connection ends.
pub struct SessionSpan {
    outlet: Arc<Outlet>,
    span: Span,
    transactions: u64,
}

impl Spans {
    /// Begins the span of a client that has connected, if it is in the sample.
    pub fn session(&self) -> Option<Box<SessionSpan>> {
        let outlet = self.0.as_ref()?;
        (rand::random::<f64>() < outlet.sample).then(|| {
            Box::new(SessionSpan {
                outlet: Arc::clone(outlet),
                span: Context::random().begin("smtp.session", SpanKind::Server, Moment::now()),
                transactions: 0,
            })
        })
    }
}

impl SessionSpan {
    /// Records the policies' calls for the connection, which have just ended.
    pub fn calls(&self, judgements: &[Judgement]) {
        let parent = self.span.context();
        self.outlet.calls_until_now(parent, judgements);
    }

    /// Counts a transaction; returns the context that its span links to.
    pub(super) fn transaction(&mut self) -> Context {
        self.transactions += 1;
        self.span.context()
    }

    /// Ends with the connection; `cut` is the reason where the protocol was not over.
    pub fn end(self, session: &Session, cut: Option<&str>) {
        let Self {
            outlet,
            mut span,
            transactions,
        } = self;
        describe(&mut span, session);
        span.number("gatepost.transactions", transactions);
        if let Some(why) = cut {
            span.failed(why);
        }
        outlet.queue(span, Moment::now());
    }
}

/// Puts the attributes of a session on its own span and on those of its transactions.
pub(super) fn describe(span: &mut Span, session: &Session) {
    span.text("gatepost.listener", &session.listener);
    if let Some(client) = session.client {
        span.text("client.address", client.ip().to_string());
        span.number("client.port", client.port());
    }
    if let Some(tls) = &session.tls {
        span.text("gatepost.tls", tls);
    }
    if let Some(user) = &session.user {
        span.text("gatepost.user", user);
    }
}
