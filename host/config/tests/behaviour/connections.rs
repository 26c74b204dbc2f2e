//! Connections of the configuration, those of the directory beside them, and the default routes.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gatepost_config::{Config, RelayConnections};
use gatepost_connections::{
    ConnectionDraft, ConnectionName, Connections as _, Profiles, Secret, ServerCredential,
};
use gatepost_directory::{
    AccountKind, Claim, ConnectorKind, Directory, Limits, MemoryStore, Profile, Protocol, Settings,
};
use gatepost_message::{Address, Separators};

const BASE: &str = "[relay]\nhostname = \"mx.desk.example\"\n\
                    [[listener]]\nname = \"mx\"\naddress = \"127.0.0.1:0\"\n\
                    direction = \"inbound\"\ntls = \"none\"\n";

fn parse(text: &str, base: &Path) -> Result<Config, Vec<String>> {
    let parsed = Config::parse(&format!("{BASE}{text}"), Path::new("gatepost.toml"), base);
    parsed.map_err(|error| error.problems().iter().map(ToString::to_string).collect())
}

fn problem(text: &str) -> String {
    parse(text, Path::new("")).unwrap_err().join("\n")
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

#[test]
fn the_most_specific_of_the_accounts_and_the_sites_connections_serves() {
    let folder = tempfile::tempdir().unwrap();
    let site = "
        [connection.relay]
        host = \"smtp.relay.example\"
        serves = [\"@acme.example\", \"boss@acme.example\"]
        [connection.outlook]
        host = \"smtp.outlook.example\"
    ";
    let site = parse(site, Path::new("")).unwrap().site;
    let settings = Settings {
        path: folder.path().join("directory.db"),
        key_ring: folder.path().join("key-ring"),
        limits: Limits::default(),
        separators: Separators::default(),
    };
    let directory = Directory::open_on(Box::new(MemoryStore::new()), &settings).unwrap();
    let directory = Arc::new(directory);
    let account = directory.add_account(Profile {
        kind: AccountKind::Production,
        product: "Acme".parse().unwrap(),
        time_zone: "UTC".parse().unwrap(),
        native_domain: "acme.desk.example".parse().unwrap(),
        brands: Vec::new(),
    });
    let acme = account.unwrap().id;
    let claim = Claim {
        account: acme,
        name: "mail".parse().unwrap(),
        domain: "acme.example".parse().unwrap(),
        kind: ConnectorKind::TwoWay,
        protocol: Protocol::Plain,
    };
    directory.add_connector(claim).unwrap();
    let set = |name: &str, serves: &[&str]| {
        let name: ConnectionName = name.parse().unwrap();
        let draft = ConnectionDraft {
            host: Some("smtp.acme.example".to_owned()),
            serves: Some(
                serves
                    .iter()
                    .map(|sender| sender.parse().unwrap())
                    .collect(),
            ),
            ..ConnectionDraft::<Secret>::default()
        };
        let generic = Arc::clone(Profiles::built_in().get("generic").unwrap());
        let made =
            directory.set_connection(acme, &name, |_| draft.complete(name.clone(), &generic));
        made.unwrap().unwrap().generation
    };
    let first = set("outlook", &["@acme.example"]);
    let connections = RelayConnections::new(site, Arc::clone(&directory));
    let id = acme.to_string();
    let serving = |sender: &str| {
        let found = connections.serving(&id, &address(sender));
        found.map(|found| found.key.to_string())
    };
    assert_eq!(serving("help@acme.example"), Some(format!("{id}/outlook")));
    assert_eq!(serving("boss@acme.example"), Some("relay".to_owned()));
    assert_eq!(serving("help@other.example"), None);
    let named = |account, name| {
        let found = connections.named(account, name);
        found.map(|found| found.key.to_string())
    };
    assert_eq!(named(Some(&*id), "outlook"), Some(format!("{id}/outlook")));
    assert_eq!(named(None, "outlook"), Some("outlook".to_owned()));
    assert_eq!(named(Some(&*id), "relay"), Some("relay".to_owned()));
    assert_eq!(named(Some("nobody"), "none"), None);
    let of = |account: Option<&str>| connections.find(account, "outlook").unwrap().generation;
    assert_eq!(of(Some(&id)), first);
    assert!(set("outlook", &[]) > first && of(Some(&id)) > first);

    let before = of(None);
    let other = "[connection.outlook]\nhost = \"smtp.new.example\"";
    connections.activate(parse(other, Path::new("")).unwrap().site);
    assert_ne!(of(None), before);
    assert_eq!(connections.all().len(), 2);
}

#[test]
fn a_secret_that_cannot_be_read_stops_the_relay_and_no_other_command() {
    let folder = tempfile::tempdir().unwrap();
    let text = "
        [connection.relay]
        host = \"smtp.relay.example\"
        user = \"desk\"
        password = { file = \"password\" }
    ";
    let config = parse(text, folder.path()).unwrap();
    let refused = config.check_secrets().unwrap_err();
    let refused = refused.problems()[0].to_string();
    assert!(
        refused.contains("connection relay: cannot read"),
        "{refused}"
    );
    fs::write(folder.path().join("password"), "hush-hush\r\n").unwrap();
    let config = parse(text, folder.path()).unwrap();
    config.check_secrets().unwrap();
    let relay = &config.site.connections[&"relay".parse::<ConnectionName>().unwrap()];
    let ServerCredential::Password { password, .. } = &relay.connection.credential else {
        panic!("{relay:?}");
    };
    assert_eq!(password.reveal(), "hush-hush");
    assert!(!format!("{config:?}").contains("hush-hush"));
}

#[test]
fn a_folder_of_profiles_is_used_and_a_wrong_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("profiles")).unwrap();
    let profile = "title = \"Acme\"\ntested = \"by hand\"\nhost = \"smtp.acme.example\"\nport = 26\n\
                   tls = \"required\"\n";
    let file = folder.path().join("profiles/acme.toml");
    fs::write(&file, profile).unwrap();
    let text = format!("{BASE}[connection.relay]\nprofile = \"acme\"\n")
        .replace("[relay]\n", "[relay]\nprofiles = \"profiles\"\n");
    let parse = || Config::parse(&text, Path::new("gatepost.toml"), folder.path());
    let config = parse().unwrap();
    let relay = &config.site.connections[&"relay".parse::<ConnectionName>().unwrap()];
    assert_eq!(relay.connection.server(), "smtp.acme.example:26");
    fs::write(&file, "title = 1").unwrap();
    let error = parse().unwrap_err().problems()[0].to_string();
    assert!(error.contains("the profile acme cannot be used"), "{error}");
}

#[test]
fn a_default_route_holds_for_each_direction_that_has_none() {
    let route = |text: &str| {
        let routes = parse(text, Path::new("")).unwrap().routes;
        [routes.inbound, routes.submission].map(|route| route.map(|route| route.way().to_string()))
    };
    let old = "[delivery]\ndefault-route = { host = \"a.example\", port = 25 }\n";
    let both = Some("a.example:25".to_owned());
    assert_eq!(route(old), [both.clone(), both.clone()]);
    assert_eq!(
        route(&format!("[routes]\nsubmission = \"mx\"\n{old}")),
        [both, Some("mx".to_owned())]
    );
    assert_eq!(route(""), [None, None]);
}

#[test]
fn a_name_without_its_table_is_a_problem_at_its_line() {
    for (text, words) in [
        ("[routes]\ninbound = \"lmtp app\"", "there is no [lmtp.app]"),
        (
            "[routes]\ninbound = \"http app\"",
            "there is no [endpoint.app]",
        ),
        (
            "[routes]\ninbound = \"maildir app\"",
            "there is no [maildir.app]",
        ),
        (
            "[routes]\nsubmission = \"connection out\"",
            "there is no [connection.out]",
        ),
        (
            "[routes]\nsubmission = \"mx from bulk\"",
            "there is no pool \"bulk\"",
        ),
        ("[routes]\nsubmission = \"smtp x\"", "is no route"),
        (
            "[connection.out]\nhost = \"a.example\"\negress = \"bulk\"",
            "there is no pool \"bulk\"",
        ),
        (
            "[connection.out]\nprofile = \"gmial\"",
            "there is no profile \"gmial\"",
        ),
        (
            "[connection.Out]\nhost = \"a.example\"",
            "lower-case letters",
        ),
        (
            "[connection.out]\nhost = \"a.example\"\nuser = \"a\"\npassword = { vault = \"a\" }",
            "unknown field `vault`",
        ),
        ("[egress.bulk]\naddresses = []", "has no address"),
        ("[egress.bulk]\naddresses = [\"0.0.0.0\"]", "stands for all"),
    ] {
        let found = problem(text);
        assert!(found.contains(words), "{text}: {found}");
    }
    let routes = "[routes]\ninbound = \"inside\"\nsubmission = \"mx\"\n";
    let idle = format!("{routes}[delivery]\ndefault-route = {{ host = \"a.example\", port = 25 }}");
    assert!(problem(&idle).contains("default-route has no effect"));
}
