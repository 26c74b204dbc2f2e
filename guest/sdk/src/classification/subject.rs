//! Evidence of a subject. It is weak, because people write such words too.
//!
//! A phrase counts only at the beginning, followed by the end or by punctuation, as machines write
//! it; behind `Re:` or inside a sentence it is a person's.

use super::phrases::{ABSENCE, AUTOMATIC, BOUNCE, CHALLENGES, MACHINE_SUBJECTS, NEWSLETTERS};
use super::rule::Rule;
use super::words::WordList;

/// Returns the rule that a subject in [lower] case meets.
pub(super) fn rule(lower: &str) -> Option<Rule> {
    if is_mail_report(lower) {
        return Some(Rule::MailReport);
    }
    if is_program_subject(lower) {
        return Some(Rule::MachineSubject);
    }
    if CHALLENGES.beginning(lower).next().is_some() {
        return Some(Rule::Challenge);
    }
    // Mailman's reply to a writer who may not post to the list.
    if lower.starts_with("your message to ") && lower.ends_with("awaits moderator approval") {
        return Some(Rule::HeldByList);
    }
    let subject = without_tags(lower);
    if let Some(rest) = subject.strip_prefix("auto:") {
        // Domino: `AUTO: Ann Weaver is out of the office (returning 2026-05-02)`. Other subjects
        // with `AUTO:` may be about a car.
        return if is_domino_absence(rest) {
            Some(Rule::AwaySubject)
        } else {
            is_answer(rest.trim_start()).then_some(Rule::AutomaticSubject)
        };
    }
    let (mut absent, mut rest) = (false, subject);
    loop {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        if let Some(after) = after_longest_phrase(rest, &AUTOMATIC) {
            // A program puts the phrase before the subject of the message that it answers.
            let of_answer = after
                .trim_start()
                .strip_prefix([':', '：'])
                .map(str::trim_start);
            if of_answer.is_some_and(|of| of.starts_with('[') || is_answer(of)) {
                return Some(Rule::AwaySubject);
            }
            let alone = stands_alone(rest, after) || begins_with_any(after);
            return alone.then_some(Rule::AutomaticSubject);
        }
        if after_longest_phrase(rest, &BOUNCE).is_some_and(|after| stands_alone(rest, after)) {
            return Some(Rule::BounceSubject);
        }
        match after_longest_phrase(rest, &ABSENCE) {
            Some(after) if stands_alone(rest, after) => {
                // Before the subject of what it answers, a program has put it there.
                let of_answer = after.trim_start().strip_prefix([':', '：']);
                let fixed = of_answer.is_some_and(|of| is_answer(of.trim_start()));
                return Some(match fixed {
                    true => Rule::AwaySubject,
                    false => Rule::AbsenceSubject,
                });
            }
            // `Out of Office AutoReply:`
            Some(after) if after.starts_with(' ') && !absent => {
                absent = true;
                rest = after;
            }
            _ => break,
        }
    }
    // `Ann Weaver is out of the office (returning 2 May)`, of old Domino
    (is_domino_absence(subject) && !is_answer(subject)).then_some(Rule::AbsenceSubject)
}

/// Returns true for the words of Domino's out-of-office agent, which follows the language of the
/// mail database.
fn is_domino_absence(subject: &str) -> bool {
    static WORDS: WordList = WordList::new(&[
        "is out of the office",
        "ist außer haus",
        "ist nicht im büro",
        "est absent",
        "est absente",
        "está fuera de la oficina",
        "está fora do escritório",
        "è fuori ufficio",
        "is niet aanwezig",
        "is afwezig",
        "är inte på kontoret",
        "er ikke på kontoret",
        "er ikke til stede",
        "je mimo kancelář",
        "jest poza biurem",
        "nincs az irodában",
        "ofis dışında",
        "は不在です",
        "不在办公室",
        "不在辦公室",
    ]);
    WORDS.is_in(subject)
}

