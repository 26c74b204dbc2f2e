//! The public suite of SMTP dialogues, played against the relay word by word, with what each says
//! must come of it (RFC 5321 and its extensions; each dialogue names its section).
//!
//! [`player`] speaks the suite's language, and [`checks`] holds what the suite says in prose. What
//! only a policy does that is not in the usual chains is played where it is ([`OF_ORIGIN`]).

mod checks;
mod player;

use serde_json::Value;
use test_support::{DnsServer, Relay, RelayBuilder, Reply, Sink, Zone, conformance, say};

use self::player::Stage;

/// Most memory that the relay may gain while it is sent lines and header sections without end.
const GROWTH: u64 = 64 << 20;

/// Dialogues about whether a message is its author's.
const OF_ORIGIN: &[&str] = &["two-from"];

fn dialogues() -> Option<Vec<Value>> {
    let file = conformance("smtp-dialogs")?.join("dialogs-generic.json");
    let mut suite: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    match suite["dialogs"].take() {
        Value::Array(dialogues) => Some(dialogues),
        other => panic!("no dialogues: {other}"),
    }
}

fn is_of_origin(dialogue: &Value) -> bool {
    OF_ORIGIN.contains(&dialogue["id"].as_str().unwrap())
}

/// Plays it to its end; the last reply.
fn play(dialogue: &Value, relay: &Relay, sink: &Sink) -> Option<Reply> {
    let tls = dialogue["tls"].as_bool().unwrap();
    let steps = dialogue["steps"].as_array().unwrap().iter();
    let mut stage = Stage::enter(dialogue["id"].as_str().unwrap(), tls, relay, sink);
    steps.for_each(|step| stage.play(step.as_str().unwrap()));
    checks::check(&mut stage);
    stage.replies.pop()
}

#[test]
fn dialogues_go_as_written() {
    let Some(mut dialogues) = dialogues() else {
        return;
    };
    let all = dialogues.len();
    dialogues.retain(|dialogue| !is_of_origin(dialogue));
    assert_eq!(all - dialogues.len(), OF_ORIGIN.len());
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address()).start();
    let rest = relay.process().peak_memory();
    for dialogue in &dialogues {
        play(dialogue, &relay, &sink);
    }
    say(&format!("dialogues played: {}", dialogues.len()));
    let peak = relay.process().peak_memory();
    assert!(peak < rest + GROWTH, "from {rest} octets to {peak}");
    relay.leaves_nothing(sink);
}

/// One of the two authors could pass, by SPF and its policy; together they do not.
#[test]
fn of_two_authors_none_passes() {
    let Some(mut dialogues) = dialogues() else {
        return;
    };
    dialogues.retain(is_of_origin);
    assert_eq!(dialogues.len(), OF_ORIGIN.len());
    let mut zone = Zone::new();
    zone.txt("sender.example", "v=spf1 ip4:127.0.0.1 -all")
        .txt("_dmarc.sender.example", "v=DMARC1; p=reject");
    let (sink, dns) = (Sink::start(), DnsServer::start(zone));
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#,
            r#"chain = ["inbound-auth"]"#,
        )
        .with(&format!(
            "[dns]\nservers = [\"{}\"]\n[[policy]]\nname = \"inbound-auth\"\n\
             builtin = \"inbound-auth\"\n\
             settings = {{ mode = \"enhanced\", enhanced-failure = \"refuse\" }}\n",
            dns.address(),
        ))
        .start();
    let mut client = relay.client("mx");
    client.ehlo();
    let to = ["user@desk.example"];
    let alone = b"From: <a@sender.example>\r\nSubject: t\r\n\r\nx\r\n";
    let reply = client.deliver("a@sender.example", &to, alone).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    sink.take();
    drop(client);

    for dialogue in &dialogues {
        let reply = play(dialogue, &relay, &sink).unwrap();
        let found = relay.events(&reply.transaction(), "authenticated");
        let dmarc = &found[0]["authentication"]["dmarc"]["result"];
        // One author's domain passes and the other publishes nothing: together they do not pass.
        assert_eq!(dmarc, "none", "{reply:?}");
        assert_eq!(reply.code, 550, "{reply:?}");
    }
    relay.leaves_nothing(sink);
}
