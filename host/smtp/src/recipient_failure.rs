//! Failures of a recipient: the meaning of a server's refusal for later mail to the same address.
//!
//! A suppression list may hold only addresses that do not work. A server refuses mail for many
//! other reasons (its sender, its content, a limit, a policy), and by the codes alone the two are
//! not told apart: many servers send no enhanced code (RFC 3463), and some give 5.1.1 to what they
//! take for spam. So words go before codes where they speak of something else than the recipient,
//! and what is not known to be about the recipient is not.

use crate::{EnhancedCode, Reply};

/// Failure that lies with a recipient's mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecipientFailure {
    /// There is no such mailbox, or it is closed for good.
    Hard,
    /// The mailbox takes no mail for now, or it is not certain that it never will.
    Soft,
}

/// Octets of a text that are read.
const READ: usize = 2_048;

/// Words about the sender, the client, the content, a policy or a limit. Each stands at the
/// beginning of a word; what follows in the same word does not matter.
const NOT_OF_THE_RECIPIENT: &[&str] = &[
    "access denied by",
    "administrative",
    "at a rate",
    "authenticat",
    "authoriz",
    "banned",
    "black list",
    "blacklist",
    "block list",
    "blocked",
    "blocklist",
    "bulk",
    "client host",
    "connection",
    "content",
    "daily",
    "denylist",
    "dkim",
    "dmarc",
    "dnsbl",
    "domain does not exist",
    "domain not found",
    "domain of sender",
    "greylist",
    "helo",
    "hourly",
    "ip address",
    "looks like",
    "loop",
    "malware",
    "message size",
    "policies",
    "policy",
    "rate limit",
    "rbl",
    "relay",
    "reputation",
    "reverse dns",
    "rate that prevents",
    "sender",
    "sending",
    "spam",
    "spf",
    "starttls",
    "suspicious",
    "throttl",
    "too large",
    "too many",
    "too quickly",
    "unsolicited",
    "verification failed for",
    "virus",
    "your domain",
    "your ip",
];

/// Words that say that there is no such mailbox.
const UNKNOWN: &[&str] = &[
    "account not found",
    "address not found",
    "address unknown",
    "bad destination mailbox",
    "does not exist",
    "does not have an account",
    "doesn't exist",
    "doesn't have a",
    "invalid mailbox",
    "invalid recipient",
    "invalid user",
    "mailbox not found",
    "mailbox unknown",
    "no account by that name",
    "no mailbox by that name",
    "no mailbox here by that name",
    "no such account",
    "no such address",
    "no such email",
    "no such local user",
    "no such mailbox",
    "no such person",
    "no such recipient",
    "no such user",
    "no user here",
    "no valid recipient",
    "not a known user",
    "not a valid mailbox",
    "not a valid recipient",
    "not a valid user",
    "not known here",
    "not listed in domino directory",
    "not our customer",
    "not found by smtp address lookup",
    "recipient does not exist",
    "recipient not found",
    "recipient unknown",
    "recipientnotfound",
    "unknown account",
    "unknown address",
    "unknown local part",
    "unknown mailbox",
    "unknown recipient",
    "unknown user",
    "user doesn't have",
    "user not found",
    "user not known",
    "user unknown",
];

/// Words that say that the mailbox is full.
const FULL: &[&str] = &[
    "disk quota",
    "exceeded its quota",
    "exceeded storage",
    "exceeds quota",
    "inbox is full",
    "mailbox full",
    "mailbox has exceeded",
    "mailbox is full",
    "mailbox quota",
    "mailfolder is full",
    "out of storage",
    "over quota",
    "overquota",
    "quota exceeded",
    "storage full",
];

/// Words that say that the mailbox is closed, perhaps for a time only, or that leave it open
/// whether there is one.
const CLOSED: &[&str] = &[
    "account disabled",
    "account inactive",
    "account is disabled",
    "account is inactive",
    "account suspended",
    "address rejected",
    "inactive",
    "mailbox disabled",
    "mailbox is disabled",
    "mailbox is inactive",
    "mailbox unavailable",
    "not accepting",
    "recipient rejected",
    "unrouteable address",
];

impl RecipientFailure {
    /// Reads a server's refusal of a recipient: a reply to RCPT, or to the message if the server
    /// answers for each recipient. `None` if it does not lie with the recipient.
    pub fn of_reply(reply: &Reply) -> Option<Self> {
        if !reply.is_negative() {
            return None;
        }
        Self::of(reply.is_permanent(), reply.enhanced(), &reply.text())
    }

