//! Phrases of automatic answers: that somebody is away, or that something was received.

/// Phrases about the author's absence.
#[rustfmt::skip]
pub(super) const ABSENCE_TEXT: &[&str] = &[
    // English
    "i am out of the office", "i'm out of the office", "i am out of office", "i'm out of office",
    "i will be out of the office", "i'll be out of the office", "i will be out of office",
    "i am currently out of", "i'm currently out of", "i am currently away", "i'm currently away",
    "i am on vacation", "i'm on vacation", "i am on holiday", "i'm on holiday", "i am on leave",
    "i'm on leave", "i am on annual leave", "i'm on annual leave", "i am currently on",
    "i am on parental leave", "i am on maternity leave", "i will be away", "i am away from",
    "i'm away from", "i am away until", "i am travelling", "i will be on leave",
    "will be read upon my return", "will be read on my return", "upon my return", "on my return",
    "when i return", "during my absence", "in my absence", "while i am away", "while i'm away",
    "limited access to email", "limited access to my email", "limited access to e-mail",
    "no access to email", "no access to my email", "will not be forwarded", "office is closed",
    "our office is closed", "our offices are closed", "is out of the office", "is no longer with",
    "no longer works here", "no longer work at", "no longer works for", "has left the company",
    "i have left the company", "i no longer work",
    // German
    "ich bin nicht im büro", "ich bin zur zeit nicht", "ich bin zurzeit nicht",
    "ich bin derzeit nicht", "ich bin momentan nicht", "ich bin im urlaub", "ich bin bis",
    "ich bin vom", "ich bin ab", "ich bin am", "ich befinde mich im urlaub", "ich befinde mich",
    "ich bin außer haus", "ich bin ausser haus", "ich bin abwesend", "bin ich nicht erreichbar",
    "bin ich wieder", "während meiner abwesenheit", "in meiner abwesenheit",
    "nicht weitergeleitet", "werden nicht gelesen", "nach meiner rückkehr", "wieder erreichbar",
    "wieder im büro", "nicht mehr in unserem", "nicht mehr bei uns", "nicht mehr im unternehmen",
    "betriebsferien", "unser büro ist geschlossen", "in dringenden fällen",
    // Dutch
    "ik ben afwezig", "ik ben niet op kantoor", "ik ben met vakantie", "ik ben op vakantie",
    "ik ben momenteel niet", "tijdens mijn afwezigheid", "ik ben weer bereikbaar",
    "na mijn terugkeer",
    // French
    "je suis absent", "je suis absente", "je suis actuellement absent", "je suis actuellement en",
    "je suis en congé", "je suis en congés", "je suis en vacances", "je serai absent",
    "je serai de retour", "en mon absence", "pendant mon absence", "durant mon absence",
    "à mon retour", "dès mon retour", "nos bureaux sont fermés", "ne fait plus partie",
    // Spanish, Catalan, Galician
    "estoy fuera de la oficina", "me encuentro fuera", "estaré fuera", "estoy de vacaciones",
    "estoy ausente", "estaré ausente", "durante mi ausencia", "en mi ausencia", "a mi regreso",
    "a mi vuelta", "a la vuelta", "nuestras oficinas permanecerán", "ya no trabaja",
    "estic fora de l'oficina", "estic de vacances",
    // Portuguese
    "estou fora do escritório", "estarei fora", "estou ausente", "estarei ausente",
    "estou de férias", "encontro-me ausente", "encontro-me de férias", "na minha ausência",
    "durante a minha ausência", "no meu regresso", "quando regressar", "não trabalha mais",
    // Italian
    "sono fuori ufficio", "sarò fuori", "sono assente", "sarò assente", "sono in ferie",
    "sarò in ferie", "durante la mia assenza", "in mia assenza", "al mio rientro",
    "i nostri uffici", "siamo chiusi",
    // Scandinavian
    "jag är inte på kontoret", "jag är på semester", "jag har semester", "jag är frånvarande",
    "jag är åter", "jag är tillbaka", "under min frånvaro", "jeg er ikke på kontoret",
    "jeg er på ferie", "jeg har ferie", "jeg er ikke til stede", "jeg er fraværende",
    "jeg er tilbage", "jeg er tilbake", "i mit fravær", "i mitt fravær", "under mit fravær",
    // Finnish, Estonian, Latvian, Lithuanian
    "olen lomalla", "olen poissa", "en ole tavoitettavissa", "palaan töihin", "palaan lomalta",
    "olen puhkusel", "viibin puhkusel", "esmu atvaļinājumā", "atrodos atvaļinājumā",
    "atostogauju", "esu atostogose",
    // Polish, Czech, Slovak
    "jestem na urlopie", "jestem poza biurem", "przebywam na urlopie", "będę nieobecn",
    "jestem nieobecn", "podczas mojej nieobecności", "w czasie mojej nieobecności",
    "wracam do pracy", "jsem mimo kancelář", "jsem na dovolené", "nejsem v kanceláři",
    "nejsem přítomen", "po mém návratu", "v době mé nepřítomnosti", "budu zpět",
    "som na dovolenke", "som mimo kancelárie", "nie som v kancelárii",
    "počas mojej neprítomnosti",
    // Hungarian, Romanian
    "nem vagyok az irodában", "szabadságon vagyok", "szabadságon leszek", "távol vagyok",
    "távollétem", "sunt în concediu", "nu sunt la birou", "sunt plecat", "în absența mea",
    "voi reveni",
    // Slovenian, Croatian, Serbian
    "sem na dopustu", "sem odsoten", "sem odsotna", "nisem v pisarni", "na godišnjem sam odmoru",
    "nisam u uredu", "odsutan sam", "odsutna sam", "na odmoru sam", "nisam u kancelariji",
    // Russian, Ukrainian, Bulgarian
    "я в отпуске", "нахожусь в отпуске", "я нахожусь", "меня нет в офисе",
    "отсутствую на рабочем", "буду отсутствовать", "в мое отсутствие", "в моё отсутствие",
    "на время моего отсутствия", "вернусь", "я у відпустці", "перебуваю у відпустці",
    "на час моєї відсутності", "в отпуск съм", "извън офиса съм", "аз съм в отпуск",
    // Greek, Turkish
    "είμαι εκτός γραφείου", "βρίσκομαι εκτός", "βρίσκομαι σε άδεια", "απουσιάζω",
    "ofis dışındayım", "ofiste değilim", "izindeyim", "yıllık izinde", "tatildeyim", "yokluğumda",
    // Hebrew, Arabic, Persian
    "אני מחוץ למשרד", "אני בחופשה", "איני במשרד", "אינני במשרד", "أنا خارج المكتب",
    "أنا في إجازة", "سأكون خارج", "خارج المكتب", "در مرخصی هستم",
    // Chinese, Japanese, Korean
    "我正在休假", "我目前不在", "我不在办公室", "我在休假", "正在出差", "我將不在", "休假期间",
    "不在辦公室", "不在办公室", "返回后", "回来后", "不在にして", "休暇をいただ", "休暇中",
    "不在のため", "出張中", "休業", "부재중", "휴가 중", "휴가중", "출장 중", "자리를 비",
    // Thai, Vietnamese, Indonesian, Malay
    "ไม่อยู่ที่สำนักงาน", "ลาพักร้อน", "tôi đang nghỉ", "tôi không có mặt", "tôi vắng mặt",
    "saya sedang cuti", "saya sedang tidak", "saya tidak berada",
];

