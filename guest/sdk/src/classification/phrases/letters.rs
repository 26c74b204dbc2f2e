//! Phrases of people: the first person, in the singular, as whole words, and their requests.

/// Words that no firm's template has, because it speaks of itself as `we`. A word with another
/// meaning in another language (Danish `i`, German `es` and `mit`, Dutch `je`) is left out; English
/// `I` is told by its capital.
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
    "yo", "mi", "mis", "mío", "conmigo", "tengo", "quiero", "quisiera", "necesito", "puedo", "soy",
    "estoy", "meu", "minha", "meus", "minhas", "comigo", "tenho", "preciso", "gostaria", "consigo",
    "estou", "el meu", "la meva",
    // Italian, Romanian
    "mio", "mia", "miei", "vorrei", "posso", "ho ricevuto", "ho un", "ho una", "ho già",
    "ho fatto", "non ho", "mea", "mele", "vreau", "aș dori",
    // Swedish, Danish, Norwegian, Icelandic
    "jag", "mig", "mitt", "jeg", "meg", "min kone", "mér",
    // Finnish, Estonian
    "minä", "minun", "minulla", "minulle", "mulla", "olen", "haluaisin", "minu", "sooviksin",
    // Polish, Czech, Slovak
    "mój", "moja", "moje", "mnie", "mam", "jestem", "chciałbym", "chciałabym", "mám", "můj", "mně",
    "jsem", "chtěl bych", "chtěla bych", "môj",
    // Hungarian, Turkish
    "nekem", "engem", "szeretném", "vagyok", "benim", "bana", "istiyorum",
    // Slovenian, Croatian, Serbian, Lithuanian, Latvian
    "moj", "meni", "imam", "norėčiau", "vēlos",
    // Russian, Ukrainian, Bulgarian, Serbian
    "я", "меня", "мне", "мой", "моя", "моё", "мое", "мои", "мной", "мені", "мій", "мене", "аз съм",
    "мој",
    // Greek, Hebrew, Arabic
    "εγώ", "μου", "έχω", "θέλω", "είμαι", "אני", "שלי", "أنا", "لدي", "أريد", "عندي",
    // Chinese, Japanese, Korean, Thai, Vietnamese, Indonesian, Hindi
    "我想", "我的", "我是", "我在", "我有", "我已", "我刚", "我剛", "我买", "我買", "我要", "我用", "我收", "我不", "我家", "私は",
    "私の", "私が", "私も", "僕", "俺", "저는", "제가", "저희 집", "나는", "ฉัน", "ผม", "ดิฉัน", "tôi", "saya",
    "aku", "मैं", "मेरा", "मुझे",
];

/// Phrases that mail programs on telephones put below the text.
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
    "נשלח מהאייפון", "أرسلت من", "تم الإرسال من", "发自我的", "發自我的", "从我的iphone发送", "從我的 iphone 傳送",
    "iphoneから送信", "ipadから送信", "スマートフォンから送信", "나의 iphone에서", "내 iphone에서", "ส่งจาก iphone",
    "gửi từ iphone", "dikirim dari iphone",
];

/// Phrases with which a letter to many begins.
#[rustfmt::skip]
pub(super) const TO_MANY: &[&str] = &[
    "dear all", "hello all", "hi everyone", "hello everyone", "dear everyone", "dear customers",
    "dear clients", "dear partners", "dear members", "dear colleagues", "dear friends",
    "dear suppliers", "dear subscribers", "dear readers", "dear parents", "dear neighbours",
    "to all members", "to all customers", "to all our", "an alle", "liebe mitglieder",
    "liebe kunden", "liebe kundinnen", "liebe kolleginnen", "liebe leserinnen", "liebe freunde",
    "liebe partner", "liebe eltern", "liebe alle", "sehr geehrte kunden", "sehr geehrte kundinnen",
    "sehr geehrte mitglieder", "sehr geehrte geschäftspartner", "sehr geehrte partner",
    "sehr geehrte lieferanten", "werte kunden", "werte mitglieder", "beste klanten",
    "beste allemaal", "beste leden", "geachte klanten", "geachte leden", "chers clients",
    "chers tous", "chers membres", "chers adhérents", "chers partenaires", "chers collègues",
    "bonjour à tous", "à tous nos", "estimados clientes", "estimados todos", "estimados socios",
    "queridos clientes", "queridos amigos", "a todos nuestros", "hola a todos",
    "prezados clientes", "caros clientes", "estimados clientes", "caros associados",
    "caros sócios", "olá a todos", "gentili clienti", "cari clienti", "cari soci", "cari amici",
    "a tutti i", "ciao a tutti", "kära kunder", "kära medlemmar", "hej alla", "bästa kunder",
    "kære kunder", "kære alle", "kære medlemmer", "kjære kunder", "kjære alle", "hyvät asiakkaat",
    "hei kaikki", "hyvät jäsenet", "szanowni klienci", "drodzy klienci", "drodzy członkowie",
    "vážení zákazníci", "milí zákazníci", "vážení členové", "vážení klienti",
    "vážení obchodní partneri", "tisztelt ügyfeleink", "kedves vásárlóink", "kedves tagok",
    "stimați clienți", "dragi clienți", "poštovani kupci", "spoštovane stranke",
    "уважаемые клиенты", "дорогие друзья", "уважаемые коллеги", "уважаемые партнеры",
    "шановні клієнти", "уважаеми клиенти", "αγαπητοί πελάτες", "değerli müşteri", "sayın müşteri",
    "לקוחות יקרים", "عملاءنا الكرام", "尊敬的客户", "各位", "親愛的客戶", "お客様各位", "関係各位", "会員の皆様", "みなさま",
    "皆様", "고객 여러분", "회원 여러분",
];

