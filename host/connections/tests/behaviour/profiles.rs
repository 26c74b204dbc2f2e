//! Profiles read the replies of their services as they are meant.

use std::collections::BTreeSet;

use gatepost_connections::{
    DialogueStage,
    DialogueStage::{Auth, Data, Greeting, Mail, Recipient},
    Profile, Profiles, ReplyClass,
    ReplyClass::{Quota, SenderMailbox, SetUp, Temporary},
    Stops, classify,
};
use gatepost_smtp::Reply;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn reply(text: &str) -> Reply {
    let (code, rest) = text.split_once(' ').unwrap();
    let enhanced = rest.split(' ').next().and_then(|first| first.parse().ok());
    let words = match enhanced {
        Some(_) => rest.split_once(' ').unwrap().1,
        None => rest,
    };
    Reply::checked(code.parse().unwrap(), enhanced, words).unwrap()
}

#[test]
fn the_message_id_of_a_service_is_read_from_its_reply() {
    let profiles = Profiles::built_in();
    let rule = |name: &str| profiles.get(name).unwrap().message_id.clone();
    let ses = rule("amazon-ses").unwrap();
    let id = "0102018c5e6f-7a1b-000000";
    let taken = reply(&format!("250 Ok {id}"));
    let at = |domain: &str| format!("{id}@{domain}");
    assert_eq!(
        ses.ids("email-smtp.eu-west-1.amazonaws.com", &taken),
        [at("eu-west-1.amazonses.com"), at("email.amazonses.com")]
    );
    assert_eq!(ses.ids("smtp.example", &taken), [at("email.amazonses.com")]);
    for (text, expected) in [
        ("250 Ok <1@b.example> queued", &["1@b.example"][..]),
        ("250 Ok", &[]),
        ("250 Ok ", &[]),
        ("250 Queued", &[]),
        ("550 Ok 1@b.example", &[]),
    ] {
        assert_eq!(ses.ids("smtp.example", &reply(text)), expected, "{text}");
    }
    let long = reply(&format!("250 Ok {}", "x".repeat(400)));
    assert!(ses.ids("smtp.example", &long).is_empty());
    let postmark = rule("postmark").unwrap();
    assert!(postmark.ids("smtp.postmarkapp.com", &taken).is_empty());
    assert_eq!(rule("microsoft-365"), None);
}

