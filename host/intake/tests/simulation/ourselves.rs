//! An application that writes to its own addresses: its mail comes back to it as new mail.

use std::rc::Rc;

use gatepost_message::Millis;

use crate::letter::Draft;
use crate::site::{Answer, Site};

const DOMAIN: &str = "a.example";
const US: &str = "support@a.example";

/// Lets the application answer all mail, to the address in From and from this one of its own;
/// returns the number of answers that go out before nothing more does.
async fn answers_itself(first_from: &str, answers_from: &str, path: &str, trigger: &str) -> usize {
    let site = Rc::new(Site::new(&[DOMAIN], &[]).await);
    let mut now: Millis = "2026-03-10T08:00:00Z".parse().unwrap();
    let mut letter = Draft {
        from: first_from.to_owned(),
        to: vec![US.to_owned()],
        subject: "From the form".to_owned(),
        message_id: "<form@web.example>".to_owned(),
        body: "A visitor has filled in the form and asks for a call.".to_owned(),
        ..Draft::default()
    };
    let came = site.receive(now, path, US, letter.written(now)).await;
    assert!(matches!(came, Answer::Taken(..)), "{came:?}");
    for number in 0..100 {
        now = now + std::time::Duration::from_secs(2);
        letter = Draft {
            to: vec![letter.from.clone()],
            from: answers_from.to_owned(),
            subject: format!("[#{number}] New ticket"),
            message_id: format!("<{number}@a.example>"),
            body: format!("We have received your request as ticket {number}, and will see to it."),
            fields: match trigger {
                "" => Vec::new(),
                trigger => vec![("X-Gatepost-Trigger", trigger.to_owned())],
            },
            ..Draft::default()
        };
        let message = letter.written(now);
        match site
            .submit(now, DOMAIN, answers_from, &letter.to, message)
            .await
        {
            Answer::Taken(_, recipients) if !recipients.is_empty() => {}
            _ => return number,
        }
    }
    100
}

#[tokio::test]
async fn no_machine_answers_itself() {
    // A form whose From is the support address, behind a forwarder and straight.
    for path in [
        "SRS0=ab=2Z=a.example=support@forwarder.example",
        "www-data@web.example",
        US,
        "",
    ] {
        for from in [US, "support+web@a.example"] {
            let sent = answers_itself(from, US, path, "automatic").await;
            assert_eq!(sent, 0, "{path} {from}");
        }
    }
}

#[tokio::test]
async fn mail_to_another_own_address_ends() {
    for trigger in ["automatic", ""] {
        let from = "sales@a.example";
        let sent = answers_itself(from, US, "www-data@web.example", trigger).await;
        assert!(sent <= 10, "{sent} with trigger {trigger:?}");
        let sent = answers_itself(US, US, "www-data@web.example", trigger).await;
        assert!(sent <= 10, "{sent} with trigger {trigger:?}");
    }
}
