//! Classification of any message, reports of delivery among them.

use bytes::Bytes;
use gatepost_message::Message;
use gatepost_sdk::classification::classify;
use gatepost_sdk::native::Mail;
use gatepost_sdk::{Flow, Session, Transaction};

use crate::Target;

/// Reports, notices, answers and what looks like them.
pub const TARGET: Target = Target {
    name: "reports",
    rule: "every message gets one class, the same each time, and no machine may answer a bounce",
    seeds: || {
        [
            "From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail\r\nAuto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nnot delivered\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <1@desk.example>\r\n\r\n--b--\r\n",
            "From: a@b.example\r\nSubject: Automatic reply: x\r\nIn-Reply-To: <1@desk.example>\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nSSBhbSBhd2F5Lg==\r\n",
            "From: a@b.example\r\nList-Unsubscribe: <https://b.example/u>\r\nPrecedence: bulk\r\nContent-Type: text/html\r\n\r\n<p>News</p><img width=1 height=1>\r\n",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
    },
    words: &[
        b"\r\n",
        b"--b\r\n",
        b"--b--",
        b"Content-Type: ",
        b"multipart/mixed; boundary=",
        b"message/delivery-status",
        b"=?utf-8?q?",
        b"?=",
        b"<",
        b">",
        b"Status: 4.0.0\r\n",
        b"Action: delayed\r\n",
        b"Precedence: list\r\n",
        b"Re: ",
        b"Auto: ",
        b"\0",
        b"\xff",
        b"=3D",
        b"=\r\n",
        b"> ",
    ],
    suite: 2_000,
    check,
};

fn check(input: &[u8]) {
    let message = Message::from_bytes(Bytes::copy_from_slice(input));
    for from in ["", "a@b.example"] {
        let transaction = Transaction {
            id: "any".into(),
            session: Session {
                listener: "mx".into(),
                flow: Flow::Inbound,
                transport: gatepost_sdk::Transport::Smtp,
                client: Some(gatepost_sdk::ClientAddress {
                    ip: "192.0.2.1".into(),
                    port: 1025,
                }),
                helo: None,
                tls: None,
                user: None,
            },
            account: None,
            mail_from: from.into(),
            recipients: vec!["help@desk.example".into()],
        };
        let first = classify(&transaction, &Mail(&message));
        let again = classify(&transaction, &Mail(&message));
        assert_eq!(first.class, again.class);
        assert_eq!(first.reply_allowed, again.reply_allowed);
        let is_person = first.class == gatepost_sdk::MessageClass::Human;
        assert!(is_person || !first.reply_allowed, "{:?}", first.class);
    }
}