/// Returns true if a program or device begins its subjects so.
fn is_program_subject(subject: &str) -> bool {
    if MACHINE_SUBJECTS.beginning(subject).next().is_some() {
        return true;
    }
    // Veeam: `[Warning] job (2 objects) 1 warning`
    let outcomes = ["[success] ", "[warning] ", "[failed] ", "[error] "];
    let counted = [" objects)", " object)", " machines)", " machine)", " vms)"];
    outcomes.iter().any(|outcome| subject.starts_with(outcome))
        && counted.iter().any(|count| subject.contains(count))
}

/// Returns true if a subject in [lower] case ends with an absence in brackets, as GroupWise writes it: `Re: lamp
/// (Out of Office)`.
pub(super) fn ends_with_absence(lower: &str) -> bool {
    let Some((before, tag)) = lower
        .strip_suffix([')', ']'])
        .and_then(|it| it.rsplit_once(['(', '[']))
    else {
        return false;
    };
    !before.trim().is_empty()
        && [&AUTOMATIC, &ABSENCE].iter().any(|phrases| {
            after_longest_phrase(tag.trim(), phrases).is_some_and(|after| after.trim().is_empty())
        })
}

/// Returns true for the subject, in [lower] case, of a letter to many.
pub(super) fn is_newsletter(lower: &str) -> bool {
    !is_answer(without_tags(lower)) && (NEWSLETTERS.is_in(lower) || has_issue(lower))
}

/// Returns true if the subject has the number of an issue: `第312号`, `Ausgabe 12`, `Issue #7`.
fn has_issue(lower: &str) -> bool {
    #[rustfmt::skip]
    static ISSUES: WordList = WordList::new(&[
        "issue ", "issue #", "ausgabe ", "numéro ", "edition ", "édition ", "edición ", "edição ",
        "edizione ", "nummer ", "numer ", "číslo ", "выпуск ", "випуск ", "sayı ", "sayi ", "第",
        "제", "comunicato ", "comunicado ", "communiqué ", "mitteilung ", "rundmail ",
        "rundschreiben ", "circular ", "circolare ", "circulaire ", "rondschrijven ",
    ]);
    ISSUES.found(lower).any(|(at, word)| {
        let before = lower.get(..at).and_then(|text| text.chars().next_back());
        let rest = lower.get(at + word.len()..).unwrap_or_default();
        let rest = rest.trim_start_matches(['#', ' ', 'n', 'º', '°', '.', 'r']);
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = behind.len() < rest.len();
        let counted = word.is_ascii()
            || !matches!(word, "第" | "제")
            || behind.starts_with(['号', '號', '期', '호']);
        number && counted && (!word.is_ascii() || before.is_none_or(|c| !c.is_alphanumeric()))
    })
}

