//! Labelled mail in folders: this repository's; the one that GATEPOST_LABELLED names, for
//! measuring; and the messages that earlier versions got wrong (`found/`), which must stay right.
//!
//! A folder has LABELS.csv, with the columns `file` or `path`, `mail_from`, `rcpt_to`, `label` and
//! `reply_allowed` among others, and the messages beside it or in `mail/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gatepost_sdk::classification::Classification;

use crate::{CLASSES, classified, print_scores};

struct Labelled {
    name: String,
    label: String,
    reply_allowed: bool,
    found: Classification,
}

/// Classifies the messages of a folder; those without a known label are left out.
fn labelled(folder: &Path) -> Vec<Labelled> {
    let table = fs::read_to_string(folder.join("LABELS.csv")).unwrap();
    let mut rows = rows(&table).into_iter();
    let names = rows.next().unwrap_or_default();
    let mut all = Vec::new();
    for row in rows {
        let cell = |name: &str| {
            let at = names.iter().position(|it| it == name);
            at.and_then(|at| row.get(at)).map_or("", String::as_str)
        };
        let file = [cell("file"), cell("path")].concat();
        let mut places = [folder.join("mail").join(&file), folder.join(&file)].into_iter();
        let place = places.find(|place| place.is_file());
        if place.is_none() || !file.ends_with(".eml") || !CLASSES.contains(&cell("label")) {
            continue;
        }
        let octets = fs::read(place.unwrap()).unwrap();
        let path = cell("mail_from").trim_matches(['<', '>']);
        all.push(Labelled {
            name: file,
            label: cell("label").to_owned(),
            reply_allowed: cell("reply_allowed") == "yes",
            found: classified(&octets, path, &[cell("rcpt_to")]),
        });
    }
    all
}

/// Comma-separated values (RFC 4180).
fn rows(table: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut characters = table.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            c => cell.push(c),
        }
    }
    rows
}

/// Describes a wrong classification with its evidence; `None` if it is right.
fn wrong(mail: &Labelled) -> Option<String> {
    let class = mail.found.class.word();
    let right = class == mail.label && mail.found.reply_allowed == mail.reply_allowed;
    let evidence = mail.found.evidence.iter().map(ToString::to_string);
    let evidence: Vec<String> = evidence.collect();
    let reply = |allowed| if allowed { "reply" } else { "no reply" };
    (!right).then(|| {
        format!(
            "{}: {}, {} as {class}, {}: {}",
            mail.name,
            mail.label,
            reply(mail.reply_allowed),
            reply(mail.found.reply_allowed),
            evidence.join("; ")
        )
    })
}

#[test]
fn a_folder_of_labelled_mail_is_measured() {
    let Some(folder) = std::env::var_os("GATEPOST_LABELLED") else {
        println!("SKIPPED: GATEPOST_LABELLED names no folder with LABELS.csv");
        return;
    };
    let mail = labelled(Path::new(&folder));
    assert!(!mail.is_empty(), "no labelled message there");
    let mut pairs: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut silenced, mut answered, mut remembered) = (0, 0, 0);
    for message in &mail {
        let class = message.found.class.word();
        *pairs.entry((&message.label, class)).or_default() += 1;
        let allowed = message.found.reply_allowed;
        silenced += usize::from(message.reply_allowed && !allowed);
        answered += usize::from(!message.reply_allowed && allowed);
        remembered += usize::from(message.label == "human" && message.found.is_certain());
        if let Some(wrong) = wrong(message) {
            println!("{wrong}");
        }
    }
    print_scores(&pairs);
    for ((label, given), count) in &pairs {
        println!("{label} taken for {given}: {count}");
    }
    println!(
        "of {}: {silenced} may be answered and were not, {answered} the other way round, \
         {remembered} persons would be remembered as machines",
        mail.len()
    );
}

