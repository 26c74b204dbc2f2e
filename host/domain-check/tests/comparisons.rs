//! Comparisons of a customer's domain, by a name server of the test's own.
#![allow(clippy::unwrap_used)]

use gatepost_dkim::{Algorithm, KeyRecord};
use gatepost_dns::{NameServer, Resolver, ResolverSettings};
use gatepost_domain_check::{
    CheckedDomain, DefaultAddress, Finding, PolicySource, Relation, Report, ReturnPath, SigningKey,
    Site, Standing, Topic, WayIn, check,
};
use gatepost_mx::{FetchError, StsPolicy};
use test_support::zone::{Fault, RecordType};
use test_support::{DnsServer, Zone};

const CUSTOMER: &str = "customer.example";
const NATIVE: &str = "acme.desk.example";
const SPF: &str = "v=spf1 mx include:_spf.mx.desk.example -all";
const TOKEN: &str = "abcdefghijklmnopqrst";

/// Policy of the test; none answers that the time is over.
struct Policy(Option<&'static str>);

impl PolicySource for Policy {
    async fn policy(&self, _: &str) -> Result<StsPolicy, FetchError> {
        let text = self.0.ok_or(FetchError::Timeout)?;
        Ok(StsPolicy::parse(text.as_bytes())?)
    }
}

fn zone() -> Zone {
    let mut zone = Zone::new();
    zone.a("mx.desk.example", [203, 0, 113, 9].into());
    zone.ptr([203, 0, 113, 9].into(), "mx.desk.example");
    zone.txt("_spf.mx.desk.example", "v=spf1 ip4:203.0.113.9 -all");
    zone.mx(NATIVE, 10, "mx.desk.example");
    zone.txt(NATIVE, "v=spf1 include:_spf.mx.desk.example -all");
    zone.mx(CUSTOMER, 10, "mail.customer.example");
    zone.a("mail.customer.example", [198, 51, 100, 1].into());
    zone
}

fn key() -> SigningKey {
    let (domain, selector) = (CUSTOMER.parse().unwrap(), "desk-rsa-1".parse().unwrap());
    let public = vec![7; 294];
    SigningKey {
        record: KeyRecord::new(&domain, &selector, Algorithm::Rsa, &public),
        domain,
        algorithm: Algorithm::Rsa,
        public,
        alias: Some("desk-rsa-1.0f3a.dkim.desk.example".to_owned()),
    }
}

fn customer() -> CheckedDomain {
    CheckedDomain {
        domain: CUSTOMER.parse().unwrap(),
        relation: Relation::Connected {
            tokens: vec![TOKEN.to_owned(), "other".to_owned()],
            is_verified: true,
            way_in: WayIn::Forwarded,
            native: NATIVE.parse().unwrap(),
        },
        keys: Vec::new(),
        makes_keys: "gatepost dkim generate".to_owned(),
        smart_hosts: Vec::new(),
        by_mx: true,
        return_path: Some(ReturnPath {
            domain: NATIVE.parse().unwrap(),
            alias: None,
        }),
        default: Some(DefaultAddress {
            account: "acme.desk.example".parse().unwrap(),
            address: "help@acme.desk.example".parse().ok(),
            domain: NATIVE.parse().unwrap(),
            keys: Vec::new(),
            return_path: Some(NATIVE.parse().unwrap()),
        }),
    }
}

async fn run(zone: Zone, checked: &CheckedDomain, policy: Policy) -> Report {
    let server = DnsServer::start(zone);
    let settings = ResolverSettings {
        servers: vec![NameServer(server.address())],
        ..ResolverSettings::default()
    };
    let site = Site {
        hostname: "mx.desk.example".to_owned(),
        names: vec!["mx.desk.example".to_owned()],
        addresses: vec![[203, 0, 113, 9].into()],
        spf_include: "_spf.mx.desk.example".to_owned(),
        boundary: gatepost_authentication::Boundary::default(),
    };
    let resolver = Resolver::new(&settings).unwrap();
    check(&resolver, &policy, &site, checked).await
}

async fn of(change: impl Fn(&mut Zone)) -> Report {
    let mut zone = zone();
    change(&mut zone);
    run(zone, &customer(), Policy(None)).await
}

/// The only finding about a topic.
fn one(report: &Report, topic: Topic) -> &Finding {
    let mut all = report.findings.iter().filter(|of| of.topic == topic);
    let first = all.next().unwrap_or_else(|| panic!("{topic}: {report:#?}"));
    assert!(all.next().is_none(), "{topic}: {report:#?}");
    first
}

fn said(report: &Report, topic: Topic) -> (Standing, bool, &str) {
    let finding = one(report, topic);
    (finding.standing, finding.needed, &finding.words)
}

fn sentences(report: &Report) -> String {
    let sentences = report
        .outside
        .iter()
        .map(|of| format!("{}: {}\n", of.result, of.sentence));
    sentences.collect()
}

#[tokio::test]
async fn a_domain_with_an_spf_record_needs_no_key() {
    let report = of(|zone| {
        zone.txt(CUSTOMER, SPF);
    })
    .await;
    assert!(
        !report.is_wanting() && !report.is_incomplete(),
        "{report:#?}"
    );
    assert_eq!(
        said(&report, Topic::Spf),
        (Standing::Right, false, "lets 203.0.113.9 send")
    );
    let counted = "2 terms ask the DNS, 0 look-ups are void";
    assert_eq!(
        said(&report, Topic::SpfLookUps),
        (Standing::Right, false, counted)
    );
    let proved = "SPF of customer.example proves it";
    assert_eq!(
        said(&report, Topic::Alignment),
        (Standing::Right, true, proved)
    );
    assert_eq!(one(&report, Topic::Dkim).standing, Standing::Missing);
    let ownership = one(&report, Topic::Ownership);
    assert_eq!(
        (ownership.standing, ownership.needed),
        (Standing::Missing, false)
    );
    let line = format!("_gatepost.customer.example. IN TXT \"gatepost-verification={TOKEN}\"");
    assert_eq!(ownership.paste, [line]);
    assert_eq!(
        sentences(&report),
        "pass: SPF of customer.example: pass for 203.0.113.9\n\
         none: mail from our servers meets no DMARC policy; SPF of customer.example proves it\n\
         none: mail from the default address, at acme.desk.example, meets no DMARC policy; \
         SPF of acme.desk.example proves it\n"
    );
}

#[tokio::test]
async fn nothing_is_published() {
    let report = of(|_| {}).await;
    assert!(report.is_wanting());
    let words = "there is no SPF record; name your other servers in front of ~all, too";
    assert_eq!(said(&report, Topic::Spf), (Standing::Missing, true, words));
    let line = "customer.example. IN TXT \"v=spf1 mx include:_spf.mx.desk.example ~all\"";
    assert_eq!(one(&report, Topic::Spf).paste, [line]);
    assert_eq!(said(&report, Topic::Alignment).0, Standing::Differs);
    assert_eq!(one(&report, Topic::Dmarc).standing, Standing::Missing);
    assert!(sentences(&report).contains("no DMARC policy, and nothing proves its domain"));
}

#[tokio::test]
async fn the_include_stands_and_names_other_addresses() {
    let report = of(|zone| {
        zone.txt(CUSTOMER, SPF);
        zone.forget("_spf.mx.desk.example");
        zone.txt("_spf.mx.desk.example", "v=spf1 ip4:203.0.113.10 -all");
    })
    .await;
    let words = "fail for 203.0.113.9; it includes _spf.mx.desk.example, whose own record has to \
                 name these addresses";
    assert_eq!(said(&report, Topic::Spf), (Standing::Differs, true, words));
    let line = "_spf.mx.desk.example. IN TXT \"v=spf1 ip4:203.0.113.9 -all\"";
    assert_eq!(one(&report, Topic::Spf).paste, [line]);
    assert_eq!(one(&report, Topic::SiteSpf).paste, [line]);
}

#[tokio::test]
async fn the_policy_decides_what_receivers_do() {
    for (policy, asked) in [
        ("v=DMARC1; p=reject", "refuse it"),
        ("v=DMARC1; p=quarantine", "put it into quarantine"),
        ("v=DMARC1; p=none", "take it all the same"),
    ] {
        let report = of(|zone| {
            zone.txt(CUSTOMER, "v=spf1 mx -all");
            zone.txt("_dmarc.customer.example", policy);
        })
        .await;
        let said = format!(
            "fail: mail from our servers fails DMARC, and the domain asks receivers to {asked}\n"
        );
        assert!(sentences(&report).contains(&said), "{}", sentences(&report));
        let spf = one(&report, Topic::Spf);
        assert_eq!(spf.words, "fail for 203.0.113.9");
        let line = "customer.example. IN TXT \"v=spf1 include:_spf.mx.desk.example mx -all\"";
        assert_eq!(spf.paste, [line]);
    }
}

#[tokio::test]
async fn a_key_is_missing_of_another_revoked_or_in_the_zone_of_the_site() {
    let mut checked = customer();
    checked.keys = vec![key()];
    let (record, alias) = (key().record, key().alias.unwrap());
    let alias_line = record.alias_line(&alias);
    let with = async |change: &dyn Fn(&mut Zone)| {
        let mut zone = zone();
        change(&mut zone);
        run(zone, &checked, Policy(None)).await
    };
    let missing = with(&|_| {}).await;
    assert_eq!(one(&missing, Topic::Dkim).standing, Standing::Missing);
    assert_eq!(
        one(&missing, Topic::Dkim).paste,
        [record.zone_line(record.name())]
    );
    let revoked = with(&|zone: &mut Zone| {
        zone.txt(record.name(), "v=DKIM1; k=rsa; p=");
    })
    .await;
    assert_eq!(one(&revoked, Topic::Dkim).standing, Standing::Differs);
    assert!(
        one(&revoked, Topic::Dkim)
            .words
            .starts_with("the key is revoked")
    );
    let in_site = with(&|zone: &mut Zone| {
        zone.txt(&alias, record.text());
    })
    .await;
    assert_eq!(
        one(&in_site, Topic::Dkim).paste,
        std::slice::from_ref(&alias_line)
    );
    let right = with(&|zone: &mut Zone| {
        zone.txt(&alias, record.text()).cname(record.name(), &alias);
    })
    .await;
    assert_eq!(one(&right, Topic::Dkim).standing, Standing::Right);
    let proved = (Standing::Right, true, "our signature proves it");
    assert_eq!(said(&right, Topic::Alignment), proved);
    assert!(!right.is_wanting(), "{right:#?}");
}

#[tokio::test]
async fn servers_are_the_customers_or_this_relay() {
    let here = of(|zone| {
        zone.forget(CUSTOMER).mx(CUSTOMER, 10, "MX.desk.example");
        zone.mx(NATIVE, 20, "backup.example");
    })
    .await;
    assert!(
        said(&here, Topic::Mx)
            .2
            .starts_with("mail comes straight to this relay, without")
    );
    let some = "some of its mail goes to backup.example";
    assert_eq!(
        said(&here, Topic::Forwarding),
        (Standing::Differs, true, some)
    );
    let null = of(|zone| {
        zone.forget(CUSTOMER).mx(CUSTOMER, 0, "");
    })
    .await;
    let words = "the domain takes no mail, so none comes to us";
    assert_eq!(said(&null, Topic::Mx), (Standing::Differs, true, words));
    let gone = of(|zone| {
        zone.forget(CUSTOMER).forget(NATIVE);
    })
    .await;
    assert_eq!(one(&gone, Topic::Mx).standing, Standing::Missing);
    let line = "acme.desk.example. IN MX 10 mx.desk.example.";
    assert_eq!(one(&gone, Topic::Forwarding).paste, [line]);
}

#[tokio::test]
async fn a_return_path_is_an_alias_of_the_sites() {
    let mut checked = customer();
    checked.return_path = Some(ReturnPath {
        domain: "bounces.customer.example".parse().unwrap(),
        alias: Some(NATIVE.parse().unwrap()),
    });
    let missing = run(zone(), &checked, Policy(None)).await;
    let all: Vec<_> = missing
        .findings
        .iter()
        .filter(|of| of.topic == Topic::ReturnPath)
        .collect();
    assert_eq!(all.len(), 2);
    for finding in all {
        assert_eq!(
            (finding.standing, finding.needed),
            (Standing::Missing, true)
        );
        let line = "bounces.customer.example. IN CNAME acme.desk.example.";
        assert_eq!(finding.paste, [line]);
    }
    let mut zone = zone();
    zone.cname("bounces.customer.example", NATIVE);
    let right = run(zone, &checked, Policy(None)).await;
    let proved = (
        Standing::Right,
        true,
        "SPF of bounces.customer.example proves it",
    );
    assert_eq!(said(&right, Topic::Alignment), proved);
    assert!(!right.is_wanting(), "{right:#?}");
}

#[tokio::test]
async fn a_smart_host_is_judged_by_its_own_address() {
    let mut checked = customer();
    checked.by_mx = false;
    checked.smart_hosts = vec!["smtp.customer.example".to_owned()];
    let mut zone = zone();
    zone.txt(CUSTOMER, "v=spf1 ip4:198.51.100.25 -all");
    zone.txt("_dmarc.customer.example", "v=DMARC1; p=reject");
    zone.a("smtp.customer.example", [198, 51, 100, 25].into());
    let named = run(zone.clone(), &checked, Policy(None)).await;
    assert!(!named.is_wanting(), "{named:#?}");
    let host = "pass: mail through the smart host smtp.customer.example, if it leaves from the \
                address of the host, passes DMARC: SPF of customer.example proves it\n";
    assert!(sentences(&named).contains(host), "{}", sentences(&named));
    zone.forget("smtp.customer.example")
        .a("smtp.customer.example", [198, 51, 100, 26].into());
    let other = run(zone, &checked, Policy(None)).await;
    let alone = "unknown: mail through the smart host smtp.customer.example is proved by that \
                 service alone";
    assert!(sentences(&other).contains(alone), "{}", sentences(&other));
}

#[tokio::test]
async fn a_policy_for_tls_names_every_server() {
    let with = async |policy: Option<&'static str>, record: &str| {
        let mut zone = zone();
        zone.mx(CUSTOMER, 20, "mx2.customer.example");
        zone.txt("_mta-sts.customer.example", record);
        run(zone, &customer(), Policy(policy)).await
    };
    const WILD: &str = "version: STSv1\nmode: enforce\nmx: *.customer.example\nmax_age: 60\n";
    const ONE: &str = "version: STSv1\nmode: enforce\nmx: mail.customer.example\nmax_age: 60\n";
    let covered = with(Some(WILD), "v=STSv1; id=1;").await;
    assert_eq!(
        said(&covered, Topic::MtaSts),
        (Standing::Right, true, "mode enforce")
    );
    let lacking = with(Some(ONE), "v=STSv1; id=1;").await;
    let words = "mode enforce; the policy does not name mx2.customer.example: they get no mail from \
                 servers that heed it; it lacks the lines mx: mx2.customer.example";
    assert_eq!(
        said(&lacking, Topic::MtaSts),
        (Standing::Differs, true, words)
    );
    let silent = with(None, "v=STSv1; id=1;").await;
    assert_eq!(one(&silent, Topic::MtaSts).standing, Standing::Unanswered);
    let void = with(Some(WILD), "v=STSv1;").await;
    assert_eq!(one(&void, Topic::MtaSts).standing, Standing::Differs);
}

