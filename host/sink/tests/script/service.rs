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
