//! The step of the set-up that verifies addresses: probes are sent, and waited for.

use gatepost_directory::Verification;
use gatepost_message::Millis;
use gatepost_operations::progress::{MissingStep, Progress, Step};
use gatepost_operations::verification::{AwaitVerification, VerifyAddress};

use super::{Answers, Session, output};

/// Verifies one direction of the addresses that lack it. Returns false: what is not verified then
/// waits for a server, or for somebody who mends one.
pub(super) async fn take(
    step: Step,
    session: &mut Session<'_>,
    answers: &mut Answers,
    progress: &Progress,
) -> miette::Result<bool> {
    let names = of_step(progress, step).filter_map(|of| of.address.as_ref());
    let names: Vec<_> = names.map(ToString::to_string).collect();
    let direction = goes(step);
    let question = format!(
        "send probes, which show that mail of these addresses {direction}: {}?",
        names.join(", ")
    );
    // What is on its way is not asked for again.
    let may_send = of_step(progress, step).all(|of| pending_since(of).is_some())
        || answers.agrees(&question, true, true)?;
    if !may_send || !send(step, session, progress).await? {
        return Ok(false);
    }
    let question = "wait for the probes? They are on their way, whether or not you wait";
    if answers.agrees(question, true, false)? {
        wait(step, session, progress).await?;
    }
    Ok(false)
}

/// Sends the probes of a direction that are not on their way yet. Returns false if the relay sends
/// none.
pub(super) async fn send(
    step: Step,
    session: &mut Session<'_>,
    progress: &Progress,
) -> miette::Result<bool> {
    let account = progress.connector.claim.account;
    let inbound = step == Step::InboundVerification;
    let direction = if inbound { "inbound" } else { "outbound" };
    for (address, missing) in
        of_step(progress, step).filter_map(|of| Some((of.address.clone()?, of)))
    {
        if let Some(since) = pending_since(missing) {
            output::print(format!(
                "an {direction} probe of {address} is on its way since {since}"
            ))?;
            continue;
        }
        let sent = session.try_call(VerifyAddress {
            address: address.clone(),
            account: Some(account.to_string()),
            inbound,
            outbound: !inbound,
            circuit: false,
        });
        if let Err(error) = sent.await? {
            output::complain(session.pasted(&format!("{error}; {}", error.code.what_to_do())));
            return Ok(false);
        }
        output::print(format!(
            "{address} is being verified: an {direction} probe is on its way"
        ))?;
    }
    Ok(true)
}

/// Waits until the probes have ended, and says what came of each.
async fn wait(step: Step, session: &mut Session<'_>, progress: &Progress) -> miette::Result<()> {
    let account = progress.connector.claim.account;
    let (connector, goes) = (progress.connector.id, goes(step));
    for address in of_step(progress, step).filter_map(|of| of.address.clone()) {
        loop {
            let asked = AwaitVerification {
                account,
                address: address.clone(),
            };
            let found = session.call(asked).await?;
            if found.waiting.is_empty() {
                break;
            }
        }
        let now = super::show(session, connector).await?;
        let mut left = of_step(&now, step).filter(|of| of.address.as_ref() == Some(&address));
        match left.next() {
            None => output::print(format!("{address} is verified: its mail {goes}"))?,
            Some(missing) => output::complain(session.pasted(&missing.what_to_do)),
        }
    }
    Ok(())
}

/// Returns what mail of a verified address does.
fn goes(step: Step) -> &'static str {
    match step {
        Step::OutboundVerification => "leaves through the customer's server",
        _ => "comes in",
    }
}

fn of_step(progress: &Progress, step: Step) -> impl Iterator<Item = &MissingStep> {
    progress.missing.iter().filter(move |of| of.step == step)
}

/// Returns the time at which the probe was sent that is on its way, if one is.
fn pending_since(missing: &MissingStep) -> Option<Millis> {
    match missing.verification.as_ref()?.state {
        Verification::Pending { since } => Some(since),
        _ => None,
    }
}
