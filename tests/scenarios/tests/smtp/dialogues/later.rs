//! Dialogues that are not played yet, since they are about what a policy does that the relay does
//! not come with.

/// All of them, each with its reason.
pub const LATER: &[(&str, &str)] = &[(
    "two-from",
    "DMARC is evaluated by the policy that authenticates senders",
)];

/// Why this dialogue is not played, if it is not.
pub fn reason(id: &str) -> Option<&'static str> {
    let (_, reason) = LATER.iter().find(|(later, _)| *later == id)?;
    Some(reason)
}
