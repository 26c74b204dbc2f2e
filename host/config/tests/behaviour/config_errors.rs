//! All problems of a configuration are reported at once, each in a sentence at its line.

use std::path::{Path, PathBuf};

use gatepost_config::{Config, ConfigError};

/// Valid configuration; tests append their own lines.
const GOOD: &str = r#"[relay]
hostname = "mx.desk.example"

[[listener]]
name = "mx"
address = "127.0.0.1:0"
direction = "inbound"
tls = "none"
chain = ["loop-guard"]
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("gatepost.toml"), Path::new("/etc/gatepost"))
}

/// Returns the lines and messages of all problems.
fn problems(text: &str) -> Vec<(Option<usize>, String)> {
    let error = parse(text).expect_err("it is wrong");
    let problems = error.problems().iter();
    problems.map(|p| (p.line(), p.to_string())).collect()
}

/// Asserts that a valid configuration with these lines appended has one problem: at this line of
/// the appended ones, counted from 1, with this text in its message.
#[track_caller]
fn assert_problem(added: &str, line: usize, message: &str) {
    let problems = problems(&format!("{GOOD}{added}"));
    let [(at, said)] = problems.as_slice() else {
        panic!("one problem expected in\n{added}\n{problems:#?}");
    };
    assert!(said.contains(message), "{said:?} does not say {message:?}");
    assert_eq!(*at, Some(GOOD.lines().count() + line), "{said}");
}

#[test]
fn a_valid_configuration_is_accepted() {
    let config = parse(GOOD).expect("it is good");
    assert_eq!(config.relay.hostname.as_str(), "mx.desk.example");
    assert_eq!(config.listeners.len(), 1);
}

#[test]
fn syntax_and_unknown_keys_are_shown_at_their_line() {
    assert_problem("[delivery]\nretry = [\"1m\"\n", 2, "array");
    assert_problem("[delivery]\nretries = 3\n", 2, "unknown field `retries`");
    assert_problem("[smtp]\n", 1, "unknown field `smtp`");
    assert_problem(
        "[[listener]]\nname = \"b\"\naddress = \"localhost\"\ndirection = \"inbound\"\n",
        3,
        "invalid socket address",
    );
    assert_problem(
        "[[listener]]\nname = \"b\"\naddress = \"127.0.0.1:0\"\ndirection = \"outbound\"\n",
        4,
        "unknown variant `outbound`",
    );
    assert_problem(
        "[[listener]]\nname = \"b\"\naddress = \"127.0.0.1:0\"\ndirection = \"inbound\"\nproxy-from = [\"10.0.0.0/64\"]\n",
        5,
        "invalid IP address",
    );
    assert_problem(
        "[[policy]]\nname = \"x\"\nbuiltin = \"loop-guard\"\ngrants = [\"reject\"]\n",
        4,
        "unknown variant `reject`, expected `discard` or `next-hop`",
    );
}

#[test]
fn a_missing_key_is_named() {
    let problems = problems("[relay]\nstore = \"x\"\n");
    assert!(
        problems[0].1.contains("missing field `hostname`"),
        "{problems:?}"
    );
}

#[test]
fn errors_of_durations_and_sizes_show_their_form() {
    assert_problem("[delivery]\nexpiry = \"5\"\n", 2, "`5` is not a duration");
    assert_problem(
        "[delivery]\nexpiry = 5\n",
        2,
        "a duration in quotes with its unit",
    );
    assert_problem(
        "[delivery]\nretry = [\"1m\", \"soon\"]\n",
        2,
        "`soon` is not a duration",
    );
    assert_problem("[limits]\nidle = \"-1s\"\n", 2, "`-1s` is negative");
    assert_problem("[limits]\nidle = \"1mo\"\n", 2, "no fixed length");
    assert_problem(
        "[limits]\nmessage-size = \"big\"\n",
        2,
        "`big` is not a size",
    );
    assert_problem("[limits]\nmessage-size = -1\n", 2, "`-1` is negative");
}

