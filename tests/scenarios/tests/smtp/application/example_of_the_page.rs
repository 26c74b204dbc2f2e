//! The application in docs/application.md takes a message.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use test_support::{Sink, debian};

use super::desk::{SECRET, relay_to};

const MESSAGE: &str = "From: ann@sender.example\r\n\
    To: help@desk.example\r\n\
    Subject: Re: Printer\r\n\
    Message-ID: <3@sender.example>\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\
    \r\n\
    --b\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    \r\n\
    It works.\r\n\
    \r\n\
    On 3 Feb 2025, at 09:00, Desk <help@desk.example> wrote:\r\n\
    > Does it?\r\n\
    --b\r\n\
    Content-Type: text/csv; name=list.csv\r\n\
    Content-Disposition: attachment; filename=list.csv\r\n\
    Content-Transfer-Encoding: base64\r\n\
    \r\n\
    YTtiPTE=\r\n\
    --b--\r\n";

/// The running example, which ends with the test.
struct Example(Child);

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_application_of_the_page_takes_a_message() {
    let Some(python) = debian("python3", "python3") else {
        return;
    };
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/application.md");
    let page = fs::read_to_string(page).unwrap();
    let program = page.split("```python\n").nth(1).unwrap();
    let program = program.split("```").next().unwrap();
    let mut command = Command::new(python);
    command
        .args(["-c", program, "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut example = Example(command.spawn().unwrap());
    let mut lines = BufReader::new(example.0.stdout.take().unwrap()).lines();
    let mut line = || lines.next().unwrap().unwrap();
    let port = line()
        .strip_prefix("listening on ")
        .unwrap()
        .parse()
        .unwrap();
    let world = Sink::start();
    let keys = format!("secrets = [{SECRET:?}]\nform = \"json\"");
    let relay = relay_to(([127, 0, 0, 1], port).into(), &world, &keys).start();
    let mut client = relay.client("mx");
    client.ehlo();
    let to = ["help@desk.example"];
    client
        .deliver("ann@sender.example", &to, MESSAGE.as_bytes())
        .unwrap();
    assert_eq!(line(), "ann@sender.example 'It works.' {'list.csv': 5}");
    relay.leaves_nothing(world);
}
