//! Delivery: takes what is due from the spool to its next hops.
//!
//! The story of one message:
//!
//! 1. The [scheduler](Delivery::start) claims due recipients, message by message, as long as it
//!    has places free. It sleeps until the spool has changed, something falls due or a place
//!    becomes free.
//! 2. The [`Router`] is asked where each recipient goes; recipients with the same next hop go
//!    together.
//! 3. Each next hop has a bounded number of connections. One that lies idle is used again, else a
//!    new one is opened: addresses in turn, TLS as the route wants it. A used connection that
//!    turns out dead before the message was on its way costs nothing but a second try.
//! 4. One SMTP or LMTP transaction, or as many as the next hop's limits ask for, hands the message
//!    over, in pieces as they come from the store. It gives every recipient a reply of its own.
//!    What the next hop does not take as it is, is returned, never sent broken.
//! 5. The replies are settled: positive is delivered, transient is deferred by the
//!    [`Schedule`] until the message expires, permanent is failed. What the sender is to hear of
//!    that, a bounce above all, is told in a notice ([`notify`]) that goes into the spool in the
//!    very commit that records it; to a null sender there is none (RFC 5321 section 4.5.5).
//! 6. When that is on disk, the [`Observer`] is told.
//!
//! Nothing that was claimed is lost: what goes wrong inside delivery is a deferral, a relay that
//! is shut down hands back what it holds ([`Handle::drain`]), and what a crash leaves behind is
//! due again when its lease ends or its relay returns.
//!
//! Metrics: `gatepost_delivery_results_total{result}`, result being `delivered`, `deferred`,
//! `failed` or `returned`; `gatepost_delivery_attempt_seconds`, from the claim to the settlement;
//! `gatepost_delivery_connections_total{connection}`, connection being `opened`, `reused` or
//! `failed`; `gatepost_delivery_notifications_total{action}`, action being `failed`, `delayed`,
//! `relayed`, `delivered` or `suppressed`; `gatepost_delivery_bounces_total`, the first of these;
//! `gatepost_conversions_total{to}`, of messages written anew, to being `7bit` or `short-lines`.

#![forbid(unsafe_code)]

mod connect;
mod connection;
mod content;
mod convert;
mod delivery;
mod hand_over;
mod in_hand;
pub mod notify;
mod observer;
mod pool;
mod retry;
mod router;
mod scheduler;
mod settings;
mod settle;
mod tls;
mod transfer;

pub use delivery::{Delivery, Drained, Handle, Prepared};
pub use notify::{
    Action, Bounce, Language, Notifications, TemplateErrors, Templates, ToStrangers,
    bounce_of_refused, count_notice, report_of_suppressed,
};
pub use observer::{Attempt, NoticeMade, Observer, Observing};
pub use retry::Schedule;
pub use router::{Decided, Deciding, Router};
pub use settings::{Clock, LongLines, Retry, Reuse, Settings, Timeouts};
pub use tls::StartError;
