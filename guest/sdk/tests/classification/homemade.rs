//! Mail of home-made scripts: bounces and answers in words that no template has, and help desks'
//! messages about an opened ticket.

use gatepost_sdk::MessageClass::*;

use crate::kinds::{Case, assert_all};

#[test]
fn bounces_of_scripts_in_many_languages_are_found() {
    assert_all((Bounce, false), BOUNCES);
}

const BOUNCES: &[Case] = &[
    (
        "owner-order@shop.example",
        "Received: by www8.host.example (Postfix, from userid 48) id 54024; Tue, 12 Dec 2023 16:31:52 +0900\n\
         From: 店舗メール管理 <owner-order@shop.example>\nSubject: 【不達】お送りいただいたメールをお届けできません\n\
         X-Mailer: jcode-mailproc v1.8",
        "お送りいただいた下記のメールは、宛先のアドレスが存在しないため、お届けできませんでした。\n\n\
         件名: Re: Invoice 2111\n宛先: order-en@shop.example\nエラー: 550 User unknown\n\n\
         (本メールはプログラムが自動送信しています)",
    ),
    (
        "ml-admin@kaisha.example",
        "From: メーリングリスト管理 <ml-admin@kaisha.example>\nSubject: メールが届きませんでした",
        "次のアドレスへのメールは届きませんでした。\n\n宛先: sato@kaisha.example\n理由: メールボックスの容量を超えています\n\n元の件名: Re: ランプ",
    ),
    (
        "www-data@kaisha.example",
        "From: 受付システム <uketsuke@kaisha.example>\nSubject: 送信先エラー：Re: お見積り\nX-PHP-Originating-Script: 33:bounce.php",
        "ご送信いただいたメールは宛先不明のため返送されました。\n宛先 suzuki@kaisha.example\n550 5.1.1 User unknown",
    ),
    (
        "mailsystem@gongsi.example",
        "From: 邮件系统 <mailsystem@gongsi.example>\nSubject: 邮件未能送达：Re: 灯",
        "您发送给 wang@gongsi.example 的邮件未能送达。\n原因：收件人地址不存在\n\n此邮件由系统自动发送，请勿回复。",
    ),
    (
        "admin@gongsi.example",
        "From: 系統管理員 <admin@gongsi.example>\nSubject: 郵件退回通知",
        "您寄給 lin@gongsi.example 的郵件無法寄達，已退回。\n原因：信箱已滿\n\n本郵件由系統自動發出。",
    ),
    (
        "mailadmin@hoesa.example",
        "From: 메일관리자 <mailadmin@hoesa.example>\nSubject: 메일이 전달되지 못했습니다: Re: 램프",
        "보내신 메일이 kim@hoesa.example 에게 전달되지 못했습니다.\n사유: 존재하지 않는 사용자입니다.\n\n본 메일은 발신 전용입니다.",
    ),
    (
        "mailer@firma.example",
        "Received: by srv1.firma.example (Postfix, from userid 33) id 12; Mon, 1 Jan 2024 00:00:00 +0100\n\
         From: Mailverteiler <mailer@firma.example>\nSubject: Ihre Nachricht wurde nicht zugestellt: Re: Lampe",
        "Ihre Nachricht an vertrieb@firma.example konnte nicht zugestellt werden, weil das Postfach nicht mehr existiert.\n\n\
         Diese Mail wurde automatisch erzeugt.",
    ),
    (
        "liste@verein.example",
        "From: Listenserver <liste@verein.example>\nSubject: Zurückgewiesen: Re: Lampe",
        "Ihre E-Mail an vorstand@verein.example wurde abgewiesen: Nur Mitglieder dürfen an diese Liste schreiben.\n\
         Ihre Nachricht wurde nicht zugestellt. Dies ist eine automatische Nachricht.",
    ),
    (
        "robot@societe.example",
        "From: Robot courrier <robot@societe.example>\nSubject: Votre courriel n'a pas pu être remis : Re: lampe",
        "Votre message à l'attention de ventes@societe.example n'a pas pu être remis : adresse inexistante.\n\n\
         Ceci est un message automatique.",
    ),
    (
        "correo@empresa.example",
        "From: Servidor de correo <correo@empresa.example>\nSubject: Su mensaje no ha podido ser entregado",
        "Su mensaje dirigido a ventas@empresa.example no ha podido ser entregado porque la dirección no existe.\n\nAsunto: Re: lámpara\n\n\
         Mensaje generado automáticamente.",
    ),
    (
        "sistema@empresa.example",
        "From: Sistema de e-mail <sistema@empresa.example>\nSubject: E-mail devolvido: Re: luminária",
        "O seu e-mail para vendas@empresa.example foi devolvido: caixa postal inexistente.\n\nMensagem automática, por favor não responda.",
    ),
    (
        "sistema@azienda.example",
        "From: Sistema di posta <sistema@azienda.example>\nSubject: Messaggio non recapitato: Re: lampada",
        "Il Suo messaggio a vendite@azienda.example non è stato recapitato: indirizzo inesistente.\n\nMessaggio automatico, non rispondere.",
    ),
    (
        "system@bedrijf.example",
        "From: Mailsysteem <system@bedrijf.example>\nSubject: Uw bericht is niet afgeleverd: Re: lamp",
        "Uw bericht aan verkoop@bedrijf.example kon niet worden afgeleverd: het adres bestaat niet.\n\nDit is een automatisch bericht.",
    ),
    (
        "system@firma.example",
        "From: System pocztowy <system@firma.example>\nSubject: Wiadomość nie została dostarczona: Re: lampa",
        "Państwa wiadomość do sprzedaz@firma.example nie została dostarczona. Powód: adres nie istnieje.\n\nWiadomość wygenerowana automatycznie.",
    ),
    (
        "posta@firma.example",
        "From: Poštovní systém <posta@firma.example>\nSubject: Zpráva nebyla doručena: Re: lampa",
        "Vaše zpráva pro prodej@firma.example nebyla doručena, protože adresa neexistuje.\n\nAutomaticky generovaná zpráva.",
    ),
    (
        "robot@kompania.example",
        "From: Почтовый робот <robot@kompania.example>\nSubject: Письмо возвращено: Re: лампа",
        "Ваше письмо на адрес prodazhi@kompania.example не доставлено: адрес не существует.\n\nЭто письмо отправлено автоматически.",
    ),
    (
        "sistem@firma.example",
        "From: Posta Sistemi <sistem@firma.example>\nSubject: İletiniz teslim edilemedi: Re: lamba",
        "satis@firma.example adresine gönderdiğiniz e-posta teslim edilemedi. Sebep: kullanıcı bulunamadı.\n\nBu e-posta otomatik olarak gönderilmiştir.",
    ),
    (
        "system@foretag.example",
        "From: Postsystem <system@foretag.example>\nSubject: Ditt meddelande kunde inte levereras",
        "Ditt meddelande till salj@foretag.example kunde inte levereras eftersom adressen inte finns.\n\nDetta är ett automatiskt meddelande.",
    ),
    (
        "system@ceg.example",
        "From: Levelezőrendszer <system@ceg.example>\nSubject: A levél nem kézbesíthető: Re: lámpa",
        "Az eladas@ceg.example címre küldött levele nem kézbesíthető, mert a cím nem létezik.\n\nEz egy automatikus üzenet.",
    ),
    (
        "he@thong.example",
        "From: Hệ thống thư <he@thong.example>\nSubject: Thư không gửi được: Re: đèn",
        "Thư của bạn gửi tới ban@thong.example không gửi được vì địa chỉ không tồn tại.\n\nEmail này được gửi tự động.",
    ),
    (
        "ticket@vendor.example",
        "From: Vendor Intake <ticket@vendor.example>\nSubject: Your email was not accepted: Re: lamp\nX-PHP-Originating-Script: 1001:pipe.php",
        "Your email to billing@vendor.example was not accepted because the address is closed.\n\n\
         To: billing@vendor.example\nSubject: Re: lamp\nReason: mailbox closed\n\nThis is an automated message.",
    ),
    (
        "sms@gateway.example",
        "From: SMS Gateway <sms@gateway.example>\nSubject: Message to +4915112345 failed",
        "Your message to +4915112345@gateway.example could not be delivered.\nReason: number unknown\n\nThis is an automated message, please do not reply.",
    ),
    (
        "listserv@lists.example",
        "From: \"L-Soft list server (16.5)\" <LISTSERV@lists.example>\nSubject: Rejected posting to WOOL-L@lists.example",
        "You are not authorized to send mail to the WOOL-L list from your help@desk.example account. Your message was rejected.",
    ),
    (
        "sympa-request@lists.example",
        "From: SYMPA <sympa@lists.example>\nSubject: Message distribution: rejected\nAuto-Submitted: auto-generated",
        "Your message to wool@lists.example was not distributed: you are not allowed to send to this list. It has been rejected.",
    ),
];

