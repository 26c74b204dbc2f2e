//! The trait that a policy implements, and the arguments of its hooks.

use std::rc::Rc;

use crate::header::Section;
use crate::{
    Attempt, AttemptResult, Decision, Duties, Level, Routing, Session, Transaction, Verdict,
};

/// Message as the earlier policies of the chain left it.
///
/// ```
/// use gatepost_sdk::*;
///
/// /// Whether a text is in the first 64 KiB of the body: what is not asked for is not copied.
/// fn begins_with_talk_of(text: &[u8], message: &dyn Message) -> bool {
///     let body = message.body_chunk(0, 64 << 10);
///     body.windows(text.len()).any(|window| window == text)
/// }
///
/// /// Who is named in a field that may be there several times.
/// fn lists(message: &dyn Message) -> Vec<String> {
///     message.headers_named("List-Id")
/// }
/// ```
///
/// Fields are read within the [bounds](crate::bounds): the beginning of a longer field, and the
/// first of more fields. [`Self::section`] tells if something is missing.
pub trait Message {
    /// Returns the first field of that name, unfolded and trimmed; names match without case.
    fn header(&self, name: &str) -> Option<String>;
    /// Returns all fields of that name, top to bottom, unfolded and trimmed.
    fn headers_named(&self, name: &str) -> Vec<String>;
    /// Returns the number of fields of that name.
    fn count(&self, name: &str) -> u32;
    /// Returns every field as name and raw body. Costly on long headers.
    fn headers(&self) -> Vec<(String, String)>;
    /// Returns the header section, indexed: all questions about it for the price of one call.
    fn section(&self) -> Rc<Section> {
        let chunk = |offset, length| self.header_chunk(offset, length);
        Rc::new(Section::read(self.header_size(), chunk))
    }
    /// Returns up to `length` octets of the header section from `offset`, as they are; fewer at its
    /// end. One call reads all fields for the price of a copy.
    fn header_chunk(&self, offset: u64, length: u32) -> Vec<u8> {
        let mut section = Vec::new();
        for (name, value) in self.headers() {
            section.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
        }
        let begin = section.len().min(offset as usize);
        let end = section.len().min(begin.saturating_add(length as usize));
        section.get(begin..end).unwrap_or_default().to_vec()
    }
    /// Returns the octets of the header section.
    fn header_size(&self) -> u64;
    /// Returns the octets of the body.
    fn body_size(&self) -> u64;
    /// Returns up to `length` octets of the body from `offset`; fewer at its end.
    fn body_chunk(&self, offset: u64, length: u32) -> Vec<u8>;
}

/// Look-ups of a hook. None of them waits, and none changes anything.
///
/// ```
/// use gatepost_sdk::*;
///
/// /// Ten an hour, counted as they are accepted.
/// fn slowly(sender: &str, facts: &dyn Facts, decision: &mut Decision) -> Verdict {
///     let key = format!("from:{sender}");
///     if facts.counted(&key, 3600) >= 10 {
///         facts.log(Level::Info, &format!("{sender} is in a hurry"));
///         return Verdict::tempfail(451, "4.7.1", "Slowly, please");
///     }
///     decision.count(key, 1);
///     Verdict::Pass
/// }
/// ```
pub trait Facts {
    /// Returns the time of the transaction, in milliseconds since 1970 (UTC); in the hooks `route`
    /// and `outcome`, that of the attempt.
    fn now(&self) -> u64;
    /// Returns what this policy counted under `key` in the last `seconds` (at most 86,400). A long
    /// key is [hashed](crate::bounds::key), as it was when it was counted.
    fn counted(&self, key: &str, seconds: u32) -> u64;
    /// Returns true if this policy marked `key` as seen and the mark has not expired.
    fn seen(&self, key: &str) -> bool;
    /// Writes a line to the relay's log, shortened; only the first
    /// [`bounds::LOG_LINES`](crate::bounds::LOG_LINES) lines of a call are written.
    fn log(&self, level: Level, text: &str);
}

/// A policy. Override the hooks that it needs and name them to [`export!`](macro@crate::export).
///
/// [`new`](Self::new) checks what the schema of the settings cannot express:
///
/// ```
/// use gatepost_sdk::*;
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// pub struct Settings { from: u8, to: u8 }
///
/// pub struct OfficeHours(Settings);
///
/// impl Policy for OfficeHours {
///     type Settings = Settings;
///
///     fn new(settings: Settings) -> Result<Self, Vec<String>> {
///         if settings.from >= settings.to {
///             return Err(vec!["/to: the office closes before it opens".into()]);
///         }
///         Ok(Self(settings))
///     }
///
///     fn connect(&self, _: &Session, facts: &dyn Facts, _: &mut Decision) -> Verdict {
///         let hour = (facts.now() / 3_600_000 % 24) as u8;
///         if (self.0.from..self.0.to).contains(&hour) {
///             return Verdict::Pass;
///         }
///         Verdict::tempfail(451, "4.3.2", "We are closed; please come again")
///     }
/// }
///
/// gatepost_sdk::export!(OfficeHours: connect);
/// assert!(OfficeHours::new(Settings { from: 9, to: 9 }).is_err());
/// ```
#[allow(unused_variables)]
pub trait Policy: Sized {
    /// Settings of the policy: parsing and schema come from the same definition.
    type Settings: serde::de::DeserializeOwned + schemars::JsonSchema;

    /// Makes the policy from its settings, once, at load. Errors are sentences that name what is
    /// wrong and where.
    fn new(settings: Self::Settings) -> Result<Self, Vec<String>>;

    /// Returns the duties of the policy.
    fn duties() -> Duties {
        Duties::default()
    }

    /// Decides about a client that has connected.
    fn connect(&self, session: &Session, facts: &dyn Facts, decision: &mut Decision) -> Verdict {
        Verdict::Pass
    }

    /// Decides about a sender, at MAIL FROM.
    fn sender(
        &self,
        transaction: &Transaction,
        facts: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        Verdict::Pass
    }

    /// Decides about a recipient that may be relayed to, at RCPT TO.
    fn recipient(
        &self,
        transaction: &Transaction,
        recipient: &str,
        facts: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        Verdict::Pass
    }

    /// Decides about a message, at the end of data.
    fn message(
        &self,
        transaction: &Transaction,
        message: &dyn Message,
        facts: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        Verdict::Pass
    }

    /// Routes a recipient that is due for an attempt. The message was accepted long ago, so the
    /// decision takes reasons, counts, marks and machines; any other request is a fault.
    fn route(
        &self,
        transaction: &Transaction,
        attempt: &Attempt,
        facts: &dyn Facts,
        decision: &mut Decision,
    ) -> Routing {
        Routing::Pass
    }

    /// Takes note of an attempt that has ended. The decision takes what it takes in
    /// [`route`](Self::route).
    fn outcome(
        &self,
        transaction: &Transaction,
        result: &AttemptResult,
        facts: &dyn Facts,
        decision: &mut Decision,
    ) {
    }
}
