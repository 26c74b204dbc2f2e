//! The layout of a text: a letter, the records of a program, or the fields of a form.

use memchr::{memchr, memchr2_iter};

use super::phrase_search::plain;
use super::text::text_lines;

/// Lines that are read.
const LINES: usize = 80;

/// Letters of a label at most.
const LABEL: usize = 36;

/// Layout of a text's lines.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// True if most lines have a label and a value: `Host: web1`.
    pub records: bool,
    /// True if a label introduces what a visitor wrote, and another the visitor: `Message:`,
    /// `E-mail:`.
    pub form: bool,
    /// True if labels describe a message: its recipient, and its subject or the cause of its
    /// failure.
    pub returned: bool,
    /// True if somebody is asked something.
    pub asks: bool,
    /// True if the author says `I`.
    pub capital_i: bool,
    /// True if a page on the web is named.
    pub link: bool,
}

impl Layout {
    /// Reads the lines of a text.
    pub(super) fn of(text: &str) -> Self {
        let mut layout = Self::default();
        let (mut lines, mut labelled) = (0usize, 0usize);
        let (mut message, mut visitor) = (false, false);
        let mut patch = false;
        let (mut addressee, mut subject, mut failure) = (false, false, false);
        for (_, line) in text_lines(text).take(LINES) {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            lines += 1;
            patch |= line.starts_with("diff --git ") || line.starts_with("Signed-off-by: ");
            let label = label(line);
            labelled += usize::from(label.is_some());
            // In a table, the label stands on a line of its own.
            let short = || Some(line).filter(|line| line.len() <= LABEL);
            if let Some(label) = label.map(plain) {
                addressee |= ADDRESSEE.contains(&label.as_str());
                subject |= SUBJECT.contains(&label.as_str());
                failure |= FAILURE.contains(&label.as_str());
            }
            if let Some(label) = label.or_else(short).map(plain) {
                message |= is_message_label(&label);
                visitor |= is_visitor_label(&label);
            }
            layout.asks |= asks(line);
            layout.capital_i |= says_i(line);
            layout.link |= has_link(line);
        }
        layout.form = message && visitor;
        layout.returned = failure && (addressee || subject);
        layout.records = labelled >= 3 && labelled * 2 >= lines && !patch;
        layout
    }
}

/// Returns the label of a line that has one, with a value behind it or on the next line.
fn label(line: &str) -> Option<&str> {
    // `：` has the octets EF BC 9A.
    let mut places = memchr2_iter(b':', 0xef, line.as_bytes());
    let begins = |at: &usize| {
        line.get(*at..)
            .is_some_and(|rest| rest.starts_with([':', '：']))
    };
    let at = places.find(begins)?;
    let label = line
        .get(..at)?
        .trim_matches(['*', '-', '•', ' ', '\t', '.']);
    let behind = line.get(at..)?;
    let plausible = !label.is_empty()
        && label.chars().count() <= LABEL
        && label.split_whitespace().count() <= 5
        && !behind.starts_with("://")
        && label.chars().any(char::is_alphabetic)
        && !label.ends_with(|c: char| c.is_ascii_digit());
    plausible.then_some(label)
}

/// Labels, in [plain] form, of a message's recipient.
#[rustfmt::skip]
const ADDRESSEE: &[&str] = &[
    "to", "recipient", "an", "empfanger", "a", "destinataire", "para", "destinatario", "aan",
    "ontvanger", "till", "mottagare", "til", "modtager", "mottaker", "saaja", "do", "odbiorca",
    "komu", "prijemce", "prijemca", "cimzett", "catre", "destinatar", "кому", "получатель",
    "отримувач", "προς", "alici", "kime", "宛先", "送信先", "收件人", "받는 사람", "수신자", "nguoi nhan",
];

/// Labels of a message's subject.
#[rustfmt::skip]
const SUBJECT: &[&str] = &[
    "subject", "betreff", "objet", "sujet", "asunto", "assunto", "oggetto", "onderwerp", "amne",
    "emne", "aihe", "temat", "predmet", "targy", "subiect", "тема", "θεμα", "konu", "件名", "元の件名",
    "主题", "主題", "主旨", "제목", "tieu de",
];

