//! Comparison of a domain's DNS with what its mail needs.
//!
//! [`check()`] takes a [`CheckedDomain`] (what the relay is to the domain, and how its mail leaves)
//! and the [`Site`] (the relay as the world sees it), asks the DNS, and returns a [`Report`]:
//!
//! - [`Finding`]s: the record that was looked for, what stands there, whether that is right, and
//!   the line of a zone file to paste. Each topic has a module: `ownership`, `exchanges` (MX),
//!   `sender_policy` (SPF), `keys` (DKIM), `author_policy` (DMARC), `return_path`, `mta_sts` and
//!   `reverse` (PTR and EHLO).
//! - [`Outlook`]s (`outlook`): what an outsider makes of our mail, by SPF and, for each way out, by
//!   DMARC. A finding counts as [needed](Finding::needed) if mail fails without it.
//!
//! A stranger's records decide what is asked: `bounded` limits the number of questions, their time,
//! and the size of answers. What the DNS says is shortened here, and escaped by whoever prints it.
//! Nothing is stored, and nothing is asked but the DNS and a [source of policies](PolicySource).

#![forbid(unsafe_code)]

mod author_policy;
mod bounded;
mod check;
mod exchanges;
mod keys;
mod mta_sts;
mod outlook;
mod ownership;
mod report;
mod return_path;
mod reverse;
mod sender_policy;
mod subject;
mod zone_line;

pub use check::check;
pub use mta_sts::PolicySource;
pub use ownership::{ownership, ownership_record};
pub use report::{Finding, Outlook, OutlookKind, Report, Standing, Topic};
pub use subject::{CheckedDomain, DefaultAddress, Relation, ReturnPath, SigningKey, Site, WayIn};
