//! Phrases of programs that write of their own accord: alerts, reports, orders, accounts,
//! deliveries.

/// Phrases of templates. People tell of such things in other words: of their own case, and in the
/// first person.
#[rustfmt::skip]
pub(super) const NOTICE_TEXT: &[&str] = &[
    // To nobody in particular
    "dear user", "dear sir/madam user", "dear administrator", "dear account holder",
    "dear subscriber", "dear valued", "hello administrator", "sehr geehrter benutzer",
    "sehr geehrter nutzer", "lieber benutzer", "lieber nutzer", "geachte gebruiker",
    "beste gebruiker", "cher utilisateur", "chère utilisatrice", "estimado usuario",
    "querido usuario", "prezado usuário", "caro utilizador", "prezado utilizador",
    "gentile utente", "caro utente", "hej användare", "kære bruger", "kjære bruker",
    "hyvä käyttäjä", "szanowny użytkowniku", "vážený uživateli", "vážený používateľ",
    "tisztelt felhasználó", "stimate utilizator", "уважаемый пользователь", "шановний користувачу",
    "αγαπητέ χρήστη", "sayın kullanıcı", "尊敬的用户", "親愛的用戶", "ユーザー様", "사용자님", "고객님께서",
    // Mailboxes
    "mailbox is almost full", "mailbox is nearly full", "mailbox has reached", "mailbox quota",
    "of your quota", "of its quota", "ha alcanzado el", "de su cuota", "ihr postfach ist zu",
    "speicherplatz", "a atteint", "de son quota",
    // Of the mail itself
    "this notification was", "this is a notification", "this is a system", "this is a reminder",
    "this is a courtesy", "this mailbox is not monitored", "this address is not monitored",
    "this inbox is not monitored", "sent from an unmonitored", "from an unattended",
    "notification settings", "notification preferences", "manage your notifications",
    "manage notifications", "mail was sent from \"rnp", "e-mail was sent from",
    // Accounts
    "verify your email", "confirm your email address", "one-time code", "one-time password",
    "one time password", "your password will expire", "your password expires", "new sign-in",
    "new login", "unusual sign-in", "unusual activity", "sign-in attempt", "was logged in to",
    "log in to your account", "sign in to your account", "to activate your account",
    "activate your account", "if this wasn't you", "if you did not request",
    "if you didn't request", "new user registration", "has invited you", "invited you to",
    "you have been invited", "you've been invited", "has shared a", "shared a file with you",
    "shared a folder with you", "has requested access", "click the button below",
    "click the link below", "click on the link below", "use the following link",
    "by clicking the link",
    // Orders, payments, deliveries
    "thank you for your order", "thanks for your order", "thank you for your purchase",
    "order number:", "you've received the following order", "you have received an order",
    "you received a new order", "you have a new order", "congratulations on the sale",
    "a new order has been", "nouvelle commande a été", "neue bestellung ist eingegangen",
    "sie haben eine neue bestellung", "nuevo pedido recibido", "ha recibido un nuevo pedido",
    "novo pedido recebido", "hai ricevuto un nuovo ordine", "nieuwe bestelling ontvangen",
    "ny order har", "nowe zamówienie nr", "nová objednávka č", "新订单", "新しい注文",
    "has been dispatched", "has been shipped", "out for delivery", "your payment of",
    "you've got paid", "invoice is now available", "is now available online", "will be renewed",
    "is about to expire", "your free trial", "please find attached your invoice",
    "attached is your invoice",
    // Machines and networks
    "has been down since", "alert triggered", "alarm triggered", "triggered an alert",
    "problem started at", "problem has been resolved", "backup job", "backup task", "build #",
    "pipeline #", "pipeline failed", "workflow run", "certificate will expire",
    "certificate expires", "log center", "scheduled report", "daily summary", "weekly summary",
    "this report was", "report is attached", "please find attached the report",
    "messages were held", "messages are held", "spam digest", "on battery power",
    "power has been restored",
    // Telephones, faxes, copiers
    "new voicemail", "new voice message", "voice message from", "you have a new voice",
    "left you a message", "you received a fax", "fax received", "new fax", "pages received",
    "was scanned", "scanned and sent", "scanned document", "scanned image", "multifunction device",
    "sent from a device", "using a hp", "open the attached document", "scan to email",
    "scan to e-mail", "scan date:",
    // Appointments, surveys, social networks
    "appointment reminder", "event reminder", "is starting soon", "how would you rate",
    "rate your experience", "rate the support", "take our survey", "take a short survey",
    "complete this survey", "one-question survey", "we'd love to hear", "leave a review",
    "new follower", "you have a new message", "you have 1 new", "mentioned you", "replied to your",
    // German
    "diese benachrichtigung", "bestätigungscode", "sicherheitscode", "klicken sie",
    "vielen dank für ihre bestellung", "sendungsnummer", "sendungsverfolgung", "zahlung erhalten",
    "anbei erhalten sie", "anbei finden sie ihre", "ihre rechnung", "erhalten sie unsere rechnung",
    "ist eskaliert", "neue sprachnachricht", "neues fax", "bewerten sie",
    "benachrichtigungseinstellungen",
    // Dutch
    "nieuwe voicemail",
    // French
    "numéro de suivi", "code de vérification", "cliquez ici", "cliquez sur", "a été numérisé",
    "numérisé et envoyé", "nouveau message vocal",
    // Spanish
    "código de verificación", "haga clic", "haz clic", "nuevo mensaje de voz",
    // Portuguese
    "código de verificação", "clique aqui", "clique no",
    // Italian
    "il tuo pacco", "codice di verifica", "clicca qui", "fai clic", "la tua fattura",
    "la sua fattura", "nuovo messaggio vocale",
    // Scandinavian, Finnish
    "klicka här", "klik her", "klikk her", "pakettisi", "klikkaa",
    // Polish, Czech, Slovak, Hungarian, Romanian
    "twoja paczka", "twoja przesyłka", "kod weryfikacyjny", "kliknij", "klikněte", "vaša zásielka",
    "kliknite", "kattintson", "comanda dumneavoastră", "faceți clic", "click aici",
    // Russian, Ukrainian
    "код подтверждения", "перейдите по ссылке", "нажмите", "ваша посилка", "код підтвердження",
    "перейдіть за посиланням",
    // Greek, Turkish, Hebrew, Arabic
    "η παραγγελία σας", "κάντε κλικ", "doğrulama kodu", "tıklayın", "ההזמנה שלך", "קוד אימות",
    "לחץ כאן", "رمز التحقق", "انقر هنا",
    // Chinese, Japanese, Korean
    "点击此处", "認証コード", "パスワードの再設定", "ログインがあり", "予約確認", "인증번호", "인증 코드",
    // Vietnamese, Indonesian, Thai
    "đơn hàng của bạn", "mã xác minh", "nhấp vào", "pesanan anda", "kode verifikasi",
    "klik di sini", "คำสั่งซื้อของ", "รหัสยืนยัน",
];

