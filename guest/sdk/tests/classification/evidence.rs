//! Each kind of evidence, in the form in which the programs of the world write it, and the people
//! who look like machines.

use gatepost_sdk::MessageClass::{self, *};
use gatepost_sdk::classification::{Classifier, Rule};

use crate::{Mail, classified, transaction};

const ANN: &str = "ann@sender.example";

/// Class, and whether a machine may reply, of a message of these fields from this reverse-path.
fn of(from: &str, fields: &str) -> (MessageClass, bool) {
    let author = if fields.contains("From:") {
        ""
    } else {
        "From: Ann Weaver <ann@sender.example>\n"
    };
    let text =
        format!("{author}To: help@desk.example\n{fields}\n\nOut of office, said the machine.\n");
    let found = classified(text.as_bytes(), from, &["help@desk.example"]);
    (found.class, found.reply_allowed)
}

#[track_caller]
fn all(cases: &[(&str, &str, (MessageClass, bool))]) {
    for (from, fields, expected) in cases {
        assert_eq!(of(from, fields), *expected, "MAIL FROM:<{from}>\n{fields}");
    }
}

#[test]
fn people() {
    all(&[
        (ANN, "Subject: The light is blinking", (Human, true)),
        (
            ANN,
            "Subject: Re: Automatic reply: Your ticket\nIn-Reply-To: <1@x.example>",
            (Human, true),
        ),
        (ANN, "Subject: AW: Abwesenheitsnotiz: Lampe", (Human, true)),
        (
            ANN,
            "Subject: Out of office: how do I set it?",
            (Human, true),
        ),
        (
            ANN,
            "Subject: Fwd: Undelivered Mail Returned to Sender",
            (Human, true),
        ),
        (
            ANN,
            "Subject: hello\nAuto-Submitted: no\nPrecedence: normal",
            (Human, true),
        ),
        (
            ANN,
            "Subject: hello\nAuto-Submitted: no (I am; really)",
            (Human, true),
        ),
        (
            ANN,
            "Subject: hello\nX-Auto-Response-Suppress: None",
            (Human, true),
        ),
        (
            ANN,
            "Subject: hello\nX-Auto-Response-Suppress: DR, RN, NRN",
            (Human, true),
        ),
        // Asks that nobody's absence be told, as some servers do for everybody.
        (
            ANN,
            "Subject: hello\nX-Auto-Response-Suppress: OOF",
            (Human, false),
        ),
        // A form on a web page
        (
            "noreply@shop.example",
            "Subject: Contact form",
            (Human, false),
        ),
        (
            "bounces+12-ab-help=desk.example@em.shop.example",
            "From: form@shop.example\nReply-To: ann@sender.example\nSubject: hello\n\
             X-SG-EID: abc",
            (Human, true),
        ),
        // An inbox rule of Exchange that forwards.
        (
            ANN,
            "Subject: hello\nX-MS-Exchange-Inbox-Rules-Loop: bo@desk.example",
            (Human, true),
        ),
        (
            ANN,
            "Subject: Vacation: my request\nX-MS-Exchange-Inbox-Rules-Loop: bo@desk.example",
            (Human, true),
        ),
        // Providers of mailboxes that number everybody's mail.
        (
            ANN,
            "Subject: hello\nFeedback-ID: i1234567:Fastmail",
            (Human, true),
        ),
        (
            ANN,
            "Subject: hello\nFeedback-ID: 1234:user:proton",
            (Human, true),
        ),
        (
            ANN,
            "Subject: hello\nFeedback-ID: rr080:zu080:rf080:ZohoMail",
            (Human, true),
        ),
        // A company that sends all its mail through a service for bulk mail.
        (
            "bounces+12-ab-help=desk.example@em.sender.example",
            "Subject: hello\nX-SG-EID: abc\nUser-Agent: Mozilla Thunderbird",
            (Human, true),
        ),
        (
            "bounces+12-ab-help=desk.example@em.sender.example",
            "Subject: hello\nX-SG-EID: abc\nThread-Index: AQHVx1w0",
            (Human, true),
        ),
        (
            "0100017a-0001@mail.sender.example",
            "Subject: hello\nX-Mailer: Amazon WorkMail\nX-SES-Outgoing: 2021.04.29-192.0.2.1\n\
             Feedback-ID: 1.us-east-1.aBc=:AmazonSES",
            (Human, true),
        ),
        // Written at Yahoo.
        (
            ANN,
            "Subject: hello\nX-Yahoo-Newman-Property: ymail-3\n\
             X-Yahoo-Newman-Id: 123456.78901.bm@omp1.yahoo.example",
            (Human, true),
        ),
        // Forwarded by Exchange Online, Google, Postfix with SRS; signed by BATV.
        (
            "bounces+SRS=44ldt=IX@customer.example",
            "Subject: hello",
            (Human, true),
        ),
        (
            "bo+caf_=help=desk.example@customer.example",
            "Subject: hello",
            (Human, true),
        ),
        (
            "SRS0=ab12=XY=sender.example=ann@customer.example",
            "Subject: hello",
            (Human, true),
        ),
        (
            "prvs=0123456789=ann@sender.example",
            "Subject: hello",
            (Human, true),
        ),
        (
            ANN,
            "Subject: hello\nX-Mailer: Zimbra 7.1.3_GA_3346",
            (Human, true),
        ),
        (
            ANN,
            "Subject: hello\nX-Loop: bo@customer.example",
            (Human, true),
        ),
        (
            ANN,
            "Subject: hello\nX-Loop: help@desk.example",
            (Human, false),
        ),
        (
            "help@desk.example",
            "From: help@desk.example\nSubject: hello",
            (Human, false),
        ),
        (
            "feature-request@sender.example",
            "From: feature-request@sender.example\nSubject: hi",
            (Human, false),
        ),
        (
            "postmaster@sender.example",
            "From: Bo <postmaster@sender.example>\nSubject: your IP",
            (Human, false),
        ),
        (
            ANN,
            "Subject: hello\nAuto-Submitted: auto-forwarded",
            (Human, false),
        ),
        (
            ANN,
            "Subject: hello\nX-Autogenerated: Forward",
            (Human, false),
        ),
    ]);
}

