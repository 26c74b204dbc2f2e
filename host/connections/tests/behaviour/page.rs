//! The page on connections has each profile as it is.

use gatepost_connections::{Profile, Profiles};
use gatepost_model::TlsMode;

fn row(profile: &Profile) -> String {
    let host = profile.host.as_deref().unwrap_or("the customer's");
    let tls = match profile.tls {
        TlsMode::None => "none",
        TlsMode::Opportunistic => "opportunistic",
        TlsMode::Required => "required",
        TlsMode::Implicit => "implicit",
    };
    let words: Vec<_> = (profile.mechanisms.iter()).map(|one| one.word()).collect();
    let mechanisms = words.join(", ");
    let limits: Vec<_> = (profile.limits.all())
        .map(|(key, most)| format!("{key} {most}"))
        .collect();
    let each = match profile.limits.per_mailbox {
        true => ", for each mailbox",
        false => "",
    };
    format!(
        "| `{}` | {} | {host}:{} | {tls} | {mechanisms} | {}{each} |",
        profile.name,
        profile.title,
        profile.port,
        limits.join(", ")
    )
}

#[test]
fn the_page_has_every_profile_and_no_other() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/connections.md");
    let page = std::fs::read_to_string(page).unwrap();
    let section = page.split("\n## Profiles\n").nth(1).unwrap();
    let table: Vec<_> = (section.lines())
        .skip_while(|line| !line.starts_with("| ---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .collect();
    let profiles = Profiles::built_in();
    let rows: Vec<_> = profiles.all().map(|profile| row(profile)).collect();
    assert_eq!(
        table.join("\n"),
        rows.join("\n"),
        "write:\n{}",
        rows.join("\n")
    );
}
