//! Ctrl-C says that what is done is kept, and which command goes on.

use std::io::{BufRead as _, BufReader};
use std::process::Command;

use crate::setup::{begin, connectors, desk};

#[test]
fn an_interrupt_names_the_command_that_goes_on() {
    let desk = desk();
    let options = ["--yes", "--wait", "5m", "--account", "acme.desk.test"];
    let domain = ["--product", "Acme", "--domain", "customer.test"];
    let kind = ["--kind", "forwarded"];
    let mut running = begin(&desk, &[&options[..], &domain, &kind].concat());
    let mut said = BufReader::new(running.stderr.take().unwrap()).lines();
    let waits = |line: &std::io::Result<String>| line.as_ref().unwrap().starts_with("waiting for");
    assert!(said.any(|line| waits(&line)));
    let id = running.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let rest: Vec<_> = said.map(Result::unwrap).collect();
    let rest = rest.join("\n");
    assert_eq!(running.wait().unwrap().code(), Some(130), "{rest}");
    for part in [
        "what is done is kept",
        "gatepost connector setup --config ",
        "--domain customer.test",
    ] {
        assert!(rest.contains(part), "{part}: {rest}");
    }
    assert_eq!(connectors(&desk).len(), 1);
    desk.relay.leaves_nothing(desk.sink);
}