#[test]
fn agents_of_help_desks() {
    all(&[
        (
            ANN,
            "Subject: Re: [#12] lamp\nX-Mailer: Zendesk Mailer\nX-Zendesk-From-Account-Id: 1a",
            (Human, false),
        ),
        (
            ANN,
            "Subject: Re: [Ticket#2025] lamp\nX-Mailer: OTRS Mail Service (6.0)\nX-Powered-By: OTRS",
            (Human, false),
        ),
        (
            ANN,
            "Subject: [example #12] lamp\nPrecedence: bulk\nRT-Ticket: example #12\nManaged-By: RT 5",
            (Human, false),
        ),
        (
            ANN,
            "Subject: [example #12] AutoReply: lamp\nPrecedence: bulk\nRT-Ticket: example #12\nManaged-By: RT 5",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: Re: lamp\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n\
             X-Gatepost-From-Account-Id: acme\nX-Gatepost-Trigger: agent",
            (Human, false),
        ),
        (
            ANN,
            "Subject: Re: lamp\nX-Gatepost-From-Account-Id: acme\nX-Gatepost-Trigger: Automatic",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: Re: lamp\nAuto-Submitted: auto-replied\nX-Gatepost-Trigger: automatic",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: Ticket received\nX-Mailer: Zammad Mail Service\nPrecedence: bulk\nX-Auto-Response-Suppress: All",
            (AutoGenerated, false),
        ),
        (
            "",
            "Content-Type: multipart/report; report-type=delivery-status\nX-Gatepost-Trigger: agent",
            (Bounce, false),
        ),
    ]);
}

#[test]
fn the_names_of_a_sites_own_fields_can_be_set() {
    let classifier = Classifier::new("X-Desk-Trigger", "X-Desk-Account");
    let classified = |fields: &str| {
        let text = format!("From: {ANN}\r\nAuto-Submitted: auto-generated\r\n{fields}\r\n\r\n");
        let message = Mail(gatepost_message::Message::from_bytes(text.into()));
        classifier
            .classify(&transaction(ANN, &["help@desk.example"]), &message)
            .class
    };
    assert_eq!(classified("X-Desk-Trigger: agent"), Human);
    assert_eq!(classified("X-Gatepost-Trigger: agent"), AutoGenerated);
}

