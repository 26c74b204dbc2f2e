//! Labelled mail: no person is taken for anything else, every bounce is found, and names and places
//! do not matter.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use gatepost_message::Message;
use mail_parser::MessageParser;

use crate::{classified, conformance, print_scores, with_crlf};

struct Labelled {
    name: String,
    label: String,
    sender: String,
    recipients: Vec<String>,
    octets: Vec<u8>,
}

impl Labelled {
    fn class(&self) -> String {
        let to: Vec<&str> = self.recipients.iter().map(String::as_str).collect();
        classified(&self.octets, &self.sender, &to)
            .class
            .word()
            .to_owned()
    }

    fn evidence(&self) -> String {
        let to: Vec<&str> = self.recipients.iter().map(String::as_str).collect();
        let found = classified(&self.octets, &self.sender, &to);
        let all: Vec<String> = found.evidence.iter().map(ToString::to_string).collect();
        all.join("; ")
    }
}

fn labelled() -> Option<Vec<Labelled>> {
    let suite = conformance("loops")?;
    let table = fs::read_to_string(suite.join("labels.csv")).unwrap();
    let line = |line: &str| {
        // The first columns have no quotes.
        let columns: Vec<&str> = line.splitn(6, ',').collect();
        let octets = with_crlf(&fs::read(suite.join(columns[0])).unwrap());
        let recorded = columns[3];
        let sender = match recorded.strip_prefix('<') {
            Some(path) => path.trim_end_matches('>').to_owned(),
            None => author(&octets),
        };
        Labelled {
            name: columns[0].to_owned(),
            label: columns[1].to_owned(),
            sender,
            recipients: recipients(&octets),
            octets,
        }
    };
    Some(table.lines().skip(1).map(line).collect())
}

/// Returns the author's address, for a message without a recorded reverse-path.
fn author(octets: &[u8]) -> String {
    let parsed = MessageParser::default().parse_headers(octets);
    let author = parsed
        .as_ref()
        .and_then(|message| message.from()?.first()?.address());
    author.unwrap_or("unknown@unknown.invalid").to_owned()
}

fn recipients(octets: &[u8]) -> Vec<String> {
    let message = Message::from_bytes(octets.to_vec().into());
    if let Some(to) = message.header("Delivered-To") {
        return vec![to.trim_matches(['<', '>']).to_owned()];
    }
    let parsed = MessageParser::default().parse_headers(octets);
    let to = parsed.as_ref().and_then(|message| message.to());
    to.map_or_else(Vec::new, |to| {
        to.iter()
            .filter_map(|to| Some(to.address()?.to_owned()))
            .collect()
    })
}

#[test]
fn no_person_is_taken_for_a_machine_and_every_bounce_is_found() {
    let Some(mail) = labelled() else { return };
    let mut pairs: BTreeMap<(String, String), usize> = BTreeMap::new();
    let (mut silenced, mut missed) = (Vec::new(), Vec::new());
    for message in &mail {
        let class = message.class();
        if class != message.label {
            let what = format!(
                "{}: {} as {class}: {}",
                message.name,
                message.label,
                message.evidence()
            );
            println!("{what}");
            match message.label.as_str() {
                "human" => silenced.push(what),
                "bounce" => missed.push(what),
                _ => {}
            }
        }
        *pairs.entry((message.label.clone(), class)).or_default() += 1;
    }
    print_scores(&pairs);
    assert!(silenced.is_empty(), "persons: {}", silenced.join("\n"));
    assert!(missed.is_empty(), "bounces: {}", missed.join("\n"));
}

#[test]
fn renaming_all_addresses_hosts_and_ids_changes_no_class() {
    let Some(mail) = labelled() else { return };
    for message in &mail {
        let renamed = renamed(message);
        assert_eq!(
            renamed.class(),
            message.class(),
            "{}: {} → {}\n{}\n{}",
            message.name,
            message.sender,
            renamed.sender,
            message.evidence(),
            renamed.evidence()
        );
    }
}

/// Renames everybody and every host, mail systems and lists too. Only an address that says that
/// nobody reads it keeps its name, because nothing else says so.
fn renamed(message: &Labelled) -> Labelled {
    let text = from_latin1(&message.octets);
    let whole = format!(
        "{text}\0{}\0{}",
        message.sender,
        message.recipients.join("\0")
    );
    let mut people = BTreeSet::new();
    let mut hosts = BTreeSet::new();
    let of_address = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c);
    let of_host = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    for (at, _) in whole.match_indices('@') {
        let local = whole[..at]
            .rsplit(|c| !of_address(c))
            .next()
            .unwrap_or_default();
        let host = whole[at + 1..]
            .split(|c| !of_host(c))
            .next()
            .unwrap_or_default();
        let host = host.trim_matches('.');
        if !host.is_empty() {
            hosts.insert(host.to_owned());
            people.insert((local.to_owned(), host.to_owned()));
        }
    }
    // Longer ones first, because one may contain another.
    let mut swaps: Vec<(String, String)> = Vec::new();
    let host_of = |host: &str| format!("h{}.renamed.example", number(&hosts, host));
    for (number, (local, host)) in people.iter().enumerate() {
        let new = if is_unread(local) {
            local.clone()
        } else {
            format!("u{number}")
        };
        for sign in ['@', '='] {
            swaps.push((
                format!("{local}{sign}{host}"),
                format!("{new}{sign}{}", host_of(host)),
            ));
        }
    }
    for host in &hosts {
        swaps.push((host.clone(), host_of(host)));
    }
    swaps.retain(|(old, _)| old.len() > 3);
    swaps.sort_by_key(|(old, _)| std::cmp::Reverse(old.len()));
    let swapped = |text: &str| {
        let mut done = String::with_capacity(text.len());
        let mut rest = text;
        'text: while let Some(next) = rest.chars().next() {
            for (old, new) in &swaps {
                if let Some(after) = rest.strip_prefix(old.as_str()) {
                    done.push_str(new);
                    rest = after;
                    continue 'text;
                }
            }
            done.push(next);
            rest = &rest[next.len_utf8()..];
        }
        done
    };
    Labelled {
        name: message.name.clone(),
        label: message.label.clone(),
        sender: swapped(&message.sender),
        recipients: message.recipients.iter().map(|to| swapped(to)).collect(),
        octets: to_latin1(&swapped(&text)),
    }
}

fn number(hosts: &BTreeSet<String>, host: &str) -> usize {
    hosts.iter().position(|it| it == host).unwrap_or_default()
}

fn is_unread(local: &str) -> bool {
    local.to_lowercase().contains("noreply")
}

fn from_latin1(octets: &[u8]) -> String {
    octets.iter().map(|&octet| octet as char).collect()
}

fn to_latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| c as u8).collect()
}