/// Phrases of platforms and forms before somebody's words.
#[rustfmt::skip]
pub(super) const PASSED_ON: &[&str] = &[
    "nachricht beginnt", "beginn der nachricht", "ende der nachricht", "nachricht endet",
    "begin message", "begin of message", "start of message", "beginning of message",
    "message begins", "message starts", "début du message", "debut du message", "inizio messaggio",
    "inizio del messaggio", "inicio del mensaje", "comienzo del mensaje", "início da mensagem",
    "inicio da mensagem", "begin bericht", "begin van het bericht", "początek wiadomości",
    "začátek zprávy", "sent you a message through", "sent you a message via",
    "has sent you a message:", "submitted by anonymous",
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
    "טופס יצירת קשר", "نموذج الاتصال", "お問い合わせフォーム", "来自联系表单", "来自网站留言", "문의 양식",
];

/// Phrases with which people ask for something. Those of templates are left out: they tell what one
/// can do, and ask for nothing but ratings.
#[rustfmt::skip]
pub(super) const REQUEST: &[&str] = &[
    "can you please", "could you please", "can you look", "can you send", "can you check",
    "can you tell", "could you send", "could you check", "could you tell", "could you look",
    "can someone", "could someone", "would you mind", "would it be possible", "is it possible to",
    "please help", "please advise", "please check", "please look", "please send me",
    "please send us", "please tell me", "please fix", "pls help", "plz", "what should i",
    "what should be done", "what do i", "what can i", "how do i", "how can i", "how do we",
    "any idea", "any news", "let me know", "thanks in advance", "thank you in advance",
    "können sie uns", "können sie mir", "können sie das", "könnten sie", "kannst du", "könnt ihr",
    "könnten wir", "bitte prüfen sie", "bitte helfen", "bitte schicken sie",
    "bitte senden sie uns", "bitte senden sie mir", "bitte um", "ich bitte", "wir bitten um",
    "was soll ich", "was muss ich", "wie kann ich", "vielen dank im voraus", "danke im voraus",
    "danke schon mal", "pouvez-vous", "pourriez-vous", "pourrais-tu", "peux-tu", "merci d'avance",
    "merci par avance", "merci de me", "comment puis-je", "que dois-je", "pueden ayudar",
    "me pueden", "podrían", "podría usted", "podéis", "me podrían", "nos podrían",
    "gracias de antemano", "qué debo", "cómo puedo", "podem me", "podem ajudar", "poderiam",
    "pode me", "poderia me", "desde já agradeço", "obrigado desde já", "como faço para",
    "o que devo", "potete", "potreste", "può dirmi", "mi potete", "mi può", "grazie in anticipo",
    "cosa devo", "come posso", "kunt u mij", "kunt u ons", "kunnen jullie", "kan je", "kun je",
    "zou u", "zouden jullie", "alvast bedankt", "wat moet ik", "hoe kan ik", "kan ni", "kan du",
    "skulle ni", "tack på förhand", "vad ska jag", "hur gör jag", "kan dere", "kunne dere",
    "kan i ", "på forhånd tak", "på forhånd takk", "hvad gør jeg", "hva gjør jeg", "voisitteko",
    "voitteko", "voisitko", "kiitos etukäteen", "miten voin", "czy mogą państwo", "czy możecie",
    "czy mogliby", "proszę o pomoc", "proszę o informację", "z góry dziękuję", "jak mogę",
    "co mam zrobić", "můžete mi", "můžete nám", "můžete prosím", "mohli byste", "prosím o radu",
    "předem děkuji", "co mám", "jak mám", "môžete mi", "mohli by ste", "vopred ďakujem",
    "tudnának", "tudna segíteni", "kérem segít", "kérném", "előre is köszön", "mit tegyek",
    "puteți să-mi", "ați putea", "vă rog să", "mulțumesc anticipat", "ce trebuie să", "možete li",
    "hvala unaprijed", "ali lahko", "hvala vnaprej", "не могли бы", "можете ли", "подскажите",
    "помогите", "прошу вас", "заранее спасибо", "что мне делать", "как мне", "чи можете",
    "підкажіть", "допоможіть", "дякую заздалегідь", "можете ли", "благодаря предварително",
    "μπορείτε να", "θα μπορούσατε", "ευχαριστώ εκ των", "τι πρέπει να", "yardımcı olabilir",
    "yardımcı olur", "rica ediyorum", "rica ederim", "şimdiden teşekkür", "ne yapmalıyım",
    "nasıl yapabilirim", "תוכלו", "אפשר לקבל", "אשמח", "תודה מראש", "هل يمكن", "أرجو المساعدة",
    "شكرا مقدما", "教えてください", "教えて下さい", "いただけますか", "いただけますでしょうか", "いただけないでしょうか", "お願いできます", "どうすれば",
    "ご教示", "请问", "請問", "麻烦您", "麻煩您", "能否", "怎么办", "怎麼辦", "부탁드립니다", "부탁드려요", "알려주세요", "알려 주세요",
    "주실 수 있", "어떻게 해야", "làm ơn", "giúp tôi", "cho tôi hỏi", "mohon bantu", "tolong",
    "bagaimana cara", "รบกวน", "ช่วย",
];

