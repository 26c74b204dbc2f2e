//! Attempts at delivery of a probe, and the replies that end them.

use gatepost_connections::{
    AT_ITS_LIMITS, Classified, ConnectionTrouble, DialogueStage, IN_TROUBLE, Profile, ReplyClass,
    Stops, classify,
};
use gatepost_model::{AttemptResult, AttemptStage, Ending};
use gatepost_smtp::{EnhancedCode, Reply, tells_of_greylisting};

use crate::{FailureReason, VerificationFailure};

/// Meaning of an attempt for the verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptVerdict {
    /// The server has the message: it has to come back.
    Accepted,
    /// It is tried again. If it stays so until the deadline, this is the failure.
    Waiting(VerificationFailure),
    /// It will not be delivered, or not before somebody changes something.
    Failed(VerificationFailure),
}

/// Octets of a text that are looked at.
const LOOKED_AT: usize = 2_048;

/// Judges the result of an attempt at the probe; `profile` is that of the connection, or the
/// generic one where it leaves by MX.
pub fn judge_attempt(profile: &Profile, result: &AttemptResult) -> AttemptVerdict {
    // Where no server was tried, the reply is the relay's own, such as of a domain without a server.
    let by_server = result.server.is_some();
    let stage = dialogue_stage(result.stage);
    let failure = || failure_of(profile, stage, &result.reply, by_server);
    match result.ending {
        Ending::Delivered => AttemptVerdict::Accepted,
        Ending::Failed | Ending::Expired => AttemptVerdict::Failed(failure()),
        Ending::Deferred | Ending::Held => {
            let failure = failure();
            match failure.reason.waits_for_a_person() {
                true => AttemptVerdict::Failed(failure),
                false => AttemptVerdict::Waiting(failure),
            }
        }
    }
}

/// Returns the failure that a negative reply means, be it a server's or the relay's own about a
/// session that did not come about.
pub fn failure_of_reply(
    profile: &Profile,
    stage: DialogueStage,
    reply: &Reply,
) -> VerificationFailure {
    failure_of(profile, stage, reply, true)
}

/// Returns the failure of a reply. `by_server` is false where no server can have given it.
fn failure_of(
    profile: &Profile,
    stage: DialogueStage,
    reply: &Reply,
    by_server: bool,
) -> VerificationFailure {
    let text = reply.text();
    let trouble = text.strip_prefix(IN_TROUBLE);
    let text = trouble.unwrap_or(&text);
    let quoted = quoted_reply(text).or_else(|| reply_at_start(trouble?));
    let is_own = quoted.is_none() && (!by_server || trouble.is_some() || is_of_relay(stage, text));
    let said = quoted.unwrap_or_else(|| reply.clone());
    let stage = match trouble {
        Some(words) => stage_of_trouble(&said, words, is_own).unwrap_or(stage),
        None => stage,
    };
    let classified = classify(profile, stage, &said);
    EndingReply {
        stage,
        said: &said,
        text,
        is_own,
    }
    .failure(profile, &classified)
}

/// Returns the failure that the trouble of a connection means.
pub fn failure_of_trouble(profile: &Profile, trouble: &ConnectionTrouble) -> VerificationFailure {
    let text = &trouble.words;
    let quoted = quoted_reply(text).or_else(|| reply_at_start(text));
    let is_own = quoted.is_none();
    let said = quoted.unwrap_or_else(|| Reply::new(451, "4.0.0", text));
    let classified = Classified {
        class: trouble.class,
        stops: Stops::Connection,
        wait: None,
        advice: trouble.advice.clone(),
    };
    EndingReply {
        stage: trouble.stage,
        said: &said,
        text,
        is_own,
    }
    .failure(profile, &classified)
}

/// A reply that ended something, as it is read.
struct EndingReply<'a> {
    stage: DialogueStage,
    said: &'a Reply,
    /// Whole text, with the words of the relay around those of the server.
    text: &'a str,
    /// True if the server said nothing.
    is_own: bool,
}

