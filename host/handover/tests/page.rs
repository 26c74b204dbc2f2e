//! The page behind a link, by HTTP.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use std::net::SocketAddr;
use std::sync::Arc;

use gatepost_directory::{AccountKind, Directory, Grant, Limits, Profile, Settings, UserName};
use gatepost_handover::{HandoverServer, PATH};
use gatepost_message::{Millis, Separators};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A server with one credential that is handed over.
struct Site {
    directory: Arc<Directory>,
    user: UserName,
    address: SocketAddr,
    _folder: TempDir,
}

impl Site {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(&Settings {
            path: folder.path().join("directory.db"),
            key_ring: folder.path().join("key-ring"),
            limits: Limits::default(),
            separators: Separators::default(),
        });
        let directory = Arc::new(directory.unwrap());
        let account = directory.add_account(Profile {
            kind: AccountKind::Production,
            product: "Acme Desk".parse().unwrap(),
            time_zone: "Europe/Berlin".parse().unwrap(),
            native_domain: "acme.desk.example".parse().unwrap(),
            brands: Vec::new(),
        });
        let account = account.unwrap().id;
        let issued = directory.issue(Grant::Submission { account }, false);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = HandoverServer::new(Arc::clone(&directory), None);
        tokio::spawn(server.serve(listener, std::future::pending()));
        Self {
            directory,
            user: issued.unwrap().credential.user_name,
            address,
            _folder: folder,
        }
    }

    /// Hands the credential over by a link that is valid so long; its path.
    fn link(&self, milliseconds: u64) -> String {
        let now = Millis::now();
        let expires = Millis(now.0 + milliseconds);
        let handed_over = self.directory.hand_over(&self.user, now, expires).unwrap();
        format!("{PATH}{}", *handed_over.token.reveal())
    }

    /// Sends a request; status, header section and body.
    async fn ask(&self, method: &str, path: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: desk.example\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }
}

#[tokio::test]
async fn opening_shows_a_button_and_the_button_shows_the_secret_once() {
    let site = Site::start().await;
    let link = site.link(60_000);
    for method in ["GET", "HEAD", "GET"] {
        let (status, head, body) = site.ask(method, &link).await;
        assert_eq!(status, 200);
        assert_eq!(body.contains("<form method=\"post\">"), method == "GET");
        assert!(!body.contains("gpst_"), "{body}");
        for field in [
            "cache-control: no-store",
            "referrer-policy: no-referrer",
            "content-security-policy: default-src 'none'; style-src 'sha256-",
            "x-content-type-options: nosniff",
            "connection: close",
        ] {
            assert!(head.contains(field), "{field}: {head}");
        }
    }
    let (status, head, body) = site.ask("POST", &link).await;
    assert_eq!(status, 200);
    assert!(head.contains("cache-control: no-store"), "{head}");
    assert!(body.contains(site.user.as_str()), "{body}");
    let secret = &body[body.find("gpst_").unwrap()..][..43];
    let view = site.directory.view();
    assert!(
        view.credential(site.user.as_str())
            .unwrap()
            .verifier
            .is_of(secret)
    );
    for method in ["GET", "POST"] {
        let (status, _, body) = site.ask(method, &link).await;
        assert_eq!(status, 410);
        assert!(
            body.contains("ask whoever sent you the link for another one"),
            "{body}"
        );
        assert!(!body.contains("gpst_"), "{body}");
    }
}

#[tokio::test]
async fn what_has_expired_and_what_never_was_are_gone_alike() {
    let site = Site::start().await;
    let expired = site.link(0);
    let cut = &expired[..expired.len() - 1];
    let never = format!("{PATH}{}", "A".repeat(43));
    for path in [&expired, cut, &never, PATH] {
        for method in ["GET", "POST"] {
            assert_eq!(site.ask(method, path).await.0, 410, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn other_requests_show_nothing_and_use_nothing_up() {
    let site = Site::start().await;
    let link = site.link(60_000);
    for (method, path, status) in [
        ("GET", "/", 404),
        ("POST", "/handover", 404),
        ("PUT", link.as_str(), 405),
        ("OPTIONS", &link, 405),
        ("DELETE", &link, 405),
    ] {
        assert_eq!(site.ask(method, path).await.0, status, "{method} {path}");
    }
    let long = format!("{PATH}{}", "A".repeat(20 << 10));
    let (status, _, _) = site.ask("GET", &long).await;
    assert!([414, 431].contains(&status), "{status}");
    assert_eq!(site.ask("POST", &link).await.0, 200);
}

#[tokio::test]
async fn a_network_that_asks_too_often_waits() {
    let site = Site::start().await;
    let link = site.link(60_000);
    let mut limited = None;
    for _ in 0..100 {
        let (status, head, _) = site.ask("GET", "/").await;
        if status == 429 {
            limited = Some(head);
            break;
        }
    }
    assert!(limited.unwrap().contains("retry-after: 60"));
    assert_eq!(site.ask("POST", &link).await.0, 429);
    assert_eq!(
        site.directory.view().handovers().count(),
        1,
        "it is not used up"
    );
}

/// Two who press the button at once: one of them gets the secret.
#[tokio::test]
async fn of_two_at_once_one_sees_the_secret() {
    let site = Site::start().await;
    let link = site.link(60_000);
    let asked = tokio::join!(
        site.ask("POST", &link),
        site.ask("POST", &link),
        site.ask("POST", &link)
    );
    let mut statuses = [asked.0.0, asked.1.0, asked.2.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410, 410]);
}
