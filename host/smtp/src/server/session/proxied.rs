//! XCLIENT and XFORWARD: when they are accepted, and what they change.

use super::{Session, State};
use crate::reply::Reply;
use crate::server::command::Verb;
use crate::server::proxied::{Attribute, Attributes, Trust, XCLIENT, XFORWARD};
use crate::server::{Ask, AuthOffer};

impl Session {
    /// Allows these commands to the client, and offers them.
    pub fn trust(&mut self, trust: Trust) {
        self.trust = trust;
    }

    /// Returns the client that XCLIENT named, if any.
    pub fn proxied(&self) -> Option<&Attributes> {
        self.proxied.as_deref()
    }

    /// Returns the origin that XFORWARD named for the mail of the next transaction, if any. It is
    /// still there at [`Ask::Mail`]. It is for the log: nothing may be decided by it.
    pub fn forwarded(&self) -> Option<&Attributes> {
        self.forwarded.as_deref()
    }

    /// Returns the reply that refuses XCLIENT or XFORWARD, if it is not allowed now.
    pub(super) fn refuses_proxied(&self, verb: Verb) -> Option<Reply> {
        let trusted = match verb {
            Verb::Xclient => self.trust.xclient,
            Verb::Xforward => self.trust.xforward,
            _ => return None,
        };
        if !trusted {
            return Some(Reply::new(550, "5.7.0", "You are not trusted to say that"));
        }
        self.transaction.is_some().then(|| {
            let text = "Not in a transaction; RSET ends it";
            Reply::new(503, "5.5.1", text)
        })
    }

    /// Handles XCLIENT: asks the owner whether to believe it.
    pub(super) fn xclient(&mut self, arguments: &[u8]) {
        match Attributes::parse(
            arguments,
            self.xclient_attributes(),
            Attribute::is_valid_in_xclient,
        ) {
            Ok(attributes) => self.state = State::Asked(Ask::Proxied(attributes)),
            Err(reply) => self.say(&reply),
        }
    }

    /// Begins the session anew for the client that XCLIENT named.
    pub(super) fn proxy(&mut self, attributes: Attributes) {
        let proxied = self.proxied.get_or_insert_default();
        let names_a_client = |attributes: &Attributes| attributes.given(Attribute::Addr).is_some();
        if names_a_client(&attributes) && names_a_client(proxied) {
            // Another client: nothing said of the one before is true of it.
            **proxied = Attributes::default();
        }
        proxied.add(attributes);
        // A log-in of the connected client does not count for the client behind it.
        self.user = proxied.value(Attribute::Login).map(str::to_owned);
        self.forwarded = None;
        self.helo = None;
        self.state = State::Asked(Ask::Connect);
    }

    /// Handles XFORWARD: keeps the attributes for the next transaction.
    pub(super) fn xforward(&mut self, arguments: &[u8]) {
        let reply = match Attributes::parse(arguments, XFORWARD, Attribute::is_valid_in_xforward) {
            Ok(attributes) => {
                self.forwarded.get_or_insert_default().add(attributes);
                Reply::new(250, "2.0.0", "OK")
            }
            Err(reply) => reply,
        };
        self.say(&reply);
    }

    /// Returns the lines of EHLO that offer the two commands.
    pub(super) fn trusted_extensions(&self) -> String {
        let words = |attributes: &[Attribute]| {
            let words = attributes.iter().map(|attribute| attribute.word());
            words.collect::<Vec<_>>().join(" ")
        };
        let mut lines = String::new();
        if self.trust.xclient {
            lines += &format!("\nXCLIENT {}", words(self.xclient_attributes()));
        }
        if self.trust.xforward {
            lines += &format!("\nXFORWARD {}", words(XFORWARD));
        }
        lines
    }

    /// Returns the attributes of XCLIENT on offer: no LOGIN, the last, where nobody can log in.
    fn xclient_attributes(&self) -> &'static [Attribute] {
        match self.settings.auth {
            AuthOffer::None => &XCLIENT[..XCLIENT.len() - 1],
            AuthOffer::UnderTls | AuthOffer::Required => XCLIENT,
        }
    }
}
