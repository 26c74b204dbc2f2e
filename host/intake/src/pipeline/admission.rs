//! Decides who may send to whom. The rules of the host come first, so that no policy can make the
//! relay open; then the policies are asked.

use gatepost_message::{Address, Millis};
use gatepost_model::{Flow, Judgement, Session, Transaction, Verdict};
use gatepost_policy::{Findings, Pinned, Ruling};
use gatepost_smtp::Reply;

use crate::edits::host_rules;
use crate::ownership::{Ownership, RecipientOwner};

/// Answer to the client, and the calls of policies that led to it.
#[derive(Debug)]
pub(super) struct Admission {
    /// Reply to the client, if it is refused.
    pub(super) refusal: Option<Reply>,
    /// Calls of policies, in order.
    judgements: Vec<Judgement>,
}

impl Admission {
    /// Returns a yes without a call of policies.
    pub(super) fn granted() -> Self {
        Self {
            refusal: None,
            judgements: Vec::new(),
        }
    }

    /// Returns a refusal before any call of policies.
    pub(super) fn refused(reply: Reply) -> Self {
        Self {
            refusal: Some(reply),
            judgements: Vec::new(),
        }
    }

    /// Adds the judgements to the findings, and returns the refusal, if any. Effects are kept only
    /// where the answer was yes.
    pub(super) fn add_to(self, findings: &mut Findings, account: Option<&str>) -> Option<Reply> {
        let Self {
            refusal,
            judgements,
        } = self;
        match refusal {
            Some(_) => findings.note(judgements),
            None => findings.add(judgements, account),
        }
        refusal
    }
}

impl From<Ruling> for Admission {
    fn from(ruling: Ruling) -> Self {
        let refusal = match ruling.verdict {
            Verdict::Reject(reply) | Verdict::Tempfail(reply) => Some(reply),
            // The engine lets no policy discard or quarantine before the message is there.
            Verdict::Pass | Verdict::Accept | Verdict::Discard | Verdict::Quarantine(_) => None,
        };
        Self {
            refusal,
            judgements: ruling.judgements,
        }
    }
}

/// Decides whether this client may speak.
pub(super) async fn connect(policies: &Pinned, session: &Session, now: Millis) -> Admission {
    policies.connect(session, now).await.into()
}

/// Decides whether this sender may begin. A submission belongs to its user's account from the
/// start, and needs a user (RFC 6409 section 4.3); the account must not be suspended, and the
/// reverse-path is null, or one that the account [may use](Ownership::may_submit_as) (section 6.1).
pub(super) async fn sender(
    ownership: Ownership<'_>,
    policies: &Pinned,
    transaction: &mut Transaction,
) -> Admission {
    if transaction.session.flow == Flow::Submission {
        let user = transaction.session.user.as_deref();
        let account = user.and_then(|user| ownership.account_of_submitter(user));
        let Some(account) = account else {
            return Admission::refused(Reply::new(530, "5.7.0", "Authentication required"));
        };
        transaction.account = Some(account.clone());
        if let Some(reply) = host_rules::suspended(ownership, transaction) {
            return Admission::refused(reply);
        }
        if let Some(address) = transaction.reverse_path.address()
            && !ownership.may_submit_as(&account, address)
        {
            return Admission::refused(host_rules::foreign(address.domain()));
        }
    }
    policies.sender(transaction).await.into()
}

