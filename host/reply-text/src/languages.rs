//! Words of mail programs in twelve languages, as [`comparable`](crate::lines::comparable) makes them.
//! A language is added as one more row.

/// Words of one language.
pub(crate) struct LanguageWords {
    /// First words of attributions.
    pub(crate) openers: &'static [&'static str],
    /// Verbs of attributions.
    pub(crate) verbs: &'static [&'static str],
    /// Names of header fields above a quotation.
    pub(crate) fields: FieldNames,
    /// Words between dashes that announce an original or forwarded message.
    pub(crate) original: &'static [&'static str],
    /// Whole lines that announce a forwarded message.
    pub(crate) begin: &'static [&'static str],
    /// Words before or after the name of a device or program that sent a message.
    pub(crate) sent: &'static [&'static str],
    /// Words by which Outlook's programs advertise themselves.
    pub(crate) get: &'static [&'static str],
    /// Headings of disclaimers.
    pub(crate) disclaimers: &'static [&'static str],
}

/// Names of header fields in one language, for each role.
pub(crate) struct FieldNames {
    pub(crate) from: &'static [&'static str],
    pub(crate) date: &'static [&'static str],
    pub(crate) to: &'static [&'static str],
    pub(crate) subject: &'static [&'static str],
    pub(crate) other: &'static [&'static str],
}

