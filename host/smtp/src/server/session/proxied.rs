//! XCLIENT and XFORWARD: when they may come, and what they change.

use super::{Session, State};
use crate::reply::Reply;
use crate::server::command::Verb;
use crate::server::proxied::{Attribute, Attributes, Trust, XCLIENT, XFORWARD};
use crate::server::{Ask, AuthOffer};

impl Session {
    /// Lets the client give these commands, which are then offered.
    pub fn trust(&mut self, trust: Trust) {
        self.trust = trust;
    }

    /// Of whom XCLIENT has said that this session is, if it has.
    pub fn proxied(&self) -> Option<&Attributes> {
        self.proxied.as_deref()
    }

    /// What XFORWARD has said of where the mail of the next transaction comes from, if it has;
    /// still there for [`Ask::Mail`]. Nothing may be decided by it.
    pub fn forwarded(&self) -> Option<&Attributes> {
        self.forwarded.as_deref()
    }

    /// Why one of the commands is not heard, if so.
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

    /// XCLIENT: the owner is asked whether this is credible.
    pub(super) fn xclient(&mut self, arguments: &[u8]) {
        match Attributes::parse(arguments, self.xclient_attributes(), Attribute::takes) {
            Ok(said) => self.state = State::Asked(Ask::Proxied(said)),
            Err(reply) => self.say(&reply),
        }
    }

    /// The session begins anew, as that of the client behind.
    pub(super) fn proxy(&mut self, said: Attributes) {
        let proxied = self.proxied.get_or_insert_default();
        let names_a_client = |said: &Attributes| said.said(Attribute::Addr).is_some();
        if names_a_client(&said) && names_a_client(proxied) {
            // It is another client's turn: nothing that was said of the last is true of this one.
            **proxied = Attributes::default();
        }
        proxied.add(said);
        // The one that speaks may have logged in, too; that does not serve for the one behind it.
        self.user = proxied.value(Attribute::Login).map(str::to_owned);
        self.forwarded = None;
        self.helo = None;
        self.state = State::Asked(Ask::Connect);
    }

    /// XFORWARD: kept for the transaction that follows.
    pub(super) fn xforward(&mut self, arguments: &[u8]) {
        let reply = match Attributes::parse(arguments, XFORWARD, Attribute::is_told) {
            Ok(said) => {
                self.forwarded.get_or_insert_default().add(said);
                Reply::new(250, "2.0.0", "OK")
            }
            Err(reply) => reply,
        };
        self.say(&reply);
    }

    /// The lines of EHLO that offer them.
    pub(super) fn offered_to_trusted(&self) -> String {
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

    /// LOGIN, the last, means nothing where nobody can log in.
    fn xclient_attributes(&self) -> &'static [Attribute] {
        match self.settings.auth {
            AuthOffer::None => &XCLIENT[..XCLIENT.len() - 1],
            AuthOffer::UnderTls | AuthOffer::Required => XCLIENT,
        }
    }
}