/// Returns true if the subject says that a ticket was opened, by a word for a ticket, one for the
/// event, and a number: `Case 4711 has been created`, `Vorgang 4711 eröffnet`.
pub(super) fn is_ticket_opened(plain: &str) -> bool {
    #[rustfmt::skip]
    static TICKETS: WordList = WordList::new(&[
        "ticket", "case", "request", "incident", "issue", "enquiry", "inquiry", "anfrage",
        "vorgang", "fall", "meldung", "anliegen", "storung", "demande", "dossier", "caso",
        "solicitud", "incidencia", "consulta", "chamado", "solicitacao", "pedido", "protocolo",
        "richiesta", "segnalazione", "pratica", "melding", "aanvraag", "verzoek", "zaak", "arende",
        "arendet", "sag", "sagen", "sak", "saken", "henvendelse", "forespurgsel", "tukipyynto",
        "palvelupyynto", "pyynto", "zgloszenie", "sprawa", "pozadavek", "pripad", "hlaseni",
        "poziadavka", "bejelentes", "jegy", "solicitare", "solicitarea", "sesizare", "zahtjev",
        "zahtevek", "upit", "заявка", "обращение", "запрос", "тикет", "заявку", "звернення",
        "запит", "αιτημα", "talep", "talebiniz", "kaydiniz", "yeu cau", "tiket", "permintaan",
    ]);
    #[rustfmt::skip]
    static VERBS: WordList = WordList::new(&[
        "created", "opened", "received", "logged", "registered", "submitted", "acknowledged",
        "assigned to our", "erstellt", "angelegt", "eroffnet", "eingegangen", "registriert",
        "aufgenommen", "erhalten", "cree", "creee", "enregistre", "ouvert", "recue", "creado",
        "creada", "registrad", "abierto", "abierta", "recibid", "criado", "criada", "aberto",
        "aberta", "recebid", "creato", "creata", "aperto", "aperta", "registrat", "ricevut",
        "aangemaakt", "geregistreerd", "ontvangen", "skapats", "skapat", "registrerat", "mottaget",
        "oprettet", "opprettet", "registreret", "registrert", "modtaget", "mottatt", "luotu",
        "vastaanotettu", "kirjattu", "utworzon", "zarejestrowan", "przyjet", "vytvoren",
        "zaregistrovan", "prijat", "zaevidovan", "letrehozva", "letrejott", "rogzitettuk",
        "inregistrat", "creat", "kreiran", "zaprimljen", "prejet", "создан", "зарегистрирован",
        "принят", "открыт", "створен", "зареєстрован", "прийнят", "δημιουργηθηκε", "καταχωρηθηκε",
        "olusturuldu", "alindi", "acildi", "da duoc tao", "telah dibuat", "telah diterima",
    ]);
    if !plain.contains(|c: char| c.is_ascii_digit()) || is_answer(plain) {
        return false;
    }
    let has = |words: &WordList, whole: bool| {
        words.found(plain).any(|(at, word)| {
            let before = plain.get(..at).and_then(|text| text.chars().next_back());
            let after = plain
                .get(at + word.len()..)
                .and_then(|text| text.chars().next());
            before.is_none_or(|c| !c.is_alphanumeric())
                && (!whole || after.is_none_or(|c| !c.is_alphabetic()))
        })
    };
    has(&TICKETS, true) && has(&VERBS, false)
}

/// Returns true if another message's subject, with its `Re:`, stands behind other words in [lower] case: `Closed
/// for the holidays (Re: your offer)`.
pub(super) fn quotes_another(lower: &str) -> bool {
    #[rustfmt::skip]
    static ANSWERS: WordList = WordList::new(&[
        "re:", "aw:", "sv:", "vs:", "odp:", "ynt:", "antw:", "antwort:", "rif:", "res:", "r:",
        "re :", "回复:", "回覆:", "답장:", "re：",
    ]);
    if is_answer(without_tags(lower)) {
        return false;
    }
    ANSWERS.found(lower).any(|(at, _)| {
        let before = lower.get(..at).and_then(|text| text.chars().next_back());
        before.is_some_and(|c| !c.is_alphanumeric())
    })
}

/// Returns true if a word of a subject in plain form is a compound with a word of notices, as
/// German, Dutch and the Nordic languages write it: `Ertragsbericht`, `Orderbevestiging`.
pub(super) fn has_notice_word(plain: &str) -> bool {
    #[rustfmt::skip]
    const ENDS: &[&str] = &[
        "bericht", "report", "benachrichtigung", "bestatigung", "erinnerung", "meldung",
        "rechnung", "bestellung", "warnung", "ubersicht", "protokoll", "alarm", "storung",
        "bevestiging", "herinnering", "melding", "overzicht", "factuur", "bekraftelse",
        "paminnelse", "rapport", "bekraeftelse", "bekreftelse", "faktura", "vahvistus",
        "muistutus", "raportti", "ilmoitus", "lasku",
    ];
    let mut words = plain.split(|c: char| !c.is_alphanumeric());
    words.any(|word| {
        ENDS.iter()
            .any(|end| word.len() > end.len() + 2 && word.ends_with(end))
    })
}