#[test]
fn refusals_by_a_recipients_filter_are_bounces() {
    // RFC 5429 section 2.1.2: `reject` answers with a disposition report, though it refuses.
    let with = |subject: &str, from: &str, text: &str| {
        format!(
            "From: {from}\nTo: help@desk.example\nSubject: {subject}\nAuto-Submitted: auto-replied (rejected)\n\
             Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\
             Content-Type: text/plain; charset=utf-8\n\n{text}\n--b\n\
             Content-Type: message/disposition-notification\n\nReporting-UA: x; Sieve\n\
             Final-Recipient: rfc822; bo@x.example\n\
             Disposition: automatic-action/MDN-sent-automatically; deleted\n\n--b--\n"
        )
    };
    let class = |path: &str, mail: &str| {
        crate::classified(mail.as_bytes(), path, &["help@desk.example"]).class
    };
    const SYSTEM: &str = "Mail Delivery Subsystem <postmaster@x.example>";
    for (subject, from, text) in [
        (
            "Automatically rejected mail",
            SYSTEM,
            "Your message to <bo@x.example> was automatically rejected:\nI take no mail from shops.",
        ),
        (
            "Rejected: Re: lamp",
            SYSTEM,
            "Your message to <bo@x.example> was automatically rejected:\nNo.",
        ),
        (
            "Automatically rejected mail",
            "Mail Sieve Subsystem <postmaster@x.example>",
            "Your message was automatically rejected by Sieve, a mail filtering language.\n\n\
             The following reason was given:\nNein danke.",
        ),
        (
            "Rejected: lamp",
            "bo@x.example",
            "Your message was refused by the recipient's filter and was not delivered.",
        ),
        (
            "Abgelehnt: Lampe",
            "postmaster@x.example",
            "Ihre Nachricht wurde vom Filter des Empfängers abgelehnt.",
        ),
    ] {
        assert_eq!(class("", &with(subject, from, text)), Bounce, "{subject}");
    }
    for (subject, from, text) in [
        (
            "Not read: lamp",
            "Bo <bo@x.example>",
            "Your message\n\nTo: Bo\nSubject: lamp\nSent: Monday\n\nwas deleted without being read on Tuesday.",
        ),
        (
            "Ungelesen gelöscht: Lampe",
            "Bo <bo@x.example>",
            "Ihre Nachricht wurde am Dienstag ungelesen gelöscht.",
        ),
        (
            "Read: lamp",
            "Bo <bo@x.example>",
            "Your message was read on Monday.",
        ),
    ] {
        assert_eq!(
            class("", &with(subject, from, text)),
            AutoReplied,
            "{subject}"
        );
    }
}

