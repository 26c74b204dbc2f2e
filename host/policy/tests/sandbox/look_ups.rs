//! Look-ups of a policy: the message's origin, the account and the client.

use std::sync::Arc;

use gatepost_authentication::{
    ArcDkim, ArcFact, ArcSet, Authentication, Author, DkimFact, DmarcAlignment, DmarcFact,
    DmarcPolicy, Facts, FromFact, IprevFact, SpfFact, SpfFacts,
};
use gatepost_contract::directory::{
    CredentialScope, Directory, DomainKind, DomainState, Forwarders, Partner, PartnerSource,
    ReceivingDomain,
};
use gatepost_contract::identity::Identity;
use gatepost_message::{Millis, TransactionId};
use gatepost_model::{FaultKind, Judgement, Scope, Verdict};
use gatepost_policy::{
    Answered, Chain, Definition, Findings, GivenAnswers, KeptAnswers, LookUp, LookUpAnswer,
    MessageRuling, NoMemory, Pinned, PolicyContext, Recorder, Slot, Version,
};
use serde_json::json;
use test_support::{hostile, policy};

use crate::{load, message, transaction};

struct OneAccount;

impl Directory for OneAccount {
    fn destination(&self, account: &str, address: &str) -> Option<ReceivingDomain> {
        (account == "acme" && address.ends_with("@desk.example")).then(|| ReceivingDomain {
            domain: "desk.example".into(),
            kind: DomainKind::OutboundOnly,
            state: DomainState::Verified,
            forwarders: Forwarders {
                networks: vec!["192.0.2.0/24".into()],
                dkim_domains: vec!["list.example".into()],
                arc_sealers: vec!["sealer.example".into()],
            },
            by_target: false,
        })
    }

    fn is_support_address(&self, account: &str, address: &str) -> bool {
        account == "acme" && address == "help@desk.example"
    }

    fn own_domain(&self, account: &str, domain: &str) -> Option<DomainState> {
        assert_eq!(domain, "Customer.example", "a longer text is not looked up");
        (account == "acme").then_some(DomainState::Disconnected)
    }

    fn partner(&self, account: &str, address: &str) -> Option<Partner> {
        (account == "acme" && address == "help@partner.example").then(|| Partner {
            by_domain: true,
            source: PartnerSource::Feed("https://partner.example/list".into()),
        })
    }

    fn knows_addresses(&self, account: &str) -> bool {
        account == "acme"
    }

    fn product(&self, account: &str) -> Option<String> {
        (account == "acme").then(|| "Acme Desk".into())
    }

    fn credential(&self, user: &str) -> Option<CredentialScope> {
        (user == "relay").then(|| CredentialScope::Inbound("desk.example".into()))
    }

    fn settings(&self, account: &str, policy: &str) -> Option<String> {
        (account == "acme" && policy == "origin").then(|| r#"{"mode":"enhanced"}"#.into())
    }
}

struct ThisRelay;

impl Identity for ThisRelay {
    fn host_name(&self) -> String {
        "mx.desk.example".into()
    }

    fn email_id(&self, transaction: TransactionId) -> String {
        format!("{transaction}.code")
    }

    fn is_ours(&self, email_id: &str) -> bool {
        email_id.ends_with(".code")
    }