/// Decides whether this recipient may have it. A yes adds it to the transaction, and the first one
/// fixes the account. The relay's own postmaster is always accepted: somebody has to hear of it
/// when policies go wrong.
pub(super) async fn recipient(
    ownership: Ownership<'_>,
    policies: &Pinned,
    transaction: &mut Transaction,
    address: &Address,
) -> Admission {
    let postmaster = postmaster(ownership, address);
    let whatever_policies_say = postmaster.is_some();
    let (account, address) = match destination(ownership, transaction, address, postmaster) {
        Ok(destination) => destination,
        Err(reply) => return Admission::refused(reply),
    };
    let mut named = transaction.recipients.iter();
    if named.any(|named| named.is_same_mailbox(&address)) {
        // Named twice, delivered once (RFC 5321 section 4.1.1.3 leaves it open).
        return Admission::granted();
    }
    // The policy sees the recipient's account; a refused recipient fixes nothing.
    let before = transaction.account.replace(account);
    let admission = match whatever_policies_say {
        true => Admission::granted(),
        false => policies.recipient(transaction, &address).await.into(),
    };
    match admission.refusal {
        None => transaction.recipients.push(address),
        Some(_) => transaction.account = before,
    }
    admission
}

/// Returns the account that owns this recipient, and the address that its mail goes to.
///
/// `user%elsewhere.example@desk.example`, `elsewhere.example!user@…` and
/// `"user@elsewhere.example"@…` are local parts of desk.example; but a next hop that trusts this
/// relay might relay such an address onwards, and would be an open relay through us. They are
/// refused (RFC 5321 appendix F.2) unless the site has said that they are mailboxes.
fn destination(
    ownership: Ownership<'_>,
    transaction: &Transaction,
    address: &Address,
    postmaster: Option<(String, Address)>,
) -> Result<(String, Address), Reply> {
    if transaction.session.flow == Flow::Submission {
        // Without an account MAIL was refused; a submission may go to any domain, but from a sandbox.
        let account = transaction.account.clone();
        let denied = || Reply::new(530, "5.7.0", "Authentication required");
        let address = postmaster.map_or_else(|| address.clone(), |(_, postmaster)| postmaster);
        let account = account.ok_or_else(denied)?;
        return match host_rules::outside_sandbox(ownership, &account, &address) {
            Some(reply) => Err(reply),
            None => Ok((account, address)),
        };
    }
    let (account, address) = match (postmaster, ownership.owner_of(address)) {
        (Some(postmaster), _) => postmaster,
        (None, RecipientOwner::Account(account)) => {
            match ownership.accepts_local_part(&account, address) {
                true => (account, address.clone()),
                false => {
                    let text = "Source routing is refused: %, ! and @ may not stand before the @";
                    return Err(Reply::new(550, "5.7.1", text));
                }
            }
        }
        (None, RecipientOwner::Unknown) => {
            return Err(Reply::new(550, "5.1.1", "No such recipient here"));
        }
        (None, RecipientOwner::Elsewhere) => {
            return Err(Reply::new(550, "5.7.1", "Relaying denied"));
        }
    };
    match &transaction.account {
        Some(other) if *other != account => {
            let text = "Recipient of another account: send it in a transaction of its own";
            Err(Reply::new(452, "4.5.3", text))
        }
        _ => Ok((account, address)),
    }
}

/// Returns the destination of mail for the relay's own postmaster, which must be accepted (RFC 5321
/// section 4.5.1). The relay keeps no mailboxes: unless it relays for its own host name, the mail
/// goes to the postmaster of the first domain that it relays for: of the configuration, or if that
/// has none, of the directory's oldest account.
fn postmaster(ownership: Ownership<'_>, address: &Address) -> Option<(String, Address)> {
    let Ownership { config, directory } = ownership;
    let hostname = &config.relay.hostname;
    let is_postmaster = address.local().eq_ignore_ascii_case("postmaster");
    if !is_postmaster || !hostname.matches(address.domain()) {
        return None;
    }
    if let RecipientOwner::Account(account) = ownership.owner_of(address) {
        return Some((account, address.clone()));
    }
    let mut accounts = config.accounts.iter();
    let configured = accounts.find_map(|of| Some((of.id.clone(), of.domains.first()?)));
    let (account, domain) = configured.or_else(|| {
        let oldest = directory.accounts().next()?;
        Some((oldest.id.to_string(), &oldest.profile.native_domain))
    })?;
    let address = Address::parse(&format!("postmaster@{domain}")).ok()?;
    Some((account, address))
}
