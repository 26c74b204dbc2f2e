//! Meaning of a configuration, once it is read.

use std::net::IpAddr;
use std::path::Path;

use gatepost_config::{Config, Direction};

const CONFIG: &str = r#"
[relay]
hostname = "MX.Desk.Example"

[tls]
certificate = "cert.pem"
key = "key.pem"

[limits]
message-size = "1MiB"
command = 1224

[[account]]
id = "acme"
domains = ["Desk.Example"]
users = [{ name = "app", password = "secret" }]

[[account]]
id = "umbrella"
domains = ["umbrella.example"]
users = [{ name = "other", password = "hidden" }]

[[listener]]
name = "mx"
address = "127.0.0.1:0"
direction = "inbound"
proxy-from = ["10.0.0.0/8", "2001:db8::/32"]
chain = ["loops", "header-guard"]

[[policy]]
name = "loops"
builtin = "loop-guard"
on-error = "skip"
memory = "8MiB"
grants = ["discard"]
settings = { hop-limit = 30 }
"#;

fn config() -> Config {
    Config::parse(CONFIG, Path::new("gatepost.toml"), Path::new("")).expect("it is good")
}

#[test]
fn a_domain_leads_to_its_account_in_any_case() {
    let config = config();
    let account = |domain| config.account_of_domain(domain).map(|a| a.id.as_str());
    assert_eq!(account("desk.example"), Some("acme"));
    assert_eq!(account("DESK.example"), Some("acme"));
    assert_eq!(account("umbrella.example"), Some("umbrella"));
    assert_eq!(
        account("sub.desk.example"),
        None,
        "a domain is not those below it"
    );
    assert_eq!(account("elsewhere.example"), None);
}

#[test]
fn a_user_leads_to_its_account() {
    let config = config();
    let account = |user| config.account_of_user(user).map(|a| a.id.as_str());
    assert_eq!(account("app"), Some("acme"));
    assert_eq!(account("other"), Some("umbrella"));
    assert_eq!(account("nobody"), None);
    assert_eq!(account("APP"), None);
}

#[test]
fn a_password_is_not_shown() {
    assert!(!format!("{:?}", config()).contains("secret"));
}

#[test]
fn a_proxy_header_is_expected_from_the_named_networks_only() {
    let config = config();
    let listener = config.listener("mx").unwrap();
    let expected = |ip: &str| listener.expects_proxy_header(ip.parse::<IpAddr>().unwrap());
    assert!(expected("10.1.2.3"));
    assert!(expected("::ffff:10.1.2.3"), "IPv4 that came in over IPv6");
    assert!(expected("2001:db8::1"));
    assert!(!expected("192.0.2.1"));
    assert!(!expected("2001:db9::1"));
}

#[test]
fn a_policy_gets_its_configured_values_and_defaults_for_the_rest() {
    let config = config();
    let policy = config.policy("loops").unwrap();
    assert_eq!(policy.settings, serde_json::json!({ "hop-limit": 30 }));
    assert_eq!(policy.on_error, gatepost_policy::OnError::Skip);
    assert!(policy.grants().discard);
    assert_eq!(policy.limits().memory, 8 << 20);
    assert_eq!(
        policy.limits().deadline,
        gatepost_policy::Limits::default().deadline
    );
}

#[test]
fn a_chain_may_name_a_built_in_policy_that_is_not_configured() {
    let config = config();
    let policy = config.policy("header-guard").unwrap();
    assert_eq!(policy.builtin.as_deref(), Some("header-guard"));
    assert_eq!(policy.settings, serde_json::json!({}));
    assert!(!policy.grants().discard);
}

#[test]
fn limits_reach_the_session_and_default_to_its_own() {
    let limits = config().limits.session(config().repair);
    assert_eq!(limits.message_size, 1 << 20);
    assert_eq!(limits.command_line, 1224);
    assert_eq!(
        limits.recipients,
        gatepost_smtp::server::Limits::default().recipients
    );
}

#[test]
fn the_built_in_configuration_takes_mail_for_any_domain() {
    let config = Config::builtin();
    let chain = ["loop-guard", "header-guard", "outbound-route"];
    for (name, direction) in [
        ("mx", Direction::Inbound),
        ("submission", Direction::Submission),
    ] {
        let listener = config.listener(name).unwrap();
        assert_eq!(listener.direction, direction);
        assert_eq!(listener.chain, chain);
    }
    for policy in chain {
        assert!(config.policy(policy).is_some(), "{policy}");
    }
    assert!(config.account_of_domain("whatever.example").is_some());
}

/// Returns the changes after edits to the text, a line each, or the problem if they are refused.
fn changes(edits: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let mut changed = CONFIG.to_owned();
    for (from, to) in edits {
        assert!(changed.contains(from), "{from}");
        changed = changed.replacen(from, to, 1);
    }
    let new = Config::parse(&changed, Path::new("gatepost.toml"), Path::new("")).unwrap();
    match config().changes(&new) {
        Ok(changes) => Ok(changes.iter().map(ToString::to_string).collect()),
        Err(error) => Err(error.problems().iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn a_change_is_named_by_its_key() {
    assert_eq!(changes(&[]).unwrap(), [""; 0]);
    for (from, to, says) in [
        (
            "hop-limit = 30",
            "hop-limit = 31",
            "~ policy.loops.settings.hop-limit: 30 -> 31",
        ),
        ("command = 1224", "", "- limits.command: 1224"),
        (
            "command = 1224",
            "command = 1224\nerrors = 7",
            "+ limits.errors: 7",
        ),
        (
            "[limits]",
            "[[account]]\nid = \"a.b\"\n[limits]",
            "+ account.\"a.b\".id: \"a.b\"",
        ),
    ] {
        assert_eq!(changes(&[(from, to)]).unwrap(), [says]);
    }
}

#[test]
fn no_secret_is_shown_where_it_changes() {
    let changes = changes(&[
        ("hidden", "revealed"),
        (
            "hop-limit = 30",
            "hop-limit = 30, api-key = \"k1\", server = \"https://me:k2@host/\", rules = [{ Token = \"k3\", port = 1 }]",
        ),
    ]);
    let changes = changes.unwrap().join("\n");
    for secret in ["hidden", "revealed", "k1", "k2", "k3"] {
        assert!(!changes.contains(secret), "{secret} is in\n{changes}");
    }
    for shown in [
        ".password: \"not shown\" -> \"not shown\" (a secret has changed)",
        ".settings.api-key: \"not shown\"",
        ".settings.rules: [{\"Token\":\"not shown\",\"port\":1}]",
    ] {
        assert!(changes.contains(shown), "{shown} is not in\n{changes}");
    }
}

#[test]
fn a_change_that_needs_a_restart_is_refused() {
    let refused = changes(&[("[limits]", "[log]\nformat = \"json\"\n[limits]")]).unwrap_err();
    assert_eq!(refused, "log.format cannot change while the relay runs");
}
