//! The small help desk of the examples, in Python and in TypeScript, receives, acknowledges, shows the
//! agent what is known of the recipient, answers, and follows what becomes of the answer.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use serde_json::json;
use test_support::{Relay, Sink, TypeScript, debian, free_port, workspace};

use crate::{account, with_api};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NATIVE: &str = "acme.desk.test";
const HELP: &str = "help@acme.desk.test";

/// Words in the log once the example has answered a request with mail.
const TAKEN: &str = "reply=\"250 2.0.0 Taken by the application";

/// The running example, which ends with the test.
struct Example(Child);

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ann writes to the desk.
fn writes(relay: &Relay, fields: &str, text: &str) {
    let mut client = relay.client("mx");
    client.ehlo();
    let message = format!(
        "From: Ann <ann@customer.example>\r\nTo: {HELP}\r\nSubject: parcel\r\n{fields}\r\n{text}\r\n"
    );
    let reply = client.deliver("ann@customer.example", &[HELP], message.as_bytes());
    assert_eq!(reply.unwrap().code, 250);
}

#[test]
fn a_ticket_is_opened_acknowledged_answered_and_continued_in_python() {
    let Some(python) = debian("python3", "python3") else {
        return;
    };
    let mut command = Command::new(python);
    command.arg(workspace().join("examples/help_desk.py"));
    converses(command);
}

#[test]
fn a_ticket_is_opened_acknowledged_answered_and_continued_in_typescript() {
    let folder = tempfile::tempdir().unwrap();
    let Some(compiler) = TypeScript::installed() else {
        return;
    };
    let source = workspace().join("examples/help_desk.ts");
    let mut command = Command::new("node");
    command.arg(compiler.compiled(&source, folder.path()));
    converses(command);
}

/// Has Ann and an agent talk by the desk that a command starts.
fn converses(mut command: Command) {
    let (world, port) = (Sink::start(), free_port().port());
    let relay = with_api(&world)
        .with(&format!(
            "[http]\naddress = \"127.0.0.1:0\"\n[routes]\ninbound = \"http desk\"\n\
             [endpoint.desk]\nurl = \"http://127.0.0.1:{port}/mail\"\nform = \"json\"\n\
             attachments = \"none\"\nsecrets = [{SECRET:?}]\n"
        ))
        .start();
    let site = relay.api_token("administer", &[]);
    let id = account(&relay, &site, NATIVE);
    let addresses = format!("/accounts/{id}/addresses");
    let address = json!({ "address": HELP });
    (relay.api("POST", &addresses, &site, &address)).with_status(201);
    let token = relay.api_token("operate", &["--account", &id]);
    command
        .arg(port.to_string())
        .env(
            "GATEPOST_API",
            format!("http://{}/api/v1", relay.address("api")),
        )
        .env("GATEPOST_TOKEN", &token)
        .env("GATEPOST_ACCOUNT", NATIVE)
        .env("GATEPOST_SECRET", SECRET)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut example = Example(command.spawn().unwrap());
    let mut agent = example.0.stdin.take().unwrap();
    let mut lines = BufReader::new(example.0.stdout.take().unwrap()).lines();
    // What two threads say comes in any order.
    let mut said: Vec<String> = Vec::new();
    let mut hears = |line: &str| {
        while !said.iter().any(|said| said == line) {
            said.push(lines.next().unwrap().unwrap());
        }
    };
    hears(&format!("listening on {port}"));

    writes(
        &relay,
        "Message-ID: <1@customer.example>\r\n",
        "Where is it?",
    );
    hears("ticket 1 from ann@customer.example: Where is it?");
    hears("ticket 1 is queued for ann@customer.example");
    let acknowledged = world.take();
    assert!(acknowledged.text().contains("We have got your message."));
    hears("ticket 1: delivered ann@customer.example");
    relay.logged(TAKEN);

    writeln!(agent, "1 It is on its way.").unwrap();
    hears("before you write: Nothing speaks against writing to <ann@customer.example>.");
    let answer = world.take();
    assert!(
        answer.text().contains("It is on its way."),
        "{}",
        answer.text()
    );
    assert_eq!(
        answer.header("In-Reply-To").unwrap(),
        "<1@customer.example>"
    );

    let fields = format!(
        "Message-ID: <2@customer.example>\r\nIn-Reply-To: {}\r\n",
        answer.header("Message-ID").unwrap()
    );
    let from = relay.log().len();
    writes(
        &relay,
        &fields,
        "Thank you.\r\n\r\nOn Monday, Desk wrote:\r\n> It is on its way.",
    );
    hears("ticket 1 from ann@customer.example: Thank you.");
    relay.logged_behind(from, &[TAKEN]);
    drop(example);
    relay.leaves_nothing(world);
}
