//! Phrases of mail systems about failed delivery, beyond the fixed ones of the large programs.

/// Phrases of mail systems and gateways alone, which no person writes.
#[rustfmt::skip]
pub(super) const FAILURE_TEXT_MORE: &[&str] = &[
    "\"notificationtype\":\"bounce\"", "notificationtype\":\"bounce",
    "the following addresses had", "the following address failed",
    "the following address(es) failed", "failed recipients", "failed recipient:",
    "failed addresses follow", "transcript of session follows", "original message follows",
    "returned message follows", "your original message follows", "text of your original message",
    "the first 50 lines of your original", "message headers follow", "header and top",
    "message header follows", "this is a delivery status notification",
    "this is a permanent error", "i have given up", "giving up on",
    "mail server permanently rejected", "reason for the failure", "remote host said",
    "remote server said", "remote server returned", "remote mail server returned",
    "the error that the other server returned", "generating server:",
    "diagnostic information for administrators", "diagnostic code:", "final-recipient:",
    "the reason for the problem", "the mail server responded", "delivery attempts will continue",
    "will continue to be made", "we will continue to try", "will keep trying",
    "retry timeout exceeded", "message still undelivered", "message will be retried",
    "the message was held", "has been placed on hold", "your message to the following recipients",
    "the following recipient(s) could not be reached",
    "the following organization rejected your message", "delivery to these recipients",
    "delivery to the following", "could not deliver message to the following",
    "could not deliver the message to the following", "did not reach the following recipient",
    "message not delivered to the following", "message has not been delivered to",
    "i was unable to deliver your message", "we were unable to deliver your message",
    "unable to deliver your message", "unable to deliver message",
    "unable to deliver the message", "there was a temporary problem delivering",
    "there was a problem delivering your", "wasn't delivered to", "your message wasn't delivered",
    "your message couldn't be delivered", "your message could not be delivered",
    "the message you sent to", "the message that you sent", "a message that you sent",
    "message was blocked by", "email delivery failure", "undeliverable message",
    "message rejected by", "error: invalid user address", "requested action not taken",
];

