//! People's mail that resembles the mail of services, scripts and circulars.

use gatepost_sdk::MessageClass::*;

use crate::kinds::{Case, assert_all};

#[test]
fn people_who_resemble_services_and_scripts_are_human() {
    assert_all((Human, true), PEOPLE);
}

const PEOPLE: &[Case] = &[
    // Passed on with a question
    (
        "bo@firm.example",
        "From: Bo Stone <bo@firm.example>\nSubject: Fwd: Please DocuSign: Lease.pdf",
        "Hi, is this from you? I did not expect anything to sign.\n\nBo\n\n\
         ---------- Forwarded message ---------\nFrom: Kim via DocuSign <dse@sign.example>\n\nREVIEW DOCUMENT\nDo Not Share This Email",
    ),
    (
        "bo@firm.example",
        "From: Bo Stone <bo@firm.example>\nSubject: DocuSign link",
        "The document you sent through DocuSign says that it has been completed, but we have not signed yet. Please send it again.\nBo Stone",
    ),
    (
        "eva@firma.example",
        "From: Eva Klein <eva@firma.example>\nSubject: WG: Rechnung RE-4711",
        "Hallo,\nim Anhang finden Sie die Rechnung, die wir am Montag bekommen haben. Der Betrag stimmt nicht.\nGruß\nEva Klein",
    ),
    (
        "eva@firma.example",
        "From: Eva Klein <eva@firma.example>\nSubject: Rechnung 4711",
        "Sehr geehrte Damen und Herren,\nanbei unsere Rechnung 4711, fällig am 30.06. Bitte um Überweisung, ich habe die Bankverbindung ergänzt.\nMit freundlichen Grüßen\nEva Klein",
    ),
    (
        "jo@fern.example",
        "From: Jo Fern <jo@fern.example>\nSubject: Invoice 42",
        "Hi,\nplease find attached my invoice for May. Let me know if anything is missing.\nThanks,\nJo",
    ),
    (
        "accounts@fern.example",
        "From: Accounts <accounts@fern.example>\nSubject: Re: your invoice INV-0042\nUser-Agent: Mozilla Thunderbird",
        "The amount outstanding is wrong: you charged us twice. Could you send a corrected one?",
    ),
    (
        "jo@mail.example",
        "From: Jo Doe <jo@mail.example>\nSubject: paypal receipt",
        "I paid on Monday, the transaction ID is 4711XY. PayPal says completed but my order still says unpaid.",
    ),
    (
        "messages@market.example",
        "From: \"Jo Doe via Market\" <messages@market.example>\nReply-To: jo-4f9a2c771@reply.market.example\nSubject: Jo sent you a message about the lamp",
        "Jo Doe wrote:\n\nHello, is the lamp still available? I could come on Saturday.\n\nReply to this email to answer Jo.",
    ),
    (
        "noreply@portal.example",
        "From: \"Kim Lee via Portal\" <noreply@portal.example>\nReply-To: kim@mail.example\nSubject: Question about the flat",
        "Good morning, I would like to see the flat on Main Street. When can I come?\n\nKim Lee",
    ),
    // About bounces
    (
        "admin@firma.example",
        "From: Jan Novák <admin@firma.example>\nSubject: Nedoručená zpráva",
        "Dobrý den,\nnaše zpráva pro vás nebyla doručena, vrátilo se: 550 5.7.1. Můžete to prověřit?\nNovák",
    ),
    (
        "sato@kaisha.example",
        "From: 佐藤 <sato@kaisha.example>\nSubject: メールが届きませんでした",
        "お世話になっております。昨日そちらの info@desk.example にお送りしたメールが届きませんでした。私の設定に問題があるのでしょうか？\n\n佐藤",
    ),
    (
        "wang@gongsi.example",
        "From: 王伟 <wang@gongsi.example>\nSubject: 邮件被退回",
        "你好，我发给 sales@desk.example 的邮件被退回了，请问正确的地址是什么？\n王伟",
    ),
    (
        "ivan@mail.example",
        "From: Иван Петров <ivan@mail.example>\nSubject: Письмо не доставлено",
        "Здравствуйте! Мое письмо на sales@desk.example не доставлено. Какой у вас адрес?\nИван",
    ),
    (
        "kim@hoesa.example",
        "From: 김민수 <kim@hoesa.example>\nSubject: 메일이 반송되었습니다",
        "안녕하세요, 제가 보낸 메일이 반송되었습니다. 주소가 바뀌었나요?\n김민수",
    ),
    (
        "tech@isp.example",
        "From: Tech <tech@isp.example>\nSubject: rejected mail from your server",
        "Hello,\nyour server 192.0.2.1 was rejected here because of a missing PTR.\n\nTo: a@isp.example\nSubject: hello\nError: 450 4.7.1\n\nPlease fix, then I can lift the block.\nRegards, Tim",
    ),
    (
        "mod@list.example",
        "From: Ann Weaver <mod@list.example>\nSubject: your posting",
        "I rejected your posting to the wool list because it was an advert. Please don't take it amiss.\nAnn",
    ),
    (
        "ops@firm.example",
        "From: Ola Berg <ops@firm.example>\nSubject: Weekly bounce report missing",
        "Hi, we used to get the weekly bounce digest every Monday, since May it has not come. Can you look?\nOla",
    ),
    (
        "ops@firm.example",
        "From: Ola Berg <ops@firm.example>\nSubject: Your mails are in quarantine",
        "Hi, your last three messages were held in our quarantine as spam, I have released them. You may want to check your SPF.\nOla Berg",
    ),
    (
        "ops@firma.example",
        "From: Ute Lang <ops@firma.example>\nSubject: Nachrichten in Quarantäne",
        "Hallo, die folgenden Nachrichten von Ihnen liegen bei uns in Quarantäne, ich kann sie nicht freigeben. Was ist da los?\nUte Lang",
    ),
    // Circulars that want answers, and colleagues
    (
        "ann@club.example",
        "From: Ann Weaver <ann@club.example>\nTo: a@a.example, b@b.example, c@c.example, d@d.example, e@e.example,\n \
         f@f.example, g@g.example, h@h.example, help@desk.example, i@i.example, j@j.example, k@k.example, l@l.example\n\
         Subject: Meeting on Friday\nX-Mailer: Apple Mail (2.3)",
        "Hi everyone,\n\nwho can come on Friday? Please let me know by Wednesday, I have to book the room.\n\nAnn",
    ),
    (
        "bo@partner.example",
        "From: Bo Stone <bo@partner.example>\nTo: help@desk.example, ops@a.example, noc@b.example, c@c.example, d@d.example\n\
         Subject: Outage on Monday",
        "Dear all,\n\nI need the log files from each of you for Monday, 3 to 5. Can you send them by tonight?\n\nBo",
    ),
    (
        "kari@kommune.example",
        "From: Kari Nordmann <kari@kommune.example>\nSubject: Rundskriv 4",
        "Hei, jeg fikk rundskriv 4 fra dere, men vedlegget mangler. Kan dere sende det på nytt?\n\nKari",
    ),
    (
        "hal@mail.example",
        "From: Hal Brown <hal@mail.example>\nSubject: newsletter",
        "I still get your newsletter though I clicked on unsubscribe twice. Take me off.\nHal Brown",
    ),
    (
        "inge@mail.example",
        "From: Inge Maier <inge@mail.example>\nSubject: Abmelden",
        "Bitte nehmen Sie mich vom Verteiler, ich möchte den Newsletter nicht mehr erhalten.\nInge Maier",
    ),
    (
        "vera@mail.example",
        "From: Вера <vera@mail.example>\nSubject: рассылка",
        "Как отписаться от рассылки? Я нажимала на ссылку, не помогает.\nВера",
    ),
    // About automatic messages and tickets
    (
        "bo@firm.example",
        "From: Bo Stone <bo@firm.example>\nSubject: Re: Case 00551120 has been created: lamp",
        "Why did I get this? I have not written to you. It says this is an automatic message, please do not reply, but whom do I ask?\n\nBo",
    ),
    (
        "bo@firm.example",
        "From: Bo Stone <bo@firm.example>\nSubject: Ticket 4711 opened twice",
        "Hello, for the same mail a ticket has been opened twice: 4711 and 4712. Please close one.\nBo Stone",
    ),
    (
        "root@vps.example",
        "Received: by vps.example (Postfix, from userid 0) id 12; Mon, 1 Jan 2024 00:00:00 +0100\n\
         From: Ola Berg <ola@vps.example>\nSubject: DNS\nUser-Agent: s-nail v14.9",
        "Hi, I need a second name server for vps.example, what do I enter?\nOla",
    ),
    (
        "ola@shell.example",
        "Received: by shell.example (Postfix, from userid 1004) id 12; Mon, 1 Jan 2024 00:00:00 +0100\n\
         From: Ola Berg <ola@shell.example>\nSubject: backup failed",
        "the backup job failed again tonight, exit code 23, see the log. what should be done\nola",
    ),
    (
        "www-data@host.example",
        "Received: by host.example (Postfix, from userid 33) id 12; Mon, 1 Jan 2024 00:00:00 +0100\n\
         From: jo@mail.example\nSubject: Kontaktanfrage\nX-PHP-Originating-Script: 33:kontakt.php",
        "Guten Tag, die Lampe flackert seit gestern. Was soll ich tun? Jo",
    ),
    (
        "info@laden.example",
        "From: Rosa Laden <info@laden.example>\nSubject: Betriebsferien",
        "Guten Tag,\nwir haben vom 5. bis 25. August geschlossen. Bitte liefern Sie die Kartons erst danach, ich bestätige es Ihnen noch.\nRosa Laden",
    ),
    (
        "marc@atelier.example",
        "From: Marc Petit <marc@atelier.example>\nSubject: Re: devis\nIn-Reply-To: <1@desk.example>",
        "Bonjour, bien reçu votre message, merci. Je serai absent la semaine prochaine, pouvez-vous livrer après ?\n\nMarc",
    ),
    (
        "no-reply@verlag.example",
        "From: Hedwig Stern <no-reply@verlag.example>\nReply-To: Hedwig Stern <no-reply@verlag.example>\nSubject: Adresse\n\
         User-Agent: eM_Client/9.2\nContent-Type: text/plain; format=flowed; charset=utf-8",
        "Guten Tag,\n\nmein Neffe hat mir diese Adresse gegeben, ich lese alles selbst.\nKönnen Sie mich als Kundin anlegen?\n\nHedwig Stern",
    ),
    (
        "sales@maker.example",
        "From: Kim Lee <sales@maker.example>\nSubject: Your order 4711\nX-Mailer: Microsoft Outlook 16.0",
        "Hello,\nyour order has been shipped today, tracking number 12345. Let me know when it has arrived.\nKim",
    ),
    (
        "hotel@pension.example",
        "From: Pension Rose <hotel@pension.example>\nSubject: Buchung 3. Mai",
        "Guten Tag, vielen Dank für Ihre Buchung. Leider ist das Zimmer am 4. Mai belegt, können Sie auch am 5. kommen? Ich halte es bis morgen frei.\nRosa",
    ),
    (
        "assist@firm.example",
        "From: Kim Lee <assist@firm.example>\nSubject: Document for signature",
        "Dear Sir or Madam,\nplease sign the attached document and return it to me by post. Two copies, initials on every page.\nKind regards\nKim Lee",
    ),
];
