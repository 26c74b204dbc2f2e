//! How people speak of themselves: the first person, in the singular, as whole words.

/// Words that no template of a firm's has, which speaks of itself as `we`. What is another word in
/// another language (Danish `i`, German `es` and `mit`, Dutch `je`) is left out; English `I` is
/// told by its capital.
#[rustfmt::skip]
pub(super) const FIRST_PERSON: &[&str] = &[
    // English
    "i'm", "i've", "i'd", "i'll", "ive", "my", "me", "myself",
    // German, Dutch
    "ich", "mich", "mir", "mein", "meine", "meinen", "meiner", "meinem", "ik", "mijn",
    // French
    "je suis", "je n'", "je ne", "je vous", "je voudrais", "je souhaite", "je me", "je peux",
    "je dois", "je viens", "j'ai", "j'aimerais", "j'aurais", "j'essaie", "j'attends", "moi",
    // Spanish, Portuguese, Catalan, Galician
    "yo", "mi", "mis", "mío", "conmigo", "tengo", "quiero", "quisiera", "necesito", "puedo",
    "soy", "estoy", "meu", "minha", "meus", "minhas", "comigo", "tenho", "preciso", "gostaria",
    "consigo", "estou", "el meu", "la meva",
    // Italian, Romanian
    "mio", "mia", "miei", "vorrei", "posso", "ho ricevuto", "ho un", "ho una", "ho già",
    "ho fatto", "non ho", "mea", "mele", "vreau", "aș dori",
    // Swedish, Danish, Norwegian, Icelandic
    "jag", "mig", "mitt", "jeg", "meg", "min kone", "mér",
    // Finnish, Estonian
    "minä", "minun", "minulla", "minulle", "mulla", "olen", "haluaisin", "minu", "sooviksin",
    // Polish, Czech, Slovak
    "mój", "moja", "moje", "mnie", "mam", "jestem", "chciałbym", "chciałabym", "mám", "můj",
    "mně", "jsem", "chtěl bych", "chtěla bych", "môj",
    // Hungarian, Turkish
    "nekem", "engem", "szeretném", "vagyok", "benim", "bana", "istiyorum",
    // Slovenian, Croatian, Serbian, Lithuanian, Latvian
    "moj", "meni", "imam", "norėčiau", "vēlos",
    // Russian, Ukrainian, Bulgarian, Serbian
    "я", "меня", "мне", "мой", "моя", "моё", "мое", "мои", "мной", "мені", "мій", "мене",
    "аз съм", "мој",
    // Greek, Hebrew, Arabic
    "εγώ", "μου", "έχω", "θέλω", "είμαι", "אני", "שלי", "أنا", "لدي", "أريد", "عندي",
    // Chinese, Japanese, Korean, Thai, Vietnamese, Indonesian, Hindi
    "我想", "我的", "我是", "我在", "我有", "我已", "我刚", "我剛", "我买", "我買", "我要",
    "我用", "我收", "我不", "我家", "私は", "私の", "私が", "私も", "僕", "俺", "저는", "제가",
    "저희 집", "나는", "ฉัน", "ผม", "ดิฉัน", "tôi", "saya", "aku", "मैं", "मेरा", "मुझे",
];

/// What mail programs on telephones put below what is typed there.
#[rustfmt::skip]
pub(super) const TELEPHONE: &[&str] = &[
    "sent from my", "sent from outlook for", "sent from mail for", "sent from yahoo mail",
    "get outlook for", "sent via the samsung", "von meinem iphone gesendet",
    "von meinem ipad gesendet", "von meinem handy gesendet", "von meinem mobiltelefon",
    "von meinem smartphone gesendet", "gesendet von meinem", "gesendet mit der gmx",
    "gesendet mit der web.de", "gesendet von outlook", "gesendet von mail für",
    "verzonden vanaf mijn", "verstuurd vanaf mijn", "verzonden vanuit", "envoyé de mon",
    "envoyé depuis mon", "envoyé à partir de", "envoyé de l'application",
    "télécharger outlook pour", "enviado desde mi", "enviado do meu", "enviado a partir do meu",
    "enviado desde outlook", "obtener outlook para", "obter o outlook para", "inviato da iphone",
    "inviato dal mio", "inviato da outlook", "scarica outlook per", "ottieni outlook per",
    "skickat från min", "skickat från outlook", "skickades från min", "sendt fra min",
    "sendt fra outlook", "lähetetty iphonesta", "lähetetty ipadista", "lähetetty androidista",
    "lähetetty puhelimesta", "lähetetty outlookista", "wysłane z iphone", "wysłano z iphone",
    "wysłano z mojego", "wysłane z mojego", "wysłano z outlooka", "odesláno z iphonu",
    "odesláno z mobilu", "odesláno z mého", "odoslané z iphonu", "iphone-ról küldve",
    "iphone-omról küldve", "trimis de pe", "poslano z mojega", "poslano s mog",
    "poslano s iphonea", "отправлено с iphone", "отправлено с ipad", "отправлено из мобильного",
    "отправлено из mail.ru", "надіслано з iphone", "изпратено от моя", "στάλθηκε από το iphone",
    "εστάλη από", "iphone'umdan gönderildi", "iphone'dan gönderildi", "נשלח מה-iphone",
    "נשלח מהאייפון", "أرسلت من", "تم الإرسال من", "发自我的", "發自我的", "从我的iphone发送",
    "從我的 iphone 傳送", "iphoneから送信", "ipadから送信", "スマートフォンから送信",
    "나의 iphone에서", "내 iphone에서", "ส่งจาก iphone", "gửi từ iphone", "dikirim dari iphone",
];

