//! The relay's resolver, for every part that asks the DNS: message authentication, mail by MX,
//! destinations that strangers name.
//!
//! [`Dns`] is the seam: the relay's [`Resolver`], or a zone that a test supplies. A look-up without
//! an answer is [`Unavailable`], and never mistaken for "there is no such record" ([`Found`]).

#![forbid(unsafe_code)]

mod answer;
mod resolver;

pub use answer::{Dns, Found, MailExchange, Unavailable};
pub use resolver::{InvalidServer, NameServer, NoResolver, Resolver, ResolverSettings};