#[test]
fn a_hostname_is_a_domain_name() {
    let text = GOOD.replace("mx.desk.example", "mx desk");
    let problems = problems(&text);
    assert_eq!(problems[0].0, Some(2));
    assert!(problems[0].1.contains("`mx desk` is not a domain name"));
}

#[test]
fn a_hostname_is_ascii() {
    let text = GOOD.replace("mx.desk.example", "mx.b\u{fc}ro.example");
    let problems = problems(&text);
    assert_eq!(problems[0].0, Some(2));
    assert!(problems[0].1.contains("is not ASCII"));
}

#[test]
fn a_log_level_that_cannot_be_parsed_is_refused() {
    assert_problem("[log]\nlevel = \"a=b=c\"\n", 2, "does not say what to log");
}

#[test]
fn limits_that_allow_no_mail_are_refused() {
    assert_problem("[limits]\nconnections = 0\n", 2, "no mail could be taken");
    assert_problem("[limits]\nmessage-size = 0\n", 2, "no mail could be taken");
    assert_problem("[limits]\nidle = \"0s\"\n", 2, "no mail could be taken");
    assert_problem("[limits]\ncommand = 1180\n", 2, "1180 octets");
}

#[test]
fn limits_that_leave_a_directory_account_nothing_are_refused() {
    for key in ["domains-per-account", "addresses-per-domain", "live-sets"] {
        let section = format!("[directory]\n{key} = 0");
        assert_problem(
            &section,
            2,
            &format!("{key} is 0, so no account could have any"),
        );
    }
}

#[test]
fn limits_that_let_nobody_log_in_are_refused() {
    for key in ["failures-per-address", "failures-per-user"] {
        let table = format!("[log-ins]\n{key} = 0\n");
        assert_problem(&table, 2, &format!("{key} is 0, so nobody could log in"));
    }
}

#[test]
fn a_sending_domain_and_an_address_belong_to_one_account() {
    assert_problem(
        "[[account]]\nid = \"a\"\ndomains = [\"desk.example\"]\n[[account]]\nid = \"b\"\nsending-domains = [\n  \"Desk.Example\",\n]\n",
        7,
        "the domain desk.example already belongs to account \"a\"",
    );
    assert_problem(
        "[[account]]\nid = \"a\"\ndomains = [\"desk.example\"]\naddresses = [\n  \"help@desk.example\",\n  \"help@other.example\",\n]\n",
        6,
        "other.example is not among the domains of account \"a\"",
    );
}

#[test]
fn a_domain_and_a_user_belong_to_one_account() {
    assert_problem(
        "[[account]]\nid = \"a\"\ndomains = [\"desk.example\"]\n[[account]]\nid = \"b\"\ndomains = [\n  \"other.example\",\n  \"Desk.Example\",\n]\n",
        8,
        "the domain desk.example already belongs to account \"a\"",
    );
    assert_problem(
        "[[account]]\nid = \"a\"\nusers = [{ name = \"app\", password = \"x\" }]\n[[account]]\nid = \"b\"\nusers = [{ name = \"app\", password = \"y\" }]\n",
        6,
        "the user \"app\" already belongs to account \"a\"",
    );
    // SASLprep drops the soft hyphen, so both are one name.
    assert_problem(
        "[[account]]\nid = \"a\"\nusers = [{ name = \"app\", password = \"x\" }]\n[[account]]\nid = \"b\"\nusers = [{ name = \"ap\\u00adp\", password = \"y\" }]\n",
        6,
        "already belongs to account \"a\"",
    );
    assert_problem(
        "[[account]]\nid = \"a\"\nusers = [{ name = \"\\u00ad\", password = \"x\" }]\n",
        3,
        "nobody can log in by this name",
    );
    assert_problem(
        "[[account]]\nid = \"a\"\nusers = [{ name = \"app\", password = \"\" }]\n",
        3,
        "empty password",
    );
}

#[test]
fn names_are_plain_and_given_once() {
    assert_problem(
        "[[account]]\nid = \"a\"\n[[account]]\nid = \"a\"\n",
        4,
        "two of the name \"a\"",
    );
    assert_problem(
        "[[listener]]\nname = \"mx\"\naddress = \"127.0.0.1:0\"\ndirection = \"inbound\"\ntls = \"none\"\n",
        2,
        "two of the name \"mx\"",
    );
    assert_problem(
        "[[policy]]\nname = \"a b\"\nbuiltin = \"loop-guard\"\n",
        2,
        "`a b` cannot name a policy",
    );
}