impl EndingReply<'_> {
    fn failure(&self, profile: &Profile, classified: &Classified) -> VerificationFailure {
        let reason = self.reason(classified.class);
        let failure = match self.is_own {
            true => VerificationFailure::of(reason).with_detail(self.text),
            false => VerificationFailure::of(reason).with_server(&self.said.to_string()),
        };
        // What a profile says of its service is more exact.
        let mut rules = profile.replies.iter();
        match rules.any(|rule| rule.advice == classified.advice) {
            true => failure.with_advice(&classified.advice),
            false => failure,
        }
    }

    fn reason(&self, class: ReplyClass) -> FailureReason {
        let text = &self.text[..self.text.floor_char_boundary(LOOKED_AT)].to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if let Some(reason) = of_session(self.stage, class, self.is_own, text) {
            return reason;
        }
        if text.contains(AT_ITS_LIMITS) {
            return FailureReason::QuotaReached;
        }
        let code = code_of(self.said);
        let is_code = |codes: &[(u16, u16)]| code.is_some_and(|code| codes.contains(&code));
        if is_code(&[(7, 520)]) || has(&["does not allow external forwarding"]) {
            return FailureReason::ForwardingForbidden;
        }
        if is_code(&[(7, 60), (2, 252)]) || has(&SENDER_NOT_ALLOWED) {
            return FailureReason::SenderNotAllowed;
        }
        let is_of_mailbox = self.stage == DialogueStage::Recipient
            || !has(&["sending quota", "submission quota", "daily"]);
        if is_code(&[(2, 2)]) && is_of_mailbox || has(&MAILBOX_FULL) {
            return FailureReason::MailboxFull;
        }
        match class {
            ReplyClass::Quota => return FailureReason::QuotaReached,
            // It is blocked, or it does not exist.
            ReplyClass::SenderMailbox => return FailureReason::SenderNotAllowed,
            _ => {}
        }
        if is_code(&[(1, 1), (1, 10)]) || has(&NO_SUCH_MAILBOX) {
            return FailureReason::NoSuchMailbox;
        }
        match self.said.is_transient() && tells_of_greylisting(text) {
            true => FailureReason::GreylistedTooLong,
            false => FailureReason::Refused,
        }
    }
}

const SENDER_NOT_ALLOWED: [&str; 6] = [
    "sendasdenied",
    "send as denied",
    "not allowed to send as",
    "not owned by user",
    "does not have permissions to send as",
    "not have permission to send",
];

const MAILBOX_FULL: [&str; 5] = [
    "mailbox full",
    "mailbox is full",
    "over quota",
    "overquota",
    "mailbox size limit exceeded",
];

const NO_SUCH_MAILBOX: [&str; 4] = [
    "user unknown",
    "unknown user",
    "no such user",
    "mailbox unavailable or not found",
];

/// Returns the reason of a failure before the first transaction.
fn of_session(
    stage: DialogueStage,
    class: ReplyClass,
    is_own: bool,
    text: &str,
) -> Option<FailureReason> {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    // The relay says these, whatever the stage at which it found them.
    if is_own && has(&["does not offer starttls", "the session is not encrypted"]) {
        return Some(FailureReason::TlsNotOffered);
    }
    if is_own && has(&["offers no mechanism"]) {
        let offered = text.split("offered:").nth(1).unwrap_or_default();
        let is_known = [
            "plain",
            "login",
            "scram",
            "xoauth2",
            "oauthbearer",
            "cram-md5",
        ]
        .iter()
        .any(|known| offered.contains(known));
        let is_windows = ["ntlm", "gssapi"].iter().any(|of| offered.contains(of));
        return Some(match is_windows && !is_known {
            true => FailureReason::OnlyNtlmOrGssapi,
            false => FailureReason::NoCommonLogIn,
        });
    }
    match stage {
        DialogueStage::Connect => Some(FailureReason::Unreachable),
        DialogueStage::Tls | DialogueStage::Starttls => Some(of_handshake(text)),
        // Without a reply the server has gone, or is silent.
        DialogueStage::Greeting | DialogueStage::Ehlo if is_own => Some(FailureReason::Unreachable),
        DialogueStage::Auth if class == ReplyClass::SetUp || is_own => {
            Some(FailureReason::CredentialsRefused)
        }
        _ => None,
    }
}

