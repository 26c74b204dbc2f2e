//! Delivery: takes due messages from the spool to their next hops.
//!
//! The story of one message:
//!
//! 1. The [scheduler](Delivery::start) claims due recipients, message by message, as long as fewer
//!    messages than allowed are in hand. It sleeps until the spool has changed, a recipient is due
//!    or an attempt has ended.
//! 2. The [`Router`] is asked for the route of each recipient that has none, and the [`Ways`] say
//!    what a step of it comes to. The queue keeps the route. Recipients with the same destination
//!    go together.
//! 3. Each destination has a lane, which opens slowly, keeps the rate that is allowed, and closes
//!    while no session comes about: a destination that is down costs one probe at a time.
//! 4. Each destination has a bounded number of connections. An idle one is reused, otherwise a new
//!    one is [opened](open): addresses in turn, TLS as the route demands, log-in. A reused connection that turns
//!    out dead before the message was sent costs only a second try.
//! 5. One SMTP or LMTP transaction, or as many as the next hop's limits require, hands the message
//!    over, in pieces as they come from the store. Every recipient gets a reply of its own. A
//!    message that the next hop does not accept as it is, is returned, never sent broken.
//!    The application may have a way without SMTP, which hands the message over in one step.
//!    Last of all it is signed ([`Signing`]), in the form in which it travels.
//! 6. The replies are settled: positive is delivered, transient is deferred by the [`Schedule`]
//!    until the message expires, permanent is failed. The sender is told in a notice ([`notify`]),
//!    above all a bounce, that goes into the spool in the commit that records the outcome; a null
//!    sender gets none (RFC 5321 section 4.5.5).
//! 7. When that is on disk, the [`Observer`] is told.
//!
//! No claimed message is lost: a fault inside delivery is a deferral, a relay that shuts down
//! returns the messages in hand ([`Handle::drain`]), and after a crash they are due again when the
//! lease ends or the relay restarts.
//!
//! Metrics: `gatepost_delivery_results_total{result}`, result being `delivered`, `deferred`,
//! `failed` or `returned`; `gatepost_delivery_attempt_seconds`, from the claim to the settlement;
//! `gatepost_delivery_connections_total{connection}`, connection being `opened`, `reused` or
//! `failed`; `gatepost_delivery_notifications_total{action}`, action being `failed`, `delayed`,
//! `relayed`, `delivered` or `suppressed`; `gatepost_delivery_bounces_total`, the first of these;
//! `gatepost_conversions_total{to}`, of converted messages, to being `7bit` or `short-lines`;
//! `gatepost_signatures_total{result}`, of messages signed, result being `signed` or `failed`;
//! `gatepost_application_alarms_total{destination}`, of tries after which somebody has to mend
//! something at the application.

#![forbid(unsafe_code)]

mod application_transfer;
mod connect;
mod connection;
mod content;
mod convert;
mod delivery;
mod hand_over;
mod in_hand;
mod lane;
mod lanes;
pub mod notify;
mod observer;
pub mod open;
mod pool;
mod references;
mod remark;
mod retry;
mod route;
mod router;
mod scheduler;
mod sender;
mod server_transfer;
mod settings;
mod settle;
mod signing;
mod target;
mod tls;
mod transfer;

pub use connect::NoSession;
pub use delivery::{Callers, Delivery, Drained, Handle, Prepared};
pub use notify::{
    Action, AdministratorLetter, Bounce, LETTERS, Language, LetterText, Notifications,
    TemplateErrors, Templates, ToStrangers, bounce_of_refused, count_notice, report_of_suppressed,
};
pub use observer::{Attempt, NoticeMade, Observer, Observing};
pub use retry::Schedule;
pub use router::{Decided, Deciding, Led, Patience, Router, Ways};
pub use settings::{Clock, LongLines, Retry, Reuse, Settings, Suppressing, Timeouts};
pub use signing::{Admitting, Leaving, Signing, Unsigned};
pub use target::{
    Alarm, FindServers, Finding, HandOver, Handed, HandedOver, HandingOver, Limits, OpeningTerms,
    Reach, ReachInside, ServerTarget, Servers, Stop, Target, Watch,
};
pub use tls::{StartError, Tls};