#[test]
fn bounces() {
    all(&[
        ("", "Subject: anything", (Bounce, false)),
        // Postfix, and where its reverse-path was lost
        (
            "x@fwd.example",
            "From: MAILER-DAEMON@mx.example (Mail Delivery System)\nSubject: Undelivered Mail Returned to Sender\n\
             Auto-Submitted: auto-replied\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"",
            (Bounce, false),
        ),
        // Exim
        (
            "",
            "From: Mail Delivery System <Mailer-Daemon@mx.example>\nX-Failed-Recipients: a@b.example\n\
             Auto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message to sender",
            (Bounce, false),
        ),
        (
            "x@fwd.example",
            "X-Failed-Recipients: a@b.example\nSubject: x",
            (Bounce, false),
        ),
        // qmail, and its double bounce
        (
            "",
            "From: MAILER-DAEMON@mx.example\nSubject: failure notice",
            (Bounce, false),
        ),
        (
            "#@[]",
            "From: MAILER-DAEMON@mx.example\nSubject: failure notice",
            (Bounce, false),
        ),
        // Sendmail
        (
            "MAILER-DAEMON@mx.example",
            "From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example>\nAuto-Submitted: auto-generated (failure)\n\
             Subject: Returned mail: see transcript for details",
            (Bounce, false),
        ),
        // Exchange, with the reverse-path lost
        (
            "x@fwd.example",
            "From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@corp.example>\n\
             Subject: Unzustellbar: Lampe\nX-MS-Exchange-Message-Is-Ndr:",
            (Bounce, false),
        ),
        // Domino, GroupWise, and mail systems that say it in the subject alone
        (
            "",
            "From: Postmaster@corp.example\nSubject: DELIVERY FAILURE: User ann not listed",
            (Bounce, false),
        ),
        (
            "postmaster@corp.example",
            "From: Postmaster <postmaster@corp.example>\nSubject: Undeliverable mail",
            (Bounce, false),
        ),
        (
            "x@fwd.example",
            "From: <>\nSubject: Mail delivery failed",
            (Bounce, false),
        ),
        // The reverse-path of an answer, but a mail system's subject
        (
            "",
            "Auto-Submitted: auto-replied\nSubject: 退信: 灯",
            (Bounce, false),
        ),
        // No word of what it reports in the header
        (
            "x@fwd.example",
            "Subject: x\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n",
            (Bounce, false),
        ),
    ]);
}