#[test]
fn answers_of_scripts_and_desks_are_auto_replied() {
    assert_all((AutoReplied, false), SCRIPTS);
    assert_all((AutoReplied, false), DESKS);
}

const SCRIPTS: &[Case] = &[
    (
        "www@srv9.host.example",
        "Received: by srv9.host.example (Postfix, from userid 33) id AB79; Fri, 28 Apr 2023 16:32:48 +0200\n\
         From: Tende Rossi <info@tende.example>\nSubject: Chiusura estiva - Rif: Re: Preventivo\n\
         X-PHP-Originating-Script: 1041:risposta.php",
        "Gentile Cliente,\n\nabbiamo ricevuto la Sua e-mail \"Re: Preventivo\". L'azienda rimarrà chiusa per ferie dal 5 al 25 agosto.\n\n\
         Risposta automatica, si prega di non rispondere.",
    ),
    (
        "www-data@web.example",
        "From: Praxis Dr. Klein <info@praxis.example>\nSubject: Praxisurlaub\nX-PHP-Originating-Script: 1000:urlaub.php",
        "Vielen Dank für Ihre Nachricht. Unsere Praxis ist vom 5. bis 25. August geschlossen.\n\nDies ist eine automatische Antwort.",
    ),
    (
        "apache@web.example",
        "From: Cabinet Martin <contact@cabinet.example>\nSubject: Congés d'été - Re: devis\nX-Mailer: PHP/7.4",
        "Bonjour,\n\nNous avons bien reçu votre message. Le cabinet est fermé du 5 au 25 août.\n\nMessage automatique, merci de ne pas y répondre.",
    ),
    (
        "nobody@web.example",
        "From: Talleres Ruiz <info@ruiz.example>\nSubject: Cerrado por vacaciones (Re: presupuesto)\nX-Mailer: PHP/8.1",
        "Hemos recibido su correo \"Re: presupuesto\". Permaneceremos cerrados por vacaciones del 5 al 25 de agosto.\n\nRespuesta automática.",
    ),
    (
        "www-data@web.example",
        "From: Oficina Silva <info@silva.example>\nSubject: Férias coletivas - Re: orçamento\nX-PHP-Originating-Script: 1000:auto.php",
        "Recebemos o seu e-mail. Estaremos em férias coletivas de 5 a 25 de janeiro.\n\nResposta automática, não responda.",
    ),
    (
        "www-data@web.example",
        "From: Warsztat <biuro@warsztat.example>\nSubject: Przerwa urlopowa - Re: wycena\nX-PHP-Originating-Script: 1000:auto.php",
        "Otrzymaliśmy Państwa wiadomość. W dniach 5-25 sierpnia nasza firma jest nieczynna.\n\nWiadomość automatyczna, prosimy nie odpowiadać.",
    ),
    (
        "www-data@web.example",
        "From: Autoservis <info@servis.example>\nSubject: Dovolená - Re: poptávka\nX-PHP-Originating-Script: 1000:auto.php",
        "Děkujeme za Vaši zprávu. Od 5. do 25. srpna máme zavřeno.\n\nAutomatická odpověď.",
    ),
    (
        "www-data@web.example",
        "From: Werkplaats <info@werkplaats.example>\nSubject: Gesloten wegens vakantie - Re: offerte\nX-PHP-Originating-Script: 1000:auto.php",
        "Wij hebben uw e-mail ontvangen. Wij zijn gesloten van 5 tot 25 augustus.\n\nDit is een automatisch antwoord.",
    ),
    (
        "apache@web.example",
        "From: 株式会社山田 <info@yamada.example>\nSubject: 夏季休業のお知らせ（Re: 見積）\nX-Mailer: PHP/7.4",
        "メールを受信いたしました。8月5日から25日まで夏季休業のため、返信が遅れます。\n\nこのメールは自動返信です。",
    ),
    (
        "www@web.example",
        "From: 公司客服 <kefu@gongsi.example>\nSubject: 已收到您的邮件：Re: 报价\nX-Mailer: PHP/7.4",
        "您好，您的来信我们已收到，将尽快回复。\n\n本邮件为系统自动回复，请勿回复。",
    ),
    (
        "www@web.example",
        "From: Мастерская <info@master.example>\nSubject: Мы в отпуске (Re: заказ)\nX-PHP-Originating-Script: 1000:auto.php",
        "Здравствуйте! Ваше письмо получено. С 5 по 25 августа мастерская не работает.\n\nЭто автоматический ответ.",
    ),
    (
        "www-data@web.example",
        "From: Atölye <bilgi@atolye.example>\nSubject: Yıllık izin - Re: teklif\nX-PHP-Originating-Script: 1000:auto.php",
        "E-postanız bize ulaştı. 5-25 Ağustos arasında kapalıyız.\n\nBu otomatik bir yanıttır.",
    ),
];