/// Phrases with which people ask not to be sent more, in the words of an offer to unsubscribe.
#[rustfmt::skip]
pub(super) const WANTS_OUT: &[&str] = &[
    "take me off", "take us off", "remove me", "remove us", "remove my", "unsubscribe me",
    "unsubscribe us", "unsubscribe my", "please unsubscribe", "clicked unsubscribe",
    "clicked on unsubscribe", "tried to unsubscribe", "i unsubscribed", "how do i unsubscribe",
    "how can i unsubscribe", "i no longer wish", "i no longer want", "i don't want to receive",
    "i do not want to receive", "i do not wish to", "want to unsubscribe", "stop sending me",
    "stop emailing me", "stop mailing me", "nehmen sie mich", "nehmt mich", "mich vom verteiler",
    "mich aus dem", "mich abzumelden", "mich abmelden", "streichen sie mich", "wie melde ich",
    "bitte abmelden", "bitte austragen", "tragen sie mich", "ich möchte keine", "ich will keine",
    "désabonnez-moi", "désinscrivez-moi", "retirez-moi", "me désabonner", "me désinscrire",
    "je ne souhaite plus", "je ne veux plus", "denme de baja", "darme de baja", "dadme de baja",
    "quiero cancelar", "no quiero recibir", "no deseo recibir", "me descadastr", "me retirem",
    "não quero receber", "não quero mais", "quero cancelar", "toglietemi", "cancellatemi",
    "rimuovetemi", "non voglio più", "non desidero più", "haal mij", "haal me", "schrijf mij uit",
    "mij uitschrijven", "me uitschrijven", "ik wil geen", "ta bort mig", "avregistrera mig",
    "jag vill inte", "fjern mig", "fjern meg", "meld meg av", "afmeld mig", "jeg vil ikke",
    "poistakaa minut", "en halua enää", "wypiszcie mnie", "wypisanie mnie", "usunięcie mnie",
    "nie chcę otrzymywać", "nie chcę już", "odhlaste mě", "vyškrtněte mě", "nechci dostávat",
    "odhláste ma", "nechcem dostávať", "vegyenek le", "töröljenek", "nem kérek több",
    "dezabonați-mă", "nu mai vreau", "отпишите меня", "удалите меня", "как отписаться",
    "не хочу получать", "відпишіть мене", "як відписатися", "beni listeden", "almak istemiyorum",
    "退会したい", "解除したい", "解除してください", "配信を止めて", "配信停止をお願い", "我要退订", "请帮我退订", "别再发", "不要再发", "수신거부 부탁",
    "그만 보내", "xin hủy",
];
