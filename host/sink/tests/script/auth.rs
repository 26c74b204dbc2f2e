use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use test_support::{Client, Scram};

use crate::{Server, deliver};

/// Returns a server that demands AUTH by these mechanisms.
fn demanding(mechanisms: &str) -> Server {
    Server::of(&format!(
        "tls.mode = 'starttls'
        [auth]
        mechanisms = [{mechanisms}]
        required = true
        users = [{{ name = 'ann', password = 'secret', token = 'ya29.token' }}]"
    ))
}

fn secured(server: &Server) -> Client {
    let mut client = server.ready();
    client.starttls();
    client
}

fn bearer(user: &str, token: &str) -> String {
    STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"))
}

#[test]
fn auth_is_offered_only_under_tls_and_is_required() {
    let server = demanding("'PLAIN', 'XOAUTH2'");
    let mut client = server.ready();
    client.command("AUTH PLAIN AGFubgBzZWNyZXQ=", 502);
    client.command("MAIL FROM:<a@a.example>", 530);
    assert!(client.starttls().contains(&"AUTH PLAIN XOAUTH2".to_owned()));
    client.command("MAIL FROM:<a@a.example>", 530);
    assert_eq!(client.plain("ann", "wrong").code, 535);
    assert_eq!(client.plain("bob", "secret").code, 535);
    assert_eq!(client.plain("ann", "secret").code, 235);
    deliver(&mut client);
    let kept = server.kept(1);
    assert_eq!(
        (&kept["user"], &kept["mechanism"]),
        (&"ann".into(), &"PLAIN".into())
    );
}

#[test]
fn auth_in_the_clear_is_offered_if_the_script_says_so() {
    let script = "[auth]\nmechanisms = ['LOGIN']\nin-clear = true\n\
                  users = [{ name = 'ann', password = 'secret' }]";
    let server = Server::of(script);
    let mut client = server.ready();
    assert_eq!(client.command("AUTH LOGIN", 334).text(), "VXNlcm5hbWU6");
    assert_eq!(client.command("YW5u", 334).text(), "UGFzc3dvcmQ6");
    client.command("c2VjcmV0", 235);
    client.command("AUTH LOGIN", 503);
}

#[test]
fn scram_proves_both_sides_and_may_be_bound_to_the_connection() {
    let server = demanding("'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'");
    let mut client = secured(&server);
    let reply = client.scram("SCRAM-SHA-256", &mut Scram::new("ann", "wrong"));
    assert_eq!(reply.code, 535);
    let reply = client.scram("SCRAM-SHA-256", &mut Scram::new("ann", "secret"));
    assert_eq!(reply.code, 235);
    let mut client = secured(&server);
    let mut scram = Scram::bound("ann", "secret", client.binding());
    assert_eq!(client.scram("SCRAM-SHA-256-PLUS", &mut scram).code, 235);
    let mut client = secured(&server);
    let mut scram = Scram::bound("ann", "secret", [9; 32]);
    assert_eq!(client.scram("SCRAM-SHA-256-PLUS", &mut scram).code, 535);
}

/// A client that could bind its exchange says so by `y`, which is right where binding is not on
/// offer.
#[test]
fn a_client_that_could_bind_is_accepted_without_plus() {
    let server = demanding("'SCRAM-SHA-256'");
    let mut scram = Scram::new("ann", "secret");
    scram.gs2 = "y,,".to_owned();
    assert_eq!(
        secured(&server).scram("SCRAM-SHA-256", &mut scram).code,
        235
    );
}

#[test]
fn a_wrong_token_gets_an_error_as_challenge_and_then_535() {
    let server = demanding("'XOAUTH2', 'OAUTHBEARER'");
    let mut client = secured(&server);
    let line = format!("AUTH XOAUTH2 {}", bearer("ann", "old"));
    let error = client.command(&line, 334).text();
    let error = STANDARD.decode(error).unwrap();
    let error: serde_json::Value = serde_json::from_slice(&error).unwrap();
    assert_eq!(error["status"], "invalid_token");
    client.command("", 535);
    client.command("AUTH XOAUTH2", 334);
    client.command(&bearer("ann", "ya29.token"), 235);

    let mut client = secured(&server);
    let message = |token: &str| STANDARD.encode(format!("n,a=ann,\x01auth=Bearer {token}\x01\x01"));
    client.command(&format!("AUTH OAUTHBEARER {}", message("old")), 334);
    client.command("AQ==", 535);
    client.command(&format!("AUTH OAUTHBEARER {}", message("ya29.token")), 235);
}

#[test]
fn refusal_and_error_are_those_of_the_script() {
    let server = Server::of(
        "[auth]
        mechanisms = ['XOAUTH2']
        in-clear = true
        refusal = '535 5.7.3 Authentication unsuccessful'
        error = '{\"status\":\"400\"}'",
    );
    let mut client = server.ready();
    let error = client.command(&format!("AUTH XOAUTH2 {}", bearer("ann", "x")), 334);
    assert_eq!(
        STANDARD.decode(error.text()).unwrap(),
        br#"{"status":"400"}"#
    );
    assert_eq!(
        client.command("", 535).text(),
        "5.7.3 Authentication unsuccessful"
    );
}

#[test]
fn an_auth_line_over_the_limit_is_refused_and_a_response_of_that_length_is_not() {
    let server = Server::of(&format!(
        "[auth]
        mechanisms = ['XOAUTH2']
        in-clear = true
        line = 512
        users = [{{ name = 'ann', token = '{}' }}]",
        "t".repeat(600)
    ));
    let mut client = server.ready();
    let response = bearer("ann", &"t".repeat(600));
    let reply = client.command(&format!("AUTH XOAUTH2 {response}"), 500);
    assert_eq!(reply.text(), "5.5.2 Line too long");
    client.command("AUTH XOAUTH2", 334);
    client.command(&response, 235);
}

#[test]
fn a_rule_refuses_a_mechanism_or_a_proved_user() {
    let server = Server::of(
        "[auth]
        mechanisms = ['PLAIN', 'LOGIN']
        in-clear = true
        users = [{ name = 'ann', password = 'secret' }]
        [[on]]
        command = 'AUTH'
        match = 'login'
        reply = '534 5.7.9 Application-specific password required'
        [[on]]
        command = 'LOGIN'
        match = 'ann'
        reply = '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled'",
    );
    let mut client = server.ready();
    client.command("AUTH LOGIN", 534);
    assert_eq!(
        client.plain("ann", "wrong").text(),
        "5.7.8 Authentication credentials invalid"
    );
    assert!(client.plain("ann", "secret").text().starts_with("5.7.139"));
}

#[test]
fn a_cancelled_or_malformed_exchange_gets_501() {
    let server = Server::of("[auth]\nmechanisms = ['PLAIN']\nin-clear = true");
    let mut client = server.ready();
    client.command("AUTH PLAIN", 334);
    client.command("*", 501);
    client.command("AUTH PLAIN %", 501);
    client.command("AUTH CRAM-MD5", 504);
}