/// Messages of each class that are right at least; of people, all must be.
type Reached = [(&'static str, usize); 5];

/// Asserts that a folder of `tests/labelled` is classified as well as before: nobody is silenced or
/// remembered who may be answered, and no more machines are answered.
#[track_caller]
fn assert_as_good_as_before(folder: &str, reached: Reached, answered: usize) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/labelled");
    let mail = labelled(&Path::new(root).join(folder));
    let failed: Vec<String> = mail.iter().filter_map(wrong).collect();
    let failed = failed.join("\n");
    for (class, least) in reached {
        let right = mail
            .iter()
            .filter(|message| message.label == class && message.found.class.word() == class);
        assert!(right.count() >= least, "{class} in {folder}: {failed}");
    }
    let of = |test: &dyn Fn(&Labelled) -> bool| mail.iter().filter(|it| test(it)).count();
    let human = |mail: &Labelled| mail.label == "human";
    let remembered = of(&|mail| human(mail) && mail.found.is_certain());
    let silenced = of(&|mail| mail.reply_allowed && !mail.found.reply_allowed);
    let too_many = of(&|mail| !mail.reply_allowed && mail.found.reply_allowed);
    let persons = of(&human);
    assert_eq!(
        of(&|mail| human(mail) && mail.found.class.word() == "human"),
        persons,
        "{failed}"
    );
    assert_eq!((silenced, remembered), (0, 0), "{folder}: {failed}");
    assert!(too_many <= answered, "{folder}: {failed}");
}

#[test]
fn the_first_labelled_folder_is_classified_as_well_as_before() {
    let reached = [
        ("human", 102),
        ("auto-replied", 30),
        ("auto-generated", 30),
        ("bounce", 34),
        ("list", 24),
    ];
    // A server marks all its people's mail as bulk.
    assert_as_good_as_before("", reached, 1);
}

#[test]
fn the_second_labelled_folder_is_classified_as_well_as_before() {
    let reached = [
        ("human", 48),
        ("auto-replied", 18),
        ("auto-generated", 18),
        ("bounce", 22),
        ("list", 14),
    ];
    assert_as_good_as_before("second", reached, 0);
}

#[test]
fn the_third_labelled_folder_is_classified_as_well_as_before() {
    let reached = [
        ("human", 40),
        ("auto-replied", 15),
        ("auto-generated", 15),
        ("bounce", 17),
        ("list", 12),
    ];
    // A robot writes a letter in the first person, with its name below.
    assert_as_good_as_before("third", reached, 1);
}

/// Figures of the first run: no rule was written from this mail.
#[test]
fn the_fourth_labelled_folder_is_classified_as_well_as_before() {
    let reached = [
        ("human", 45),
        ("auto-replied", 20),
        ("auto-generated", 19),
        ("bounce", 20),
        ("list", 14),
    ];
    // A shop's notice of an order says nowhere that a machine wrote it.
    assert_as_good_as_before("fourth", reached, 1);
}

/// The folder with the inputs at which earlier versions failed.
fn found(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GATEPOST_FOUND");
    let root = root.map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../shared/found"
            ))
        },
        PathBuf::from,
    );
    let path = root.join(part);
    if path.is_dir() {
        return Some(path);
    }
    println!("SKIPPED: {} is not there (GATEPOST_FOUND)", path.display());
    None
}

#[test]
fn formerly_wrong_mail_is_classified_right() {
    let Some(folder) = found("mail") else { return };
    let mail = labelled(&folder);
    assert!(!mail.is_empty(), "no labelled message there");
    let mut failed: Vec<String> = mail.iter().filter_map(wrong).collect();
    let remembered = mail
        .iter()
        .filter(|message| message.label == "human" && message.found.is_certain());
    failed.extend(remembered.map(|message| format!("{}: remembered", message.name)));
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn mail_reported_to_other_help_desks_is_classified_right() {
    let Some(folder) = found("bug-reports/eml") else {
        return;
    };
    let cases = fs::read(folder.join("cases.json")).unwrap();
    let cases: serde_json::Value = serde_json::from_slice(&cases).unwrap();
    let mut tried = 0;
    for (name, case) in cases.as_object().unwrap() {
        let octets = fs::read(folder.join(format!("{name}.eml"))).unwrap();
        let text = |key: &str| case[key].as_str().unwrap_or_default();
        let found = classified(&octets, text("mail_from"), &[text("rcpt")]);
        let expected = &case["expect"];
        if let Some(class) = expected["class"].as_str() {
            assert_eq!(found.class.word(), class, "{name}: {found:?}");
        }
        if let Some(reply) = expected["reply"].as_bool() {
            assert_eq!(found.reply_allowed, reply, "{name}: {found:?}");
        }
        if let Some(machine) = expected["machine"].as_bool() {
            assert_eq!(found.is_certain(), machine, "{name}: {found:?}");
        }
        tried += 1;
    }
    assert!(tried > 0, "cases.json has no case");
}