/// Documented replies of each service: profile, stage, reply, class, what it stops.
const REPLIES: &[(&str, DialogueStage, &str, ReplyClass, Stops)] = &[
    (
        "microsoft-365",
        Auth,
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
        SetUp,
        Stops::Connection,
    ),
    (
        "microsoft-365",
        Auth,
        "535 5.7.3 Authentication unsuccessful [X.prod.example]",
        SetUp,
        Stops::Connection,
    ),
    (
        "microsoft-365",
        Mail,
        "530 5.7.57 Client not authenticated to send mail.",
        SetUp,
        Stops::Connection,
    ),
    (
        "microsoft-365",
        Data,
        "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
        SetUp,
        Stops::Mailbox,
    ),
    (
        "microsoft-365",
        Data,
        "554 5.2.252 SendAsDenied; a@b.example not allowed to send as c@b.example",
        SetUp,
        Stops::Mailbox,
    ),
    (
        "microsoft-365",
        Data,
        "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
        Quota,
        Stops::Mailbox,
    ),
    (
        "microsoft-365",
        Auth,
        "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded: Concurrent connections limit exceeded",
        Quota,
        Stops::Connection,
    ),
    (
        "microsoft-365",
        Data,
        "554 5.2.2 mailbox full",
        SenderMailbox,
        Stops::Mailbox,
    ),
    (
        "microsoft-365",
        Data,
        "550 5.1.8 Access denied, bad outbound sender",
        SenderMailbox,
        Stops::Mailbox,
    ),
    (
        "microsoft-365",
        Greeting,
        "421 4.3.2 Service not available",
        Temporary,
        Stops::Connection,
    ),
    (
        "microsoft-hve",
        Auth,
        "535 5.7.139 Authentication unsuccessful",
        SetUp,
        Stops::Connection,
    ),
    (
        "microsoft-hve",
        Data,
        "554 5.2.0 SubmissionQuotaExceeded",
        Quota,
        Stops::Connection,
    ),
    (
        "google-relay",
        Mail,
        "550 5.7.1 Invalid credentials for relay [192.0.2.1].",
        SetUp,
        Stops::Connection,
    ),
    (
        "google-relay",
        Recipient,
        "550 5.4.5 Daily SMTP relay limit exceeded for customer.",
        Quota,
        Stops::Connection,
    ),
    (
        "google-relay",
        Recipient,
        "550 5.4.5 Daily SMTP relay limit exceeded for user.",
        Quota,
        Stops::Mailbox,
    ),
    (
        "google-relay",
        Recipient,
        "450 4.2.1 Peak SMTP relay limit exceeded for customer.",
        Quota,
        Stops::Connection,
    ),
    (
        "google-relay",
        Recipient,
        "451 4.3.0 Multiple destination domains per transaction is unsupported.",
        Temporary,
        Stops::Message,
    ),
    (
        "gmail",
        Auth,
        "535 5.7.8 Username and Password not accepted.",
        SetUp,
        Stops::Connection,
    ),
    (
        "gmail",
        Auth,
        "534 5.7.9 Application-specific password required.",
        SetUp,
        Stops::Connection,
    ),
    (
        "gmail",
        Mail,
        "550 5.4.5 Daily user sending limit exceeded.",
        Quota,
        Stops::Mailbox,
    ),
    (
        "gmail",
        Auth,
        "454 4.7.0 Too many login attempts, please try again later.",
        Quota,
        Stops::Connection,
    ),
    (
        "amazon-ses",
        Data,
        "454 Throttling failure: Maximum sending rate exceeded.",
        Quota,
        Stops::Connection,
    ),
    (
        "amazon-ses",
        Data,
        "454 Throttling failure: Daily message quota exceeded.",
        Quota,
        Stops::Connection,
    ),
    (
        "amazon-ses",
        Data,
        "554 Message rejected: Email address is not verified.",
        SetUp,
        Stops::Mailbox,
    ),
    (
        "amazon-ses",
        Auth,
        "535 Authentication Credentials Invalid",
        SetUp,
        Stops::Connection,
    ),
    (
        "postmark",
        Auth,
        "535 5.7.8 Authentication failed",
        SetUp,
        Stops::Connection,
    ),
    (
        "postmark",
        Data,
        "550 5.7.1 The From address is not a Sender Signature on your account",
        SetUp,
        Stops::Mailbox,
    ),
    (
        "sendgrid",
        Auth,
        "451 Authentication failed: Maximum credits exceeded",
        Quota,
        Stops::Connection,
    ),
    (
        "sendgrid",
        Data,
        "550 The from address does not match a verified Sender Identity.",
        SetUp,
        Stops::Mailbox,
    ),
    (
        "sendgrid",
        Mail,
        "550 Unauthenticated senders not allowed",
        SetUp,
        Stops::Connection,
    ),
    (
        "mailgun",
        Recipient,
        "550 5.7.1 Relaying denied",
        SetUp,
        Stops::Connection,
    ),
    (
        "mailgun",
        Auth,
        "535 5.7.0 Authentication failed",
        SetUp,
        Stops::Connection,
    ),
    (
        "mailgun",
        Data,
        "421 4.7.0 Domain a.example is not allowed to send: disabled",
        SetUp,
        Stops::Connection,
    ),
    (
        "exchange",
        Mail,
        "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail",
        SetUp,
        Stops::Connection,
    ),
    (
        "exchange",
        Recipient,
        "550 5.7.1 Unable to relay",
        SetUp,
        Stops::Connection,
    ),
    (
        "exchange",
        Mail,
        "452 4.3.1 Insufficient system resources",
        Temporary,
        Stops::Connection,
    ),
    (
        "exchange",
        Data,
        "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
        SetUp,
        Stops::Mailbox,
    ),
    (
        "postfix",
        Recipient,
        "554 5.7.1 <a@b.example>: Relay access denied",
        SetUp,
        Stops::Connection,
    ),
    (
        "postfix",
        Recipient,
        "553 5.7.1 <a@b.example>: Sender address rejected: not owned by user ann",
        SetUp,
        Stops::Mailbox,
    ),
    (
        "postfix",
        Mail,
        "450 4.7.1 Error: too many connections from 192.0.2.1",
        Quota,
        Stops::Connection,
    ),
    (
        "postfix",
        Auth,
        "535 5.7.8 Error: authentication failed",
        SetUp,
        Stops::Connection,
    ),
    ("generic", Auth, "535 5.7.8 wrong", SetUp, Stops::Connection),
    (
        "generic",
        Greeting,
        "554 5.7.1 no service",
        SetUp,
        Stops::Connection,
    ),
    (
        "generic",
        Recipient,
        "550 5.1.1 no such user",
        ReplyClass::Recipient,
        Stops::Message,
    ),
    (
        "generic",
        Data,
        "554 5.7.1 spam",
        ReplyClass::Message,
        Stops::Message,
    ),
    (
        "generic",
        Data,
        "451 4.3.0 later",
        Temporary,
        Stops::Message,
    ),
    (
        "generic",
        Data,
        "421 4.3.0 bye",
        Temporary,
        Stops::Connection,
    ),
];

