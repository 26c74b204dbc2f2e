use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use gatepost_application::{Alarm, HttpSettings, MaildirSettings, Target};

use crate::support::application;
use crate::{SECRET, Server, mail, settings};

#[test]
fn the_status_decides_whether_mail_is_delivered_waits_or_fails() {
    for (status, code, alarm) in [
        (200, 250, None),
        (202, 250, None),
        (422, 550, None),
        (409, 550, None),
        (301, 451, Some(Alarm::WrongUrl(301))),
        (400, 451, Some(Alarm::Failing(400))),
        (401, 451, Some(Alarm::Unauthorized(401))),
        (404, 451, Some(Alarm::WrongUrl(404))),
        (413, 451, Some(Alarm::TooLarge)),
        (415, 451, Some(Alarm::WrongForm)),
        (429, 451, Some(Alarm::Failing(429))),
        (503, 451, Some(Alarm::Failing(503))),
    ] {
        let server = Server::with_status(status);
        let outcome = server
            .deliver("failing = [409]", &mail(&["one@desk.example"]))
            .remove(0);
        assert_eq!(
            (outcome.reply.code(), outcome.alarm),
            (code, alarm),
            "{status}"
        );
        assert!(outcome.reply.text().contains(&format!("HTTP {status}")));
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let server = Server::answering(|_| {
        (StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]).into_response()
    });
    let outcome = server.deliver("", &mail(&["one@desk.example"])).remove(0);
    assert_eq!(outcome.alarm, Some(Alarm::WrongUrl(307)));
    server.posted();
    assert!(server.posted.try_recv().is_err());
}

#[test]
fn the_applications_words_are_kept_out_of_the_reply() {
    for status in [422, 500] {
        let server = Server::answering(move |_| {
            let words = format!("secret of another tenant\r\n{}", "x".repeat(2000));
            (StatusCode::from_u16(status).unwrap(), words).into_response()
        });
        let outcome = server.deliver("", &mail(&["one@desk.example"])).remove(0);
        assert!(!outcome.reply.text().contains("tenant"));
        let detail = outcome.detail.unwrap();
        assert!(detail.starts_with("secret of another tenant  x") && detail.len() <= 500);
    }
}

#[test]
fn an_answer_without_an_end_is_not_read_to_its_end() {
    let server = Server::answering(|_| {
        (StatusCode::UNPROCESSABLE_ENTITY, vec![b'x'; 10_000_000]).into_response()
    });
    let outcome = server.deliver("", &mail(&["one@desk.example"])).remove(0);
    assert_eq!((outcome.reply.code(), outcome.detail), (550, None));
}

#[test]
fn the_application_may_ask_for_a_wait_from_a_second_to_an_hour() {
    for (value, wait) in [
        ("0", Some(1)),
        ("120", Some(120)),
        ("99999999", Some(3600)),
        ("soon", None),
    ] {
        let server = Server::answering(move |_| {
            (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", value)]).into_response()
        });
        let outcome = server.deliver("", &mail(&["one@desk.example"])).remove(0);
        assert_eq!(
            outcome.retry_after,
            wait.map(Duration::from_secs),
            "{value}"
        );
    }
}

#[test]
fn mail_waits_for_an_application_that_does_not_answer() {
    let closed = test_support::free_port();
    // The listener accepts in the kernel, and nobody answers.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let silent = silent.local_addr().unwrap();
    for (address, code, alarm) in [
        (closed, "4.4.1", Alarm::Unreachable),
        (silent, "4.4.2", Alarm::Silent),
    ] {
        let target = Target::Http(settings(address, "timeout-seconds = 1"));
        let mail = mail(&["one@desk.example"]);
        let recipients = mail.recipients();
        let letter = mail.letter(&recipients);
        let outcome = runtime
            .block_on(application().deliver(&target, &letter))
            .remove(0);
        assert_eq!(outcome.alarm, Some(alarm));
        assert_eq!(outcome.reply.enhanced().unwrap().to_string(), code);
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let parse = |keys: &str| toml::from_str::<HttpSettings>(keys);
    let url = "url = 'https://app.example/in'";
    assert!(parse(&format!("{url}\nsecrets = ['{SECRET}']")).is_ok());
    for keys in [
        "secrets = []".to_owned(),
        "secrets = ['short']".to_owned(),
        format!("secrets = ['{SECRET}']\nfailing = [404]"),
        format!("secrets = ['{SECRET}']\nfailing = [302]"),
        format!("secrets = ['{SECRET}']\ntimeout-seconds = 0"),
        format!("secrets = ['{SECRET}']\nrecipients = 0"),
        format!("secrets = ['{SECRET}']\nform = 'raw'\nrecipients = 51"),
        format!("secrets = ['{SECRET}']\nretry-seconds = []"),
        format!("secrets = ['{SECRET}']\nunknown = 1"),
    ] {
        assert!(parse(&format!("{url}\n{keys}")).is_err(), "{keys}");
    }
    for url in [
        "ftp://x/",
        "https://user:pass@x/",
        "/path",
        "https://x/#part",
    ] {
        let keys = format!("url = '{url}'\nsecrets = ['{SECRET}']");
        assert!(parse(&keys).is_err(), "{url}");
    }
}

#[test]
fn settings_do_not_show_their_secrets() {
    let settings = settings((Ipv4Addr::LOCALHOST, 80).into(), "");
    let shown = format!("{settings:?}");
    assert!(
        !shown.contains("MfKQ9r8G") && !shown.contains("49, 242"),
        "{shown}"
    );
}

#[test]
fn the_settings_on_the_page_are_settings() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/application.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks = |table: &str| {
        let blocks = page.split("```toml\n").skip(1);
        let blocks = blocks.filter_map(|block| block.strip_prefix(&format!("[{table}.")));
        let text = |block: &str| {
            block
                .split_once("]\n")?
                .1
                .split("```")
                .next()
                .map(str::to_owned)
        };
        blocks.filter_map(text).collect::<Vec<_>>()
    };
    let endpoints = blocks("endpoint");
    assert!(endpoints.len() >= 3);
    for block in endpoints {
        toml::from_str::<HttpSettings>(&block).unwrap();
    }
    toml::from_str::<MaildirSettings>(&blocks("maildir")[0]).unwrap();
}