/// The languages.
pub(crate) const LANGUAGES: [LanguageWords; 12] = [
    // English
    LanguageWords {
        openers: &["on", "at", "from"],
        verbs: &["wrote", "writes"],
        fields: FieldNames {
            from: &["from"],
            date: &["date", "sent"],
            to: &["to"],
            subject: &["subject"],
            other: &["cc", "bcc", "reply-to", "importance", "attachments"],
        },
        original: &[
            "original message",
            "forwarded message",
            "original appointment",
            "forwarded by",
        ],
        begin: &["begin forwarded message:"],
        sent: &["sent from", "sent via", "sent with", "sent using"],
        get: &["get outlook for", "download outlook for"],
        disclaimers: &[
            "disclaimer",
            "confidentiality notice",
            "confidentiality",
            "legal notice",
            "legal disclaimer",
        ],
    },
    // German
    LanguageWords {
        openers: &["am"],
        verbs: &["schrieb", "geschrieben"],
        fields: FieldNames {
            from: &["von"],
            date: &["datum", "gesendet"],
            to: &["an"],
            subject: &["betreff"],
            other: &["cc", "kopie", "bcc", "antwort an", "wichtigkeit"],
        },
        original: &[
            "ursprüngliche nachricht",
            "original-nachricht",
            "originalnachricht",
            "weitergeleitete nachricht",
            "forwarded message",
        ],
        begin: &["anfang der weitergeleiteten nachricht:"],
        sent: &["gesendet", "gesendet von", "gesendet mit", "von meinem"],
        get: &[
            "outlook für ios beziehen",
            "outlook für android beziehen",
            "holen sie sich outlook für",
            "laden sie outlook für",
        ],
        disclaimers: &[
            "haftungsausschluss",
            "vertraulichkeitshinweis",
            "rechtlicher hinweis",
            "disclaimer",
        ],
    },
    // French
    LanguageWords {
        openers: &["le"],
        verbs: &["a écrit"],
        fields: FieldNames {
            from: &["de"],
            date: &["date", "envoyé", "envoyé le"],
            to: &["à", "a"],
            subject: &["objet", "sujet"],
            other: &["cc", "cci", "copie à", "répondre à", "importance"],
        },
        original: &[
            "message d'origine",
            "message original",
            "message transféré",
            "message initial",
            "forwarded message",
        ],
        begin: &[
            "début du message transféré :",
            "début du message réexpédié :",
            "début du message transféré:",
        ],
        sent: &[
            "envoyé de mon",
            "envoyé depuis",
            "envoyé à partir",
            "envoyé avec",
            "envoyé par",
        ],
        get: &[
            "obtenir outlook pour",
            "obtenez outlook pour",
            "télécharger outlook pour",
            "téléchargez outlook pour",
        ],
        disclaimers: &[
            "avis de confidentialité",
            "avertissement",
            "clause de confidentialité",
            "mentions légales",
        ],
    },
    // Spanish
    LanguageWords {
        openers: &["el"],
        verbs: &["escribió", "escribio"],
        fields: FieldNames {
            from: &["de", "desde"],
            date: &["fecha", "enviado", "enviado el"],
            to: &["para", "a"],
            subject: &["asunto"],
            other: &["cc", "cco", "responder a", "importancia"],
        },
        original: &["mensaje original", "mensaje reenviado", "forwarded message"],
        begin: &[
            "inicio del mensaje reenviado:",
            "comienzo del mensaje reenviado:",
        ],
        sent: &["enviado desde", "enviado con", "enviado a través"],
        get: &[
            "obtener outlook para",
            "obtenga outlook para",
            "descargar outlook para",
        ],
        disclaimers: &[
            "aviso de confidencialidad",
            "aviso legal",
            "descargo de responsabilidad",
            "nota de confidencialidad",
        ],
    },
    // Portuguese
    LanguageWords {
        openers: &["em", "no dia", "a", "às", "na"],
        verbs: &["escreveu"],
        fields: FieldNames {
            from: &["de"],
            date: &["data", "enviado", "enviada", "enviada em", "enviado em"],
            to: &["para"],
            subject: &["assunto"],
            other: &["cc", "cco", "com cópia", "responder a", "responder para"],
        },
        original: &[
            "mensagem original",
            "mensagem encaminhada",
            "mensagem reencaminhada",
            "forwarded message",
        ],
        begin: &[
            "início da mensagem encaminhada:",
            "início da mensagem reencaminhada:",
        ],
        sent: &[
            "enviado do",
            "enviado de",
            "enviado a partir",
            "enviado com",
            "enviado pelo",
            "enviada do",
        ],
        get: &[
            "obter o outlook para",
            "obter outlook para",
            "obtenha o outlook para",
            "baixar o outlook para",
        ],
        disclaimers: &[
            "aviso de confidencialidade",
            "aviso legal",
            "declaração de confidencialidade",
        ],
    },
    // Italian
    LanguageWords {
        openers: &["il giorno", "il"],
        verbs: &["ha scritto", "scrive"],
        fields: FieldNames {
            from: &["da"],
            date: &["data", "inviato", "inviato il"],
            to: &["a"],
            subject: &["oggetto"],
            other: &["cc", "ccn", "rispondi a", "priorità"],
        },
        original: &[
            "messaggio originale",
            "messaggio inoltrato",
            "forwarded message",
        ],
        begin: &["inizio messaggio inoltrato:", "inizia messaggio inoltrato:"],
        sent: &["inviato da", "inviato dal", "inviato con"],
        get: &["scarica outlook per", "ottieni outlook per"],
        disclaimers: &[
            "avviso di riservatezza",
            "avvertenza",
            "clausola di riservatezza",
            "nota legale",
        ],
    },
    // Dutch
    LanguageWords {
        openers: &["op"],
        verbs: &["schreef", "geschreven"],
        fields: FieldNames {
            from: &["van"],
            date: &["datum", "verzonden", "verstuurd"],
            to: &["aan"],
            subject: &["onderwerp"],
            other: &["cc", "bcc", "kopie", "antwoord aan", "urgentie"],
        },
        original: &[
            "oorspronkelijk bericht",
            "origineel bericht",
            "doorgestuurd bericht",
            "forwarded message",
        ],
        begin: &["begin doorgestuurd bericht:"],
        sent: &[
            "verstuurd vanaf",
            "verzonden vanaf",
            "verzonden via",
            "verstuurd met",
            "verzonden met",
        ],
        get: &[
            "outlook voor ios downloaden",
            "outlook voor android downloaden",
            "download outlook voor",
            "outlook voor ios ophalen",
        ],
        disclaimers: &[
            "disclaimer",
            "vertrouwelijkheidsverklaring",
            "vertrouwelijkheid",
        ],
    },
    // Polish
    LanguageWords {
        openers: &[
            "w dniu",
            "dnia",
            "wiadomość napisana przez",
            "pon",
            "wt",
            "śr",
            "czw",
            "pt",
            "sob",
            "niedz",
        ],
        verbs: &[
            "napisał",
            "napisała",
            "napisał(a)",
            "pisze",
            "wiadomość napisana przez",
        ],
        fields: FieldNames {
            from: &["od"],
            date: &["data", "wysłane", "wysłano"],
            to: &["do"],
            subject: &["temat"],
            other: &["dw", "udw", "kopia", "odpowiedz do"],
        },
        original: &[
            "oryginalna wiadomość",
            "wiadomość oryginalna",
            "treść przekazanej wiadomości",
            "przekazana wiadomość",
            "wiadomość przekazana",
            "forwarded message",
        ],
        begin: &[
            "początek przekazywanej wiadomości:",
            "początek przesłanej dalej wiadomości:",
        ],
        sent: &["wysłane z", "wysłano z"],
        get: &[
            "pobierz program outlook dla",
            "pobierz aplikację outlook dla",
            "pobierz outlook dla",
            "uzyskaj program outlook dla",
        ],
        disclaimers: &[
            "klauzula poufności",
            "zastrzeżenie",
            "informacja o poufności",
        ],
    },
    // Swedish
    LanguageWords {
        openers: &["den", "på"],
        verbs: &["skrev"],
        fields: FieldNames {
            from: &["från"],
            date: &["datum", "skickat", "skickades"],
            to: &["till"],
            subject: &["ämne"],
            other: &["kopia", "kopia till", "cc", "svara till"],
        },
        original: &[
            "ursprungligt meddelande",
            "originalmeddelande",
            "vidarebefordrat meddelande",
            "vidarebefordrat mejl",
            "forwarded message",
        ],
        begin: &[
            "vidarebefordrat brev:",
            "vidarebefordrat mejl:",
            "början på vidarebefordrat meddelande:",
        ],
        sent: &["skickat från", "skickades från", "skickat med"],
        get: &["hämta outlook för", "skaffa outlook för"],
        disclaimers: &[
            "ansvarsfriskrivning",
            "sekretessmeddelande",
            "konfidentialitetsmeddelande",
        ],
    },
    // Danish
    LanguageWords {
        openers: &["den"],
        verbs: &["skrev"],
        fields: FieldNames {
            from: &["fra"],
            date: &["dato", "sendt"],
            to: &["til"],
            subject: &["emne"],
            other: &["cc", "kopi", "svar til"],
        },
        original: &[
            "oprindelig meddelelse",
            "original meddelelse",
            "videresendt meddelelse",
            "videresendt besked",
            "forwarded message",
        ],
        begin: &[
            "start på videresendt besked:",
            "begynd videresendt besked:",
            "påbegynd videresendt meddelelse:",
        ],
        sent: &["sendt fra", "sendt med"],
        get: &["hent outlook til", "få outlook til"],
        disclaimers: &[
            "ansvarsfraskrivelse",
            "fortrolighedserklæring",
            "fortrolighed",
        ],
    },
    // Czech
    LanguageWords {
        openers: &["dne", "v", "ve", "po", "út", "st", "čt", "pá", "so", "ne"],
        verbs: &["napsal", "napsala", "napsal(a)", "odesílatel"],
        fields: FieldNames {
            from: &["od"],
            date: &["datum", "odesláno"],
            to: &["komu"],
            subject: &["předmět"],
            other: &["kopie", "kopie komu", "skrytá", "odpovědět"],
        },
        original: &[
            "původní zpráva",
            "přeposlaná zpráva",
            "původní e-mail",
            "forwarded message",
        ],
        begin: &["začátek přeposílané zprávy:", "začátek přeposlané zprávy:"],
        sent: &[
            "odesláno z",
            "posláno z",
            "odesláno pomocí",
            "odesláno přes",
        ],
        get: &[
            "získat outlook pro",
            "získejte outlook pro",
            "stáhnout outlook pro",
        ],
        disclaimers: &[
            "prohlášení o důvěrnosti",
            "upozornění na důvěrnost",
            "právní upozornění",
        ],
    },
    // Turkish
    LanguageWords {
        openers: &[],
        verbs: &["yazdı", "şunu yazdı", "şunları yazdı"],
        fields: FieldNames {
            from: &["kimden", "gönderen"],
            date: &[
                "tarih",
                "gönderildi",
                "gönderilme tarihi",
                "gönderim tarihi",
            ],
            to: &["kime", "alıcı", "alıcılar"],
            subject: &["konu"],
            other: &["bilgi", "cc", "gizli", "yanıt adresi"],
        },
        original: &[
            "orijinal mesaj",
            "özgün ileti",
            "asıl ileti",
            "yönlendirilmiş mesaj",
            "iletilmiş mesaj",
            "iletilen mesaj",
            "forwarded message",
        ],
        begin: &["iletilen iletinin başı:", "yönlendirilen mesajın başı:"],
        sent: &["gönderildi", "gönderilmiştir"],
        get: &[
            "ios için outlook'u edinin",
            "android için outlook'u edinin",
            "ios için outlook'u indirin",
            "android için outlook'u indirin",
            "ios için outlook'u alın",
        ],
        disclaimers: &["yasal uyarı", "gizlilik bildirimi", "gizlilik uyarısı"],
    },
];