    /// Reads what a report says of a recipient: its status, and the words of the server, which may
    /// begin with their codes. `None` if the failure does not lie with the recipient.
    pub fn of_report(status: Option<EnhancedCode>, diagnostic: &str) -> Option<Self> {
        let mut words = diagnostic.split_ascii_whitespace();
        let mut code = words.find_map(|word| word.get(..3)?.parse::<u16>().ok());
        code = code.filter(|code| (400..600).contains(code));
        let in_words = code.map(|code| code >= 500);
        let is_permanent = in_words.or(status.map(|status| status.class() == 5));
        Self::of(is_permanent.unwrap_or(true), status, diagnostic)
    }

    fn of(is_permanent: bool, status: Option<EnhancedCode>, words: &str) -> Option<Self> {
        let words = words[..words.floor_char_boundary(READ)].to_lowercase();
        if Words::of_prose(&words).any(NOT_OF_THE_RECIPIENT) {
            return None;
        }
        // What a server says of itself goes before what another has made of it.
        let status = code_in(&words).or(status);
        let words = Words::of(&words);
        let failure = match status.map(|status| (status.subject(), status.detail())) {
            None | Some((0, 0) | (1, 0) | (2, 0)) => words.failure(),
            // Mailbox unknown, of bad form, moved, or not to have mail (RFC 3463 section 3.2, RFC
            // 7505); disabled (section 3.3).
            Some((1, 1 | 3 | 6 | 10) | (2, 1)) => Some(Self::Hard),
            // A domain that is not found now may be found again; a full mailbox may be emptied.
            Some((1, 2) | (2, 2)) => Some(Self::Soft),
            // Exchange Online: nobody of this name, or a domain that is not set up yet.
            Some((4, 1)) if words.any(&["recipient address rejected"]) => Some(Self::Soft),
            Some(_) => None,
        };
        match is_permanent && status.is_none_or(|status| status.class() == 5) {
            true => failure,
            false => failure.map(|_| Self::Soft),
        }
    }
}

/// Returns the enhanced code in a text: its first word, behind a reply's code or not, or `#5.1.1`,
/// as qmail writes it.
fn code_in(words: &str) -> Option<EnhancedCode> {
    let bare = |word: &str| {
        let word = word.trim_matches(|at: char| !at.is_ascii_digit());
        word.parse().ok()
    };
    let first = words
        .split([' ', '-', ';'])
        .filter(|word| !word.is_empty())
        .find(|word| *word != "smtp" && (word.len() != 3 || word.parse::<u16>().is_err()));
    let marked = || words.split(' ').find(|word| word.contains('#'));
    first.and_then(bare).or_else(|| marked().and_then(bare))
}

/// Text in lower case as words with one space around each, without addresses and URLs: a word in
/// somebody's address says nothing.
struct Words(String);

impl Words {
    fn of(text: &str) -> Self {
        Self::without(text, |word| word.contains('@') || word.contains("://"))
    }

    /// The same without names of hosts.
    fn of_prose(text: &str) -> Self {
        Self::without(text, |word| {
            let inner = word.trim_matches(|at: char| !at.is_alphanumeric());
            word.contains('@') || word.contains("://") || inner.contains('.')
        })
    }

    fn without(text: &str, is_left_out: impl Fn(&str) -> bool) -> Self {
        let mut words = String::from(" ");
        for word in text.split_ascii_whitespace() {
            if is_left_out(word) {
                continue;
            }
            let parts = word.split(|at: char| !at.is_alphanumeric() && at != '\'');
            for part in parts.filter(|part| !part.is_empty()) {
                words.push_str(part);
                words.push(' ');
            }
        }
        Self(words)
    }

    /// Returns true if one of these stands in the text, from the beginning of a word.
    fn any(&self, texts: &[&str]) -> bool {
        let begins = |text: &&str| {
            let mut found = self.0.match_indices(*text);
            found.any(|(at, _)| self.0[..at].ends_with(' '))
        };
        texts.iter().any(begins)
    }

    fn failure(&self) -> Option<RecipientFailure> {
        if self.any(FULL) {
            return Some(RecipientFailure::Soft);
        }
        if self.any(UNKNOWN) {
            return Some(RecipientFailure::Hard);
        }
        self.any(CLOSED).then_some(RecipientFailure::Soft)
    }
}
