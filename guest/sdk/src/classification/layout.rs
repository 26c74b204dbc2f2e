//! How a text is laid out: as a letter, as the records of a program, or as the fields of a form.

use super::said::plain;

/// Lines that are looked at.
const LINES: usize = 80;

/// The most letters of a label.
const LABEL: usize = 36;

/// What the lines of a text are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Most lines have a label and a value: `Host: web1`.
    pub records: bool,
    /// One of the labels is that of what a visitor wrote, and one of who wrote it: `Message:`,
    /// `E-mail:`.
    pub form: bool,
    /// Somebody is asked something.
    pub asks: bool,
    /// The author says `I`.
    pub capital_i: bool,
}

impl Layout {
    /// Reads the lines of a text.
    pub(super) fn of(text: &str) -> Self {
        let mut layout = Self::default();
        let (mut lines, mut labelled) = (0usize, 0usize);
        let (mut message, mut visitor) = (false, false);
        for line in text.lines().take(LINES) {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            lines += 1;
            let label = label(line);
            labelled += usize::from(label.is_some());
            // Of a table the label stands on a line of its own.
            let short = || Some(line).filter(|line| line.len() <= LABEL);
            if let Some(label) = label.or_else(short).map(plain) {
                message |= is_of_message(&label);
                visitor |= is_of_visitor(&label);
            }
            layout.asks |= asks(line);
            layout.capital_i |= says_i(line);
        }
        layout.form = message && visitor;
        layout.records = labelled >= 3 && labelled * 2 >= lines;
        layout
    }
}

/// The label of a line that has one, and a value behind it or on the next line.
fn label(line: &str) -> Option<&str> {
    let at = line.find([':', '：'])?;
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

/// Whether a visitor's name, address or number stands behind a label in [plain] form.
fn is_of_visitor(label: &str) -> bool {
    #[rustfmt::skip]
    const LABELS: &[&str] = &[
        "name", "your name", "full name", "ihr name", "vorname", "nachname", "naam", "nom",
        "prenom", "nombre", "nome", "imie", "jmeno", "meno", "nev", "nume", "ime", "namn", "navn",
        "nimi", "имя", "ім'я", "ονομα", "ad soyad", "姓名", "お名前", "氏名", "이름", "from",
        "von", "de", "da", "van",
    ];
    #[rustfmt::skip]
    const PARTS: &[&str] = &[
        "mail", "correo", "courriel", "почта", "пошта", "メール", "邮箱", "郵箱", "이메일",
        "telefon", "phone", "telephone", "telefono",
    ];
    LABELS.contains(&label) || PARTS.iter().any(|part| label.contains(part))
}

/// Whether what somebody has typed into a form stands behind a label in [plain] form.
fn is_of_message(label: &str) -> bool {
    #[rustfmt::skip]
    const LABELS: &[&str] = &[
        "message", "your message", "comment or message", "message or comment", "comment",
        "comments", "question", "questions", "your question", "message text", "nachrichtentext",
        "enquiry", "inquiry", "message body", "nachricht", "ihre nachricht", "mitteilung",
        "anliegen", "frage", "kommentar", "bemerkung", "bemerkungen", "bericht", "uw bericht",
        "vraag", "opmerking", "opmerkingen", "votre message", "votre demande", "demande",
        "commentaire", "commentaires", "mensaje", "su mensaje", "tu mensaje", "consulta",
        "comentario", "comentarios", "pregunta", "mensagem", "sua mensagem", "duvida",
        "messaggio", "il tuo messaggio", "richiesta", "domanda", "commento", "meddelande",
        "fraga", "besked", "sporgsmal", "melding", "viesti", "kysymys", "wiadomosc", "tresc",
        "tresc wiadomosci", "pytanie", "zprava", "dotaz", "text", "sprava", "otazka", "uzenet",
        "kerdes", "mesaj", "intrebare", "sporocilo", "vprasanje", "poruka", "pitanje", "upit",
        "сообщение", "вопрос", "комментарий", "текст", "повідомлення", "питання", "съобщение",
        "μηνυμα", "ερωτηση", "mesajiniz", "soru", "הודעה", "رسالة", "الرسالة", "留言", "内容",
        "咨询内容", "訊息", "內容", "お問い合わせ内容", "お問合せ内容", "本文", "ご質問",
        "문의내용", "문의 내용", "내용", "메시지", "tin nhan", "pesan", "ข้อความ",
    ];
    LABELS.contains(&label)
}

/// Whether the line asks something; a question mark in an address on the web does not.
fn asks(line: &str) -> bool {
    let mut before = ' ';
    let mut letters = line.chars().peekable();
    while let Some(c) = letters.next() {
        let next = letters.peek();
        let ends = next.is_none_or(|c| c.is_whitespace() || matches!(c, '?' | '!' | ')' | '"'));
        // Greek asks with a semicolon.
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

/// Whether the line says `I`, as English does: a word of its own before one in small letters.
fn says_i(line: &str) -> bool {
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
                asks,
                capital_i,
            };
            assert_eq!(Layout::of(text), expected, "{text}");
        }
    }
}
