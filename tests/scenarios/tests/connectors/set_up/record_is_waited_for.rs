//! A set-up that waits looks for the record again, and says what it waits for and until when.

use std::io::{BufRead as _, BufReader};

use crate::setup::{begin, connectors, desk};

#[test]
fn a_record_that_is_published_while_it_waits_proves_the_domain() {
    let desk = desk();
    let options = ["--yes", "--wait", "5m", "--account", "acme.desk.test"];
    let product = ["--product", "Acme", "--domain", "Customer.TEST."];
    let kind = ["--kind", "Forwarded"];
    let mut running = begin(&desk, &[&options[..], &product, &kind].concat());
    let mut said = BufReader::new(running.stderr.take().unwrap()).lines();
    let (mut proof, mut waiting) = (None, String::new());
    while !waiting.starts_with("waiting for the record") {
        waiting = said.next().unwrap().unwrap();
        let mut quoted = waiting.split('"');
        let found = quoted.find(|text| text.starts_with("gatepost-verification="));
        proof = found.map(str::to_owned).or(proof);
    }
    assert!(waiting.contains("that proves customer.test"), "{waiting}");
    let until = waiting.split(" until ").nth(1).unwrap();
    assert!(until.ends_with(" UTC") && until.contains(':'), "{waiting}");

    let name = "_gatepost.customer.test";
    desk.dns.zone().txt(name, proof.unwrap());
    let mut printed = BufReader::new(running.stdout.take().unwrap()).lines();
    let proved = printed.find(|line| line.as_ref().unwrap().contains("the DNS proves"));
    assert!(proved.unwrap().unwrap().contains("customer.test"));
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!(connectors(&desk)[0]["state"], "verified");
    desk.relay.leaves_nothing(desk.sink);
}