#[test]
fn documented_replies_are_classified_with_advice() {
    let profiles = Profiles::built_in();
    for (name, stage, text, class, stops) in REPLIES {
        let profile = profiles.get(name).unwrap();
        let found = classify(profile, *stage, &reply(text));
        assert_eq!(
            (found.class, found.stops),
            (*class, *stops),
            "{name} {stage}: {text}"
        );
        assert!(!found.advice.is_empty());
    }
}

#[test]
fn every_profile_is_in_the_table_and_names_its_source() {
    let tested: BTreeSet<_> = REPLIES.iter().map(|row| row.0).collect();
    for profile in Profiles::built_in().all() {
        assert!(tested.contains(profile.name.as_str()), "{}", profile.name);
        let file = format!(
            "{}/../../profiles/{}.toml",
            env!("CARGO_MANIFEST_DIR"),
            profile.name
        );
        let text = std::fs::read_to_string(file).unwrap();
        assert!(
            text.contains("https://") || text.contains("RFC "),
            "{}",
            profile.name
        );
    }
}

#[test]
fn a_refused_session_stops_the_connection_whatever_the_rule() {
    let text = r#"
        title = "t"
        tested = "t"
        port = 25
        tls = "required"
        [[reply]]
        codes = [550]
        class = "quota"
        stops = "message"
        advice = "wait"
    "#;
    let profile = Profile::parse("t", text).unwrap();
    let refused = reply("550 5.7.1 no");
    assert_eq!(classify(&profile, Auth, &refused).stops, Stops::Connection);
    assert_eq!(classify(&profile, Data, &refused).stops, Stops::Message);
}

#[test]
fn a_profile_without_bounds_is_refused() {
    let base = "title = \"t\"\ntested = \"t\"\nport = 25\ntls = \"required\"\n[[reply]]\nclass = \"quota\"\nstops = \"message\"\n";
    for (rule, why) in [
        ("advice = \"a\"".to_owned(), "neither codes"),
        ("advice = \"\"\ncodes = [500]".to_owned(), "advice"),
        (
            "advice = \"a\"\ncontains = [\"\"]".to_owned(),
            "no characters",
        ),
        (
            format!("advice = \"a\"\ncontains = [\"{}\"]", "x".repeat(201)),
            "200",
        ),
        (
            "advice = \"a\"\ncodes = [500]\npattern = \"(a+)+\"".to_owned(),
            "pattern",
        ),
    ] {
        let error = Profile::parse("t", &format!("{base}{rule}"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_folder_adds_profiles_and_replaces_built_in_ones() {
    let folder = tempfile::tempdir().unwrap();
    let text = "title = \"mine\"\ntested = \"by hand\"\nport = 26\ntls = \"required\"\n";
    for name in ["acme", "postfix"] {
        std::fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
    }
    std::fs::write(folder.path().join("notes.txt"), "no profile").unwrap();
    let profiles = Profiles::with_folder(folder.path()).unwrap();
    assert_eq!(profiles.get("acme").unwrap().port, 26);
    assert_eq!(profiles.get("postfix").unwrap().title, "mine");
    assert!(profiles.get("gmail").is_some());
    std::fs::write(folder.path().join("bad.toml"), "title = 1").unwrap();
    let error = Profiles::with_folder(folder.path())
        .unwrap_err()
        .to_string();
    assert!(error.contains("bad"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        rng_seed: RngSeed::Fixed(5321),
        ..ProptestConfig::default()
    })]
    /// Whatever a server says, its reply has a class, and a session's reply stops the connection.
    #[test]
    fn any_reply_is_classified(code in 400_u16..600, text in ".{0,3000}") {
        let reply = Reply::checked(code, None, &text).unwrap();
        for profile in Profiles::built_in().all() {
            for stage in [Greeting, Auth, Mail, Recipient, Data] {
                let found = classify(profile, stage, &reply);
                prop_assert!(!found.advice.is_empty());
                prop_assert!(!stage.is_of_session() || found.stops == Stops::Connection);
            }
        }
    }
}