#[test]
fn two_listeners_on_one_address_are_refused() {
    let listener = |name| {
        format!(
            "[[listener]]\nname = \"{name}\"\naddress = \"127.0.0.1:2525\"\ndirection = \"inbound\"\ntls = \"none\"\n"
        )
    };
    assert_problem(
        &(listener("a") + &listener("b")),
        8,
        "127.0.0.1:2525 is already the address of listener \"a\"",
    );
}

/// The system would refuse such listeners when the relay starts. IPv4 and IPv6 do not overlap.
#[test]
fn listeners_on_overlapping_addresses_are_refused() {
    let listener = |name: &str, address: &str| {
        format!(
            "[[listener]]\nname = \"{name}\"\naddress = \"{address}:2525\"\ndirection = \"inbound\"\ntls = \"none\"\n"
        )
    };
    assert_problem(
        &(listener("a", "0.0.0.0") + &listener("b", "127.0.0.1")),
        8,
        "127.0.0.1:2525 overlaps with 0.0.0.0:2525 of listener \"a\"",
    );
    assert_problem(
        &(listener("a", "[::]") + "[http]\naddress = \"[::1]:2525\"\n"),
        3,
        "[::]:2525 overlaps with [::1]:2525",
    );
    let both = listener("a", "0.0.0.0") + &listener("b", "[::]");
    parse(&format!("{GOOD}{both}")).expect("both can be listened on");
}

#[test]
fn reserving_more_connections_than_the_limit_is_refused() {
    assert_problem(
        "reserved-connections = 7\n[[listener]]\nname = \"b\"\naddress = \"127.0.0.1:0\"\ndirection = \"inbound\"\ntls = \"none\"\nreserved-connections = 4\n[limits]\nconnections = 10\n",
        7,
        "listener \"b\" reserves 4 connections, and of the 10 in [limits] only 3 are left",
    );
}

#[test]
fn tls_needs_a_certificate_and_submission_needs_tls() {
    assert_problem(
        "[[listener]]\nname = \"b\"\naddress = \"127.0.0.1:0\"\ndirection = \"inbound\"\n",
        1,
        "listener \"b\" speaks TLS, and there is no certificate",
    );
    assert_problem(
        "[[listener]]\nname = \"b\"\naddress = \"127.0.0.1:0\"\ndirection = \"submission\"\ntls = \"none\"\n",
        5,
        "nobody could log in",
    );
}

#[test]
fn a_chain_with_an_unknown_or_repeated_policy_is_refused() {
    let listener = "[[listener]]\nname = \"b\"\naddress = \"127.0.0.1:0\"\ndirection = \"inbound\"\ntls = \"none\"\n";
    assert_problem(
        &format!("{listener}chain = [\"loop-guard\", \"spam-guard\"]\n"),
        6,
        "there is no policy \"spam-guard\"",
    );
    assert_problem(
        &format!("{listener}chain = [\"loop-guard\", \"loop-guard\"]\n"),
        6,
        "in this chain twice",
    );
}

#[test]
fn a_policy_named_relay_is_refused() {
    assert_problem(
        "[[policy]]\nname = \"relay\"\nbuiltin = \"loop-guard\"\n",
        2,
        "names what the relay itself says",
    );
}

#[test]
fn a_policy_has_one_module_and_time_to_run() {
    assert_problem(
        "[[policy]]\nname = \"x\"\n",
        1,
        "needs either builtin or file",
    );
    assert_problem(
        "[[policy]]\nname = \"x\"\nbuiltin = \"loop-guard\"\nfile = \"x.wasm\"\n",
        1,
        "needs either builtin or file",
    );
    assert_problem(
        "[[policy]]\nname = \"x\"\nbuiltin = \"loop-gard\"\n",
        3,
        "there is no built-in policy \"loop-gard\"",
    );
    assert_problem(
        "[[policy]]\nname = \"x\"\nbuiltin = \"loop-guard\"\ndeadline = \"0ms\"\n",
        4,
        "no time to run",
    );
    assert_problem(
        "[[policy]]\nname = \"x\"\nbuiltin = \"loop-guard\"\nself-test = [\n  { file = \"a.eml\", rcpt-to = [\"a@b.example\"], expect = \"refuse\" },\n]\n",
        5,
        "`refuse` is not a verdict",
    );
}