#[test]
fn automatic_answers() {
    all(&[
        (
            ANN,
            "Subject: Re: lamp\nAuto-Submitted: auto-replied (vacation)",
            (AutoReplied, false),
        ),
        (
            "",
            "Subject: Auto: lamp\nAuto-Submitted: auto-replied (vacation)",
            (AutoReplied, false),
        ),
        ("", "Subject: Out of office: lamp", (AutoReplied, false)),
        // As it was stored, with the reverse-path in its head.
        (
            "",
            "Return-Path: <>\nSubject: lamp\nAuto-Submitted: auto-replied",
            (AutoReplied, false),
        ),
        (
            "",
            "Return-Path: <>\nSubject: Automatic reply: lamp\n\
             X-MS-Exchange-Inbox-Rules-Loop: ann@sender.example",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: Auto reply: lamp\nX-Apple-Action: VACATION",
            (AutoReplied, false),
        ),
        (ANN, "Subject: away\nX-Autoreply: yes", (AutoReplied, false)),
        (ANN, "Subject: away\nX-Autoreply: no", (Human, true)),
        (
            ANN,
            "Subject: away\nX-Autorespond: lamp\nX-Loop: ann@sender.example",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: away\nX-Autoresponder: 1",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: away\nX-Auto-Reply-From: ann@sender.example",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: away\nX-Mail-Autoreply: 1",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: away\nX-Autogenerated: Reply",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: away\nX-POST-MessageClass: 9; Autoresponder",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: away\nDelivered-To: Autoresponder",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: away\nPrecedence: auto_reply",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: away\nX-Precedence: auto-reply",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: x\nX-Auto-Response-Suppress: All\nX-MS-Exchange-Inbox-Rules-Loop: ann@sender.example",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: Out of Office AutoReply: lamp\nX-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent",
            (AutoReplied, false),
        ),
        (
            "autoreply@corp.example",
            "From: autoreply@corp.example\nSubject: We got it",
            (AutoReplied, false),
        ),
        (
            "",
            "Subject: Read: lamp\nContent-Type: multipart/report; report-type=disposition-notification",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: Lu : lampe\nContent-Type: multipart/report;\n report-type=\"disposition-notification\";\n boundary=b",
            (AutoReplied, false),
        ),
        // Exchange says auto-generated of what it answers; the subject tells.
        (
            ANN,
            "Subject: Automatic reply: lamp\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All",
            (AutoReplied, false),
        ),
        // Encoded, in a charset of old
        (
            ANN,
            "Subject: =?iso-8859-1?Q?R=E9ponse_automatique_=3A?= lampe\nX-Auto-Response-Suppress: All",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: =?iso-2022-jp?B?GyRCPCtGMEpWPy4bKEI=?= lamp\nPrecedence: bulk",
            (AutoReplied, false),
        ),
        (
            ANN,
            "Subject: =?koi8-r?B?4dfUz8/U18XUOg==?= x\nPrecedence: bulk",
            (AutoReplied, false),
        ),
    ]);
}

#[test]
fn automatic_subjects_in_the_languages_of_the_world_need_a_second() {
    let subjects = [
        "Automatic reply: x",
        "Automatische Antwort: x",
        "Réponse automatique : x",
        "Respuesta automática: x",
        "Resposta automática: x",
        "Risposta automatica: x",
        "Automatisch antwoord: x",
        "Automatiskt svar: x",
        "Automatisk svar: x",
        "Automaattinen vastaus: x",
        "Odpowiedź automatyczna: x",
        "Automatická odpověď: x",
        "Automatická odpoveď: x",
        "Automatikus válasz: x",
        "Răspuns automat: x",
        "Автоматичен отговор: x",
        "Автоматический ответ: x",
        "Автоматична відповідь: x",
        "Automatski odgovor: x",
        "Samodejni odgovor: x",
        "Αυτόματη απάντηση: x",
        "Otomatik yanıt: x",
        "OTOMATİK YANIT: x",
        "رد تلقائي: x",
        "תשובה אוטומטית: x",
        "自動応答: x",
        "自動返信: x",
        "자동 회신: x",
        "自动答复: x",
        "自动回复：x",
        "自動回覆: x",
        "ตอบกลับอัตโนมัติ: x",
        "Trả lời tự động: x",
        "Balasan otomatis: x",
        "स्वचालित उत्तर: x",
        "Automaatvastus: x",
        "Automātiska atbilde: x",
        "Automatinis atsakymas: x",
        "پاسخ خودکار: x",
        "Resposta automàtica: x",
    ];
    for subject in subjects {
        assert_eq!(
            of(ANN, &format!("Subject: {subject}")),
            (Human, true),
            "{subject}"
        );
        for second in [
            "X-Auto-Response-Suppress: All",
            "Precedence: junk",
            "X-MS-Exchange-Inbox-Rules-Loop: a@b.example",
        ] {
            let class = of(ANN, &format!("Subject: {subject}\n{second}")).0;
            assert_eq!(class, AutoReplied, "{subject} with {second}");
        }
        assert_eq!(
            of("", &format!("Subject: {subject}")).0,
            AutoReplied,
            "{subject}"
        );
        assert_eq!(
            of(ANN, &format!("Subject: Re: {subject}\nX-Loop: a@b.example")).0,
            Human,
            "{subject}"
        );
    }
}

