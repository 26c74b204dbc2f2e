//! Kinds of mail in the forms of real programs and people, without a mark that would decide alone:
//! the evidence counts as a whole.

use gatepost_sdk::MessageClass::{self, *};

use crate::classified;

/// Reverse-path, fields (an author among them), text.
pub(crate) type Case = (&'static str, &'static str, &'static str);

#[track_caller]
pub(crate) fn assert_all(expected: (MessageClass, bool), cases: &[Case]) {
    let mut wrong = Vec::new();
    for (path, fields, text) in cases {
        let kind = match fields.contains("Content-Type") {
            true => "",
            false => "Content-Type: text/plain; charset=utf-8\n",
        };
        let to = match fields.starts_with("To: ") || fields.contains("\nTo: ") {
            true => "",
            false => "To: help@desk.example\n",
        };
        let message = format!("{to}{kind}{fields}\n\n{text}\n");
        let found = classified(message.as_bytes(), path, &["help@desk.example"]);
        if (found.class, found.reply_allowed) != expected {
            let said: Vec<String> = found.evidence.iter().map(ToString::to_string).collect();
            let reply = found.reply_allowed;
            wrong.push(format!(
                "{fields}\n  {:?} {reply} by {}",
                found.class,
                said.join("; ")
            ));
        }
    }
    let (count, of) = (wrong.len(), cases.len());
    assert!(wrong.is_empty(), "{count} of {of}:\n{}", wrong.join("\n"));
}

#[test]
fn bounces_without_null_path_and_report_are_found() {
    assert_all(
        (Bounce, false),
        &[
            (
                "mailserver@gate.example",
                "From: Mailserver <mailserver@gate.example>\nSubject: Unzustellbar: Re: Lampe",
                "Die Nachricht an frau.klein@firma.example konnte nicht zugestellt werden.\n\
             550 5.1.1 Empfänger unbekannt",
            ),
            (
                "antispam@gate.example",
                "From: Email Security <antispam@gate.example>\nSubject: Message rejected",
                "Your message to bob@shop.example was rejected by the recipient's mail server.\n\
             Remote server said: 554 5.7.1 message refused",
            ),
            (
                "noreply@correo.example",
                "From: Correo <noreply@correo.example>\nSubject: Mensaje no entregado: Re: factura",
                "El mensaje para compras@tienda.example no ha podido ser entregado.\n\
             Motivo: el buzón está lleno.",
            ),
            (
                "postmaster@boite.example",
                "From: postmaster@boite.example\nSubject: Votre message n'a pas été distribué",
                "Votre message à l'adresse jean@boite.example n'a pas pu être remis : boîte pleine.",
            ),
            (
                "noreply@posta.example",
                "From: noreply@posta.example\nSubject: Mancata consegna: Re: ordine",
                "Il messaggio per anna@posta.example non è stato consegnato. Casella è piena.",
            ),
            (
                "bounce@wyslij.example",
                "From: System poczty <noreply@wyslij.example>\nSubject: Wiadomość niedostarczona",
                "Wiadomość do jan@firma.example nie mogła zostać dostarczona. Skrzynka jest pełna.",
            ),
            (
                "mailer@pochta.example",
                "From: Почта <noreply@pochta.example>\nSubject: Письмо не доставлено",
                "Ваше письмо для ivan@pochta.example не доставлено: пользователь не найден.",
            ),
            (
                "no-reply@mail.example",
                "From: メール配信システム <no-reply@mail.example>\nSubject: メール配信エラー",
                "次の宛先にメールを配信できませんでした。\nsato@kaisha.example\n550 5.1.1 User unknown",
            ),
            (
                "system@youjian.example",
                "From: 系统管理员 <noreply@youjian.example>\nSubject: 退信通知",
                "您的邮件无法投递到以下收件人：\nwang@gongsi.example\n原因：邮箱已满",
            ),
            (
                "mailsystem@host.example",
                "From: System <noreply@host.example>\nSubject: Teslim edilemedi: Re: lamba",
                "ali@firma.example adresine gönderdiğiniz ileti teslim edilemedi.",
            ),
            (
                "gateway@old.example",
                "From: gateway@old.example\nSubject: Failed mail",
                "I was unable to deliver your message to bob@old.example.\n\n\
             Received: from mx.desk.example by old.example; Mon, 1 Jan 2024 00:00:00 +0000\n\
             From: help@desk.example\nTo: bob@old.example\nSubject: lamp\nDate: now\n",
            ),
            (
                "post_master@sms.example",
                "From: post_master@sms.example\nSubject: Re:lamp\nIn-Reply-To: <1@desk.example>",
                "Error: Invalid user address\n\nError message below:\n\
             550 - Requested action not taken: no such user here",
            ),
        ],
    );
}

#[test]
fn unmarked_away_notices_are_auto_replied() {
    const TO_US: &str = "In-Reply-To: <1@desk.example>\nSubject: ";
    let cases = [
        (
            "Out of Office: Lamp",
            "I am out of the office until Monday.",
        ),
        (
            "Abwesenheitsnotiz: Lampe",
            "Ich bin bis 3. Mai nicht erreichbar.",
        ),
        (
            "Absence du bureau : lampe",
            "Je suis absent jusqu'au 3 mai.",
        ),
        (
            "Fuera de la oficina: lámpara",
            "Estoy de vacaciones hasta el lunes.",
        ),
        ("Assente: lampada", "Sono in ferie fino al 3 maggio."),
        ("Afwezig: lamp", "Ik ben afwezig tot maandag."),
        ("Frånvaro: lampa", "Jag är på semester till måndag."),
        ("Poza biurem: lampa", "Jestem na urlopie do poniedziałku."),
        ("Не в офисе: лампа", "Я в отпуске до понедельника."),
        ("不在通知: ランプ", "休暇中のため、返信が遅れます。"),
        ("外出: 灯", "我目前不在办公室。"),
        ("부재중: 램프", "휴가 중입니다."),
        (
            "Re: Lamp (Out of Office)",
            "I will be out of the office until Monday.",
        ),
    ];
    for (subject, text) in cases {
        let fields = format!("From: Bo Stone <bo@shop.example>\n{TO_US}{subject}");
        let message = format!("To: help@desk.example\n{fields}\n\n{text}\n");
        let found = classified(
            message.as_bytes(),
            "bo@shop.example",
            &["help@desk.example"],
        );
        assert_eq!(found.class, AutoReplied, "{subject}: {found:?}");
    }
}

#[test]
fn receipts_of_desks_and_shops_are_auto_replied() {
    assert_all(
        (AutoReplied, false),
        &[
            (
                "noreply@shop.example",
                "From: Shop <noreply@shop.example>\nSubject: We received your request [#4711]\n\
             In-Reply-To: <1@desk.example>",
                "Thank you for contacting us. Your ticket number is 4711.",
            ),
            (
                "www-data@web.example",
                "From: Kundenservice <service@firma.example>\nSubject: Eingangsbestätigung: Ihre Anfrage\n\
             Auto-Submitted: auto-generated\nIn-Reply-To: <1@desk.example>",
                "Ihre Anfrage ist bei uns eingegangen. Wir melden uns.",
            ),
            (
                "",
                "From: Support <support@vendor.example>\nSubject: Re: lamp",
                "We have received your message and will get back to you.",
            ),
            (
                "info@mairie.example",
                "From: Mairie <info@mairie.example>\nSubject: Accusé de réception\n\
             In-Reply-To: <1@desk.example>\nPrecedence: bulk",
                "Nous avons bien reçu votre message.",
            ),
            (
                "info@azienda.example",
                "From: Azienda <info@azienda.example>\nSubject: Re: lampada\n\
             In-Reply-To: <1@desk.example>\nX-Auto-Response-Suppress: All",
                "Abbiamo ricevuto la Sua richiesta. Questo è un messaggio automatico.",
            ),
            (
                "apache@web.example",
                "From: apache@web.example\nSubject: 【自動返信】お問い合わせありがとうございます",
                "お問い合わせを受け付けました。担当者よりご連絡いたします。",
            ),
        ],
    );
}

#[test]
fn notices_of_devices_shops_and_accounts_are_auto_generated() {
    assert_all(
        (AutoGenerated, false),
        &[
            (
                "nas01@office.example",
                "From: NAS01 <nas01@office.example>\nSubject: [NAS01] Volume 1 degraded\n\
             Message-ID: <1.2@NAS01>",
                "Dear user,\nVolume 1 on NAS01 has degraded. Please replace drive 2.",
            ),
            (
                "copier@office.example",
                "From: Copier <copier@office.example>\nSubject: Scan from Room 2",
                "Please open the attached document. It was scanned and sent to you using a multifunction device.",
            ),
            (
                "ups@office.example",
                "From: UPS <ups@office.example>\nSubject: UPS on battery",
                "Name: UPS1\nLocation: Cellar\nEvent: On battery power\nTime: 03:12:01",
            ),
            (
                "root@web1.example",
                "From: root@web1.example\nSubject: Disk usage on web1",
                "/dev/sda1 91% /\n/dev/sdb1 40% /srv",
            ),
            (
                "monitoring@ops.example",
                "From: Monitoring <monitoring@ops.example>\nSubject: CRITICAL: web1 HTTP",
                "Host: web1\nService: HTTP\nState: CRITICAL\nInfo: connection refused",
            ),
            (
                "shop@store.example",
                "From: Store <shop@store.example>\nSubject: [Store] New order #1234\nX-Mailer: PHPMailer 6.8",
                "You've received the following order from Jo Doe:\n\nOrder total: 12.00",
            ),
            (
                "service@pay.example",
                "From: Pay <service@pay.example>\nSubject: Receipt for your payment\nX-Mailer: JavaMail",
                "Amount paid: 12.00\nDate: 1 May 2026\nReference: 4711\nMethod: card",
            ),
            (
                "noreply@id.example",
                "From: Identity <noreply@id.example>\nSubject: Your verification code",
                "Your one-time code is 123456. If you did not request this, ignore it.",
            ),
            (
                "rechnung@erp.example",
                "From: Firma <rechnung@erp.example>\nSubject: Rechnung 4711\nX-Mailer: SAP Web Application Server",
                "Sehr geehrte Damen und Herren,\nanbei erhalten Sie unsere Rechnung 4711.",
            ),
            (
                "voicemail@pbx.example",
                "From: Voicemail <voicemail@pbx.example>\nSubject: New voice message from 0301234",
                "You have a new voice message. Duration: 0:12",
            ),
            (
                "notifiche@banca.example",
                "From: Banca <notifiche@banca.example>\nSubject: Avviso di addebito",
                "Gentile utente, è stato eseguito un addebito. Questo è un messaggio automatico.",
            ),
            (
                "calendario@citas.example",
                "From: Citas <noreply@citas.example>\nSubject: Recordatorio: su cita",
                "Fecha: 3 de mayo\nHora: 10:00\nLugar: Calle Mayor 1",
            ),
            (
                "0102-1@mail.service.example",
                "From: Kim from Watch <kim@watch.example>\nSubject: shop.example is down\nX-SES-Outgoing: 2026\n\
             Feedback-ID: 1.x:AmazonSES",
                "shop.example has been down since 00:47 UTC.\n\nCheck: HTTPS\nReason: timeout\n\
             Incident: 4711\n\nKim",
            ),
            (
                "alarm@cam.example",
                "From: alarm@cam.example\nSubject: Motion detected",
                "Camera: Yard\nTime: 03:12:01\nEvent: motion",
            ),
            (
                "bk@firma.example",
                "From: Sicherung <backup@firma.example>\nSubject: Datensicherung fehlgeschlagen",
                "Auftrag: Nacht\nErgebnis: Fehler\nDauer: 00:12:10\nGröße: 12 GB",
            ),
        ],
    );
}

#[test]
fn letters_to_many_are_lists() {
    assert_all(
        (List, false),
        &[
            (
                "bounce-1-help=desk.example@news.example",
                "From: Wool News <hello@news.example>\nSubject: Spring is here\nX-SG-EID: abc",
                "New colours for you.\n\nYou are receiving this because you signed up. Unsubscribe here.",
            ),
            (
                "info@haendler.example",
                "From: Händler <info@haendler.example>\nTo: undisclosed-recipients:;\nSubject: Neue Preise",
                "Sehr geehrte Kunden,\nab Mai gelten neue Preise.",
            ),
            (
                "news@tienda.example",
                "From: Tienda <news@tienda.example>\nSubject: Boletín de mayo",
                "Estimados clientes,\nofertas de mayo.\n\nPara darse de baja, responda BAJA.",
            ),
            (
                "jo@sales.example",
                "From: Jo <jo@sales.example>\nSubject: quick idea\nList-Unsubscribe: <https://x.example/u>",
                "Worth a chat about your pipeline? If not, reply \"stop\" and I won't email you again.",
            ),
            (
                "talk-owner@club.example",
                "From: Ann <ann@a.example>\nSender: talk-owner@club.example\nPrecedence: bulk\n\
             Subject: [talk] Meeting",
                "Who comes on Friday?",
            ),
        ],
    );
}

/// People by every way: with unknown programs, from mailboxes and in words like machines'.
#[test]
fn people_with_machine_like_signs_are_human() {
    assert_all(
        (Human, true),
        &[
            (
                "ann@a.example",
                "From: Ann Weaver <ann@a.example>\nSubject: Invoice 4711 failed payment",
                "Hello,\n\nmy payment has failed twice. What should I do?\n\nAnn",
            ),
            (
                "ann@a.example",
                "From: ann@a.example\nSubject: backup",
                "the backup job did not run tonight, please look at it",
            ),
            (
                "ops@a.example",
                "From: Ops <ops@a.example>\nSubject: ALERT: your API is down",
                "Hi, since 03:00 we get 502 from your API. Is there an incident? - Jo",
            ),
            (
                "bo@b.example",
                "From: Bo Stone <bo@b.example>\nSubject: Undeliverable mail",
                "Hi,\n\nmy mail to your sales team could not be delivered. Can you give me another address?\n\nBo Stone",
            ),
            (
                "bo@b.example",
                "From: Bo Stone <bo@b.example>\nSubject: Re: [#12] Lamp\nIn-Reply-To: <1@desk.example>\n\
             X-Mailer: Microsoft Outlook 16.0",
                "Thank you for your message. I am on vacation until Monday, then I will try it.\n\nBo",
            ),
            (
                "bo@b.example",
                "From: Bo Stone <bo@b.example>\nSubject: Re: [#12] Lamp\nIn-Reply-To: <1@desk.example>",
                "We have received your parts, thanks.\n\n> On Monday help@desk.example wrote:\n> ok?",
            ),
            (
                "www-data@host.example",
                "From: visitor@mail.example\nSubject: Order\nX-Mailer: PHPMailer 6.8",
                "Hello, I ordered a lamp on Monday. When does it come?",
            ),
            (
                "wordpress@shop.example",
                "From: Shop <wordpress@shop.example>\nReply-To: kim@mail.example\nSubject: Kontaktformular\n\
             X-Mailer: PHPMailer 6.8",
                "Name: Kim\nE-Mail: kim@mail.example\nNachricht:\nWann kommt die Lampe?",
            ),
            (
                "bounces+1-help=desk.example@em.c.example",
                "From: Kim Lee <kim@c.example>\nSubject: Lamp\nX-SG-EID: abc\n\
             Message-ID: <CAFw1x2y3z4@mail.gmail.example>",
                "Where is my lamp?",
            ),
            (
                "pm_bounces@pm.c.example",
                "From: Kim Lee <kim@c.example>\nSubject: Lamp\nX-PM-Message-Id: 1\nFeedback-ID: s1:pm",
                "Hi there\n\nI can't find the manual. Could you send it to me?\n\nKim",
            ),
            (
                "alerts@c.example",
                "From: Control Room <alerts@c.example>\nSubject: RE: lamp\nIn-Reply-To: <1@desk.example>\n\
             X-Mailer: Microsoft Outlook 16.0",
                "Sorry, that does not work either.",
            ),
            (
                "sys@g.example",
                "From: System Administrator <sys@g.example>\nSubject: mail problem",
                "Our mails to you are returned: 550 5.7.1. Can you whitelist us? I attach the log.",
            ),
            (
                "ed@h.example",
                "From: Ed <ed@h.example>\nSubject: Out of office next week",
                "I will be out of the office next week, please send the parts to my colleague.",
            ),
            (
                "ed@h.example",
                "From: Ed <ed@h.example>\nSubject: Error",
                "Host: shop1\nVersion: 4.2\nError: 500\nUser: ed\n\nSent from my iPhone",
            ),
        ],
    );
}

#[test]
fn people_who_write_of_failures_in_other_languages_are_human() {
    assert_all(
        (Human, true),
        &[
            (
                "suzuki@d.example",
                "From: 鈴木 <suzuki@d.example>\nSubject: ログインに失敗しました",
                "お世話になっております。私のアカウントでログインに失敗しました。どうすればよいですか？\n\n鈴木",
            ),
            (
                "li@d.example",
                "From: 李雷 <li@d.example>\nSubject: 订单问题",
                "你好，我的订单还没有到，请问什么时候发货？\n李雷",
            ),
            (
                "kari@e.example",
                "From: Kari Nordmann <kari@e.example>\nSubject: Påminnelse om faktura",
                "Hei, jeg har fått en påminnelse, men har betalt. Kan dere sjekke?\n\nKari",
            ),
            (
                "eva@f.example",
                "From: Eva Nováková <eva@f.example>\nSubject: Objednávka 4711",
                "Dobrý den,\nobjednávka ještě nedorazila, mám čekat?\nNováková",
            ),
        ],
    );
}

/// Messages of people that no machine may answer all the same.
#[test]
fn some_people_get_no_automatic_answer() {
    assert_all(
        (Human, false),
        &[
            (
                "noreply@forms.example",
                "From: Forms <noreply@forms.example>\nSubject: New submission: Service request",
                "Name: Jo\nEmail: jo@mail.example\nMessage: The lamp blinks, what now?",
            ),
            (
                "",
                "From: Site <site@host.example>\nReply-To: jo@mail.example\nSubject: Contact form",
                "Your name: Jo\nYour e-mail: jo@mail.example\nYour message: I need a lamp. When?",
            ),
            (
                "desk@vendor.example",
                "From: Vendor Desk <desk@vendor.example>\nSubject: INC123 - comments added\n\
             X-ServiceNow-Generated: true\nAuto-Submitted: auto-generated\nPrecedence: bulk",
                "Additional comments\nI ran it and it returns 14 rows. Can I set the rest by hand?",
            ),
        ],
    );
}

/// Marks that the customer's own server adds on the way from one address of the account to another.
#[test]
fn marks_of_the_connected_domain_do_not_count() {
    use gatepost_sdk::directory::{Forwarders, ReceivingDomain};
    use gatepost_sdk::native::Given;
    use gatepost_sdk::{DomainKind, DomainState};

    let of = |domain: &str, kind| ReceivingDomain {
        domain: domain.into(),
        kind,
        state: DomainState::Verified,
        forwarders: Forwarders::default(),
        by_target: false,
    };
    let mails = [
        "To: wool@customer.example\nList-Id: <wool.customer.example>\nPrecedence: list\n\
         Sender: wool-bounces@customer.example\nIn-Reply-To: <1@a.example>\nSubject: Re: wool",
        "To: wool@customer.example\nAuto-Submitted: auto-forwarded\nSubject: wool",
    ];
    let judge = |fields: &str| {
        let message = format!("From: Ann <ann@a.example>\n{fields}\n\nWhere is my wool?\n");
        let found = classified(message.as_bytes(), "ann@a.example", &["help@desk.example"]);
        (found.class, found.reply_allowed)
    };
    let before = mails.map(judge);
    assert_eq!(before, [(List, false), (Human, false)]);
    let destinations = [
        (
            "help@desk.example".to_owned(),
            of("desk.example", DomainKind::Native),
        ),
        (
            "wool@customer.example".to_owned(),
            of("customer.example", DomainKind::OutboundOnly),
        ),
    ];
    let mut given = Given::default();
    given.directory.destinations = destinations.into();
    let _given = given.give();
    assert_eq!(mails.map(judge), [(Human, true), (Human, true)]);
}
