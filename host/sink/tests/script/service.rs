use gatepost_sink::{Script, ScriptError};

use crate::{Server, deliver};

const SERVICE: &str = "hostname = 'smtp.service.example'
[ehlo]
extensions = ['SIZE 1000']
[[refusal]]
name = 'quota'
command = 'RCPT'
class = 'quota'
reply = '550 5.4.5 Daily sending quota exceeded'
[[on]]
command = 'NOOP'
reply = '250 from the service'
";

fn read(script: &str) -> Result<Script, ScriptError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("service.toml"), SERVICE).unwrap();
    let file = folder.path().join("script.toml");
    std::fs::write(&file, script).unwrap();
    Script::read(&file)
}

#[test]
fn a_script_stands_on_the_replies_of_a_service() {
    let script = read(
        "profile-replies = 'service'
        hostname = 'other.example'
        [[on]]
        refusal = 'quota'
        times = 1",
    );
    let server = Server::with(script.unwrap());
    let mut client = server.client();
    let reply = client.command("EHLO c.example", 250);
    assert_eq!(reply.lines, ["other.example", "SIZE 1000"]);
    assert_eq!(client.command("NOOP", 250).text(), "from the service");
    assert_eq!(
        deliver(&mut client).text(),
        "5.4.5 Daily sending quota exceeded"
    );
    assert_eq!(deliver(&mut client).code, 250);
}

#[test]
fn a_service_that_is_not_there_is_an_error() {
    let error = read("profile-replies = 'unheard-of'")
        .map(drop)
        .unwrap_err();
    assert!(error.to_string().contains("unheard-of.toml"), "{error}");
}

/// Returns the scripts of the services, by name.
fn services() -> Vec<(String, std::path::PathBuf)> {
    let folder = test_support::workspace().join("tests/fixtures/services");
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let mut services: Vec<_> = entries
        .map(|entry| entry.path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    services.sort();
    services
}

#[test]
fn each_service_is_a_script_and_offers_what_its_file_says() {
    let services = services();
    assert_eq!(services.len(), 11);
    for (name, file) in services {
        let server = Server::with(Script::read(&file).unwrap_or_else(|error| panic!("{error}")));
        let mut client = server.ready();
        let offered = client.starttls();
        let auth = offered.iter().find(|line| line.starts_with("AUTH "));
        let auth = auth.unwrap_or_else(|| panic!("{name} offers no AUTH"));
        assert!(auth.contains("LOGIN"), "{name}: {auth}");
        assert_eq!(
            name.starts_with("microsoft"),
            auth == "AUTH LOGIN XOAUTH2",
            "{name}"
        );
    }
}

/// Every refusal of every service comes at its moment, word for word.
#[test]
fn each_refusal_of_each_service_is_given() {
    for (service, file) in services() {
        let text = std::fs::read_to_string(&file).unwrap();
        let table: toml::Table = toml::from_str(&text).unwrap();
        for refusal in table["refusal"].as_array().unwrap() {
            let name = refusal["name"].as_str().unwrap();
            let script = format!(
                "profile-replies = {file:?}
                [auth]
                users = [{{ name = 'ann', password = 'secret' }}]
                [[on]]
                refusal = {name:?}"
            );
            let reply = refused(
                &read(&script).unwrap(),
                refusal["command"].as_str().unwrap(),
            );
            let due = refusal["reply"].as_str().unwrap();
            assert_eq!(reply, due, "{service}: {name}");
        }
    }
}

/// Speaks with a server up to this moment; returns the reply there.
fn refused(script: &Script, moment: &str) -> String {
    let server = Server::with(script.clone());
    let mut client = test_support::Client::connect(server.address).unwrap();
    let mut reply = client.reply().unwrap();
    if moment != "CONNECT" {
        client.ehlo();
        client.starttls();
        let login = |client: &mut test_support::Client| {
            client.command("AUTH LOGIN", 334);
            client.command("YW5u", 334);
            client
                .send("c2VjcmV0\r\n")
                .and_then(|()| client.reply())
                .unwrap()
        };
        reply = match moment {
            "AUTH" => client
                .send("AUTH LOGIN\r\n")
                .and_then(|()| client.reply())
                .unwrap(),
            "LOGIN" => login(&mut client),
            _ => {
                assert_eq!(login(&mut client).code, 235);
                deliver(&mut client)
            }
        };
    }
    format!("{} {}", reply.code, reply.text())
}