#[test]
fn settings_that_allow_no_delivery_are_refused() {
    assert_problem("[delivery]\nretry = []\n", 2, "at least one");
    assert_problem("[delivery]\nretry = [\"0s\"]\n", 2, "above zero");
    assert_problem("[delivery]\njitter = 2.0\n", 2, "not a fraction");
    assert_problem(
        "[delivery]\nmessages-in-flight = 0\n",
        2,
        "nothing would be delivered",
    );
}

#[test]
fn reports_are_taken_for_as_long_as_mail_is_tried() {
    assert_problem(
        "[return-path]\nlife = \"4d\"\n",
        2,
        "life is 345600 seconds, and mail is tried for up to 432000",
    );
    assert_problem(
        "[return-path]\nlife = \"14d\"\n[delivery]\nexpiry = \"15d\"\n",
        2,
        "tried for up to 1296000",
    );
}

#[test]
fn languages_and_times_of_notices_are_validated() {
    assert_problem(
        "[delivery]\ndelay-notice = \"soon\"\n",
        2,
        "`soon` is not a duration",
    );
    assert_problem("[delivery]\ndelay-notice = 4\n", 2, "or \"never\"");
    assert_problem(
        "[notifications]\nlanguage = \"fr\"\n",
        2,
        "unknown variant `fr`, expected `en` or `pt`",
    );
    assert_problem(
        "[[account]]\nid = \"a\"\nlanguage = \"pt-PT\"\n",
        3,
        "unknown variant `pt-PT`",
    );
    let delay = |text: &str| {
        let config = parse(&format!("{GOOD}[delivery]\ndelay-notice = {text}\n"));
        config.unwrap().delivery.delay_notice
    };
    for never in ["\"never\"", "0", "\"0\"", "\"0s\""] {
        assert_eq!(delay(never), None, "{never}");
    }
    let hours = std::time::Duration::from_secs(90 * 60);
    assert_eq!(delay("\"1h 30m\""), Some(hours));
    let config = parse(&format!("{GOOD}[notifications]\ntemplates = \"texts\"\n"));
    let folder = config.unwrap().notifications.templates;
    assert_eq!(folder, Some(PathBuf::from("/etc/gatepost/texts")));
}

#[test]
fn all_problems_are_reported_at_once() {
    let text = format!(
        "{GOOD}[[policy]]\nname = \"x\"\n[delivery]\nretry = []\nconnections-per-next-hop = 0\n"
    );
    let lines: Vec<_> = problems(&text).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [Some(10), Some(13), Some(14)]);
}

#[test]
fn no_listener_is_a_problem_without_a_line() {
    let problems = problems("[relay]\nhostname = \"mx.desk.example\"\n");
    assert_eq!(problems, [(None, "there is no [[listener]]".to_owned())]);
}

#[test]
fn the_report_shows_the_line_and_what_to_do() {
    let text = format!("{GOOD}[delivery]\nretry = []\n");
    let error = parse(&text).unwrap_err();
    let mut report = String::new();
    miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none())
        .render_report(&mut report, &error)
        .unwrap();
    for part in ["gatepost.toml:11:", "retry = []", "help: such as retry ="] {
        assert!(report.contains(part), "{part:?} is not in\n{report}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Config::load(Path::new("/nowhere/gatepost.toml")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/gatepost.toml"));
}