#[test]
fn made_by_a_machine() {
    all(&[
        (
            ANN,
            "Subject: x\nAuto-Submitted: auto-generated",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: x\nAuto-Submitted: auto-notified; owner-email=\"a@b.example\"",
            (AutoGenerated, false),
        ),
        (
            "root@host.example",
            "Subject: Cron <root@host> x\nX-Cron-Env: <SHELL=/bin/sh>",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: x\nX-Auto-Response-Suppress: All",
            (AutoGenerated, false),
        ),
        (ANN, "Subject: x\nPrecedence: bulk", (AutoGenerated, false)),
        (
            ANN,
            "Subject: x\nX-FC-MachineGenerated: true",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: x\nX-FC-MachineGenerated: false",
            (Human, true),
        ),
        (
            ANN,
            "Subject: x\nX-AMAZON-MAIL-RELAY-TYPE: notification",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: x\nX-Autogenerated: Letter",
            (AutoGenerated, false),
        ),
        (
            "no-reply@shop.example",
            "From: Shop <no-reply@shop.example>\nSubject: Your order",
            (AutoGenerated, false),
        ),
        (
            "x@ses.example",
            "Subject: x\nX-SES-Outgoing: 2020\nFeedback-ID: 1.us:AmazonSES",
            (AutoGenerated, false),
        ),
        (
            "jira@x.example",
            "From: Ann (Jira) <jira@x.example>\nSubject: x\nList-Id: <dev.x.example>\nX-JIRA-FingerPrint: 1",
            (AutoGenerated, false),
        ),
        (
            ANN,
            "Subject: x\nContent-Type: multipart/report; report-type=feedback-report\nPrecedence: list",
            (AutoGenerated, false),
        ),
        (
            "a@x.example",
            "From: a@x.example\nSubject: Report Domain: y.example Submitter: x.example Report-ID: <1>",
            (AutoGenerated, false),
        ),
    ]);
}

#[test]
fn lists() {
    all(&[
        (
            "wool-bounces@l.example",
            "List-Id: <wool.l.example>\nPrecedence: list",
            (List, false),
        ),
        (
            ANN,
            "List-Unsubscribe: <https://x.example/u>",
            (List, false),
        ),
        (ANN, "Precedence: list", (List, false)),
        (ANN, "X-Mailing-List: wool@l.example", (List, false)),
        (ANN, "X-BeenThere: wool@l.example", (List, false)),
        (
            "owner-wool@l.example",
            "Sender: owner-wool@l.example\nPrecedence: bulk",
            (List, false),
        ),
        // Whatever they are called, the answer goes to where the message was sent.
        (
            ANN,
            "Reply-To: help@desk.example\nPrecedence: bulk",
            (List, false),
        ),
        (
            "bounces+12-ab-help=desk.example@em.shop.example",
            "From: Shop <news@shop.example>\nX-SG-EID: abc",
            (List, false),
        ),
        // Somebody's answer to the list, made by a machine
        (
            ANN,
            "List-Id: <wool.l.example>\nAuto-Submitted: auto-replied",
            (AutoReplied, false),
        ),
        (
            "wool-bounces@l.example",
            "List-Id: <wool.l.example>\nSubject: Welcome\nX-List-Administrivia: yes",
            (AutoGenerated, false),
        ),
        // News from nobody
        (
            "no-reply@shop.example",
            "From: Shop <no-reply@shop.example>\nList-Unsubscribe: <https://x.example/u>",
            (List, false),
        ),
    ]);
}

#[test]
fn the_evidence_names_field_and_rule() {
    let text = b"From: ann@sender.example\nAuto-Submitted: auto-replied (vacation)\n\n";
    let found = classified(text, ANN, &["help@desk.example"]);
    let said: Vec<String> = found.evidence_of_class().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["Auto-Submitted: auto-replied (vacation) [auto-replied]"]
    );
}

#[test]
fn the_documentation_has_every_rule() {
    let page = include_str!("../../../../docs/loop-guard.md");
    for rule in Rule::ALL {
        let name = format!("| `{}` |", rule.name());
        let is_row = |line: &str| line.starts_with(&name) && line.contains(rule.source());
        assert!(page.lines().any(is_row), "{rule:?}");
    }
}