/// Returns true for the subject of a summary of quarantined, unwanted or undeliverable mail;
/// `plain` has no accents.
pub(super) fn is_digest(plain: &str) -> bool {
    #[rustfmt::skip]
    static QUARANTINE: WordList = WordList::new(&[
        "quarantin", "quarantan", "quarantaine", "cuarentena", "quarentena", "quarantena",
        "kwarantann", "karanten", "karantin", "karantæn", "karanteeni", "карантин", "carantin",
        "隔離", "検疫", "隔离", "격리", "spam", "junk mail", "迷惑メール", "垃圾邮件", "垃圾郵件", "스팸", "held message",
        "blocked message", "held email", "blocked email", "спам",
    ]);
    #[rustfmt::skip]
    static BOUNCES: WordList = WordList::new(&[
        "bounce", "undeliver", "unzustellbar", "hard bounce", "rebote", "rebond", "rimbalz",
        "undelivered", "suppress", "不達", "退信", "반송", "недостав", "delivery statistic",
        "delivery report for the", "zustellstatistik", "versandstatistik",
    ]);
    #[rustfmt::skip]
    static SUMMARIES: WordList = WordList::new(&[
        "digest", "summary", "overview", "weekly", "daily", "monthly", "statistic",
        "zusammenfassung", "ubersicht", "bericht", "wochentlich", "taglich", "statistik", "resume",
        "recapitulati", "hebdomadaire", "quotidien", "resumen", "informe", "semanal", "diari",
        "resumo", "relatorio", "riepilogo", "settimanale", "giornalier", "overzicht", "wekelijks",
        "dagelijks", "samenvatting", "sammanfattning", "veckorapport", "oversigt", "oversikt",
        "ugentlig", "yhteenveto", "podsumowanie", "raport", "tygodniow", "dzienn", "souhrn",
        "prehled", "tydenni", "denni", "suhrn", "osszefoglal", "jelentes", "rezumat", "сводка",
        "отчет", "дайджест", "зведення", "звіт", "αναφορα", "ozet", "rapor", "サマリー", "レポート", "要約",
        "一覧", "摘要", "报告", "報告", "汇总", "요약", "리포트", "보고", "tong hop", "ringkasan",
    ]);
    /// Phrases that only a quarantine uses.
    #[rustfmt::skip]
    static TOLD: WordList = WordList::new(&[
        "report", "notification", "notice", "you have", "new message", "message(s)", "messages",
        "nachrichten", "benachrichtigung", "mitteilung", "rapport", "notificacion", "mensajes",
        "aviso", "mensagens", "notificacao", "messaggi", "notifica", "avviso", "berichten",
        "melding", "meddelanden", "besked", "wiadomosci", "powiadomienie", "zpravy", "oznameni",
        "upozorneni", "spravy", "uzenet", "ertesit", "mesaje", "письма", "уведомление", "сообщени",
        "листи", "ileti", "bildirim", "お知らせ", "通知", "件", "提醒", "알림", "통",
    ]);
    let has = |words: &WordList| {
        words.found(plain).any(|(at, word)| {
            let before = plain.get(..at).and_then(|text| text.chars().next_back());
            !word.is_ascii() || before.is_none_or(|c| !c.is_alphanumeric())
        })
    };
    if is_answer(plain) {
        return false;
    }
    let quarantine = has(&QUARANTINE);
    quarantine && (has(&SUMMARIES) || has(&TOLD)) || has(&BOUNCES) && has(&SUMMARIES)
}

