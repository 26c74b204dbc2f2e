//! Plans of the route hook, and what the hooks about an attempt can look up and ask for.

use std::sync::Arc;

use gatepost_message::{Address, Millis};
use gatepost_model::{
    AttemptResult, AttemptStage, Ending, Fault, FaultKind, MessageClass, Queued, Routing, TriedStep,
};
use gatepost_policy::{
    Chain, Definition, Findings, Grants, LoadError, NoMemory, OnError, OutcomeRuling, Pinned,
    RouteRuling, Slot,
};
use gatepost_smtp::Reply;
use test_support::hostile;
use tokio::sync::OnceCell;

use crate::{address, engine, load, message, transaction};

/// No grant, and all.
const GRANTS: [Grants; 2] = [
    Grants {
        discard: false,
        next_hop: false,
    },
    Grants {
        discard: true,
        next_hop: true,
    },
];

/// Returns the policy, which is loaded once for all tests.
async fn policies(granted: bool) -> Pinned {
    static LOADED: [OnceCell<Arc<Slot>>; 2] = [const { OnceCell::const_new() }; 2];
    let at = usize::from(granted);
    let slot = LOADED[at].get_or_init(|| async move {
        let mut definition = Definition::new("routes");
        definition.grants = GRANTS[at];
        Slot::new(load(definition, hostile("routes")).await)
    });
    Chain::new([Arc::clone(slot.await)]).begin(Arc::new(NoMemory))
}

fn queued() -> Arc<Queued> {
    Arc::new(Queued {
        attempt_time: Millis(3),
        accepted: Millis(1),
        expires: Millis(9),
        message: message("Subject: s\r\nX-Two: one\r\nX-Two:  two\r\n"),
        tags: vec!["bulk".into()],
        class: Some(MessageClass::AutoReplied),
        metadata: vec![("ticket".into(), "42".into())],
        last_reply: Some(Reply::new(451, "4.7.1", "later")),
        steps_tried: vec![TriedStep {
            step: "connection acme".into(),
            failures: 2,
            since: Millis(2),
        }],
    })
}

/// Facts of [`queued`] in the words of the guest.
const QUEUE: &str = "3 1 9 Some(\"s\") [\"one\", \"two\"] [\"bulk\"] Some(AutoReplied) \
     [MetadataItem { name: \"ticket\", value: \"42\" }] 45 \
     Some(Reply { code: 451, enhanced: \"4.7.1\", text: \"later\" }) \
     [TriedStep { step: \"connection acme\", failures: 2, since: 2 }]";

async fn route(granted: bool, local: &str) -> RouteRuling {
    let to = address(&format!("{local}@desk.example"));
    let policies = policies(granted).await;
    policies.route(&transaction(), &to, 0, &queued()).await
}

async fn outcome(local: &str) -> OutcomeRuling {
    let recipient: Address = address(&format!("{local}@desk.example"));
    let result = Arc::new(AttemptResult {
        recipient,
        ending: Ending::Expired,
        stage: AttemptStage::Tls,
        reply: Reply::new(550, "5.4.7", "too late"),
        step: Some("mx".into()),
        server: Some("mx.b.example:25".into()),
        tls: Some("TLSv1.3 X".into()),
        sent_as: Some(address("support@customer.example")),
        message_id: Some("1@a.example".into()),
    });
    let policies = policies(false).await;
    policies.outcome(&transaction(), &result, &queued()).await
}

fn fault(ruling: &RouteRuling) -> &Fault {
    let fault = ruling.judgements[0].error.as_ref();
    fault.unwrap_or_else(|| panic!("{:?}", ruling.routing))
}

#[tokio::test]
async fn a_plan_comes_whole() {
    let ruling = route(false, "everything").await;
    assert_eq!(
        ruling.judgements[0].routing.as_deref(),
        Some(&ruling.routing)
    );
    let Routing::Deliver(plan) = ruling.routing else {
        panic!("{:?}", ruling.routing);
    };
    assert_eq!(
        plan.to_string(),
        "connection acme go-on-after=3,3600 egress=pool-1, \
         then connection-of help@customer.example, then inside, then lmtp app, then http app, \
         then maildir app, then mx; as support@customer.example; expires after 7200 s; \
         holds for 60 s"
    );
}

#[tokio::test]
async fn a_next_hop_needs_its_grant() {
    let ruling = route(false, "next-hop").await;
    let fault = fault(&ruling);
    assert_eq!(fault.kind, FaultKind::Answer);
    assert_eq!(
        fault.detail,
        "it names a next hop without the `next-hop` grant"
    );
    assert!(matches!(ruling.routing, Routing::Defer(_)));
    let ruling = route(true, "next-hop").await;
    let told = "deliver by next-hop xn--bcher-kva.example:24 tls=implicit protocol=lmtp";
    assert_eq!(ruling.routing.to_string(), told);
}

