//! Waiting for what others have to do: records, a log-in, probes.

use std::time::Duration;

use gatepost_message::Millis;
use gatepost_operations::clock;
use gatepost_operations::progress::{Progress, Step};
use tokio::time::{Instant, sleep};

use super::{Session, output, ownership, steps, verification};

/// Interval at which the relay is asked.
const LOOK: Duration = Duration::from_secs(2);

/// Interval at which records are looked for in the DNS.
const LOOK_FOR_RECORDS: Duration = Duration::from_secs(5);

/// Waits until nothing is missing that others have to do, for this time at most. Returns what is
/// missing then.
pub(super) async fn wait(
    session: &mut Session<'_>,
    mut progress: Progress,
    longest: Duration,
    put_off: &mut Vec<Step>,
) -> miette::Result<Progress> {
    if session.is_without_relay() && !progress.missing.is_empty() {
        output::complain("nothing is waited for: no relay is running");
        return Ok(progress);
    }
    let end = Instant::now() + longest;
    let until = Millis::now() + longest;
    let mut told = Vec::new();
    let mut looked: Option<Instant> = None;
    loop {
        let awaited = awaited(&progress);
        if awaited.is_empty() || Instant::now() >= end {
            return Ok(progress);
        }
        if awaited != told {
            output::complain(format!(
                "waiting for {} until {}",
                awaited.join(", "),
                clock(until, Millis::now())
            ));
            told = awaited;
        }
        sleep(LOOK.min(end.saturating_duration_since(Instant::now()))).await;
        // Whatever the probes had to wait for may have come meanwhile.
        let next = progress.missing.iter().map(|of| of.step);
        let new = next.into_iter().find(|step| !put_off.contains(step));
        if let Some(step) = new.filter(|step| step.is_verification()) {
            verification::send(step, session, &progress).await?;
            put_off.push(step);
        }
        if looked.is_none_or(|at| at.elapsed() >= LOOK_FOR_RECORDS) {
            looked = Some(Instant::now());
            look_for_records(session, &progress).await?;
        }
        progress = super::show(session, progress.connector.id).await?;
    }
}

/// Looks for the records that are missing.
async fn look_for_records(session: &mut Session<'_>, progress: &Progress) -> miette::Result<()> {
    let lacks = |step| progress.missing.iter().any(|of| of.step == step);
    if lacks(Step::Ownership) {
        // What is to be published was said before.
        ownership::look(session, progress).await?;
    }
    if lacks(Step::Signature) {
        steps::look_for_records(session, &progress.connector.claim).await?;
    }
    Ok(())
}

/// Returns what others have to do, in words.
fn awaited(progress: &Progress) -> Vec<String> {
    let domain = &progress.connector.claim.domain;
    let words = progress.missing.iter().filter_map(|of| {
        Some(match of.step {
            Step::Ownership => format!("the record that proves {domain}"),
            Step::LogIn => "the first log-in of the customer's server".to_owned(),
            Step::Signature => format!("the DKIM records of {domain}"),
            Step::InboundVerification | Step::OutboundVerification => {
                let direction = match of.step {
                    Step::InboundVerification => "inbound",
                    _ => "outbound",
                };
                let address = of.address.as_ref()?;
                format!("the {direction} probe of {address}")
            }
            // The operator has to do these.
            Step::Address | Step::Credential | Step::Connection | Step::WorkingConnection => {
                return None;
            }
        })
    });
    words.collect()
}