/// Returns true if a subject in [lower] case has the words of bounces anywhere, or says that a message
/// was not taken.
pub(super) fn mentions_failure(lower: &str) -> bool {
    #[rustfmt::skip]
    static MESSAGES: WordList = WordList::new(&[
        "message", "mail", "email", "e-mail", "sms", "fax", "delivery", "posting", "nachricht",
        "zustellung", "courriel", "mensaje", "correo", "mensagem", "messaggio", "bericht",
        "meddelande", "besked", "melding", "viesti", "wiadomość", "zpráva", "správa", "levél",
        "mesaj", "письмо", "сообщение", "лист", "повідомлення",
    ]);
    #[rustfmt::skip]
    static FAILURES: WordList = WordList::new(&[
        "zatrzyman", "wstrzyman", "zurückgehalten", "angehalten", "retenu", "retenid", "retid",
        "trattenut", "tegengehouden", "stoppat", "tilbageholdt", "zadržen", "visszatart",
        "задержан", "failed", "failure", "rejected", "blocked", "blockiert", "gesperrt", "bloqué",
        "bloqueado", "bloccat", "geblokkeerd", "zablokowan", "zablokovan", "заблокирован",
        "refused", "not accepted", "not sent", "fehlgeschlagen", "abgewiesen", "abgelehnt",
        "zurückgewiesen", "zurückgekommen", "refusé", "rejeté", "retourné", "échec", "échoué",
        "rechazado", "devuelto", "fallido", "rejeitad", "devolvid", "falhou", "respinto",
        "rifiutato", "restituito", "fallito", "geweigerd", "mislukt", "avvisad", "misslyckades",
        "afvist", "avvist", "mislykkedes", "mislyktes", "hylätty", "epäonnistui", "odrzucona",
        "zwrócona", "odmítnuta", "vrácena", "odmietnutá", "vrátená", "visszautasít", "respins",
        "returnat", "отклонено", "возвращено", "отклонен", "возвращен", "відхилено", "повернуто",
    ]);
    BOUNCE.is_in(lower) || MESSAGES.is_in(lower) && FAILURES.is_in(lower)
}

/// Returns true if a subject in [lower] case begins as an answer's does.
pub(super) fn begins_as_answer(lower: &str) -> bool {
    is_answer(without_tags(lower))
}

/// Returns true if a subject in [lower] case begins as a forwarded message's does.
pub(super) fn is_forward(lower: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "fw",
        "fwd",
        "wg",
        "tr",
        "i",
        "enc",
        "doorst",
        "vb",
        "vl",
        "pd",
        "rv",
        "rif",
        "ilt",
        "továbbítás",
        "转发",
        "轉寄",
        "転送",
        "전달",
    ];
    let begins = without_tags(lower)
        .split([':', '：'])
        .next()
        .unwrap_or_default();
    begins.len() < lower.len() && PREFIXES.contains(&begins.trim_end())
}

/// Returns true for the subject, in [lower] case, with which a mailbox provider passes on a spam complaint of its
/// user (JMRP of Outlook.com).
pub(super) fn is_complaint(lower: &str) -> bool {
    lower.starts_with("complaint about message from ")
}

/// Returns a decoded subject in lower case, with single spaces.
pub(super) fn lower(subject: &str) -> String {
    // Turkish `İ` and `ı` become `i`, whatever made the letters small.
    let lower = subject.to_lowercase().replace("i\u{307}", "i");
    let lower = lower.replace('ı', "i");
    let mut plain = String::with_capacity(lower.len());
    for word in lower.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.push_str(word);
    }
    plain
}

/// Removes the tags that ticket systems and gateways put in front: `[Ticket#42]`, `[EXTERNAL]`,
/// `{Spam?}`, `***SPAM***`, `External:`.
fn without_tags(subject: &str) -> &str {
    const WORDS: &[&str] = &[
        "external",
        "extern",
        "ext",
        "spam",
        "suspected spam",
        "bulk",
    ];
    let mut rest = subject;
    for _ in 0..5 {
        let closing = match rest.chars().next() {
            Some('[') => ']',
            Some('{') => '}',
            Some('(') => ')',
            Some('*') => {
                let inside = rest.trim_start_matches('*');
                match inside.split_once('*') {
                    Some((tag, after)) if WORDS.contains(&tag.trim()) => {
                        rest = after.trim_start_matches('*').trim_start();
                        continue;
                    }
                    _ => break,
                }
            }
            _ => {
                let tag = rest.split_once(':').filter(|(tag, _)| WORDS.contains(tag));
                match tag {
                    Some((_, after)) => {
                        rest = after.trim_start();
                        continue;
                    }
                    None => break,
                }
            }
        };
        let inside = rest.get(1..).unwrap_or_default();
        match inside.split_once(closing) {
            // `[Ticket#42] Automatic reply`, but not `[Automatic reply] …`.
            Some((tag, after)) if !is_phrase(tag) => rest = after.trim_start(),
            _ => break,
        }
    }
    rest
}