/// With which a letter to many begins.
#[rustfmt::skip]
pub(super) const TO_MANY: &[&str] = &[
    "dear all", "hello all", "hi everyone", "hello everyone", "dear everyone", "dear customers",
    "dear clients", "dear partners", "dear members", "dear colleagues", "dear friends",
    "dear suppliers", "dear subscribers", "dear readers", "dear parents", "dear neighbours",
    "to all members", "to all customers", "to all our", "an alle", "liebe mitglieder",
    "liebe kunden", "liebe kundinnen", "liebe kolleginnen", "liebe leserinnen", "liebe freunde",
    "liebe partner", "liebe eltern", "liebe alle", "sehr geehrte kunden",
    "sehr geehrte kundinnen", "sehr geehrte mitglieder", "sehr geehrte geschäftspartner",
    "sehr geehrte partner", "sehr geehrte lieferanten", "werte kunden", "werte mitglieder",
    "beste klanten", "beste allemaal", "beste leden", "geachte klanten", "geachte leden",
    "chers clients", "chers tous", "chers membres", "chers adhérents", "chers partenaires",
    "chers collègues", "bonjour à tous", "à tous nos", "estimados clientes", "estimados todos",
    "estimados socios", "queridos clientes", "queridos amigos", "a todos nuestros",
    "hola a todos", "prezados clientes", "caros clientes", "estimados clientes",
    "caros associados", "caros sócios", "olá a todos", "gentili clienti", "cari clienti",
    "cari soci", "cari amici", "a tutti i", "ciao a tutti", "kära kunder", "kära medlemmar",
    "hej alla", "bästa kunder", "kære kunder", "kære alle", "kære medlemmer", "kjære kunder",
    "kjære alle", "hyvät asiakkaat", "hei kaikki", "hyvät jäsenet", "szanowni klienci",
    "drodzy klienci", "drodzy członkowie", "vážení zákazníci", "milí zákazníci", "vážení členové",
    "vážení klienti", "vážení obchodní partneri", "tisztelt ügyfeleink", "kedves vásárlóink",
    "kedves tagok", "stimați clienți", "dragi clienți", "poštovani kupci", "spoštovane stranke",
    "уважаемые клиенты", "дорогие друзья", "уважаемые коллеги", "уважаемые партнеры",
    "шановні клієнти", "уважаеми клиенти", "αγαπητοί πελάτες", "değerli müşteri", "sayın müşteri",
    "לקוחות יקרים", "عملاءنا الكرام", "尊敬的客户", "各位", "親愛的客戶", "お客様各位",
    "関係各位", "会員の皆様", "みなさま", "皆様", "고객 여러분", "회원 여러분",
];

/// How platforms and forms mark where the words of somebody begin.
#[rustfmt::skip]
pub(super) const PASSED_ON: &[&str] = &[
    "nachricht beginnt", "beginn der nachricht", "ende der nachricht", "nachricht endet",
    "begin message", "begin of message", "start of message", "beginning of message",
    "message begins", "message starts", "début du message", "debut du message",
    "inizio messaggio", "inizio del messaggio", "inicio del mensaje", "comienzo del mensaje",
    "início da mensagem", "inicio da mensagem", "begin bericht", "begin van het bericht",
    "początek wiadomości", "začátek zprávy", "sent you a message through",
    "sent you a message via", "has sent you a message:", "submitted by anonymous",
    "this e-mail was sent from a contact form", "this email was sent from a contact form",
    "contact form", "enquiry form", "inquiry form", "kontaktformular", "contactformulier",
    "formulaire de contact", "via le formulaire", "formulario de contacto",
    "a través del formulario", "formulário de contato", "formulário de contacto",
    "através do formulário", "modulo di contatto", "modulo contatti", "tramite il modulo",
    "kontaktformuläret", "kontaktskjema", "yhteydenottolomak", "formularz kontaktowy",
    "formularza kontaktowego", "kontaktní formulář", "kontaktního formuláře",
    "kontaktného formulára", "kapcsolatfelvételi űrlap", "formular de contact",
    "formularul de contact", "kontaktni obrazec", "kontakt forme", "форма обратной связи",
    "формы обратной связи", "контактну форму", "φόρμα επικοινωνίας", "iletişim formu",
    "טופס יצירת קשר", "نموذج الاتصال", "お問い合わせフォーム", "来自联系表单", "来自网站留言",
    "문의 양식",
];