/// Phrases about the topics of such programs, which people use as well: they only back other signs.
#[rustfmt::skip]
pub(super) const NOTICE_TOPIC: &[&str] = &[
    "quota", "área de cliente", "área de clientes", "area clienti", "area riservata",
    "im kundenportal", "in ihrem kundenkonto", "in ihrem konto", "votre espace client",
    "espace personnel", "mina sidor", "min side", "omat sivut", "マイページ", "ログインして", "mijn omgeving",
    "в личном кабинете", "особистому кабінеті", "elérhető az ügyfél", "payment method",
    "invoice number", "receipt number", "transaction id", "order number", "tracking id", "toner",
    "low ink", "seriennummer", "anruf", "transferencia", "bonifico", "virement", "überweisung",
    "is down", "was down for", "went down", "monitor is", "alert:", "threshold",
    "has been resolved", "incident", "status changed", "state changed", "completed successfully",
    "completed with", "has failed", "exit code", "exit status", "build failed", "build succeeded",
    "deployment", "disk space", "free space", "cpu usage", "memory usage", "daily report",
    "weekly report", "monthly report", "quarantine", "serial number:", "firmware", "missed call",
    "reminder:", "your appointment", "how did we do", "your feedback", "you have new",
    "assigned to you", "has been assigned", "was assigned to", "commented on", "new comment",
    "your parcel", "your package", "your shipment", "tracking number", "track your", "has expired",
    "expires on", "will expire", "will renew", "your invoice is", "balance due", "amount due",
    "amount paid", "receipt #", "order total", "total payé", "gesamtbetrag", "your subscription",
    "order confirmation", "alarm", "störung", "grenzwert", "läuft ab", "gescannt", "erinnerung:",
    "ihr termin", "umfrage", "wurde erfolgreich", "ist fehlgeschlagen", "fehlgeschlagen",
    "datensicherung", "ihr konto", "ihr passwort", "dein passwort", "ihre sendung", "ihr paket",
    "dein paket", "zahlungseingang", "afspraak", "uw factuur", "uw pakket", "je pakket",
    "uw wachtwoord", "sauvegarde", "a échoué", "expire le", "votre compte", "votre facture",
    "votre colis", "votre mot de passe", "copia de seguridad", "ha fallado", "recordatorio",
    "su cuenta", "tu cuenta", "su cita", "tu cita", "su factura", "tu factura", "su paquete",
    "tu paquete", "cópia de segurança", "falhou", "lembrete", "sua conta", "sua fatura",
    "seu boleto", "palavra-passe", "promemoria", "è fallito", "il tuo account", "påminnelse",
    "påmindelse", "din faktura", "ditt paket", "din pakke", "muistutus", "laskusi",
    "przypomnienie", "kopia zapasowa", "faktura vat", "připomínka", "záloha", "vaše zásilka",
    "emlékeztető", "csomagja", "reamintire", "coletul", "напоминание", "резервное копирование",
    "ваша посылка", "нагадування", "υπενθύμιση", "το δέμα σας", "kargonuz", "faturanız",
    "hatırlatma", "תזכורת", "تذكير", "طلبك", "点击", "點擊", "到期", "告警", "报警", "备份", "您的包裹", "您的订单",
    "您的訂單", "您的账户", "您的帳戶", "您的密码", "验证码", "驗證碼", "ご注文", "お荷物", "クリック", "有効期限", "お支払い", "ご請求",
    "アラート", "障害", "バックアップ", "失敗しました", "完了しました", "お知らせ", "配送状況", "배송", "비밀번호", "클릭", "만료", "결제",
    "백업", "알림", "คลิก", "click here to", "klik hier", "klik op", "failed with exit", "is up again",
    "is back up", "run failed", "job failed", "backup completed", "backup failed", "backup has",
    "scheduled task", "security code", "password reset", "reset your password", "payment failed",
    "payment received", "your payment has", "your order is", "your order has been", "rappel :",
    "votre rendez-vous", "votre commande", "su pedido", "tu pedido", "seu pedido", "sua encomenda",
    "il tuo ordine", "il suo ordine", "ihre bestellung", "deine bestellung", "uw bestelling",
    "je bestelling", "din beställning", "din ordre", "din bestilling", "tilauksesi",
    "twoje zamówienie", "państwa zamówienie", "vaše objednávka", "vaši objednávku",
    "vaša objednávka", "rendelését", "rendelése", "comanda dvs", "comanda ta", "ваш заказ",
    "ваше замовлення", "siparişiniz", "주문이", "주문하신", "your password was", "your password has been",
    "your account has been", "your account was", "your account will be", "your statement is",
    "thank you for your payment", "diskstation", "your receipt from", "invio file",
    "sicherungsauftrag", "new device", "verification code", "sua senha", "su contraseña",
    "tu contraseña", "la tua password", "ditt lösenord", "din adgangskode", "passordet ditt",
    "salasanasi", "twoje hasło", "vaše heslo", "jelszavát", "parola dvs", "ваш пароль", "şifreniz",
    "multi-function", "your order has shipped",
];

