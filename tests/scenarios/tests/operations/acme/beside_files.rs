//! A certificate by ACME is shown for its names beside those of files, on every address with TLS; a
//! reload brings it, and takes it away.

use test_support::{AcmeServer, Certificate, Client, Relay, RelayBuilder, Sink};

use super::shown;

/// Returns the certificate that the API shows.
fn shown_by_api(relay: &Relay) -> Vec<u8> {
    let mut client = Client::connect(relay.address("api")).unwrap();
    client.secure_as("mx.desk.example").unwrap();
    client.certificate().unwrap()
}

#[test]
fn each_name_has_its_certificate() {
    let [folder, of_file] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (sink, authority) = (Sink::start(), AcmeServer::start(folder.path()));
    let file = Certificate::make_for(of_file.path(), &["smtp.acme.example"]);
    let files = format!(
        "[tls]\ncertificate = {:?}\nkey = {:?}\n",
        file.certificate, file.key
    );
    let without = RelayBuilder::usual(sink.address())
        .with(&files)
        .with("[api]\nlisten = \"127.0.0.1:0\"\ntls = \"implicit\"");
    let relay = without.clone().start();
    let of_file = shown(&relay, "mx.desk.example");
    assert_eq!(shown_by_api(&relay), of_file);

    let with = without.clone().with(&authority.settings("http-01"));
    let reloaded = relay.reloads(&with);
    let looked_at = reloaded["listening"]["acme"].as_str().unwrap();
    // Until it is issued, that of the file is shown for all names.
    assert_eq!(shown(&relay, "mx.desk.example"), of_file);
    authority.names_lead_to(looked_at.parse().unwrap());
    relay.logged("certificate issued");
    let issued = authority.issued(1).remove(0);
    assert_eq!(shown(&relay, "MX.desk.example"), issued);
    assert_eq!(shown_by_api(&relay), issued);
    for other in ["smtp.acme.example", "elsewhere.example", "127.0.0.1"] {
        assert_eq!(shown(&relay, other), of_file, "{other}");
    }

    // Another contact is told to the authority with the next order, which other names ask for.
    let more = with
        .clone()
        .replace(
            "names = [\"mx.desk.example\"]",
            "names = [\"mx.desk.example\", \"mx2.desk.example\"]",
        )
        .replace("ann@desk.example", "bob@desk.example");
    let from = relay.log().len();
    relay.reloads(&more);
    relay.logged_behind(from, &["certificate issued"]);
    let both = authority.issued(2).remove(1);
    assert_eq!(shown(&relay, "mx2.desk.example"), both);
    assert_eq!(shown(&relay, "mx.desk.example"), both);
    assert_eq!(authority.contacts(), [["mailto:bob@desk.example"]]);

    relay.reloads(&without);
    assert_eq!(shown(&relay, "mx.desk.example"), of_file);
    relay.leaves_nothing(sink);
}
