//! Profiles read every refusal of the services that the sink emulates as the service means it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gatepost_connections::{DialogueStage, Profiles, ReplyClass, classify};
use gatepost_smtp::Reply;
use serde::Deserialize;

/// Script of a service, as far as a profile is held to it.
#[derive(Deserialize)]
struct Service {
    refusal: Vec<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    name: String,
    command: String,
    class: ReplyClass,
    reply: String,
}

impl Refusal {
    /// Returns the stage at which a client gets the reply.
    fn stage(&self) -> DialogueStage {
        match self.command.as_str() {
            "CONNECT" => DialogueStage::Greeting,
            "AUTH" | "LOGIN" => DialogueStage::Auth,
            "MAIL" => DialogueStage::Mail,
            "RCPT" => DialogueStage::Recipient,
            "MESSAGE" => DialogueStage::Data,
            other => panic!("{other} has no stage"),
        }
    }

    fn reply(&self) -> Reply {
        let (code, rest) = self.reply.split_once(' ').unwrap();
        let (first, words) = rest.split_once(' ').unwrap();
        let enhanced = first.parse().ok();
        let words = if enhanced.is_some() { words } else { rest };
        Reply::checked(code.parse().unwrap(), enhanced, words).unwrap()
    }
}

#[test]
fn every_refusal_of_an_emulated_service_is_classified_as_it_is_meant() {
    let profiles = Profiles::built_in();
    let mut emulated = BTreeSet::new();
    let mut wrong = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/services");
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let service: Service = toml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let profile = profiles.get(&name).unwrap();
        for refusal in service.refusal {
            let found = classify(profile, refusal.stage(), &refusal.reply()).class;
            if found != refusal.class {
                let (due, refusal) = (refusal.class, refusal.name);
                wrong.push(format!("{name}, {refusal}: {found:?} in place of {due:?}"));
            }
        }
        emulated.insert(name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let profiles: BTreeSet<_> = profiles.all().map(|profile| profile.name.clone()).collect();
    assert_eq!(profiles, emulated);
}
