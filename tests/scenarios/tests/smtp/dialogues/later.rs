//! Dialogues that are not played yet.

use test_support::Relay;

/// Why a dialogue is not played.
#[derive(Debug)]
pub enum Reason {
    /// It is about this extension, which EHLO does not offer.
    NotOffered(&'static str),
    /// It is about something that the relay does not do yet.
    Missing(&'static str),
}

use Reason::{Missing, NotOffered};

/// All of them. One that EHLO begins to offer may not stay here.
pub const LATER: &[(&str, Reason)] = &[
    ("bdat-one", NotOffered("CHUNKING")),
    ("bdat-two-chunks", NotOffered("CHUNKING")),
    ("bdat-zero-last", NotOffered("CHUNKING")),
    ("bdat-dot-line", NotOffered("CHUNKING")),
    ("bdat-smuggle", NotOffered("CHUNKING")),
    ("bdat-after-data", NotOffered("CHUNKING")),
    ("bdat-without-rcpt", NotOffered("CHUNKING")),
    ("bdat-bad-rcpt-pipelined", NotOffered("CHUNKING")),
    ("bdat-huge", NotOffered("CHUNKING")),
    ("bdat-negative", NotOffered("CHUNKING")),
    ("bdat-not-last-then-quit", NotOffered("CHUNKING")),
    ("smtputf8", NotOffered("SMTPUTF8")),
    (
        "forged-authentication-results",
        Missing("Authentication-Results are removed by the policy that writes our own"),
    ),
    (
        "two-from",
        Missing("DMARC is evaluated by the policy that authenticates senders"),
    ),
];

/// Why this dialogue is not played, if it is not.
pub fn reason(id: &str) -> Option<String> {
    let (_, reason) = LATER.iter().find(|(later, _)| *later == id)?;
    Some(match reason {
        NotOffered(extension) => format!("{extension} is not offered"),
        Missing(what) => (*what).to_owned(),
    })
}

/// Makes sure that none of the extensions is offered.
pub fn is_later_still(relay: &Relay) {
    let mut client = relay.client("submission");
    let offered = [client.ehlo(), client.starttls()].concat();
    for (id, reason) in LATER {
        if let NotOffered(extension) = reason {
            let keyword = |line: &String| line.split(' ').next() == Some(extension);
            assert!(
                !offered.iter().any(keyword),
                "{extension} is offered: play {id}"
            );
        }
    }
}
