//! With `attachments = "url"` the application fetches attachments before it answers. Afterwards the
//! relay has the message no more, and the link shows nothing; a link that was changed never did.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;

use serde_json::Value;
use test_support::{HttpRequest, PATIENCE, Sink};

use super::desk::{SECRET, relay_to};

const MESSAGE: &str = "From: ann@sender.example\r\n\
    To: help@desk.example\r\n\
    Subject: a page\r\n\
    Message-ID: <1@sender.example>\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\
    \r\n\
    --b\r\n\
    Content-Type: text/plain\r\n\
    \r\n\
    See the page.\r\n\
    --b\r\n\
    Content-Type: text/html; name=\"a page.html\"\r\n\
    Content-Disposition: attachment\r\n\
    Content-Transfer-Encoding: base64\r\n\
    \r\n\
    PHNjcmlwdD5hPC9zY3JpcHQ+\r\n\
    --b--\r\n";

const URL: &str = "http://127.0.0.1:8443/relay";

/// Asks for a path; status, header section in lower case, and body.
fn get(address: SocketAddr, method: &str, path: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: mx.desk.example\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}

#[test]
fn an_attachment_can_be_fetched_until_the_application_has_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (posted, requests) = channel();
    let (answer, answers) = channel::<u16>();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let Some(request) = HttpRequest::read(&stream) else {
                continue;
            };
            let _ = posted.send(request);
            let Ok(status) = answers.recv() else { return };
            let _ = write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let world = Sink::start();
    let keys = format!(
        "secrets = [{SECRET:?}]\nform = \"json\"\nattachments = \"url\"\nretry-seconds = [1]\n\
         [handover]\naddress = \"127.0.0.1:0\"\nurl = {URL:?}\ntls = \"none\""
    );
    let relay = relay_to(address, &world, &keys).start();
    let server = relay.address("handover");
    let mut client = relay.client("mx");
    client.ehlo();
    let to = ["help@desk.example"];
    client
        .deliver("ann@sender.example", &to, MESSAGE.as_bytes())
        .unwrap();
    let link = || {
        let request: HttpRequest = requests.recv_timeout(PATIENCE).unwrap();
        assert_eq!(request.fields["content-type"], "application/json");
        let message: Value = serde_json::from_slice(&request.body).unwrap();
        let described = message["attachments"][0].clone();
        assert_eq!(described["name"], "a page.html");
        let url = described["url"].as_str().unwrap();
        url.strip_prefix(URL).unwrap().to_owned()
    };
    let first = link();
    // Many more than the page lets one network have in a minute.
    for _ in 0..70 {
        let (status, head, body) = get(server, "GET", &first);
        assert_eq!((status, body.as_str()), (200, "<script>a</script>"));
        assert!(
            head.contains("content-type: application/octet-stream"),
            "{head}"
        );
        assert!(head.contains("content-disposition: attachment; filename*=utf-8''a%20page.html"));
        assert!(head.contains("content-security-policy: default-src 'none'; sandbox"));
    }
    let (status, head, body) = get(server, "HEAD", &first);
    assert_eq!((status, body.as_str()), (200, ""));
    assert!(head.contains("content-length: 18"), "{head}");
    for changed in [first.replace("/1?", "/2?"), format!("{first}0")] {
        assert_eq!(get(server, "GET", &changed).0, 404, "{changed}");
    }
    assert_eq!(get(server, "POST", &first).0, 404);
    // The message is tried again with another link, and the first one holds as well.
    answer.send(503).unwrap();
    let second = link();
    assert_eq!(get(server, "GET", &first).0, 200);
    assert_eq!(get(server, "GET", &second).0, 200);
    answer.send(200).unwrap();
    relay.eventually("the message is gone", |_| {
        (get(server, "GET", &second).0 == 410).then_some(())
    });
    relay.leaves_nothing(world);
}

#[test]
fn links_without_a_server_are_an_error() {
    let world = Sink::start();
    let keys = format!("secrets = [{SECRET:?}]\nform = \"json\"\nattachments = \"url\"");
    let relay = relay_to(world.address(), &world, &keys);
    let error = relay.try_start().err().unwrap();
    assert!(
        error.contains("nothing serves the links to attachments"),
        "{error}"
    );
}
