//! The routes of a claimed message: which recipient goes where in this attempt.
//!
//! The queue keeps a recipient's route. The router is asked only for a recipient without one, or
//! whose route stands on policies or a connection that have changed since, or has held for as long
//! as it may.

use std::collections::BTreeMap;
use std::time::Duration;

use gatepost_message::{Address, Millis};
use gatepost_model::{Destination, DestinationKey, GoOn, Judgement, Plan, Route, Routing};
use gatepost_smtp::Reply;
use gatepost_spool::ClaimedRecipient;

use crate::delivery::Delivery;
use crate::in_hand::MessageInHand;
use crate::settle::{AttemptReply, RecipientAttempt};

/// A recipient with a route.
#[derive(Debug)]
pub(crate) struct RoutedRecipient {
    /// Index of the recipient in the claim.
    pub(crate) index: usize,
    /// Calls of policies that led to the route.
    pub(crate) judgements: Vec<Judgement>,
    /// Route, with the step in use.
    pub(crate) route: Route,
}

/// Recipients of one message that go to the same destination in the name of the same address.
#[derive(Debug)]
pub(crate) struct Lot {
    pub(crate) destination: Destination,
    pub(crate) key: DestinationKey,
    /// Address in whose name the message leaves, if it is not the sender's.
    pub(crate) send_as: Option<Address>,
    /// True if the message leaves with the sender's reverse-path and none of the relay's own.
    pub(crate) keeps_sender: bool,
    pub(crate) recipients: Vec<RoutedRecipient>,
}

/// Recipients of a message by destination, and the results of those that go nowhere.
#[derive(Debug, Default)]
pub(crate) struct Routed {
    pub(crate) lots: Vec<Lot>,
    pub(crate) settled: Vec<RecipientAttempt>,
}

/// Finds the route of each recipient.
pub(crate) async fn route(delivery: &Delivery, in_hand: &MessageInHand) -> Routed {
    let mut lots: BTreeMap<_, Lot> = BTreeMap::new();
    let mut settled = Vec::new();
    for (index, recipient) in in_hand.claim.recipients.iter().enumerate() {
        let (judgements, routed) = match kept(delivery, in_hand, recipient) {
            Some(route) => (Vec::new(), Ok(route)),
            None => ask(delivery, in_hand, recipient).await,
        };
        let routed = routed.and_then(|route| {
            let ways = &delivery.ways;
            let reaches = ways.may_reach(&in_hand.claim, recipient, &route.destination);
            reaches.map(|()| route).map_err(AttemptReply::FromRelay)
        });
        match routed {
            Ok(route) => {
                let destination = route.destination.clone();
                let key = destination.key();
                let send_as = route.plan.send_as.clone();
                let name = (key.clone(), send_as.as_ref().map(ToString::to_string));
                let lot = lots.entry(name).or_insert_with(|| Lot {
                    destination,
                    key,
                    send_as,
                    keeps_sender: false,
                    recipients: Vec::new(),
                });
                lot.recipients.push(RoutedRecipient {
                    index,
                    judgements,
                    route,
                });
            }
            Err(reply) => settled.push(RecipientAttempt {
                judgements,
                ..RecipientAttempt::without_route(index, reply)
            }),
        }
    }
    Routed {
        lots: lots.into_values().collect(),
        settled,
    }
}

/// Returns the stored route of a recipient if it still holds.
fn kept(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    recipient: &ClaimedRecipient,
) -> Option<Route> {
    let route = recipient.route.as_ref()?;
    let holds = route.holds_until.is_none_or(|end| delivery.now() < end);
    let stamp = (delivery.ways).stamp(&in_hand.claim, recipient, &route.destination);
    (holds && stamp == route.stamp).then(|| route.clone())
}

/// Asks the router for a recipient's plan, and takes its first step.
async fn ask(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    recipient: &ClaimedRecipient,
) -> (Vec<Judgement>, Result<Route, AttemptReply>) {
    let decided = delivery.router.route(&in_hand.claim, recipient).await;
    let plan = match decided.routing {
        Routing::Deliver(plan) => Ok(plan),
        Routing::Pass => {
            let default = delivery.ways.default_plan(&in_hand.claim, recipient);
            default.map_err(AttemptReply::FromRelay)
        }
        Routing::Hold(reason) => Err(AttemptReply::Held(Reply::new(450, "4.7.1", reason))),
        Routing::Discard(reason) => Err(AttemptReply::Discarded(reason)),
        Routing::Defer(reply) => Err(AttemptReply::FromRelay(match reply.is_transient() {
            true => reply,
            false => Reply::new(451, "4.7.1", reply.text()),
        })),
        Routing::Fail(reply) => Err(AttemptReply::FromRelay(match reply.is_permanent() {
            true => reply,
            false => Reply::new(550, "5.7.1", reply.text()),
        })),
    };
    let route = plan.and_then(|plan| {
        let begun = begin(delivery, in_hand, recipient, plan, 0);
        begun.map_err(AttemptReply::FromRelay)
    });
    (decided.judgements, route)
}

/// Makes a route of a plan, at that step.
fn begin(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    recipient: &ClaimedRecipient,
    plan: Plan,
    step: u8,
) -> Result<Route, Reply> {
    let claim = &in_hand.claim;
    let Some(taken) = plan.steps.get(usize::from(step)) else {
        // RFC 3463: X.3.5, system incorrectly configured.
        return Err(Reply::new(451, "4.3.5", "the route has no step"));
    };
    let led = delivery.ways.destination(claim, recipient, taken)?;
    let destination = led.destination;
    let plan = Plan {
        send_as: led.send_as.or(plan.send_as),
        ..plan
    };
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    Ok(Route {
        stamp: delivery.ways.stamp(claim, recipient, &destination),
        holds_until: plan.holds_for.map(|time| delivery.now() + seconds(time)),
        plan,
        step,
        destination,
        failures: 0,
        since: None,
    })
}

/// Returns the route of a recipient after a deferred attempt: the same step, with one failure more,
/// or the next step, if the plan goes on after so many failures and so much time. The flag says
/// that it is another step.
pub(crate) fn after_deferral(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    recipient: &ClaimedRecipient,
    mut route: Route,
    now: Millis,
) -> (Route, bool) {
    route.failures = route.failures.saturating_add(1);
    let since = *route.since.get_or_insert(now);
    let step = route.plan.steps.get(usize::from(route.step));
    let goes_on = step.and_then(|step| step.go_on_after).is_some_and(|limit| {
        let GoOn { failures, seconds } = limit;
        let time = Duration::from_secs(seconds.into());
        route.failures >= failures.max(1) && now.since(since) >= time
    });
    if !goes_on || usize::from(route.step) + 1 >= route.plan.steps.len() {
        return (route, false);
    }
    let next = begin(
        delivery,
        in_hand,
        recipient,
        route.plan.clone(),
        route.step + 1,
    );
    match next {
        Ok(next) => (
            Route {
                holds_until: route.holds_until,
                ..next
            },
            true,
        ),
        Err(reply) => {
            tracing::warn!(
                id = %in_hand.claim.transaction.id,
                recipient = %recipient.address,
                %reply,
                "the next step of a route leads nowhere: its present step is kept"
            );
            (route, false)
        }
    }
}