/// Labels of the cause of a failure.
#[rustfmt::skip]
const FAILURE: &[&str] = &[
    "reason", "error", "grund", "fehler", "raison", "motif", "erreur", "motivo", "erro", "errore",
    "causa", "reden", "fout", "orsak", "fel", "arsag", "fejl", "feil", "syy", "virhe", "powod",
    "blad", "duvod", "chyba", "dovod", "ok", "hiba", "motiv", "eroare", "причина", "ошибка",
    "помилка", "αιτια", "sebep", "neden", "hata", "理由", "エラー", "原因", "错误", "錯誤", "사유", "오류",
    "ly do",
];

/// Returns true for a label, in [plain] form, of a visitor's name, address or number.
fn is_visitor_label(label: &str) -> bool {
    #[rustfmt::skip]
    const LABELS: &[&str] = &[
        "name", "your name", "full name", "ihr name", "vorname", "nachname", "naam", "nom",
        "prenom", "nombre", "nome", "imie", "jmeno", "meno", "nev", "nume", "ime", "namn", "navn",
        "nimi", "имя", "ім'я", "ονομα", "ad soyad", "姓名", "お名前", "氏名", "이름", "from", "von", "de",
        "da", "van",
    ];
    #[rustfmt::skip]
    const PARTS: &[&str] = &[
        "mail", "correo", "courriel", "почта", "пошта", "メール", "邮箱", "郵箱", "이메일", "telefon",
        "phone", "telephone", "telefono",
    ];
    LABELS.contains(&label) || PARTS.iter().any(|part| label.contains(part))
}

/// Returns true for a label, in [plain] form, of a visitor's message in a form.
fn is_message_label(label: &str) -> bool {
    #[rustfmt::skip]
    const LABELS: &[&str] = &[
        "message", "your message", "comment or message", "message or comment", "comment",
        "comments", "question", "questions", "your question", "message text", "nachrichtentext",
        "enquiry", "inquiry", "message body", "nachricht", "ihre nachricht", "mitteilung",
        "anliegen", "frage", "kommentar", "bemerkung", "bemerkungen", "bericht", "uw bericht",
        "vraag", "opmerking", "opmerkingen", "votre message", "votre demande", "demande",
        "commentaire", "commentaires", "mensaje", "su mensaje", "tu mensaje", "consulta",
        "comentario", "comentarios", "pregunta", "mensagem", "sua mensagem", "duvida", "messaggio",
        "il tuo messaggio", "richiesta", "domanda", "commento", "meddelande", "fraga", "besked",
        "sporgsmal", "melding", "viesti", "kysymys", "wiadomosc", "tresc", "tresc wiadomosci",
        "pytanie", "zprava", "dotaz", "text", "sprava", "otazka", "uzenet", "kerdes", "mesaj",
        "intrebare", "sporocilo", "vprasanje", "poruka", "pitanje", "upit", "сообщение", "вопрос",
        "комментарий", "текст", "повідомлення", "питання", "съобщение", "μηνυμα", "ερωτηση",
        "mesajiniz", "soru", "הודעה", "رسالة", "الرسالة", "留言", "内容", "咨询内容", "訊息", "內容",
        "お問い合わせ内容", "お問合せ内容", "本文", "ご質問", "문의내용", "문의 내용", "내용", "메시지", "tin nhan", "pesan",
        "ข้อความ",
    ];
    LABELS.contains(&label)
}

/// Returns true if the line asks something; a question mark in a URL does not count.
fn asks(line: &str) -> bool {
    if line.is_ascii() && memchr(b'?', line.as_bytes()).is_none() {
        return false;
    }
    let mut before = ' ';
    let mut begins = 0;
    let mut letters = line.char_indices().peekable();
    while let Some((at, c)) = letters.next() {
        let next = letters.peek().map(|(_, c)| c);
        let ends = next.is_none_or(|c| c.is_whitespace() || matches!(c, '?' | '!' | ')' | '"'));
        if ends
            && matches!(c, '?' | '？')
            && is_template_question(line.get(begins..).unwrap_or_default())
        {
            before = ' ';
            continue;
        }
        if ends && matches!(c, '.' | '!' | '?' | ':') {
            begins = at + 1;
        }
        // The Greek question mark is a semicolon.
        let greek = ('\u{370}'..='\u{3ff}').contains(&before);
        match c {
            '？' | '؟' | '՞' => return true,
            '?' if ends => return true,
            ';' | '\u{37e}' if ends && greek => return true,
            _ => before = c,
        }
    }
    false
}