const DESKS: &[Case] = &[
    (
        "noreply@yards.example",
        "From: Yards Customer Care <noreply@yards.example>\nReply-To: noreply@yards.example\n\
         Subject: Case 00551120 has been created: Re: saw blade [ ref:!00D41.!500Ux:ref ]\n\
         X-SFDC-EmailCategory: autoResponseCase\nPrecedence: bulk\nX-Auto-Response-Suppress: All",
        "Howdy,\n\nWe've got your email and created case 00551120. Somebody will be in touch.\n\nThis mailbox is not monitored.",
    ),
    (
        "support@vendor.example",
        "From: Vendor Support <support@vendor.example>\nSubject: [Ticket ID: 4711] Re: lamp\nX-Mailer: PHPMailer 6.8",
        "Thank you for contacting our support team. A support ticket has now been opened for your request. You will be notified when a response is made by email.\n\n\
         Subject: Re: lamp\nPriority: Medium\nStatus: Open",
    ),
    (
        "noreply@vendor.example",
        "From: Service Desk <noreply@vendor.example>\nSubject: Request 4711 logged: Re: lamp\nAuto-Submitted: auto-generated",
        "Your email has been logged as request 4711. The service desk will contact you.",
    ),
    (
        "service@firma.example",
        "From: IT-Service <noreply@firma.example>\nSubject: Ihr Ticket 4711 wurde angelegt: Re: Lampe\nPrecedence: bulk",
        "Guten Tag,\n\nzu Ihrer E-Mail wurde das Ticket 4711 angelegt. Wir kümmern uns darum.",
    ),
    (
        "noreply@firma.example",
        "From: Kundendienst <noreply@firma.example>\nSubject: Vorgang 4711 eröffnet",
        "Wir haben Ihre Mail erhalten und den Vorgang 4711 eröffnet. Bitte geben Sie die Nummer bei Rückfragen an.",
    ),
    (
        "ne-pas-repondre@societe.example",
        "From: Assistance <ne-pas-repondre@societe.example>\nSubject: Votre ticket 4711 a été créé",
        "Bonjour,\n\nVotre courriel a été enregistré sous le numéro 4711. Un technicien va vous répondre.",
    ),
    (
        "noreply@empresa.example",
        "From: Soporte <noreply@empresa.example>\nSubject: Caso 4711 creado: Re: lámpara\nAuto-Submitted: auto-generated",
        "Hemos recibido su correo y hemos creado el caso 4711. Le responderemos lo antes posible.",
    ),
    (
        "noreply@empresa.example",
        "From: Suporte <noreply@empresa.example>\nSubject: Chamado 4711 aberto",
        "Recebemos sua mensagem. Seu chamado foi aberto com o número 4711. Em breve entraremos em contato.",
    ),
    (
        "noreply@azienda.example",
        "From: Assistenza <noreply@azienda.example>\nSubject: Ticket 4711 aperto: Re: lampada",
        "Abbiamo ricevuto la Sua e-mail e aperto il ticket 4711. Le risponderemo al più presto.",
    ),
    (
        "noreply@bedrijf.example",
        "From: Servicedesk <noreply@bedrijf.example>\nSubject: Melding 4711 aangemaakt\nAuto-Submitted: auto-generated",
        "Uw e-mail is ontvangen en geregistreerd onder nummer 4711. Wij nemen zo spoedig mogelijk contact met u op.",
    ),
    (
        "noreply@firma.example",
        "From: Pomoc <noreply@firma.example>\nSubject: Zgłoszenie 4711 zostało utworzone",
        "Otrzymaliśmy Państwa wiadomość. Zgłoszenie zostało zarejestrowane pod numerem 4711.",
    ),
    (
        "noreply@firma.example",
        "From: Podpora <noreply@firma.example>\nSubject: Požadavek 4711 byl vytvořen",
        "Děkujeme za Vaši zprávu. Váš požadavek byl zaevidován pod číslem 4711.",
    ),
    (
        "noreply@kompania.example",
        "From: Поддержка <noreply@kompania.example>\nSubject: Заявка 4711 создана",
        "Мы получили ваше письмо. Ваша заявка зарегистрирована под номером 4711.",
    ),
    (
        "noreply@firma.example",
        "From: Destek <noreply@firma.example>\nSubject: 4711 numaralı talebiniz oluşturuldu",
        "Talebiniz alınmıştır. En kısa sürede size dönüş yapılacaktır.",
    ),
    (
        "noreply@kaisha.example",
        "From: サポート窓口 <noreply@kaisha.example>\nSubject: 【受付番号4711】お問い合わせを受け付けました",
        "お問い合わせいただきありがとうございます。受付番号は4711です。担当者よりご連絡いたします。",
    ),
    (
        "noreply@hoesa.example",
        "From: 고객센터 <noreply@hoesa.example>\nSubject: 문의가 접수되었습니다 [4711]",
        "고객님의 문의가 접수되었습니다. 빠른 시일 내에 답변드리겠습니다.",
    ),
    (
        "noreply@foretag.example",
        "From: Kundtjänst <noreply@foretag.example>\nSubject: Ärende 4711 har skapats",
        "Vi har tagit emot ditt mejl. Ditt ärende har nummer 4711. Vi återkommer så snart vi kan.",
    ),
    (
        "noreply@firma.example",
        "From: Kundeservice <noreply@firma.example>\nSubject: Sag 4711 er oprettet",
        "Vi har modtaget din henvendelse. Sagen er oprettet som nummer 4711.",
    ),
    (
        "noreply@yritys.example",
        "From: Asiakaspalvelu <noreply@yritys.example>\nSubject: Tukipyyntö 4711 on vastaanotettu",
        "Olemme vastaanottaneet viestisi. Palaamme asiaan mahdollisimman pian.",
    ),
];
