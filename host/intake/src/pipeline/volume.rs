//! Caps on submissions: the gate of the relay, asked in the terms of a transaction.

use gatepost_message::{Millis, domain_to_ascii};
use gatepost_model::{Event, Flow, NoticeSubject, Transaction};
use gatepost_smtp::Reply;
use gatepost_volume::{CapReached, Caps, InHand, Subject};

use super::Pipeline;
use crate::ownership::Ownership;

/// Takes a message of an authenticated client in hand at MAIL. A submission counts for its account,
/// its domain and its credential; mail that a customer's server relays, for its credential alone,
/// and no cap holds for it. `None` for all other mail.
///
/// # Errors
/// The reply of the cap that is reached.
pub(super) fn begin(
    pipeline: &Pipeline,
    ownership: Ownership<'_>,
    transaction: &Transaction,
) -> Result<Option<InHand>, Reply> {
    let Some(user) = transaction.session.user.as_deref() else {
        return Ok(None);
    };
    let credential = Subject::Credential(user.to_owned());
    let counted = match transaction.session.flow {
        Flow::Submission => {
            let account = ownership.account_of_submitter(user);
            let domain = transaction.reverse_path.address();
            let domain = domain.and_then(|address| domain_to_ascii(address.domain()));
            let mut subjects = vec![Subject::Account, credential];
            subjects.extend(domain.map(Subject::Domain));
            account.map(|account| {
                let own = ownership.directory.restriction(&account);
                let own = own.map(|restriction| &restriction.caps);
                let site = &pipeline.config.caps;
                let subjects = subjects.into_iter();
                let subjects = subjects.map(|of| (of.clone(), site.in_force(own, &of)));
                (account, subjects.collect())
            })
        }
        _ => {
            let known = ownership.directory.credential(user);
            let account = known.map(|known| known.credential.account.to_string());
            account.map(|account| (account, vec![(credential, Caps::default())]))
        }
    };
    let begun = counted.map(|(account, subjects)| {
        let begun = pipeline.volume.begin(account, subjects, Millis::now());
        begun.map_err(|reached| refusal(pipeline, &reached))
    });
    begun.transpose()
}

/// Returns the reply of a cap. A client tries again later (RFC 5321 section 4.2.1), unless it may
/// never send. The first refusal in a window makes a notice for the account.
pub(super) fn refusal(pipeline: &Pipeline, reached: &CapReached) -> Reply {
    if reached.is_first {
        let account = Some(reached.account.clone());
        let text = reached.to_string();
        let notice = Event::notice(account, NoticeSubject::Cap, text, Millis::now());
        // The store appends it whether or not anybody waits.
        drop(pipeline.events.append(vec![notice]));
    }
    reply(reached)
}

/// Returns the reply to MAIL or RCPT when a cap is reached.
pub fn reply(reached: &CapReached) -> Reply {
    let mut text = reached.to_string();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    match reached.opens {
        Some(_) => Reply::new(451, "4.7.1", text),
        None => Reply::new(550, "5.7.1", text),
    }
}
