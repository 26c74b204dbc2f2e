//! Records that a stranger has made to hurt: they command no terminal, and cost a bounded number of
//! questions.

use crate::{CUSTOMER, Site, zone};

#[test]
fn a_record_commands_no_terminal_and_costs_a_bounded_number_of_questions() {
    let mut zone = zone();
    zone.txt(
        CUSTOMER,
        b"v=spf1 \x1b[2J\xe2\x80\xaehidden include:b.example -all",
    );
    zone.txt(
        "_gatepost.customer.example",
        b"gatepost-verification=\x1b]0;title\x07\n",
    );
    let site = Site::start(zone, "outbound-only").vouched();
    for arguments in [
        &["domain", "check", CUSTOMER][..],
        &["domain", "check", CUSTOMER, "--json"],
    ] {
        let output = site.relay.command(arguments);
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stdout).unwrap();
        let is_command = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(is_command), "{}", text.escape_debug());
    }
    let prove = site.relay.command(&["connector", "prove", &site.connector]);
    assert!(!String::from_utf8(prove.stderr).unwrap().contains('\u{1b}'));

    // A record that includes itself twice over and over.
    let mut zone = site.dns.zone();
    zone.forget(CUSTOMER)
        .mx(CUSTOMER, 10, "mail.customer.example");
    zone.txt(
        CUSTOMER,
        "v=spf1 include:0.b.example include:0.b.example -all",
    );
    for level in 0..100 {
        let next = level + 1;
        let both = format!("v=spf1 include:{next}.b.example include:{next}.b.example -all");
        zone.txt(&format!("{level}.b.example"), both);
    }
    drop(zone);
    let before = site.dns.asked().len();
    let checked = site.check();
    let said = checked.one("spf-look-ups");
    assert!(
        said.starts_with("differs: more than 60 terms ask the DNS"),
        "{said}"
    );
    let asked = site.dns.asked().len() - before;
    assert!(asked < 200, "{asked} questions");
}
