//! Rules that the suites do not cover: limits, trust, and failures of the DNS.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gatepost_authentication::{
    Authentication, Boundary, DkimFact, Facts, FromClarity, Limits, Settings,
};
use gatepost_message::{Body, Message};
use proptest::prelude::*;
use test_support::zone::{Fault, RecordType};
use test_support::{ArcChain, Signer, Zone};

use crate::world::World;

const MESSAGE: &[u8] = b"From: a@author.example\r\nSubject: a\r\n\r\nbody\r\n";

fn defaults() -> Settings {
    Settings::default()
}

/// Returns a signed message and a zone with its key.
fn signed() -> (Signer, Zone, String) {
    let signer = Signer::new();
    let mut zone = Zone::new();
    signer.publish(&mut zone, "author.example");
    let message = signer.sign(MESSAGE, "author.example");
    (signer, zone, String::from_utf8(message).expect("text"))
}

/// Returns result and reason of the only signature.
fn only_signature(facts: &Facts) -> (Authentication, &str) {
    let [DkimFact { result, reason, .. }] = &facts.dkim[..] else {
        panic!("{facts:?}");
    };
    (*result, reason.as_deref().unwrap_or_default())
}

#[test]
fn only_eight_of_three_hundred_signatures_are_checked() {
    let (_, zone, message) = signed();
    let head = message.split_once("From: a@").expect("From").0;
    let many: String = (0..300)
        .map(|number| head.replacen("s=s;", &format!("s=s{number};"), 1))
        .collect();
    let world = World::of(zone);
    let started = Instant::now();
    let facts = world.facts(format!("{many}{message}").as_bytes(), &defaults());
    assert_eq!(facts.dkim.len(), Limits::default().signatures);
    let keys = |asked: &test_support::Question| asked.name.contains("._domainkey.");
    assert_eq!(
        world
            .server()
            .asked()
            .iter()
            .filter(|one| keys(one))
            .count(),
        8
    );
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_signature_whose_key_is_beyond_the_limit_is_policy() {
    let (_, zone, message) = signed();
    let settings = Settings {
        limits: Limits {
            keys: 0,
            ..Limits::default()
        },
        ..defaults()
    };
    let facts = World::of(zone).facts(message.as_bytes(), &settings);
    assert_eq!(
        only_signature(&facts),
        (
            Authentication::Policy,
            "too many keys would have to be looked up"
        )
    );
}

#[test]
fn a_signature_of_more_than_500_fields_is_policy() {
    let (_, zone, message) = signed();
    let names = "h=".to_owned() + &"x:".repeat(40_000);
    let message = message.replacen("h=", &names, 1);
    let facts = World::of(zone).facts(message.as_bytes(), &defaults());
    assert_eq!(
        only_signature(&facts),
        (Authentication::Policy, "h= names more than 500 fields")
    );
}

#[test]
fn a_failing_name_server_is_a_temporary_error() {
    let (_, mut zone, message) = signed();
    zone.fault("s._domainkey.author.example", Fault::ServFail)
        .fault("_dmarc.author.example", Fault::ServFail);
    let facts = World::of(zone).facts(message.as_bytes(), &defaults());
    assert_eq!(only_signature(&facts).0, Authentication::Temperror);
    assert_eq!(facts.dmarc.result, Authentication::Temperror);
    assert_eq!(facts.dmarc.domain, "author.example");
}

#[test]
fn look_ups_end_with_the_time_of_the_message() {
    let (_, mut zone, message) = signed();
    zone.fault("s._domainkey.author.example", Fault::Silence);
    let settings = Settings {
        limits: Limits {
            time: Duration::from_millis(50),
            ..Limits::default()
        },
        ..defaults()
    };
    let facts = World::of(zone).facts(message.as_bytes(), &settings);
    let (result, reason) = only_signature(&facts);
    assert_eq!(result, Authentication::Temperror);
    assert!(
        reason.ends_with("the time for this message's look-ups is over"),
        "{reason}"
    );
}

#[test]
fn dmarc_is_temperror_if_an_aligned_signature_cannot_be_checked() {
    let (_, mut zone, message) = signed();
    zone.txt("_dmarc.author.example", "v=DMARC1; p=reject")
        .fault("s._domainkey.author.example", Fault::ServFail);
    let facts = World::of(zone).facts(message.as_bytes(), &defaults());
    assert_eq!(facts.dmarc.result, Authentication::Temperror);
    assert_eq!(facts.dmarc.applied, None);
}

#[test]
fn a_top_level_domain_without_an_answer_changes_nothing() {
    let (_, mut zone, message) = signed();
    zone.txt("_dmarc.author.example", "v=DMARC1; p=reject")
        .fault("_dmarc.example", Fault::ServFail);
    let facts = World::of(zone).facts(message.as_bytes(), &defaults());
    assert_eq!(facts.dmarc.result, Authentication::Pass);
}

#[test]
fn alignment_is_known_without_a_record() {
    let signer = Signer::new();
    let mut zone = Zone::new();
    signer.publish(&mut zone, "mail.author.example");
    signer.publish(&mut zone, "other.example");
    let world = World::of(zone);
    let own = world.facts(&signer.sign(MESSAGE, "mail.author.example"), &defaults());
    assert!(own.dmarc.alignment.dkim, "{own:?}");
    assert_eq!(own.dmarc.result, Authentication::None);
    assert_eq!(own.dmarc.organizational_domain, "author.example");
    let other = world.facts(&signer.sign(MESSAGE, "other.example"), &defaults());
    assert!(!other.dmarc.alignment.dkim, "{other:?}");
}

#[test]
fn the_public_suffix_list_is_the_boundary_if_it_is_set() {
    // By the tree walk, a record with psd=n makes its subdomain an organisation.
    let signer = Signer::new();
    let mut zone = Zone::new();
    zone.txt("_dmarc.team.author.example", "v=DMARC1; p=reject; psd=n")
        .txt("_dmarc.author.example", "v=DMARC1; p=none");
    signer.publish(&mut zone, "author.example");
    let message = b"From: a@team.author.example\r\nSubject: a\r\n\r\nbody\r\n";
    let message = signer.sign(message, "author.example");
    let world = World::of(zone);
    let walked = world.facts(&message, &defaults()).dmarc;
    assert_eq!(walked.organizational_domain, "team.author.example");
    assert_eq!(walked.result, Authentication::Fail);
    let listed = Settings {
        boundary: Boundary::PublicSuffixList,
        ..defaults()
    };
    let listed = world.facts(&message, &listed).dmarc;
    assert_eq!(listed.organizational_domain, "author.example");
    assert_eq!(listed.result, Authentication::Pass);
}

#[test]
fn an_unreadable_from_is_a_permanent_error() {
    let world = World::of(Zone::new());
    for (head, why) in [
        ("Subject: a", "there is no From field"),
        ("From: nobody", "From has an entry without an address"),
        (
            "From: a@a.example, a@b.example, a@c.example, a@d.example, a@e.example, a@f.example",
            "From has addresses of more than 5 domains",
        ),
    ] {
        let facts = world.facts(format!("{head}\r\n\r\n").as_bytes(), &defaults());
        assert_eq!(facts.dmarc.result, Authentication::Permerror, "{head}");
        assert_eq!(facts.dmarc.reason.as_deref(), Some(why), "{head}");
        assert_eq!(facts.dmarc.domain, "", "{head}");
        assert_eq!(facts.from.clarity, FromClarity::Unreadable, "{head}");
    }
}

#[test]
fn a_signature_with_a_malformed_tag_is_refused_with_the_reason() {
    let (_, zone, message) = signed();
    let world = World::of(zone);
    for (from, to, result, why) in [
        ("v=1; ", "", Authentication::Permerror, "v=1 is missing"),
        (
            "a=ed25519-sha256; ",
            "",
            Authentication::Permerror,
            "a= is missing",
        ),
        (
            "a=ed25519-sha256",
            "a=rsa-sha1",
            Authentication::Permerror,
            "a=rsa-sha1 proves nothing any more (RFC 8301 section 3.1)",
        ),
        (
            "v=1; ",
            "v=1; v=1; ",
            Authentication::Permerror,
            "the list of tags is malformed: v= occurs twice",
        ),
        (
            "h=Subject:From",
            "h=Subject",
            Authentication::Permerror,
            "From is not signed (RFC 6376 section 5.4)",
        ),
        (
            "v=1; ",
            "v=1; i=@other.example; ",
            Authentication::Permerror,
            "i= is of another domain than d=",
        ),
        (
            "v=1; ",
            "v=1; q=carrier/pigeon; ",
            Authentication::Permerror,
            "q= names only unknown ways to the key",
        ),
        (
            "v=1; ",
            "v=1; l=1000; ",
            Authentication::Fail,
            "the body is shorter than what was signed (l=, RFC 6376 section 3.5)",
        ),
        (
            "s=s;",
            "s=gone;",
            Authentication::Permerror,
            "there is no key at the selector",
        ),
    ] {
        let changed = message.replacen(from, to, 1);
        assert_ne!(changed, message, "{from}");
        let facts = world.facts(changed.as_bytes(), &defaults());
        assert_eq!(only_signature(&facts), (result, why), "{from} {to}");
    }
}

#[test]
fn a_reason_is_cut_to_200_characters() {
    let (_, zone, message) = signed();
    let message = message.replacen("a=", &format!("a={}", "ä".repeat(100_000)), 1);
    let facts = World::of(zone).facts(message.as_bytes(), &defaults());
    assert!(only_signature(&facts).1.starts_with("the algorithm ää"));
    assert_eq!(only_signature(&facts).1.chars().count(), 200);
}

#[test]
fn a_signature_expires_at_the_second_after_its_end() {
    let (_, zone, message) = signed();
    let world = World::of(zone);
    let (head, rest) = message.split_once("t=").expect("a time");
    let (_, rest) = rest.split_once(';').expect("more tags");
    // A changed signature does not verify; its expiry is checked before.
    for (tags, why) in [
        (
            "x=1720000000",
            "the signature does not fit the signed fields and the key",
        ),
        (
            "x=1719999999",
            "the signature expired at 2024-07-03T09:46:39.000Z",
        ),
        (
            "x=1719999999; t=1719999999",
            "it expires before it was made",
        ),
    ] {
        let changed = format!("{head}{tags};{rest}");
        let facts = world.facts(changed.as_bytes(), &defaults());
        assert_eq!(only_signature(&facts).1, why, "{tags}");
    }
}

#[test]
fn an_unsuitable_key_is_refused_with_the_reason() {
    let (signer, _, message) = signed();
    let key = signer.record.clone();
    let short = "v=DKIM1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANmBe10IgY+u7h3enWTukkqtUD5PR52Tb/mPf\
        jC0QJTocVBq6Za/PlzfV+Py92VaCak19F4WrbVTK5Gg5tW220MCAwEAAQ==";
    let rsa = message.replacen("a=ed25519-sha256", "a=rsa-sha256", 1);
    for (records, message, result, why) in [
        (vec![key.clone()], &message, Authentication::Pass, ""),
        (
            vec!["v=spf1 -all".into(), short.into(), key.clone()],
            &message,
            Authentication::Pass,
            "",
        ),
        (
            vec![format!("{key}; s=tlsrpt")],
            &message,
            Authentication::Permerror,
            "the key is for another service than mail (s=)",
        ),
        (
            vec![format!("{key}; h=sha1")],
            &message,
            Authentication::Permerror,
            "the key is for another hash (h=)",
        ),
        (
            vec!["v=DKIM1; k=ed25519; p=".into()],
            &message,
            Authentication::Permerror,
            "the key has been revoked",
        ),
        (
            vec![format!("{key}; k=ed25519")],
            &message,
            Authentication::Permerror,
            "in the key, the list of tags is malformed: k= occurs twice",
        ),
        (
            vec![short.into()],
            &rsa,
            Authentication::Policy,
            "an RSA key of 512 bits proves nothing: 1024 to 8192 are accepted (RFC 8301 section \
             3.2)",
        ),
    ] {
        let mut zone = Zone::new();
        for record in &records {
            zone.txt("s._domainkey.author.example", record);
        }
        let facts = World::of(zone).facts(message.as_bytes(), &defaults());
        assert_eq!(only_signature(&facts), (result, why), "{records:?}");
    }
}

/// Shows that a trusted sealer's own results count: the first sealer may claim any.
#[test]
fn results_forged_below_a_trusted_seal_are_not_believed() {
    let signer = Signer::new();
    let mut zone = Zone::new();
    for sealer in ["attacker.example", "forwarder.example", "list.example"] {
        signer.publish(&mut zone, sealer);
    }
    let world = World::of(zone);
    let message = std::str::from_utf8(MESSAGE).expect("text");
    let trusted = ["forwarder.example", "list.example"];

    let forged = ArcChain::of(&signer, message)
        .seal(
            "attacker.example",
            "forwarder.example; dmarc=pass header.from=author.example",
        )
        .seal(
            "forwarder.example",
            "forwarder.example; arc=pass; spf=fail smtp.mailfrom=x.example; \
             dkim=fail header.d=Author.example; dmarc=fail header.from=author.example",
        )
        .seal("list.example", "list.example; arc=pass");
    let arc = world.facts(&forged.message(), &defaults()).arc;
    assert_eq!(arc.result, Authentication::Pass, "{arc:?}");
    assert_eq!(arc.instances, 3);
    assert_eq!(arc.sealer, "list.example");
    let sealers: Vec<_> = arc.sets.iter().map(|set| set.sealer.as_str()).collect();
    assert_eq!(
        sealers,
        ["list.example", "forwarder.example", "attacker.example"]
    );
    assert_eq!(arc.sets[2].dmarc, Some(Authentication::Pass));
    let believed = arc.trusted_results(&trusted).expect("a trusted set");
    assert_eq!(believed.instance, 2);
    assert_eq!(believed.authserv_id, "forwarder.example");
    assert_eq!(believed.dmarc, Some(Authentication::Fail));
    assert_eq!(believed.dmarc_from.as_deref(), Some("author.example"));
    assert_eq!(believed.spf, Some(Authentication::Fail));
    assert_eq!(believed.arc, Some(Authentication::Pass));
    assert_eq!(believed.dkim[0].domain, "author.example");

    // A sealer that is not trusted, after the trusted one, is not believed either.
    let later = forged.seal("attacker.example", "list.example; dmarc=pass");
    let arc = world.facts(&later.message(), &defaults()).arc;
    assert_eq!(arc.result, Authentication::Pass, "{arc:?}");
    assert_eq!(arc.trusted_results(&trusted), None);

    // A seal whose key cannot be looked up is a temporary error.
    world
        .server()
        .zone()
        .fault("s._domainkey.late.example", Fault::ServFail);
    let unproved = later.seal("late.example", "late.example; none");
    let arc = world.facts(&unproved.message(), &defaults()).arc;
    assert_eq!(arc.result, Authentication::Temperror);
    assert!(arc.sets.is_empty());
}

/// Reads a large body, which stays on disk.
#[test]
fn a_body_on_disk_is_read_in_pieces() {
    let signer = Signer::new();
    let mut zone = Zone::new();
    signer.publish(&mut zone, "author.example");
    let world = World::of(zone);
    let body = "a line of a large body \t with white space \r\n".repeat(50_000);
    let message = format!("From: a@author.example\r\nSubject: a\r\n\r\n{body}");
    let message = signer.sign(message.as_bytes(), "author.example");
    let end = message.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = message.split_at(end.expect("a body") + 4);
    let facts = |missing| {
        let kept = StoredBody {
            bytes: body.to_vec(),
            missing,
        };
        let message = Message::from_parts(Bytes::copy_from_slice(head), Arc::new(kept));
        world.facts_of("", &message, &defaults())
    };
    assert_eq!(only_signature(&facts(0)), (Authentication::Pass, ""));
    let short = facts(10);
    assert_eq!(only_signature(&short).0, Authentication::Temperror);
    assert!(
        only_signature(&short)
            .1
            .starts_with("the body could not be read"),
        "{short:?}"
    );
}

/// Body on disk, of which some bytes at the end cannot be read.
#[derive(Debug)]
struct StoredBody {
    bytes: Vec<u8>,
    missing: usize,
}

impl Body for StoredBody {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let readable = &self.bytes[..self.bytes.len() - self.missing];
        let rest = readable.get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(buf.len()).min(10_007);
        buf[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

#[test]
fn a_message_without_a_chain_has_no_trusted_results() {
    let facts = World::of(Zone::new()).facts(MESSAGE, &defaults());
    assert_eq!(facts.arc.trusted_results(&["author.example"]), None);
}

#[test]
fn the_existence_of_a_name_is_asked_only_if_np_differs_from_sp() {
    let mut zone = Zone::new();
    zone.txt("_dmarc.author.example", "v=DMARC1; p=reject; sp=none");
    let world = World::of(zone);
    let message = b"From: a@sub.author.example\r\n\r\n";
    let facts = world.facts(message, &defaults());
    assert_eq!(facts.dmarc.result, Authentication::Fail);
    assert_eq!(
        world
            .server()
            .asked_for("sub.author.example", RecordType::A),
        0
    );
}

fn field() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "DKIM-Signature",
        "ARC-Seal",
        "ARC-Message-Signature",
        "ARC-Authentication-Results",
        "From",
    ]);
    let value = prop_oneof![
        "([a-z]{1,2}=[a-z0-9/:@. ]{0,12};? ?){0,12}",
        "i=[0-9]{1,3}; ?cv=(none|pass|fail); d=a.example; s=s; a=rsa-sha256; b=AAAA",
        "i=1; a.example; [a-z=. ;()\"]{0,40}",
        "v=1; a=ed25519-sha256; d=author.example; s=s; h=[a-z:]{0,9}:from; bh=AAAA; b=AAAA; \
         l=[0-9]{1,30}",
        "\\PC{0,60}",
    ];
    (name, value).prop_map(|(name, value)| format!("{name}: {value}\r\n"))
}

thread_local! {
    static EMPTY: World = World::of(Zone::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn gathering_any_bytes_does_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        EMPTY.with(|world| world.facts(&bytes, &defaults()));
    }

    #[test]
    fn random_fields_never_pass(
        fields in prop::collection::vec(field(), 0..12),
        body in "\\PC{0,40}",
    ) {
        let message = format!("{}\r\n{body}", fields.concat());
        let facts = EMPTY.with(|world| world.facts(message.as_bytes(), &defaults()));
        prop_assert!(facts.dkim.iter().all(|one| one.result != Authentication::Pass));
        prop_assert!(facts.arc.result != Authentication::Pass);
        prop_assert!(facts.dmarc.result != Authentication::Pass);
    }
}