/// Returns true if a tag is a phrase that machines begin subjects with.
fn is_phrase(tag: &str) -> bool {
    [&AUTOMATIC, &ABSENCE, &BOUNCE].iter().any(|phrases| {
        after_longest_phrase(tag.trim(), phrases)
            .is_some_and(|after| stands_alone(tag.trim(), after))
    })
}

/// Returns true for `Report Domain: … Submitter: … Report-ID: …` (RFC 7489 section 7.2.1.1, RFC
/// 8460 section 5.3).
fn is_mail_report(subject: &str) -> bool {
    let subject = subject.strip_prefix("[preview] ").unwrap_or(subject);
    subject.starts_with("report domain:")
        && subject.contains("submitter:")
        && subject.contains("report-id:")
}

/// Returns the text behind the longest phrase that it begins with.
fn after_longest_phrase<'a>(text: &'a str, phrases: &WordList) -> Option<&'a str> {
    let longest = phrases.beginning(text).map(str::len).max()?;
    text.get(longest..)
}

/// Returns true if the phrase that begins `text`, and is followed by `after`, ends there: at the
/// end, before punctuation, or before a space in a script that puts none between words.
fn stands_alone(text: &str, after: &str) -> bool {
    let phrase = text.strip_suffix(after).unwrap_or_default();
    let is_cjk = |c: char| ('\u{2e80}'..'\u{fb00}').contains(&c);
    let rest = after.trim_start();
    rest.is_empty()
        || phrase.ends_with(':')
        || phrase.ends_with(is_cjk) && rest.len() < after.len()
        || rest.starts_with(|c: char| !c.is_alphanumeric())
        || is_answer(rest)
}

/// Returns true if another phrase follows.
fn begins_with_any(after: &str) -> bool {
    let rest = after.trim_start();
    let mut behind = [&AUTOMATIC, &ABSENCE]
        .into_iter()
        .filter_map(|phrases| after_longest_phrase(rest, phrases));
    rest.len() < after.len() && behind.any(|after| stands_alone(rest, after))
}

