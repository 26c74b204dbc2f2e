//! Accounts of the directory with support addresses, and their endpoints.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;
use test_support::{Relay, RelayBuilder, Sink};

use crate::MESSAGE;
use crate::application::desk::{SECRET, relay_to};

/// Returns the usual relay without policies, with the site's application at this address. It may
/// reach endpoints of accounts on this machine.
pub fn relay_with_site(site: SocketAddr, world: &Sink) -> RelayBuilder {
    let keys = format!(
        "secrets = [{SECRET:?}]\nretry-seconds = [1]\n\
         [destinations]\nallowed-networks = [\"127.0.0.0/8\"]"
    );
    relay_to(site, world, &keys).replace(
        r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#,
        "chain = []",
    )
}

/// Adds an account with a brand `Shop` and these addresses in its native domain.
pub fn account(relay: &Relay, native: &str, addresses: &[&str], branded: &[&str]) -> String {
    let add = ["account", "add", "--native-domain", native];
    let product = ["--product", "Acme", "--brand", "Shop"];
    let added = relay.json(&[&add[..], &product[..]].concat());
    for (addresses, brand) in [(addresses, &[][..]), (branded, &["--brand", "Shop"][..])] {
        for address in addresses {
            let add = ["address", "add", "--account", native, address];
            relay.json(&[&add[..], brand].concat());
        }
    }
    added[0]["id"].as_str().unwrap().to_owned()
}

/// Adds an endpoint at this address, which signs by [`SECRET`]; `more` are further arguments.
pub fn endpoint(relay: &Relay, account: &str, name: &str, at: SocketAddr, more: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let secret = secret_file(folder.path(), SECRET);
    let url = format!("http://{at}/mail");
    let add = ["endpoint", "add", "--account", account, name, "--url", &url];
    let secret = ["--secret-file", &secret];
    relay
        .json(&[&add[..], &secret[..], more].concat())
        .remove(0)
}

/// Writes a secret into a file; returns its path.
pub fn secret_file(folder: &Path, secret: &str) -> String {
    let file = folder.join("secret");
    std::fs::write(&file, secret).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Sends a message of a stranger to these recipients; returns its transaction.
pub fn sent_to(relay: &Relay, recipients: &[&str]) -> String {
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client.deliver("ann@sender.example", recipients, MESSAGE);
    let reply = reply.unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    reply.transaction()
}
