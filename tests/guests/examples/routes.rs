//! Routes by the local part of the recipient, mostly in ways that the relay does not take, and says
//! what it can look up of the message in the queue and of an attempt.

use gatepost_sdk::*;

/// The policy.
pub struct Routes;

fn plan(steps: Vec<Step>) -> Plan {
    Plan {
        steps,
        ..Plan::by_mx()
    }
}

fn next_hop(host: &str, port: u16) -> Way {
    Way::NextHop(NextHop {
        host: host.into(),
        port,
        tls: TlsMode::Implicit,
        protocol: Protocol::Lmtp,
    })
}

/// Returns the facts about the message in the queue, on a line.
fn queue() -> String {
    format!(
        "{} {} {} {:?} {:?} {:?} {:?} {:?} {} {:?} {:?}",
        queued::attempt_time(),
        queued::accepted(),
        queued::expires(),
        queued::header("subject"),
        queued::headers_named("X-Two"),
        queued::tags(),
        queued::class(),
        queued::metadata(),
        queued::size(),
        queued::last_reply(),
        queued::steps_tried(),
    )
}

impl Policy for Routes {
    type Settings = hostile_guests::NoSettings;

    fn new(_: Self::Settings) -> Result<Self, Vec<String>> {
        Ok(Self)
    }

    fn duties() -> Duties {
        Duties {
            routes: true,
            ..Duties::default()
        }
    }

    fn message(
        &self,
        transaction: &Transaction,
        _: &dyn Message,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        if transaction
            .recipients
            .iter()
            .any(|to| to.starts_with("queue@"))
        {
            decision.reason(queue());
        }
        Verdict::Pass
    }

    fn route(
        &self,
        _: &Transaction,
        attempt: &Attempt,
        facts: &dyn Facts,
        decision: &mut Decision,
    ) -> Routing {
        let mut routing = Plan::by_mx();
        match attempt.recipient.split('@').next().unwrap_or_default() {
            "everything" => {
                routing = Plan::by_connection("acme")
                    .go_on_after(3, 3600)
                    .egress("pool-1")
                    .then(Way::ConnectionOf("help@customer.example".into()))
                    .then(Way::Inside)
                    .then(Way::Lmtp("app".into()))
                    .then(Way::Http("app".into()))
                    .then(Way::Maildir("app".into()))
                    .then_by_mx()
                    .send_as("support@customer.example")
                    .expire_after(7200)
                    .holds_for(60);
            }
            "next-hop" => routing = Plan::by(next_hop("B\u{fc}cher.example", 24)),
            "no-host" => routing = Plan::by(next_hop("not a host", 25)),
            "no-port" => routing = Plan::by(next_hop("b.example", 0)),
            "no-step" => routing = plan(Vec::new()),
            "nine-steps" => routing = (0..8).fold(routing, |plan, _| plan.then_by_mx()),
            "no-name" => routing = Plan::by_connection(""),
            "long-name" => routing = Plan::by_connection("n".repeat(65)),
            "bad-name" => routing = Plan::by(Way::Http("a/b".into())),
            "bad-address" => routing = Plan::by_connection_of("nobody"),
            "bad-sender" => routing = routing.send_as("a@b@c"),
            "bad-pool" => routing = routing.egress("a b"),
            "no-failure" => routing = routing.go_on_after(0, 10),
            "at-once" => routing = routing.expire_after(0),
            "hold" => return Routing::Hold("for a\nperson".into()),
            "discard" => return Routing::Discard("nobody wants it".into()),
            "tag" => decision.tag("late"),
            "classify" => decision.classify(MessageClass::Human, true),
            "add" => decision.add_header("X-Late", "1"),
            "set" => decision.set_header("X-Late", "1"),
            "remove" => decision.remove_header("X-Late"),
            "protect" => decision.protect_header("X-Late"),
            "judge" => decision.suppress(&attempt.recipient, "late"),
            "report" => decision.report_suppressed(),
            "effects" => {
                decision.reason("counted");
                decision.count("routed", 1);
                decision.mark_seen("routed", 60);
                decision.forget_count("other");
                decision.remember_machine("cron@a.example", "cron", 60);
                decision.forget_machine("ann@a.example");
            }
            "queue" => decision.reason(format!("{} {}", facts.now(), queue())),
            _ => return Routing::Pass,
        }
        Routing::Deliver(routing)
    }

    fn outcome(
        &self,
        _: &Transaction,
        result: &AttemptResult,
        facts: &dyn Facts,
        decision: &mut Decision,
    ) {
        if result.recipient.starts_with("tag@") {
            decision.tag("late");
        }
        decision.reason(format!("{result:?}"));
        decision.reason(format!("{} {}", facts.now(), queue()));
    }
}

gatepost_sdk::export!(Routes: message, route, outcome);