/// Returns true if a sentence begins with a question that templates put to their readers.
fn is_template_question(sentence: &str) -> bool {
    #[rustfmt::skip]
    const QUESTIONS: &[&str] = &[
        "questions?", "questions about", "problems with the link", "any questions?",
        "have questions?", "have a question?", "got questions?", "need help?", "need assistance?",
        "need more help?", "button not working?", "link not working?", "trouble viewing",
        "having trouble", "not you?", "not interested?", "wasn't you?", "was this helpful?",
        "was this email helpful?", "why did i get this", "why am i getting this",
        "why am i receiving this", "don't want these", "forgot your password?", "fragen?",
        "noch fragen?", "haben sie fragen?", "hast du fragen?", "brauchen sie hilfe?",
        "sie haben fragen?", "des questions ?", "une question ?", "besoin d'aide ?", "¿preguntas?",
        "¿necesita ayuda?", "¿necesitas ayuda?", "¿tiene preguntas?", "¿tienes preguntas?",
        "¿tienes dudas?", "duvidas?", "precisa de ajuda?", "tem alguma duvida?", "domande?",
        "hai domande?", "hai bisogno di aiuto?", "serve aiuto?", "vragen?", "heeft u vragen?",
        "heb je vragen?", "hulp nodig?", "har du fragor?", "fragor?", "har du sporgsmal?",
        "har du sporsmal?", "kysyttavaa?", "masz pytania?", "pytania?", "potrzebujesz pomocy?",
        "mate dotaz?", "mate dotazy?", "potrebujete pomoc?", "kerdese van?",
        "segitsegre van szuksege?", "aveti intrebari?", "остались вопросы?", "есть вопросы?",
        "нужна помощь?", "потрібна допомога?", "sorunuz mu var?", "yardima mi ihtiyaciniz var?",
    ];
    let begins = sentence.get(..sentence.floor_char_boundary(60));
    let begins = plain(begins.unwrap_or_default());
    QUESTIONS
        .iter()
        .any(|question| begins.starts_with(question))
}

/// Returns true if a page on the web is named, and not only a site.
fn has_link(line: &str) -> bool {
    if memchr(b'/', line.as_bytes()).is_none() {
        return false;
    }
    let behind = line
        .split_once("https://")
        .or_else(|| line.split_once("http://"));
    behind.is_some_and(|(_, rest)| {
        let rest = rest.split_whitespace().next().unwrap_or_default();
        rest.split_once('/').is_some_and(|(_, page)| page.len() > 1)
    })
}

/// Returns true if the line has the English `I`: a word of its own before one in small letters.
fn says_i(line: &str) -> bool {
    if memchr(b'I', line.as_bytes()).is_none() {
        return false;
    }
    line.match_indices("I ").any(|(at, _)| {
        let begins = line.get(..at).is_some_and(|before| {
            before.is_empty() || before.ends_with([' ', '(', '"', ',', '-', '—', '“'])
        });
        let next = line.get(at + 2..).and_then(|after| after.chars().next());
        begins && next.is_some_and(char::is_lowercase)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_records_and_forms_are_told_apart() {
        for (text, records, form, asks, capital_i) in [
            (
                "Host: web1\nState: DOWN\nSince: 03:12\n",
                true,
                false,
                false,
                false,
            ),
            (
                "Name: Ann\nE-mail: a@x.example\nNachricht:\nWo ist es?\n",
                true,
                true,
                true,
                false,
            ),
            (
                "Hello,\n\nI have a lamp: it blinks.\nWhy?\n\nAnn\n",
                false,
                false,
                true,
                true,
            ),
            (
                "See https://x.example/?q=1\nPart I, then II\n",
                false,
                false,
                false,
                false,
            ),
            ("Τι ώρα; Ευχαριστώ", false, false, true, false),
            ("int i = 0; int j = 1;", false, false, false, false),
            ("", false, false, false, false),
        ] {
            let expected = Layout {
                records,
                form,
                returned: false,
                asks,
                capital_i,
                link: text.contains("https://"),
            };
            assert_eq!(Layout::of(text), expected, "{text}");
        }
    }
}
