//! A list that a system elsewhere publishes replaces what it published before; one that cannot be
//! had, or is wrong, changes nothing and says so.

use test_support::{Certificate, ListServer, Published, Sink};

use crate::{guarded, is_partner, two};

#[test]
fn a_published_list_holds_and_a_failure_keeps_the_last() {
    let sink = Sink::start();
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::make(folder.path());
    let server = ListServer::start(&certificate);
    let ca_file = certificate.certificate.display();
    let usual = guarded(&sink).with("[http]\naddress = \"127.0.0.1:0\"");
    let settings = format!("[directory]\nfeed-ca-file = \"{ca_file}\"\nfeed-size = 1000");
    let relay = usual.clone().with(&settings).start();
    two(&relay);
    let url = server.url("/partners");

    // It is fetched by itself when it is set up.
    server.publish_text(
        "# ours\nann@partner.example\nben@partner.example\n",
        Some("\"1\""),
    );
    let added = relay.json(&[
        "partner",
        "feed",
        "add",
        "a.desk.test",
        &url,
        "--every",
        "1h",
    ]);
    assert_eq!(added[0]["source"]["feed"], url);
    relay.eventually("the feed is there", |relay| {
        is_partner(relay, "Ann@partner.example").then_some(())
    });
    let fetch = ["partner", "feed", "fetch", "a.desk.test", &url];
    let unchanged = relay.json(&fetch);
    assert_eq!(
        (&unchanged[0]["added"], &unchanged[0]["removed"]),
        (&0.into(), &0.into())
    );
    assert_eq!(unchanged[0]["entries"], 2);
    assert_eq!(server.answered(), ["200 OK", "304 Not Modified"]);

    server.publish_text("ben@partner.example\ncleo@partner.example\n", Some("\"2\""));
    let changed = relay.json(&fetch);
    assert_eq!(
        (&changed[0]["added"], &changed[0]["removed"]),
        (&1.into(), &1.into())
    );
    assert!(!is_partner(&relay, "ann@partner.example"));
    assert!(is_partner(&relay, "cleo@partner.example"));
    let said = relay.refuses(&["partner", "remove", "a.desk.test", "cleo@partner.example"]);
    assert!(
        said.contains(&format!("it is a partner by the feed {url}")),
        "{said}"
    );

    // Whatever fails, the list that was there holds, and it is said.
    let text = |text: &str| Published::Text {
        text: text.to_owned(),
        etag: None,
    };
    for (published, why) in [
        (Published::Status("500 Internal Server Error".into()), "500"),
        (
            text("ann@partner.example\n<html>\n"),
            "line 2: \"<html>\" is no address",
        ),
        (
            text("@partner.example\n"),
            "line 1: @partner.example is a whole domain",
        ),
        (
            text(&"ann@partner.example\n".repeat(100)),
            "it is over 1000 bytes",
        ),
        (
            Published::Elsewhere("http://localhost/".into()),
            "is not an https URL",
        ),
        (
            Published::Elsewhere(server.url("/again")),
            "redirects more than 5 times",
        ),
    ] {
        server.publish(published);
        let said = relay.refuses(&fetch);
        assert!(said.contains(why), "{why}: {said}");
        let list = relay.json(&["partner", "feed", "list", "--account", "a.desk.test"]);
        let problem = list[0]["feed"]["problem"].as_str().unwrap();
        assert!(problem.contains(why), "{why}: {problem}");
        relay.logged("its former entries stay");
        assert!(is_partner(&relay, "cleo@partner.example"));
    }
    let failed = "gatepost_partner_feed_fetches_total{result=\"failed\"}";
    assert_eq!(relay.metric(failed), Some(6.0));

    // One redirect is followed.
    server.publish(Published::Elsewhere("/moved".into()));
    assert_eq!(relay.json(&fetch)[0]["entries"], 1);
    assert!(is_partner(&relay, "moved@other.example"));

    // Without that certificate, the server is not believed.
    relay.reloads(&usual);
    let said = relay.refuses(&fetch);
    assert!(said.contains("no TLS connection to localhost"), "{said}");
    assert!(is_partner(&relay, "moved@other.example"));

    relay.json(&["partner", "feed", "remove", "a.desk.test", &url]);
    assert!(!is_partner(&relay, "moved@other.example"));
    let said = relay.refuses(&fetch);
    assert!(said.contains("has no entries by the feed"), "{said}");
    relay.leaves_nothing(sink);
}