    fn our_message_id(&self, message_id: &str) -> Option<String> {
        (message_id == "1@service.example").then(|| "1@desk.example".to_owned())
    }
}

fn facts() -> Facts {
    let spf = |result, domain: &str| SpfFact {
        result,
        domain: domain.into(),
        reason: None,
    };
    Facts {
        spf: SpfFacts {
            helo: spf(Authentication::Softfail, "client.example"),
            mailfrom: spf(Authentication::Neutral, "sender.example"),
        },
        dkim: vec![
            DkimFact {
                result: Authentication::Pass,
                domain: "sender.example".into(),
                selector: "s1".into(),
                algorithm: "rsa-sha256".into(),
                reason: None,
            },
            DkimFact {
                result: Authentication::Policy,
                domain: "other.example".into(),
                selector: "s2".into(),
                ..DkimFact::default()
            },
        ],
        dmarc: DmarcFact {
            result: Authentication::Fail,
            policy: Some(DmarcPolicy::Reject),
            applied: Some(DmarcPolicy::Quarantine),
            domain: "a.sender.example".into(),
            organizational_domain: "sender.example".into(),
            alignment: DmarcAlignment {
                spf: false,
                dkim: true,
            },
            reason: None,
        },
        arc: ArcFact {
            result: Authentication::Pass,
            instances: 1,
            sealer: "sealer.example".into(),
            sets: vec![ArcSet {
                instance: 1,
                sealer: "sealer.example".into(),
                dmarc: Some(Authentication::Pass),
                dkim: vec![ArcDkim::default()],
                ..ArcSet::default()
            }],
            reason: None,
        },
        iprev: IprevFact {
            result: Authentication::Permerror,
            name: String::new(),
        },
        authors: vec![Author {
            name: "Ann".into(),
            address: "ann@a.sender.example".into(),
        }],
        from: FromFact::default(),
    }
}

async fn origin() -> Version {
    let mut definition = Definition::new("origin");
    definition.settings = json!({ "own-domains": ["Customer.example", "a".repeat(2000)] });
    load(definition, hostile("origin")).await
}

fn known() -> PolicyContext {
    PolicyContext {
        memory: Arc::new(NoMemory),
        directory: Arc::new(OneAccount),
        identity: Arc::new(ThisRelay),
    }
}

async fn judge(facts: Option<Facts>, account: Option<&str>, user: Option<&str>) -> MessageRuling {
    let pinned = Chain::new([Slot::new(origin().await)]).begin(known());
    assert!(pinned.wants_authentication());
    let mut transaction = transaction();
    transaction.account = account.map(str::to_owned);
    transaction.session.user = user.map(str::to_owned);
    let facts = facts.map(Arc::new);
    let message = message("Subject: s\r\n");
    pinned
        .message(&transaction, message, facts.as_ref(), Findings::default())
        .await
}

#[tokio::test]
async fn a_policy_reads_the_gathered_facts() {
    let ruling = judge(Some(facts()), Some("acme"), Some("relay")).await;
    assert_eq!(
        ruling.findings.judgements[0].decision.reasons,
        [
            "spf-helo softfail client.example",
            "spf-mailfrom neutral sender.example",
            "dkim pass sender.example s1",
            "dkim policy other.example s2",
            "dmarc fail reject quarantine a.sender.example sender.example false true",
            "arc pass 1 sealer.example",
            "arc-set 1 sealer.example pass",
            "iprev permerror",
            "author \"Ann\" ann@a.sender.example",
            "to help@desk.example desk.example Some(OutboundOnly) Some(Verified) \
             [\"192.0.2.0/24\"] [\"list.example\"] [\"sealer.example\"] true Relayed",
            "to sales@desk.example desk.example Some(OutboundOnly) Some(Verified) \
             [\"192.0.2.0/24\"] [\"list.example\"] [\"sealer.example\"] false Relayed",
            "to somebody@elsewhere.example nobody's false Other",
            "own Some(Disconnected)",
            "own None",
            "partner true Feed(\"https://partner.example/list\")",
            "addresses true",
            "product Some(\"Acme Desk\")",
            "credential relay Inbound(\"desk.example\")",
            "settings {\"mode\":\"enhanced\"}",
            "relay mx.desk.example ours true false given Some(\"1@desk.example\") None",
        ]
    );
}

#[tokio::test]
async fn look_ups_tell_nothing_without_the_account() {
    for account in [Some("other"), None] {
        let ruling = judge(Some(facts()), account, None).await;
        let reasons = ruling.findings.judgements[0].decision.reasons.join("\n");
        for line in [
            "to help@desk.example nobody's false",
            "own None",
            "partner none",
            "addresses false",
            "product None",
            "credential none",
            "settings none",
        ] {
            assert!(reasons.contains(line), "{reasons}");
        }
    }
}

#[tokio::test]
async fn asking_for_facts_that_were_not_gathered_is_a_fault() {
    // At the end of data, when the host gathered nothing.
    let ruling = judge(None, Some("acme"), None).await;
    assert!(
        matches!(ruling.verdict, Verdict::Tempfail(_)),
        "{:?}",
        ruling.verdict
    );
    // In a hook before the end of data.
    let mut definition = Definition::new("origin");
    definition.settings = json!({ "too-soon": "help@" });
    let origin = load(definition, hostile("origin")).await;
    let pinned = Chain::new([Slot::new(origin)]).begin(Arc::new(NoMemory));
    let transaction = transaction();
    let ruling = pinned
        .recipient(&transaction, &transaction.recipients[0])
        .await;
    let fault = ruling.judgements[0].error.as_ref().unwrap();
    assert_eq!(fault.kind, FaultKind::Answer);
    assert!(fault.detail.contains("message hook alone"), "{fault}");
}

#[tokio::test]
async fn a_policy_imports_only_the_interfaces_that_it_uses() {
    let all = ["authentication", "directory", "settings-of-account"];
    for (name, foreign) in [
        // loop-guard asks the directory for machines.
        ("loop-guard", &["authentication", "settings-of-account"][..]),
        // header-guard asks it whose the addresses of From are.
        ("header-guard", &["authentication", "settings-of-account"]),
        ("outbound-route", &all),
    ] {
        let version = load(Definition::new(name), policy(name)).await;
        let imports = &version.inspection().imports;
        assert!(!version.wants_authentication(), "{name}: {imports:?}");
        for interface in foreign {
            assert!(!imports.iter().any(|import| import == interface), "{name}");
        }
        let pinned = Chain::new([Slot::new(version)]).begin(Arc::new(NoMemory));
        assert!(!pinned.wants_authentication());
    }
}

/// Keeps the answers of a chain of one policy.
#[derive(Default)]
struct Keeps(KeptAnswers);

impl Recorder for Keeps {
    fn sources(&self, _: &Version, sources: &PolicyContext) -> PolicyContext {
        self.0.keeping(sources)
    }
}

/// Gives kept answers.
struct Gives(GivenAnswers);

impl Recorder for Gives {
    fn sources(&self, _: &Version, sources: &PolicyContext) -> PolicyContext {
        self.0.before(sources)
    }
}

/// Asks the policy about one message of the account.
async fn asked(pinned: Pinned) -> Judgement {
    let mut transaction = transaction();
    transaction.id = "0190b5f0-0000-7000-8000-000000000000".parse().unwrap();
    transaction.session.user = Some("relay".into());
    let facts = Arc::new(facts());
    let message = message("Subject: s\r\n");
    let ruling = pinned.message(&transaction, message, Some(&facts), Findings::default());
    let mut judgement = ruling.await.findings.judgements.remove(0);
    judgement.micros = 0;
    judgement
}

#[tokio::test]
async fn a_call_repeats_exactly_with_its_answers_when_nothing_is_known_any_more() {
    let version = Arc::new(origin().await);
    let versions = || -> Arc<[Arc<Version>]> { Arc::from([Arc::clone(&version)]) };
    let keeps = Arc::new(Keeps::default());
    let first = asked(Pinned::apart(versions(), known()).watched_by(keeps.clone())).await;
    let answers = keeps.0.take();
    let product = LookUpAnswer::Text(Some("Acme Desk".into()));
    assert!(answers.contains(&Answered(LookUp::Product("acme".into()), product)));

    // As a record has them.
    let answers = serde_json::to_vec(&answers).unwrap();
    let answers: Vec<Answered> = serde_json::from_slice(&answers).unwrap();
    let nothing = || PolicyContext::from(Arc::new(NoMemory));
    let given = GivenAnswers::new(Arc::new(answers), Arc::from([]));
    let gives = Arc::new(Gives(given.clone()));
    let again = asked(Pinned::apart(versions(), nothing()).watched_by(gives)).await;
    assert_eq!(again, first);
    assert_eq!(given.take_unknown(), []);

    let given = GivenAnswers::new(Arc::default(), Arc::from([]));
    let gives = Arc::new(Gives(given.clone()));
    let without = asked(Pinned::apart(versions(), nothing()).watched_by(gives)).await;
    assert_ne!(without, first);
    assert!(
        given
            .take_unknown()
            .contains(&LookUp::Product("acme".into()))
    );
}

#[test]
fn a_question_asked_again_gets_the_next_answer_to_it() {
    let count = |number| {
        Answered(
            LookUp::Counted("k".into(), 60),
            LookUpAnswer::Number(number),
        )
    };
    let seen = Answered(LookUp::Seen("k".into()), LookUpAnswer::Is(true));
    let given = GivenAnswers::new(
        Arc::new(vec![count(1), count(2)]),
        Arc::from([Arc::new(vec![seen])]),
    );
    let sources = given.before(&PolicyContext::from(Arc::new(NoMemory)));
    let scope = Scope {
        policy: "p".into(),
        account: None,
    };
    let now = Millis(0);
    let counted = [(); 3].map(|()| sources.memory.counted(&scope, "k", 60, now));
    assert_eq!(counted, [1, 2, 2]);
    // Marks of another policy are none of this one's.
    assert!(!sources.memory.seen(&scope, "k", now));
    assert_eq!(given.take_unknown(), [LookUp::Seen("k".into())]);
}

#[test]
fn answers_are_kept_up_to_a_bound_however_much_a_policy_asks() {
    let kept = KeptAnswers::default();
    let sources = kept.keeping(&PolicyContext::from(Arc::new(NoMemory)));
    let scope = Scope {
        policy: "p".into(),
        account: None,
    };
    sources.memory.seen(&scope, &"k".repeat(1 << 20), Millis(0));
    for number in 0..100_000 {
        sources.memory.seen(&scope, &number.to_string(), Millis(0));
    }
    let kept = kept.take();
    assert!((500..2_000).contains(&kept.len()), "{}", kept.len());
    assert_eq!(
        kept[0].0,
        LookUp::Seen("0".into()),
        "the long one is left out"
    );
}
