//! Output and exit codes of the binary's own commands.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

const GOOD: &str = r#"
[relay]
hostname = "mx.desk.example"
store = "store"
[[listener]]
name = "mx"
address = "127.0.0.1:0"
direction = "inbound"
tls = "none"
chain = ["loop-guard"]
"#;

fn gatepost(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
    command.current_dir(directory).args(arguments);
    // What is compiled is kept for the other tests, and not in the home of whoever runs them.
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command.env_remove("RUST_LOG").output().unwrap()
}

/// Returns exit code and standard output as JSON, line by line.
fn json(directory: &Path, arguments: &[&str]) -> (i32, Vec<Value>) {
    let output = gatepost(directory, arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|l| serde_json::from_str(l).unwrap());
    (output.status.code().unwrap(), lines.collect())
}

#[test]
fn arguments_that_cannot_be_parsed_end_with_2() {
    let here = tempfile::tempdir().unwrap();
    for arguments in [
        &["rule"][..],
        &["queue", "cancel"],
        &["queue", "show", "1"],
        &["queue", "list", "--status", "lost"],
        &["queue", "retry", "--all", "--account", "acme"],
        &["policy", "export", "spam-guard", "x.wasm"],
        &["sink", "--delay", "long"],
        &["sink", "--certificate", "x.pem"],
    ] {
        let output = gatepost(here.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn config_check_loads_the_policies_too() {
    let here = tempfile::tempdir().unwrap();
    let check = |text: &str| {
        std::fs::write(here.path().join("gatepost.toml"), text).unwrap();
        json(
            here.path(),
            &["config", "check", "--json", "--config", "gatepost.toml"],
        )
    };
    let (code, lines) = check(GOOD);
    assert_eq!(code, 0);
    assert_eq!(lines[0]["listeners"], serde_json::json!(["mx"]));
    assert_eq!(lines[0]["policies"][0]["policy"], "loop-guard");
    assert!(
        !here.path().join("store").exists(),
        "a check makes no store"
    );

    let ca_file = "[delivery]\nca-file = \"absent.pem\"\n";
    let (code, lines) = check(&format!("{GOOD}{ca_file}"));
    assert_eq!((code, lines.len()), (1, 1));
    let message = lines[0]["message"].as_str().unwrap();
    assert!(message.contains("absent.pem"), "{message}");

    let (code, lines) = check(&format!("{GOOD}[log]\nformat = \"xml\"\n[smtp]\n"));
    assert_eq!((code, lines.len()), (1, 1));
    assert!(lines[0]["line"].is_number(), "{lines:?}");

    let policy =
        "[[policy]]\nname = \"loop-guard\"\nbuiltin = \"loop-guard\"\nsettings = { hops = 1 }\n";
    let (code, lines) = check(&format!("{GOOD}{policy}"));
    assert_eq!((code, lines.len()), (1, 1));
    let message = lines[0]["message"].as_str().unwrap();
    assert!(
        message.contains("loop-guard") && message.contains("hops"),
        "{message}"
    );
}

#[test]
fn a_command_without_a_store_or_a_relay_reports_that_and_ends_with_1() {
    let here = tempfile::tempdir().unwrap();
    std::fs::write(here.path().join("gatepost.toml"), GOOD).unwrap();
    for (arguments, said) in [
        (["queue", "list"], "there is no store in"),
        (["policy", "list"], "no relay is running"),
    ] {
        let config = ["--config", "gatepost.toml"];
        let output = gatepost(here.path(), &[&arguments[..], &config[..]].concat());
        assert_eq!(output.status.code(), Some(1));
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains(said), "{errors}");
    }
}

#[test]
fn a_built_in_policy_is_exported_and_inspected() {
    let here = tempfile::tempdir().unwrap();
    let inspect = |module| {
        let (code, lines) = json(here.path(), &["policy", "inspect", module, "--json"]);
        assert_eq!(code, 0);
        lines.into_iter().next().unwrap()
    };
    let (code, lines) = json(
        here.path(),
        &["policy", "export", "outbound-route", "route.wasm", "--json"],
    );
    assert_eq!(code, 0);
    assert_eq!(lines[0]["policy"], "outbound-route");
    assert_eq!(lines[0]["file"], "route.wasm");
    let inspection = inspect("route.wasm");
    assert_eq!(inspection, inspect("outbound-route"));
    assert_eq!(inspection["size"], lines[0]["size"]);
    assert_eq!(inspection["hooks"], serde_json::json!(["route"]));
    assert_eq!(inspection["kind"], "core module");
    assert_eq!(inspection["schema"]["type"], "object");
}

#[test]
fn check_never_overwrites_a_message_that_it_was_given() {
    let here = tempfile::tempdir().unwrap();
    let stored = "From: a@b.example\nTo: c@d.example\n\nText\n";
    std::fs::write(here.path().join("a.eml"), stored).unwrap();
    let check = |output| {
        gatepost(
            here.path(),
            &[
                "check",
                "--output",
                output,
                "--mail-from",
                "a@b.example",
                "a.eml",
            ],
        )
    };
    let refused = check(".");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("overwritten"));
    let kept = std::fs::read_to_string(here.path().join("a.eml")).unwrap();
    assert_eq!(kept, stored);

    // Output of an earlier run may be replaced.
    for _ in 0..2 {
        assert!(check("out").status.success());
    }
    let written = std::fs::read_to_string(here.path().join("out/a.eml")).unwrap();
    assert!(written.starts_with("Received: "), "{written}");
}

/// A running sink.
struct Sink {
    process: Child,
    lines: BufReader<ChildStdout>,
    address: String,
}

impl Sink {
    fn start(directory: &Path, arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_gatepost"))
            .current_dir(directory)
            .args(["sink", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let address = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap()
            .to_owned();
        Self {
            process,
            lines,
            address,
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends each line and returns the last line of each reply.
fn say(stream: &mut BufReader<TcpStream>, lines: &[&str]) -> Vec<String> {
    let mut replies = Vec::new();
    for line in lines {
        stream
            .get_mut()
            .write_all(format!("{line}\r\n").as_bytes())
            .unwrap();
        loop {
            let mut reply = String::new();
            stream.read_line(&mut reply).unwrap();
            if reply.as_bytes().get(3) != Some(&b'-') {
                replies.push(reply);
                break;
            }
        }
    }
    replies
}

#[test]
fn the_sink_stores_mail_and_refuses_as_configured() {
    let here = tempfile::tempdir().unwrap();
    let arguments = [
        "--json",
        "--output",
        "kept",
        "--fail-rcpt",
        "nobody@",
        "--tempfail-first",
        "1",
    ];
    let mut sink = Sink::start(here.path(), &arguments);
    let mut stream = BufReader::new(TcpStream::connect(&sink.address).unwrap());
    let mut greeting = String::new();
    stream.read_line(&mut greeting).unwrap();
    let transaction = [
        "MAIL FROM:<a@b.example>",
        "RCPT TO:<x@desk.example>",
        "RCPT TO:<nobody@desk.example>",
        "DATA",
        "Subject: hello\r\n\r\n..dot\r\n.",
    ];
    let codes = |replies: Vec<String>| -> Vec<String> {
        replies.iter().map(|reply| reply[..3].to_owned()).collect()
    };
    say(&mut stream, &["EHLO client.example"]);
    let first = codes(say(&mut stream, &transaction));
    assert_eq!(first, ["250", "250", "550", "354", "451"]);
    let second = codes(say(&mut stream, &transaction));
    assert_eq!(second, ["250", "250", "550", "354", "250"]);

    let taken: Value = serde_json::from_str(&sink.line()).unwrap();
    assert_eq!(taken["number"], 1);
    assert_eq!(taken["from"], "a@b.example");
    assert_eq!(taken["to"], serde_json::json!(["x@desk.example"]));
    let message = "Subject: hello\r\n\r\n.dot\r\n";
    assert_eq!(taken["size"], message.len());
    let file = here.path().join(taken["file"].as_str().unwrap());
    assert_eq!(std::fs::read_to_string(file).unwrap(), message);
    let kept = std::fs::read_dir(here.path().join("kept")).unwrap().count();
    assert_eq!(kept, 1, "nothing is left of what was refused");
}