/// Anybody's phrases about failed delivery, in further languages.
#[rustfmt::skip]
pub(super) const FAILURE_WORDS_MORE: &[&str] = &[
    // English
    "your email to", "the user's mailbox is full", "mailbox full", "mailbox is full",
    "mailbox has exceeded", "over quota", "quota exceeded", "exceeded storage",
    "has been blocked because", "content that is not allowed", "virus was detected",
    "contained a virus", "banned attachment", "banned content", "is not listed in",
    "user unknown", "no such user", "unknown user", "recipient unknown", "address rejected",
    "user not found", "recipient not found", "recipient address rejected", "mailbox unavailable",
    "mailbox not found", "account is disabled", "address couldn't be found", "address not found",
    "domain not found", "host unknown", "undelivered", "not been delivered", "was rejected",
    "has been rejected", "was returned", "has been returned", "delivery failed",
    "delivery has failed", "failed to reach", "bounced", "not reached", "has been delayed",
    "is delayed", "was quarantined", "were unable to deliver",
    // German
    "nicht zugestellt werden", "konnten nicht zugestellt", "zustellung ist fehlgeschlagen",
    "zustellung fehlgeschlagen", "zustellung war nicht", "unzustellbar", "nicht zustellbar",
    "konnte nicht übermittelt", "wurde abgewiesen", "wurde abgelehnt", "wurde zurückgewiesen",
    "postfach ist voll", "empfänger unbekannt", "existiert nicht",
    // Dutch
    "niet worden bezorgd", "niet bezorgd", "niet worden afgeleverd", "niet afgeleverd",
    "onbestelbaar", "postvak is vol", "kon niet worden verzonden",
    // French
    "pas pu être remis", "pas pu être délivré", "pas pu être distribué", "pas pu être livré",
    "n'a pas été remis", "n'a pas été distribué", "n'a pas été délivré", "non remis",
    "échec de la remise", "boîte est pleine", "boîte aux lettres est pleine", "a été rejeté",
    "a été refusé", "adresse introuvable", "destinataire inconnu", "impossible de remettre",
    // Spanish, Catalan
    "no se pudo entregar", "no pudo ser entregado", "no ha podido ser entregado",
    "no ha sido entregado", "no fue entregado", "no se entregó", "buzón está lleno",
    "ha sido rechazado", "fue rechazado", "destinatario desconocido", "no se ha pogut lliurar",
    "no s'ha pogut lliurar",
    // Portuguese
    "não foi entregue", "não pôde ser entregue", "não pode ser entregue",
    "não foi possível entregar", "caixa postal cheia", "caixa de correio está cheia",
    "foi rejeitada", "foi rejeitado", "destinatário desconhecido",
    // Italian
    "non è stato recapitato", "non è stato consegnato", "non può essere recapitato",
    "non ha potuto essere consegnato", "mancata consegna", "mancato recapito", "casella è piena",
    "è stato rifiutato", "è stato respinto", "destinatario sconosciuto",
    // Scandinavian, Finnish
    "har inte levererats", "gick inte att leverera", "inte kunnat levereras",
    "kunne ikke afleveres", "er ikke blevet leveret", "ble ikke levert", "kunne ikke bli levert",
    "postkassen er full", "ei voitu toimittaa", "ei voida toimittaa", "toimitus epäonnistui",
    "postilaatikko on täynnä",
    // Polish, Czech, Slovak
    "nie może zostać dostarczona", "nie zostało dostarczone", "nie udało się dostarczyć",
    "skrzynka jest pełna", "nepodařilo se doručit", "nebylo možné doručit", "nebyla doručena",
    "nemohla být doručena", "schránka je plná", "nepodarilo sa doručiť", "nebolo možné doručiť",
    "nebola doručená",
    // Hungarian, Romanian
    "nem kézbesíthető", "nem sikerült kézbesíteni", "nem lehetett kézbesíteni",
    "nu a putut fi livrat", "nu a fost livrat", "nu poate fi livrat",
    // Slovenian, Croatian, Serbian, Baltic
    "ni bilo mogoče dostaviti", "ni bilo dostavljeno", "nije isporučen", "nije moguće isporučiti",
    "nije mogla biti isporučena", "nevarēja piegādāt", "nepavyko pristatyti",
    "ei õnnestunud edastada", "ei saanud kohale toimetada",
    // Russian, Ukrainian, Bulgarian
    "не может быть доставлено", "невозможно доставить", "не доставлено", "не удаётся доставить",
    "не удается доставить", "почтовый ящик переполнен", "ящик переполнен",
    "пользователь не найден", "не вдалося доставити", "не може бути доставлен",
    "не було доставлено", "не беше доставено", "не може да бъде доставено",
    // Greek, Turkish, Hebrew, Arabic
    "δεν ήταν δυνατή η παράδοση", "δεν παραδόθηκε", "δεν μπόρεσε να παραδοθεί",
    "teslim edilemedi", "iletilemedi", "gönderilemedi", "posta kutusu dolu", "לא נמסרה",
    "לא ניתן היה למסור", "لم يتم تسليم", "تعذر تسليم",
    // Chinese, Japanese, Korean
    "未能送达", "无法送达", "无法投递", "未能投递", "退信原因", "邮件退回", "被退回", "投递失败",
    "收件人不存在", "邮箱已满", "拒收", "未能送達", "無法送達", "無法投遞", "遞送失敗",
    "配信できません", "送信できません", "送信できなかった", "配送できません", "配達できません",
    "お届けできません", "届けることができません", "エラーで返", "宛先不明",
    "メールボックスがいっぱい", "전달되지 못", "전송되지 못", "전송하지 못", "배달되지 않",
    "수신자를 찾을 수", "반송되었", "사서함이 가득",
    // Vietnamese, Thai, Indonesian
    "không thể gửi", "không gửi được", "không thể phân phối", "ไม่สามารถส่ง",
    "tidak dapat dikirim", "gagal terkirim", "tidak terkirim",
];