#[test]
fn paths_are_relative_to_the_file() {
    let text = format!(
        "{GOOD}[tls]\ncertificate = \"cert.pem\"\nkey = \"/keys/key.pem\"\n[[policy]]\nname = \"x\"\nfile = \"x.wasm\"\nself-test = [{{ file = \"loop.eml\", rcpt-to = [\"a@b.example\"], expect = \"reject\" }}]\n[delivery]\nca-file = \"roots.pem\"\n"
    )
    .replace("[[listener]]", "store = \"queue\"\n[[listener]]");
    let config = parse(&text).unwrap();
    let tls = config.tls.as_ref().unwrap();
    let policy = config.policy("x").unwrap();
    let base = Path::new("/etc/gatepost");
    assert_eq!(config.relay.store, base.join("queue"));
    assert_eq!(tls.certificate, base.join("cert.pem"));
    assert_eq!(tls.key, PathBuf::from("/keys/key.pem"));
    assert_eq!(policy.file, Some(base.join("x.wasm")));
    assert_eq!(policy.self_tests[0].file, base.join("loop.eml"));
    assert_eq!(config.delivery.ca_file, Some(base.join("roots.pem")));
}

#[test]
fn min_free_below_one_mebibyte_is_refused() {
    let with = |free: &str| {
        let relay = "hostname = \"mx.desk.example\"\n";
        GOOD.replace(relay, &format!("{relay}min-free = \"{free}\"\n"))
    };
    assert!(parse(&with("1MiB")).is_ok());
    let problems = problems(&with("1023KiB"));
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].0, Some(3));
    assert!(problems[0].1.contains("min-free"), "{problems:?}");
}

#[test]
fn a_collector_that_spans_cannot_be_sent_to_is_refused() {
    let otlp = |keys: &str| format!("[otlp]\nendpoint = \"http://127.0.0.1:4318\"\n{keys}\n");
    assert!(parse(&format!("{GOOD}{}", otlp(""))).is_ok());
    assert_problem(&otlp("sample = 1.5"), 3, "sample is 1.5");
    assert_problem(&otlp("timeout = \"0s\""), 3, "timeout is 0");
    assert_problem(&otlp("service-name = \"\""), 3, "the service name is empty");
    assert_problem(&otlp("headers = { Host = \"x\" }"), 3, "set by the relay");
    assert_problem("[otlp]\nendpoint = \"127.0.0.1:4318\"\n", 2, "not the URL");
    assert_problem("[otlp]\nendpoint = \"https://c\"\n", 2, "wants TLS");
}

#[test]
fn a_next_hop_of_outbound_route_needs_its_grant() {
    let routes = |keys: &str| {
        format!(
            "[[policy]]\nname = \"outbound-route\"\nbuiltin = \"outbound-route\"\n{keys}\
             settings = {{ routes = [{{ by = \"mx\", then = [{{ by = {{ next-hop = {{ host = \
             \"b.example\", port = 25 }} }} }}] }}] }}\n"
        )
    };
    let without = "policy \"outbound-route\" names a next hop without the grant";
    assert_problem(&routes(""), 4, without);
    parse(&format!("{GOOD}{}", routes("grants = [\"next-hop\"]\n"))).expect("it has the grant");
    let mx = "[[policy]]\nname = \"outbound-route\"\nbuiltin = \"outbound-route\"\n\
              settings = { routes = [{ by = \"mx\" }] }\n";
    parse(&format!("{GOOD}{mx}")).expect("it needs none");
}

#[test]
fn the_page_of_handovers_has_a_url_an_address_and_a_certificate() {
    let page = |address: &str, url: &str, tls: &str| {
        format!("[handover]\naddress = \"{address}\"\nurl = \"{url}\"\ntls = \"{tls}\"\n")
    };
    let url = "https://mx.desk.example";
    assert!(parse(&format!("{GOOD}{}", page("0.0.0.0:8443", url, "none"))).is_ok());
    assert_problem(
        &page("0.0.0.0:8443", "http://mx.desk.example", "none"),
        3,
        "is not the URL of the page",
    );
    assert_problem(
        &page("0.0.0.0:8443", url, "implicit"),
        4,
        "there is no certificate",
    );
    let http = "[http]\naddress = \"127.0.0.1:8443\"\n";
    assert_problem(
        &format!("{}{http}", page("0.0.0.0:8443", url, "none")),
        2,
        "0.0.0.0:8443 overlaps with 127.0.0.1:8443",
    );
}
