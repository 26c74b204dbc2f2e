//! Endpoints of the application: their secrets, and the problems that are shown.

use std::fs;
use std::path::Path;

use gatepost_application::Target;
use gatepost_config::{AccountEndpointError, Config, ConfigError, account_endpoint};
use gatepost_directory::EndpointSettings;
use serde_json::json;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const RELAY: &str = "
    [relay]
    hostname = \"mx.desk.example\"
    [[listener]]
    name = \"mx\"
    address = \"127.0.0.1:0\"
    direction = \"inbound\"
    tls = \"none\"
    [endpoint.desk]
    url = \"https://desk.example/mail\"
";

fn parse(keys: &str, base: &Path) -> Result<Config, ConfigError> {
    Config::parse(&format!("{RELAY}{keys}"), &base.join("gatepost.toml"), base)
}

#[test]
fn an_endpoint_that_cannot_work_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    for (keys, says) in [
        ("secrets = []", "give 1 to 5 secrets"),
        ("secrets = [\"short\"]", "write a secret as `whsec_`"),
        (
            &format!("secrets = [{SECRET:?}]\nfailing = [401]"),
            "401 cannot fail",
        ),
        (
            &format!("secrets = [{SECRET:?}]\nretry-seconds = [0]"),
            "`retry-seconds` is out of range",
        ),
        (
            &format!("secrets = [{SECRET:?}]\ntimeout-seconds = 601"),
            "`timeout-seconds` is out of range",
        ),
    ] {
        let error = parse(keys, folder.path()).unwrap_err();
        let problems: String = error.problems().iter().map(ToString::to_string).collect();
        assert!(problems.contains("endpoint desk: "), "{problems}");
        assert!(problems.contains(says), "{problems}");
    }
}

#[test]
fn a_secret_in_a_file_is_read_from_beside_the_configuration_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let keys = "secrets = [{ file = \"secret\" }]";
    let config = parse(keys, folder.path()).unwrap();
    let refused = config.check_secrets().unwrap_err();
    let refused = refused.problems()[0].to_string();
    assert!(refused.contains("endpoint desk: cannot read"), "{refused}");
    fs::write(folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
    let config = parse(keys, folder.path()).unwrap();
    config.check_secrets().unwrap();
    assert!(!config.holds_secrets());
    assert_eq!(config.secret_files(), [folder.path().join("secret")]);
    let Target::Http(settings) = &*config.endpoints["desk"] else {
        panic!("{config:?}");
    };
    assert_eq!(settings.secrets, [SECRET.parse().unwrap()]);
    let written = parse(&format!("secrets = [{SECRET:?}]"), folder.path()).unwrap();
    assert!(written.holds_secrets());
    for shown in [format!("{config:?}"), format!("{written:?}")] {
        assert!(!shown.contains("MfKQ9r8G") && !shown.contains("49, 242"));
    }
}

fn of_account(json: serde_json::Value, has_links: bool) -> Result<Target, AccountEndpointError> {
    let settings: EndpointSettings = serde_json::from_value(json).unwrap();
    account_endpoint(&settings, has_links)
}

#[test]
fn an_endpoint_of_an_account_is_held_to_the_same_rules_and_some_more() {
    for (settings, says) in [
        (json!({"secrets": [SECRET]}), "missing field `url`"),
        (json!({"url": "https://a.example/"}), "give 1 to 5 secrets"),
        (
            json!({"url": "https://a.example/", "secrets": ["short"]}),
            "`whsec_`",
        ),
        (
            json!({"url": "https://a.example/", "secrets": [SECRET, SECRET, SECRET]}),
            "give 1 or 2 secrets",
        ),
        (
            json!({"url": "http://a.example/", "secrets": [SECRET]}),
            "https://",
        ),
        (
            json!({"url": "http://127.0.0.1.a.example/", "secrets": [SECRET]}),
            "https://",
        ),
        (
            json!({"url": "http://10.0.0.1/", "secrets": [SECRET]}),
            "https://",
        ),
        (
            json!({"url": format!("https://a.example/{}", "a".repeat(2048)), "secrets": [SECRET]}),
            "2048",
        ),
        (
            json!({"url": "https://a.example/", "secrets": [SECRET], "form": "xml"}),
            "unknown variant `xml`",
        ),
        (
            json!({"url": "https://a.example/", "secrets": [SECRET], "failing": vec![409; 201]}),
            "at most 200 statuses",
        ),
        (
            json!({"url": "https://a.example/", "preset": "mailgun"}),
            "`api-key`: the preset wants",
        ),
        (
            json!({"url": "https://a.example/", "secrets": [SECRET], "form": "json",
                   "attachments": "url"}),
            "[handover]",
        ),
        (
            json!({"url": "https://a.example/", "secrets": [SECRET], "ca": "none"}),
            "no certificates in PEM",
        ),
    ] {
        let error = of_account(settings.clone(), false).unwrap_err().to_string();
        assert!(error.contains(says), "{settings}: {error}");
        assert!(!error.contains("MfKQ9r8G"), "{error}");
    }
    for settings in [
        json!({"url": "https://a.example/", "secrets": [SECRET, SECRET]}),
        json!({"url": "http://localhost:8080/", "secrets": [SECRET]}),
        json!({"url": "http://127.0.0.9/", "secrets": [SECRET], "form": "raw"}),
        json!({"url": "http://[::1]:8080/", "secrets": [SECRET]}),
        json!({"url": "https://a.example/", "preset": "mailgun", "api-key": "key"}),
        json!({"url": "https://a.example/", "secrets": [SECRET], "form": "json",
               "attachments": "url", "failing": [409], "timeout-seconds": 5, "recipients": 7,
               "retry-seconds": [1, 2]}),
    ] {
        let Ok(Target::Http(made)) = of_account(settings.clone(), true) else {
            panic!("{settings}");
        };
        let url = settings["url"].as_str().unwrap();
        assert_eq!(made.url.to_string(), url);
        if settings["recipients"] == 7 {
            assert_eq!((made.recipients, made.retry.len()), (7, 2));
            assert_eq!((made.timeout.as_secs(), &*made.failing), (5, &[409][..]));
        }
    }
}