#[tokio::test]
async fn names_of_the_site_lead_back() {
    let reverse = "9.113.0.203.in-addr.arpa";
    let report = of(|zone| {
        zone.forget(reverse).ptr_at(reverse, "other.example");
        zone.forget("mx.desk.example")
            .a("mx.desk.example", [198, 51, 100, 99].into());
    })
    .await;
    let words = "no name of the address has the address";
    assert_eq!(said(&report, Topic::Ptr), (Standing::Differs, true, words));
    let lines = [
        "9.113.0.203.in-addr.arpa. IN PTR mx.desk.example.",
        "mx.desk.example. IN A 203.0.113.9",
    ];
    assert_eq!(one(&report, Topic::Ptr).paste, lines);
    assert_eq!(one(&report, Topic::Ehlo).standing, Standing::Differs);
}

#[tokio::test]
async fn without_an_answer_nothing_is_missing() {
    let report = of(|zone| {
        zone.txt(CUSTOMER, "v=spf1 ip4:203.0.113.9 -all");
        zone.fault_of(CUSTOMER, RecordType::MX, Fault::ServFail);
    })
    .await;
    assert_eq!(one(&report, Topic::Mx).standing, Standing::Unanswered);
    assert!(
        !report.is_wanting() && report.is_incomplete(),
        "{report:#?}"
    );
    let spf = of(|zone| {
        zone.fault_of(CUSTOMER, RecordType::TXT, Fault::ServFail);
    })
    .await;
    assert_eq!(one(&spf, Topic::Spf).standing, Standing::Unanswered);
    assert_eq!(one(&spf, Topic::Alignment).standing, Standing::Unanswered);
}

#[tokio::test]
async fn only_the_accounts_token_is_its_proof() {
    let with = async |record: &str| {
        let mut zone = zone();
        zone.txt("_gatepost.customer.example", record);
        let report = run(zone, &customer(), Policy(None)).await;
        one(&report, Topic::Ownership).standing
    };
    assert_eq!(
        with(&format!("gatepost-verification={TOKEN}")).await,
        Standing::Right
    );
    assert_eq!(with("gatepost-verification=OTHER").await, Standing::Right);
    assert_eq!(
        with("gatepost-verification=another").await,
        Standing::Differs
    );
    assert_eq!(
        with(&format!("gatepost-verification={TOKEN}x")).await,
        Standing::Differs
    );
    assert_eq!(with(TOKEN).await, Standing::Missing);
}
