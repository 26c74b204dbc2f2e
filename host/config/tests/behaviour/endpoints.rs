//! Endpoints of the application: their secrets, and the problems that are shown.

use std::fs;
use std::path::Path;

use gatepost_application::Target;
use gatepost_config::{Config, ConfigError};

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