/// Returns the reason of a failed handshake, by the words of the TLS library.
fn of_handshake(text: &str) -> FailureReason {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["starttls"]) {
        FailureReason::TlsNotOffered
    } else if has(&["not valid for name", "notvalidforname"]) {
        FailureReason::TlsWrongName
    } else if has(&["expired", "not valid yet", "notvalidyet"]) {
        FailureReason::TlsExpired
    } else if has(&["protocolversion", "protocol version", "incompatible"]) {
        FailureReason::TlsVersion
    } else if has(&["certificate", "unknownissuer", "unknownca"]) {
        FailureReason::TlsUntrusted
    } else {
        FailureReason::TlsFailed
    }
}

/// Returns the stage at which a connection came into its trouble, where its words say it.
fn stage_of_trouble(said: &Reply, words: &str, is_own: bool) -> Option<DialogueStage> {
    let words = words.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    match is_own {
        // Replies to AUTH alone have these codes (RFC 4954 section 6).
        false => matches!(said.code(), 530 | 534 | 535 | 538).then_some(DialogueStage::Auth),
        true if has(&["tls handshake", "starttls"]) => Some(DialogueStage::Tls),
        // The second is an error that a server gave inside of AUTH (RFC 7628 section 3.2.2).
        true if has(&["cannot log in", "no credential"]) || words.starts_with('{') => {
            Some(DialogueStage::Auth)
        }
        true => Some(DialogueStage::Connect),
    }
}

/// Returns true if the relay itself says this, since no server did.
fn is_of_relay(stage: DialogueStage, text: &str) -> bool {
    let own = ["next hop", "there is no credential to log in with"];
    matches!(stage, DialogueStage::Connect | DialogueStage::Tls)
        || own.iter().any(|words| text.contains(words))
}

/// Returns the reply of a server that the relay quotes in its own.
fn quoted_reply(text: &str) -> Option<Reply> {
    let (_, rest) = text.split_once(" in reply to ")?;
    let (_, reply) = rest.split_once(": ")?;
    reply_at_start(reply)
}

/// Reads a reply as it is written in one line, such as `550 5.7.1 text`.
pub(crate) fn reply_at_start(text: &str) -> Option<Reply> {
    let (code, rest) = text.split_at_checked(3)?;
    let code: u16 = code.parse().ok()?;
    let rest = rest.strip_prefix([' ', '-'])?;
    let first = rest.split(' ').next().unwrap_or_default();
    let enhanced: Option<EnhancedCode> = first.parse().ok();
    let enhanced = enhanced.filter(|of| u16::from(of.class()) == code / 100);
    let text = match enhanced {
        Some(_) => rest.get(first.len()..).unwrap_or_default().trim_start(),
        None => rest,
    };
    Reply::checked(code, enhanced, text).ok()
}

/// Returns subject and detail of the enhanced code, which stands in the text where the relay has
/// given the reply another class.
fn code_of(reply: &Reply) -> Option<(u16, u16)> {
    let in_text =
        || gatepost_reports::Status::find(&reply.text()).map(|of| (of.subject, of.detail));
    match reply.enhanced() {
        Some(code) if (code.subject(), code.detail()) != (0, 0) => {
            Some((code.subject(), code.detail()))
        }
        _ => in_text(),
    }
}

/// Returns the stage of the dialogue at which an attempt ended.
fn dialogue_stage(stage: AttemptStage) -> DialogueStage {
    match stage {
        AttemptStage::Connect => DialogueStage::Connect,
        AttemptStage::Tls => DialogueStage::Tls,
        AttemptStage::Auth => DialogueStage::Auth,
        AttemptStage::Mail => DialogueStage::Mail,
        AttemptStage::Recipient => DialogueStage::Recipient,
        AttemptStage::Data | AttemptStage::Message | AttemptStage::Local | AttemptStage::Other => {
            DialogueStage::Data
        }
    }
}
