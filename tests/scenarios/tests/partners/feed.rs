//! A list that another system publishes replaces its predecessor; a list that cannot be fetched or
//! is wrong changes nothing, and the failure is reported.

use serde_json::Value;
use tempfile::TempDir;
use test_support::{Certificate, ListServer, Published, Relay, RelayBuilder, Sink};

use crate::{guarded, is_partner, two};

/// The site of one test: account `a.desk.test`, and a server with a list for it.
struct Site {
    sink: Sink,
    server: ListServer,
    url: String,
    usual: RelayBuilder,
    relay: Relay,
    _folder: TempDir,
}

impl Site {
    /// Starts them; the list is published, and fetched by itself when it is set up.
    fn start(list: &str) -> Self {
        let sink = Sink::start();
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate::make(folder.path());
        let server = ListServer::start(&certificate);
        let ca_file = certificate.certificate.display();
        let usual = guarded(&sink)
            .with("[http]\naddress = \"127.0.0.1:0\"")
            .with("[destinations]\nallowed-networks = [\"127.0.0.0/8\", \"::1/128\"]");
        let settings = format!("[directory]\nfeed-ca-file = \"{ca_file}\"\nfeed-size = 1000");
        let relay = usual.clone().with(&settings).start();
        two(&relay);
        let url = server.url("/partners");
        server.publish_text(list, Some("\"1\""));
        let add = ["partner", "feed", "add", "a.desk.test", &url];
        let added = relay.json(&[&add[..], &["--every", "1h"]].concat());
        assert_eq!(added[0]["source"]["feed"], url);
        Self {
            sink,
            server,
            url,
            usual,
            relay,
            _folder: folder,
        }
    }

    fn has(&self, address: &str) -> bool {
        is_partner(&self.relay, address)
    }

    /// Waits until the first fetch has made this address a partner.
    fn fetched(&self, address: &str) {
        self.relay.eventually("the feed is there", |relay| {
            is_partner(relay, address).then_some(())
        });
    }

    fn fetch(&self) -> Value {
        let fetch = ["partner", "feed", "fetch", "a.desk.test", &self.url];
        self.relay.json(&fetch).remove(0)
    }

    fn refuses_to_fetch(&self) -> String {
        (self.relay).refuses(&["partner", "feed", "fetch", "a.desk.test", &self.url])
    }
}

#[test]
fn a_published_list_replaces_the_one_before() {
    let site = Site::start("# ours\nann@partner.example\nben@partner.example\n");
    site.fetched("Ann@partner.example");
    let unchanged = site.fetch();
    assert_eq!(unchanged["added"], 0);
    assert_eq!(unchanged["removed"], 0);
    assert_eq!(unchanged["entries"], 2);
    assert_eq!(site.server.answered(), ["200 OK", "304 Not Modified"]);

    let list = "ben@partner.example\ncleo@partner.example\n";
    site.server.publish_text(list, Some("\"2\""));
    let changed = site.fetch();
    assert_eq!(changed["added"], 1);
    assert_eq!(changed["removed"], 1);
    assert!(!site.has("ann@partner.example"));
    assert!(site.has("cleo@partner.example"));
    let remove = ["partner", "remove", "a.desk.test", "cleo@partner.example"];
    let said = site.relay.refuses(&remove);
    let by = format!("it is a partner by the feed {}", site.url);
    assert!(said.contains(&by), "{said}");

    // One redirect is followed.
    site.server.publish(Published::Elsewhere("/moved".into()));
    assert_eq!(site.fetch()["entries"], 1);
    assert!(site.has("moved@other.example"));

    (site.relay).json(&["partner", "feed", "remove", "a.desk.test", &site.url]);
    assert!(!site.has("moved@other.example"));
    let said = site.refuses_to_fetch();
    assert!(said.contains("has no entries by the feed"), "{said}");
    site.relay.leaves_nothing(site.sink);
}

#[test]
fn a_failed_fetch_keeps_the_last_list_and_says_so() {
    let site = Site::start("cleo@partner.example\n");
    site.fetched("cleo@partner.example");
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
            Published::Elsewhere(site.server.url("/again")),
            "redirects more than 5 times",
        ),
    ] {
        site.server.publish(published);
        let said = site.refuses_to_fetch();
        assert!(said.contains(why), "{why}: {said}");
        let list = site
            .relay
            .json(&["partner", "feed", "list", "--account", "a.desk.test"]);
        let problem = list[0]["feed"]["problem"].as_str().unwrap();
        assert!(problem.contains(why), "{why}: {problem}");
        site.relay.logged("its former entries stay");
        assert!(site.has("cleo@partner.example"));
    }
    let failed = "gatepost_partner_feed_fetches_total{result=\"failed\"}";
    assert_eq!(site.relay.metric(failed), Some(6.0));

    // Without that certificate, the server is not believed.
    site.relay.reloads(&site.usual);
    let said = site.refuses_to_fetch();
    assert!(said.contains("no TLS connection to localhost"), "{said}");
    assert!(site.has("cleo@partner.example"));
    site.relay.leaves_nothing(site.sink);
}