#[tokio::test]
async fn a_discarded_recipient_needs_the_grant() {
    let ruling = route(false, "discard").await;
    assert_eq!(
        fault(&ruling).detail,
        "it discards without the `discard` grant"
    );
    let ruling = route(true, "discard").await;
    assert_eq!(ruling.routing, Routing::Discard("nobody wants it".into()));
    let ruling = route(false, "hold").await;
    assert_eq!(ruling.routing, Routing::Hold("for a person".into()));
}

#[tokio::test]
async fn a_plan_that_says_nothing_is_a_fault() {
    for (local, detail) in [
        (
            "no-host",
            "its next hop \"not a host\" port 25 is not a host and a port",
        ),
        (
            "no-port",
            "its next hop \"b.example\" port 0 is not a host and a port",
        ),
        ("no-step", "its plan has no step"),
        ("nine-steps", "its plan has more than 8 steps"),
        (
            "no-name",
            "name \"\" in its plan: 1 to 64 letters, digits, -, . and _",
        ),
        ("long-name", "in its plan: 1 to 64 letters"),
        ("bad-name", "name \"a/b\" in its plan"),
        ("bad-address", "address \"nobody\" in its plan"),
        ("bad-sender", "address \"a@b@c\" in its plan"),
        ("bad-pool", "name \"a b\" in its plan"),
        ("no-failure", "its plan goes on after no failure"),
        ("at-once", "its plan expires at once"),
    ] {
        let ruling = route(true, local).await;
        let fault = fault(&ruling);
        assert_eq!(fault.kind, FaultKind::Answer, "{local}: {fault}");
        assert!(fault.detail.contains(detail), "{local}: {fault}");
    }
}

#[tokio::test]
async fn an_accepted_message_takes_no_more_edits() {
    for (local, request) in [
        ("tag", "tag"),
        ("classify", "classify"),
        ("add", "add-header"),
        ("set", "set-header"),
        ("remove", "remove-header"),
        ("protect", "protect-header"),
        ("judge", "judge-recipient"),
        ("report", "report-suppressed"),
    ] {
        let ruling = route(false, local).await;
        let fault = fault(&ruling);
        assert_eq!(fault.kind, FaultKind::Answer, "{local}: {fault}");
        assert_eq!(
            fault.detail,
            format!(
                "it calls {request} in the route hook, where the message was accepted long ago"
            )
        );
    }
    let ruling = outcome("tag").await;
    assert_eq!(
        ruling.judgements[0].error.as_ref().unwrap().detail,
        "it calls tag in the outcome hook, where the message was accepted long ago"
    );
}

#[tokio::test]
async fn reasons_counts_marks_and_machines_count_before_an_attempt() {
    let ruling = route(false, "effects").await;
    assert_eq!(ruling.judgements[0].error, None);
    assert_eq!(ruling.judgements[0].decision.reasons, ["counted"]);
    assert_eq!(ruling.effects.len(), 5);
}

#[tokio::test]
async fn a_route_knows_the_message_in_the_queue() {
    let ruling = route(false, "queue").await;
    assert_eq!(
        ruling.judgements[0].decision.reasons,
        [format!("3 {QUEUE}")]
    );
}

#[tokio::test]
async fn an_outcome_knows_the_attempt_and_the_queue() {
    let ruling = outcome("ann").await;
    assert_eq!(
        ruling.judgements[0].decision.reasons,
        [
            "AttemptResult { recipient: \"ann@desk.example\", ending: Expired, stage: Tls, \
             reply: Reply { code: 550, enhanced: \"5.4.7\", text: \"too late\" }, \
             step: Some(\"mx\"), server: Some(\"mx.b.example:25\"), tls: Some(\"TLSv1.3 X\"), \
             sent_as: Some(\"support@customer.example\"), message_id: Some(\"1@a.example\") }"
                .to_owned(),
            format!("3 {QUEUE}")
        ]
    );
}

#[tokio::test]
async fn before_its_acceptance_a_message_is_in_no_queue() {
    let mut transaction = transaction();
    transaction.recipients = vec![address("queue@desk.example")];
    let policies = policies(false).await;
    let message = message("Subject: s\r\n");
    let ruling = policies.message(&transaction, message, None, Findings::default());
    let ruling = ruling.await;
    let fault = ruling.findings.judgements[0].error.clone().unwrap();
    assert_eq!(fault.kind, FaultKind::Answer);
    assert_eq!(
        fault.detail,
        "the message is in the queue in route and outcome alone"
    );
}

#[tokio::test]
async fn a_policy_with_the_duty_to_route_is_never_skipped() {
    let mut definition = Definition::new("routes");
    definition.on_error = OnError::Skip;
    let loaded = engine().load(definition, hostile("routes").into()).await;
    let error = loaded.unwrap_err();
    assert!(
        matches!(error, LoadError::SkipFailsOpen { duty: "routes" }),
        "{error}"
    );
}