/// Returns true if the text begins as answers and forwarded messages do, in the words of mail
/// programs.
fn is_answer(text: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "re",
        "aw",
        "sv",
        "vs",
        "rv",
        "res",
        "ref",
        "rif",
        "r",
        "odp",
        "ynt",
        "antw",
        "vá",
        "bls",
        "fw",
        "fwd",
        "wg",
        "tr",
        "i",
        "enc",
        "doorst",
        "vb",
        "vl",
        "pd",
        "ilt",
        "továbbítás",
        "回复",
        "回覆",
        "答复",
        "转发",
        "轉寄",
        "返信",
        "転送",
        "회신",
        "전달",
        "رد",
        "תשובה",
    ];
    let word = text.split([':', '：', '[', '(']).next().unwrap_or_default();
    word.len() < text.len() && PREFIXES.contains(&word.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_counts_only_at_the_beginning_of_a_subject() {
        let (automatic, absence, bounce) = (
            Some(Rule::AutomaticSubject),
            Some(Rule::AbsenceSubject),
            Some(Rule::BounceSubject),
        );
        for (subject, expected) in [
            ("Automatic reply: Your order", automatic),
            ("AUTO: Ann is out of the office", Some(Rule::AwaySubject)),
            ("Out of Office AutoReply: Your order", automatic),
            ("Réponse automatique : votre commande", automatic),
            ("【自動返信】お問い合わせ", automatic),
            ("[Ticket#42] AutoReply: lamp", automatic),
            ("[Auto-Reply] lamp", automatic),
            ("[EXTERNAL] Automatic reply: lamp", automatic),
            ("自动回复:[#42] lamp", Some(Rule::AwaySubject)),
            ("Automatische Antwort: AW: Lampe", Some(Rule::AwaySubject)),
            ("AUTO: Re: lamp", automatic),
            ("Auto: the gear box of my Golf", None),
            ("[EXTERNAL] RE: Bob Stone is out of the office", None),
            ("EXT: AW: Abwesenheitsnotiz: Lampe", None),
            ("*** SPAM *** Undeliverable: lamp", bounce),
            (
                "AUTO: Ann Weaver is out of the office (returning 02.05.2026)",
                Some(Rule::AwaySubject),
            ),
            (
                "AUTO: Ann Weaver ist außer Haus (Rückkehr am 02.05.2026)",
                Some(Rule::AwaySubject),
            ),
            (
                "Anacron job 'cron.weekly' on web1",
                Some(Rule::MachineSubject),
            ),
            (
                "Cron <root@web1> run-parts /etc/cron.hourly",
                Some(Rule::MachineSubject),
            ),
            (
                "[Failed] Nightly (3 objects) 1 failed",
                Some(Rule::MachineSubject),
            ),
            ("[Warning] the lamp is hot", None),
            ("Please confirm your message", Some(Rule::Challenge)),
            (
                "Your message to wool awaits moderator approval",
                Some(Rule::HeldByList),
            ),
            ("Autosvar", automatic),
            ("Out of office: Re: lamp", Some(Rule::AwaySubject)),
            ("Abwesenheitsnotiz: Lampe", absence),
            ("Ann Weaver is out of the office (returning 2 May)", absence),
            ("Undelivered Mail Returned to Sender", bounce),
            ("Mail delivery failed: returning message to sender", bounce),
            ("Undeliverable: lamp", bounce),
            (
                "Report Domain: x.example Submitter: y.example Report-ID: <1>",
                Some(Rule::MailReport),
            ),
            ("Re: Automatic reply: Your order", None),
            ("AW: Abwesenheitsnotiz: Lampe", None),
            ("Fwd: Undelivered Mail Returned to Sender", None),
            ("Automatic reply does not work", None),
            ("Out of office next week, who covers for me?", None),
            ("The blue light is blinking", None),
            ("", None),
        ] {
            assert_eq!(rule(&lower(subject)), expected, "{subject:?}");
        }
    }

    #[test]
    fn tickets_digests_and_other_subjects_are_told_by_two_words() {
        let plain = super::super::phrase_search::plain;
        for (subject, opened, digest) in [
            ("Case 4711 has been created: Re: lamp", true, false),
            ("Vorgang 4711 eröffnet", true, false),
            ("Zgłoszenie 4711 zostało utworzone", true, false),
            ("Re: Case 4711 has been created", false, false),
            ("Case closed", false, false),
            ("Quarantine summary: 4 new messages", false, true),
            ("Quarantäne-Bericht", false, true),
            ("Weekly bounce digest", false, true),
            ("Undelivered Mail Returned to Sender", false, false),
            ("Delivery report", false, false),
            ("AW: Quarantäne-Bericht", false, false),
        ] {
            let plain = plain(subject);
            let found = (is_ticket_opened(&plain), is_digest(&plain));
            assert_eq!(found, (opened, digest), "{subject}");
        }
    }

    #[test]
    fn another_subject_within_and_the_number_of_an_issue_are_seen() {
        for (subject, quotes, newsletter) in [
            ("Closed (Re: your offer)", true, false),
            ("Chiusura - Rif: Re: Preventivo", true, false),
            ("Re: your offer", false, false),
            ("Where: the lamp", false, false),
            ("港町だより 第312号", false, true),
            ("Rundmail 3 an alle", false, true),
            ("Issue with my lamp", false, false),
            ("Invoice No. 12", false, false),
        ] {
            let lower = lower(subject);
            let found = (quotes_another(&lower), is_newsletter(&lower));
            assert_eq!(found, (quotes, newsletter), "{subject}");
        }
    }
}