/// Phrases that confirm that something was received.
#[rustfmt::skip]
pub(super) const RECEIPT_TEXT: &[&str] = &[
    // English
    "we have received your", "we've received your", "we received your", "has been received",
    "was received", "thank you for contacting", "thanks for contacting",
    "thank you for reaching out", "thanks for reaching out", "thank you for your message",
    "thank you for your email", "thank you for your e-mail", "thank you for your enquiry",
    "thank you for your inquiry", "thank you for writing", "thank you for getting in touch",
    "thanks for getting in touch", "thank you for your request", "thanks for your message",
    "thanks for your email", "thanks for writing", "your request has been",
    "your ticket has been", "your case has been", "your message has been received",
    "your email has been received", "a ticket has been", "a new ticket has been",
    "a support ticket", "a case has been", "ticket number is", "ticket id is",
    "your ticket number", "your reference number", "your case number", "this is to confirm",
    "we will get back to you", "we'll get back to you", "will get back to you",
    "will be in touch", "we aim to respond", "we aim to reply", "we will respond within",
    "we will reply within", "we'll reply within", "we will answer", "within one business day",
    "within 24 hours", "within 48 hours", "within two working days", "business days",
    "one of our agents", "a member of our team", "a member of the team",
    "to add additional comments", "your request is important", "your enquiry is important",
    // German
    "wir haben ihre", "ihre anfrage ist", "ihre anfrage wurde", "ihre nachricht ist bei uns",
    "ihre nachricht ist eingegangen", "ihre e-mail ist bei uns", "ihre mail ist",
    "ist bei uns eingegangen", "haben wir erhalten", "vielen dank für ihre nachricht",
    "vielen dank für ihre anfrage", "vielen dank für ihre e-mail", "vielen dank für ihre mail",
    "danke für ihre nachricht", "danke für ihre anfrage", "danke für ihre e-mail",
    "danke für deine nachricht", "vielen dank für deine", "wir werden uns", "wir melden uns",
    "schnellstmöglich bei ihnen", "so schnell wie möglich", "ihr ticket", "ticketnummer",
    "vorgangsnummer", "bearbeitungsnummer", "wir bestätigen den eingang",
    "hiermit bestätigen wir", "eingangsbestätigung",
    // Dutch
    "wij hebben uw", "we hebben uw", "we hebben je", "bedankt voor uw", "bedankt voor je",
    "dank voor uw", "uw bericht is ontvangen", "is ontvangen", "zo spoedig mogelijk",
    "ticketnummer is",
    // French
    "nous avons bien reçu", "nous avons reçu", "votre demande a été", "votre demande a bien",
    "votre message a été", "votre message a bien", "votre courriel a bien",
    "merci de nous avoir contact", "merci pour votre message", "merci pour votre demande",
    "nous accusons réception", "accusé de réception", "dans les plus brefs délais",
    "vous répondrons", "votre numéro de ticket",
    // Spanish
    "hemos recibido su", "hemos recibido tu", "gracias por contactar", "gracias por escribir",
    "gracias por su mensaje", "gracias por tu mensaje", "gracias por comunicarse",
    "su solicitud ha sido", "tu solicitud ha sido", "su mensaje ha sido", "ha sido recibid",
    "a la mayor brevedad", "lo antes posible", "nos pondremos en contacto", "le responderemos",
    "te responderemos", "acuse de recibo",
    // Portuguese
    "recebemos a sua", "recebemos o seu", "recebemos sua", "recebemos seu",
    "obrigado por entrar em contato", "obrigado pelo seu contacto", "obrigado pelo contato",
    "agradecemos o seu contacto", "agradecemos o contato", "sua solicitação foi",
    "sua mensagem foi", "foi recebid", "o mais breve possível", "responderemos",
    "entraremos em contato",
    // Italian
    "abbiamo ricevuto", "la tua richiesta", "la sua richiesta", "la vostra richiesta",
    "è stata ricevuta", "è stato ricevuto", "grazie per averci", "grazie per il messaggio",
    "la ringraziamo per", "il prima possibile", "al più presto", "le risponderemo",
    "ti risponderemo",
    // Scandinavian, Finnish
    "vi har tagit emot", "vi har mottagit", "tack för ditt", "tack för att du", "vi har modtaget",
    "tak for din", "vi har mottatt", "takk for din", "takk for at du", "vi svarer", "vi svarar",
    "olemme vastaanottaneet", "kiitos viestistäsi", "kiitos yhteydenotostasi",
    "viestisi on vastaanotettu",
    // Polish, Czech, Slovak
    "otrzymaliśmy", "dziękujemy za kontakt", "dziękujemy za wiadomość",
    "dziękujemy za zgłoszenie", "twoje zgłoszenie", "państwa zgłoszenie",
    "zostało zarejestrowane", "zostało przyjęte", "obdrželi jsme", "přijali jsme", "děkujeme za",
    "váš požadavek byl", "vaše zpráva byla", "ďakujeme za", "prijali sme", "dostali sme",
    "vaša požiadavka",
    // Hungarian, Romanian
    "megkaptuk", "köszönjük megkeresés", "köszönjük levelét", "köszönjük, hogy", "am primit",
    "vă mulțumim pentru", "mulțumim pentru mesaj", "solicitarea dumneavoastră", "solicitarea dvs",
    // Slovenian, Croatian, Serbian
    "prejeli smo", "hvala za vaše", "primili smo", "zaprimili smo", "hvala na upitu",
    "hvala vam na",
    // Russian, Ukrainian, Bulgarian
    "мы получили ваше", "мы получили ваш", "ваше обращение", "ваша заявка",
    "ваше письмо получено", "ваше сообщение получено", "спасибо за обращение", "спасибо за ваше",
    "благодарим за", "ми отримали ваш", "ваше звернення", "дякуємо за", "получихме ваш",
    "благодарим ви за",
    // Greek, Turkish
    "λάβαμε το", "λάβαμε την", "το αίτημά σας", "σας ευχαριστούμε για", "mesajınız alınmıştır",
    "mesajınızı aldık", "talebiniz alınmıştır", "talebinizi aldık", "bize ulaştığınız için",
    // Hebrew, Arabic
    "פנייתך התקבלה", "פנייתכם התקבלה", "קיבלנו את", "לקד استلمنا", "لقد استلمنا", "تم استلام",
    "شكرا لتواصل", "شكرًا لتواصل",
    // Chinese, Japanese, Korean
    "我们已收到", "已收到您的", "您的邮件已收到", "感谢您的来信", "感谢您的来邮", "感谢来信",
    "您的来信", "我們已收到", "尽快回复", "盡快回覆", "お問い合わせいただき",
    "お問い合わせを受け付け", "受け付けました", "受付いたしました", "受付完了",
    "お問い合わせありがとう", "ご連絡ありがとう", "担当者より", "접수되었습니다",
    "접수 되었습니다", "문의해 주셔서", "문의해주셔서", "빠른 시일 내",
    // Thai, Vietnamese, Indonesian
    "ได้รับข้อความของ", "ได้รับอีเมล", "chúng tôi đã nhận", "cảm ơn bạn đã liên hệ",
    "kami telah menerima", "terima kasih telah menghubungi",
];