/// Phrases of bulk mail, below the text, about why it comes and how to unsubscribe.
#[rustfmt::skip]
pub(super) const BULK_TEXT: &[&str] = &[
    "view this email in your browser", "view in browser", "view this message in", "view online",
    "you are receiving this", "you're receiving this", "you received this email because",
    "you received this message because", "you have received this", "this email was sent to",
    "this message was sent to", "this e-mail was sent to", "email preferences",
    "to stop receiving", "add us to your address book", "update your preferences",
    "all rights reserved", "im browser ansehen", "im browser anzeigen", "im browser lesen",
    "sie erhalten diese", "du erhältst diese", "u ontvangt deze", "je ontvangt deze",
    "bekijk online", "vous recevez ce", "vous recevez cet", "voir dans le navigateur",
    "version en ligne", "recibe este", "recibes este", "ha recibido este", "ver en el navegador",
    "ver en línea", "recebeu este", "está a receber", "você está recebendo", "ver no navegador",
    "ricevi questa", "ha ricevuto questa", "visualizza nel browser", "du får detta",
    "du får det här", "du modtager denne", "du mottar denne", "saat tämän", "otrzymujesz tę",
    "otrzymali państwo tę", "dostáváte tento", "dostávate tento", "ezt a levelet azért",
    "primiți acest", "вы получили это письмо", "вы получаете это", "ви отримали цей лист",
    "λαμβάνετε αυτό", "bu e-postayı", "tarayıcıda", "ブラウザで", "このメールは", "本メールは", "您收到此", "您收到这封",
    "在浏览器中", "在瀏覽器中", "본 메일은", "이 메일은", "이메일은",
];
