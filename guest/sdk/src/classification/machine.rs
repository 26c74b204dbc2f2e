//! The fields of programs that send by themselves: help desks, whose mail a person may have
//! written, programs that send notices, and services that send in bulk. Names are in lower case.

use super::rule::Rule;
use super::words::WordList;

/// Returns the rule of a field with that name.
pub(super) fn rule(name: &str) -> Option<Rule> {
    // As none begins with another, only the last that sorts no later than the name can be its
    // beginning.
    let behind = BEGINNINGS.partition_point(|(beginning, _)| *beginning <= name);
    let (beginning, rule) = BEGINNINGS.get(behind.checked_sub(1)?)?;
    name.starts_with(beginning).then_some(*rule)
}

/// Returns the rule of a help desk's mail program.
pub(super) fn mailer(value: &str) -> Option<Rule> {
    static NAMES: WordList = WordList::new(&[
        "zendesk",
        "otrs",
        "znuny",
        "zammad",
        "freshdesk",
        "freshservice",
        "help scout",
        "helpscout",
        "kayako",
        "osticket",
        "request tracker",
        "servicenow",
        "freescout",
        "deskpro",
        "uvdesk",
        "spiceworks",
        "servicedesk",
        "glpi",
        "gorgias",
        "liveagent",
        "hesk",
        "jitbit",
        "vivantio",
        "teamsupport",
        "supportpal",
        "helpspot",
        "intercom",
        "front mail",
        "groove",
        "desk.com",
        "happyfox",
        "faveo",
        "gatepost",
        "trackerapp",
        "cerb",
        "web help desk",
        "topdesk",
        "matrix42",
    ]);
    NAMES
        .is_in(&value.to_ascii_lowercase())
        .then_some(Rule::HelpDesk)
}

/// Returns true for a program or device that writes mail by itself: business software, copiers,
/// storage, backup, monitoring, telephony.
pub(super) fn is_program(value: &str) -> bool {
    #[rustfmt::skip]
    static NAMES: WordList = WordList::new(&[
        "sap netweaver", "sap web", "sapconnect", "sap business one", "microsoft dynamics nav",
        "navision", "datev", "lexware", "sage ", "abacus", "proffix", "synology", "qnap",
        "truenas", "freenas", "netapp", "readynas", "diskstation", "drobo", "veeam", "acronis",
        "backup exec", "arcserve", "commvault", "nakivo", "bacula", "duplicati", "apc nmc", "apc ",
        "eaton", "powerchute", "nut upsmon", "idrac", "ilo ", "supermicro", "hp mfp",
        "hp laserjet", "hp officejet", "hp scan", "hp digital", "ricoh", "konica", "kyocera",
        "canon mf", "canon ir", "imagerunner", "xerox", "workcentre", "lexmark", "brother",
        "epson", "sharp mx", "toshiba e-studio", "oki ", "samsung mfp", "develop ineo", "nagios",
        "icinga", "zabbix", "prtg", "checkmk", "check_mk", "munin", "monit ", "cacti", "opennms",
        "whatsup", "solarwinds", "grafana", "prometheus", "alertmanager", "uptimerobot", "pingdom",
        "logwatch", "logcheck", "cron", "fail2ban", "smartd", "mdadm", "jenkins", "teamcity",
        "bamboo", "gitlab", "github", "gitea", "gerrit", "bugzilla", "mantis", "redmine", "trac ",
        "atlassian", "jira", "confluence", "sonarqube", "nexus", "asterisk", "freepbx", "3cx",
        "starface", "swyx", "unity connection", "avaya", "mitel", "fritz!box", "fritzbox",
        "hylafax", "faxmaker", "xmediusfax", "rightfax", "ferrari fax", "unifi", "pfsense",
        "opnsense", "mikrotik", "fortigate", "fortinet", "sonicwall", "watchguard", "sophos",
        "kaspersky", "eset ", "symantec", "trend micro", "mcafee", "database mail", "sql server",
        "ssrs", "crystal reports", "jasperreports", "cognos", "business objects", "tableau",
        "power bi", "powershell", "blat ", "swaks", "sendemail", "mailsend", "smtp4dev",
        "limesurvey", "surveymonkey", "typeform", "calendly", "doodle", "eventbrite", "moodle",
        "ilias", "phpbb", "vbulletin", "xenforo", "mybb", "woltlab", "invision", "blackboard",
        "canvas lms", "lotus workflow", "ninox", "camera", "hikvision", "dahua", "axis ",
        "reolink", "loxone", "homematic", "home assistant", "shelly",
    ]);
    // The name may tell the program's kind.
    #[rustfmt::skip]
    const KINDS: &[&str] = &[
        "alert", "alerts", "notifier", "notification", "notifications", "notify", "monitor",
        "monitoring", "reporter", "mfp", "scanner", "copier", "robot", "bot", "daemon", "sensor",
        "watchdog", "sharepoint",
    ];
    // Brackets, above all around its web page, contain other names.
    let product = value.split(['(', ';']).next().unwrap_or_default();
    let lower = product.to_ascii_lowercase();
    // Whole words, where one name is the beginning of others: such a name ends with a space.
    let lower = format!("{lower} ");
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    if words.any(|word| KINDS.contains(&word)) {
        return true;
    }
    NAMES.begins_a_word(&lower)
}

/// Returns true for a library with which scripts send mail.
pub(super) fn is_script(value: &str) -> bool {
    #[rustfmt::skip]
    static NAMES: WordList = WordList::new(&[
        "phpmailer", "swift mailer", "swiftmailer", "symfony mailer", "zend", "laminas", "php/",
        "php ", "php5", "php7", "php8", "pear", "codeigniter", "wpmailsmtp", "wp mail smtp",
        "drupal", "typo3", "joomla", "contao", "wordpress", "javamail", "jakarta mail",
        "nodemailer", "mailkit", "actionmailer", "action mailer", "sendmail.pl", "mime::lite",
        "mime-tools", "perl", "python", "django", "coldfusion", "aspemail", "aspmail", "jmail",
        "w3 jmail", "persits", "cdo for", "microsoft cdo", "cdosys", "system.net.mail", "laravel",
        "yii", "cakephp", "formbuilder", "formmail", "form mail", "bsd-mailx", "mailx",
        "gnu mailutils", "mail (gnu", "ssmtp", "msmtp", "go-mail", "golang", "ruby", "curl",
    ]);
    let lower = value.to_ascii_lowercase();
    NAMES.beginning(&lower).next().is_some()
}

/// Returns true if a display name is a program's or device's: one of its words names a kind of
/// them.
pub(super) fn is_program_name(name: &str) -> bool {
    #[rustfmt::skip]
    const WORDS: &[&str] = &[
        "scanner", "printer", "copier", "mfp", "multifunction", "laserjet", "officejet",
        "workcentre", "diskstation", "nas", "synology", "qnap", "ups", "backup", "veeam",
        "acronis", "monitoring", "monitor", "nagios", "icinga", "zabbix", "prtg", "checkmk",
        "uptime", "uptimerobot", "pingdom", "grafana", "alertmanager", "cron", "jenkins", "gitlab",
        "github", "bitbucket", "sentry", "jira", "notification", "notifications", "notifier",
        "notify", "alert", "alerts", "alarm", "automation", "automated", "workflow", "robot",
        "bot", "mailer", "noreply", "voicemail", "voicebox", "faxserver", "fax", "pbx", "asterisk",
        "wordpress", "woocommerce", "shopify", "benachrichtigung", "benachrichtigungen",
        "benachrichtigungsdienst", "meldung", "systemmeldung", "drucker", "sprachbox",
        "anrufbeantworter", "sicherung", "datensicherung", "imprimante", "numeriseur",
        "sauvegarde", "impresora", "escaner", "notificaciones", "notificacoes", "notifiche",
        "stampante", "meldingen", "varsel", "powiadomienia", "oznameni", "upozorneni", "ertesites",
        "notificari", "уведомления", "уведомление", "оповещение", "сповіщення", "bildirim", "通知",
        "提醒", "알림",
    ];
    let plain = super::phrase_search::plain(name);
    let mut words = plain.split(|c: char| !c.is_alphanumeric());
    words.any(|word| WORDS.contains(&word))
}

/// Returns true for a program in which people write mail.
pub(super) fn is_for_people(value: &str) -> bool {
    static NAMES: WordList = WordList::new(&[
        "outlook",
        "thunderbird",
        "apple mail",
        "iphone mail",
        "ipad mail",
        "mozilla",
        "mutt",
        "k-9 mail",
        "evolution",
        "kmail",
        "the bat",
        "eudora",
        "claws mail",
        "roundcube",
        "horde",
        "squirrelmail",
        "foxmail",
        "pine",
        "gnus",
        "mailspring",
        "em client",
        "postbox",
        "airmail",
        "zimbra",
        "sylpheed",
        "opera mail",
        "lotus notes",
        "yahoomail",
        "open-xchange",
        "sogo",
        "mailmate",
        "geary",
        "betterbird",
        "microsoft-macoutlook",
        "becky!",
        "webmail",
        "web mail",
        "icloud mail",
        "yamail",
        "qqmail",
        "coremail",
        "mail.ru mailer",
        "zohomail",
        "zoho mail",
        "ymail",
        "edison mail",
        "bluemail",
        "fairemail",
        "k9mail",
        "workmail",
        "git-send-email",
        "stgit",
        "alpine",
        "neomutt",
        "s-nail",
        "aerc",
        "notmuch",
        "mh-e",
        "seamonkey",
        "epyrus",
        "rainloop",
        "snappymail",
        "afterlogic",
        "icewarp",
        "atmail",
        "delta chat",
        "deltachat",
        "mailbird",
        "incredimail",
        "pegasus mail",
        "windows mail",
        "windows live mail",
        "live mail",
        "ibm notes",
        "hcl notes",
        "hcl verse",
        "ibm verse",
        "missive",
        "superhuman",
        "samsung email",
        "android mail",
        "aqua mail",
        "blackberry",
        "macoutlook",
        "nextcloud mail",
        "trojita",
        "balsa",
        "kontact",
        "turnpike",
        "mail.app",
    ]);
    let lower = value.to_ascii_lowercase().replace('_', " ");
    lower.contains("webmail") || lower.contains("web mail") || NAMES.begins_a_word(&lower)
}

/// Returns true for a program that sends letters to many.
pub(super) fn is_for_newsletters(value: &str) -> bool {
    #[rustfmt::skip]
    static NAMES: WordList = WordList::new(&[
        "acymailing", "mailpoet", "phplist", "mailchimp", "sendy", "mailwizz", "cleverreach",
        "rapidmail", "inxmail", "newsletter", "interspire", "oempro", "mautic", "listmonk",
        "groupmail", "maxbulk", "sendblaster", "supermailer", "dada mail", "openemm", "optivo",
        "emarsys", "xqueue", "agnitas", "sarbacane", "klick-tipp", "klicktipp", "getresponse",
        "aweber", "activecampaign", "icontact", "constant contact", "campaign monitor",
        "verticalresponse", "benchmark email", "mad mimi", "e-goi", "egoi", "rd station",
        "unisender", "sendpulse", "esputnik", "freshmail", "ecomail", "smartemailing",
        "mailerlite", "moosend", "acumbamail", "doppler", "mailrelay", "teenvio", "4dem", "mailup",
        "contactlab", "voxmail", "laposta", "spotler", "copernica", "tripolis", "apsis", "paloma",
        "ungapped", "ubivox", "heyloyalty", "listamester", "newsman", "euromsg", "setrow",
        "blastengine", "stibee", "focussend", "webpower", "worldcast", "sendinblue", "brevo",
        "hubspot", "marketo", "eloqua", "pardot", "exacttarget", "silverpop", "responsys",
        "dotmailer", "dotdigital", "mailing list", "mass mail", "massmail", "bulkmail",
    ]);
    NAMES.begins_a_word(&value.to_ascii_lowercase())
}

/// Returns true if a field's name, in lower case, has a word of its own about templates or notices:
/// `x-email-type-id`, `x-shop-template`.
pub(super) fn is_template_field(name: &str) -> bool {
    #[rustfmt::skip]
    const WORDS: &[&str] = &[
        "template", "templateid", "templatename", "emailtemplate", "mailtemplate", "notification",
        "notificationid", "notificationtype", "emailtype", "mailtype", "eventtype", "alert",
        "alertid", "transactional", "invoiceid", "orderid", "receiptid", "transmission",
        "mailkind", "emailcategory", "mailcategory",
    ];
    let Some(own) = name.strip_prefix("x-") else {
        return false;
    };
    own.split(['-', '_']).any(|word| WORDS.contains(&word)) || own.starts_with("email-type")
}

/// Returns true if a field's value calls the message an automatic answer: `autoResponseCase`,
/// `auto-reply`, `1041:autoresponder.php`.
pub(super) fn is_answer_mark(value: &str) -> bool {
    if value.len() > 80
        || memchr::memmem::find(&value.as_bytes().to_ascii_lowercase(), b"auto").is_none()
    {
        return false;
    }
    let letters = value
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | ' ' | '.'));
    let without_separators: String = letters.collect::<String>().to_ascii_lowercase();
    [
        "autorespon",
        "autorepl",
        "autoacknowledg",
        "autoantwort",
        "autoresponder",
    ]
    .iter()
    .any(|word| without_separators.contains(word))
}

/// Returns true if a script's name is that of a form: `1000:kontakt.php`.
pub(super) fn is_form_script(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let name = lower.rsplit(['/', ':', ' ']).next().unwrap_or_default();
    let parts = [
        "kontakt", "contact", "contatt", "contacto", "formmail", "form.php", "formular", "webform",
        "wpforms", "cf7", "enquiry", "inquiry", "anfrage", "feedback",
    ];
    parts.iter().any(|part| name.contains(part))
}

/// Returns true if a Received field says that a program on that server submitted the message:
/// Postfix, qmail, Exim, Sendmail.
pub(super) fn is_local_program(received: &[u8]) -> bool {
    let has = |words: &[u8]| memchr::memmem::find(received, words).is_some();
    // User ids from 1000 on are people's, or a host's customers'.
    let number = |words: &[u8]| {
        let at = memchr::memmem::find(received, words)? + words.len();
        let digits = received
            .get(at..)?
            .iter()
            .take_while(|b| b.is_ascii_digit());
        Some(digits.count() < 4)
    };
    number(b"from userid ") == Some(true)
        || number(b"invoked by uid ") == Some(true)
        || has(b"with local (Exim")
        || has(b"/Submit)")
}

/// Returns true if a display name tells through which service somebody's mail comes: `Jo Doe via
/// Sign`.
pub(super) fn is_via(name: &str) -> bool {
    static WORDS: WordList = WordList::new(&[
        " via ",
        "(via ",
        " uber ",
        " über ",
        " a través de ",
        " através de ",
        " tramite ",
        " przez ",
    ]);
    let lower = name.to_lowercase();
    WORDS.found(&lower).any(|(at, _)| at > 0)
}

/// Returns true if a display name is a site's, and nobody's there: one of its words ends with the
/// name of a kind of them.
pub(super) fn is_site_name(name: &str) -> bool {
    #[rustfmt::skip]
    const ENDS: &[&str] = &[
        "portal", "portail", "portale", "portaal", "plattform", "platform", "plateforme",
        "plataforma", "piattaforma", "server", "cloud", "status", "fritz!box", "moodle",
        "nextcloud", "webshop", "onlineshop", "online-shop", "system", "sistema", "systeme",
        "портал", "система", "магазин", "anlage", "bot",
    ];
    let plain = super::phrase_search::plain(name);
    let mut words = plain.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '"'));
    words.any(|word| ENDS.iter().any(|end| word.ends_with(end)))
}

/// Returns true if a message id was made by a library that scripts send with.
pub(super) fn is_script_library_id(id: &str) -> bool {
    let lower = id.to_ascii_lowercase();
    let has = |word: &str| lower.contains(word);
    // Zimbra's web mail is for people.
    has(".javamail.") && !has(".javamail.zimbra") && !has(".javamail.open-xchange")
        || has("@swift.generated")
        || has("@symfony.generated")
        || has(".openerp-")
        || has("@phpmailer")
}

/// Returns true if a message id was made at a host without a domain, as devices do: `<…@NAS01>`.
pub(super) fn is_bare_host_id(id: &str) -> bool {
    let id = id.trim().trim_matches(['<', '>']);
    let host = id.rsplit_once('@').map_or("", |(_, host)| host);
    // Patman, with which people send patches, puts this word there.
    !host.is_empty() && !host.contains(['.', ':', '[']) && host != "changeid"
}

/// Returns true if only web mail for people makes message ids of this form: `<CA…@mail.gmail.com>`
/// of Gmail, `<trinity-…@3c-app-gmx-bs01>` of GMX and web.de.
pub(super) fn is_web_mail_id(id: &str) -> bool {
    let id = id.trim().trim_matches(['<', '>']);
    id.split_once('@').is_some_and(|(left, right)| {
        left.starts_with("CA") && left.len() > 8 && right.starts_with("mail.")
            || left.starts_with("trinity-")
    })
}

/// Returns the rule of a feedback id (Google). Mailbox providers set one on every message, so
/// theirs says nothing; its last part names the sender.
pub(super) fn feedback(value: &str) -> Option<Rule> {
    let sender = value
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let mailboxes = [
        "fastmail",
        "zohomail",
        "zoho",
        "proton",
        "protonmail",
        "mailfence",
        "runbox",
        "migadu",
    ];
    (!sender.is_empty() && !mailboxes.contains(&sender.as_str())).then_some(Rule::FeedbackId)
}

/// Beginnings of field names, in order, none of which begins with another.
const BEGINNINGS: &[(&str, Rule)] = &[
    ("managed-by", Rule::HelpDesk),
    ("rt-originator", Rule::HelpDesk),
    ("rt-ticket", Rule::HelpDesk),
    ("x-asana-", Rule::NoticeField),
    ("x-atlassian-", Rule::NoticeField),
    ("x-basecamp", Rule::NoticeField),
    ("x-bitbucket-", Rule::NoticeField),
    ("x-bugzilla-", Rule::NoticeField),
    ("x-buildbot-", Rule::NoticeField),
    ("x-bulkmail", Rule::Campaign),
    ("x-campaign", Rule::Campaign),
    ("x-category", Rule::Campaign),
    ("x-cerb-", Rule::HelpDesk),
    ("x-cerberus", Rule::HelpDesk),
    ("x-chatwoot", Rule::HelpDesk),
    ("x-cmail", Rule::BulkService),
    ("x-cmpgn", Rule::Campaign),
    ("x-confluence-", Rule::NoticeField),
    ("x-cron-env", Rule::NoticeField),
    ("x-csa-complaints", Rule::BulkService),
    ("x-debian-pr-", Rule::NoticeField),
    ("x-desk-", Rule::HelpDesk),
    ("x-deskpro", Rule::HelpDesk),
    ("x-discourse-", Rule::ListManagerField),
    ("x-elasticemail", Rule::BulkService),
    ("x-elq", Rule::Campaign),
    ("x-email-rejection-reporting", Rule::TemplateField),
    ("x-emarsys", Rule::Campaign),
    ("x-facebook-notify", Rule::NoticeField),
    ("x-fax-", Rule::NoticeField),
    ("x-fd-", Rule::HelpDesk),
    ("x-forgejo-", Rule::NoticeField),
    ("x-freescout-", Rule::HelpDesk),
    ("x-freshdesk-", Rule::HelpDesk),
    ("x-freshservice-", Rule::HelpDesk),
    ("x-front-", Rule::HelpDesk),
    ("x-gerrit-", Rule::NoticeField),
    ("x-git-newrev", Rule::NoticeField),
    ("x-git-refname", Rule::NoticeField),
    ("x-gitea-", Rule::NoticeField),
    ("x-gitlab-", Rule::NoticeField),
    ("x-glpi-", Rule::HelpDesk),
    ("x-gnats-", Rule::NoticeField),
    ("x-gorgias-", Rule::HelpDesk),
    ("x-grafana", Rule::NoticeField),
    ("x-happyfox", Rule::HelpDesk),
    ("x-help-scout", Rule::HelpDesk),
    ("x-helpscout", Rule::HelpDesk),
    ("x-helpspot", Rule::HelpDesk),
    ("x-hs-campaign", Rule::Campaign),
    ("x-hubspot-ticket", Rule::HelpDesk),
    ("x-icinga", Rule::NoticeField),
    ("x-intercom-", Rule::HelpDesk),
    ("x-jenkins-", Rule::NoticeField),
    ("x-jira-", Rule::NoticeField),
    ("x-jitbit", Rule::HelpDesk),
    ("x-job", Rule::BulkService),
    ("x-kayako", Rule::HelpDesk),
    ("x-klaviyo", Rule::Campaign),
    ("x-launchpad-", Rule::NoticeField),
    ("x-linkedin-", Rule::NoticeField),
    ("x-list-administrivia", Rule::NoticeField),
    ("x-listid", Rule::Campaign),
    ("x-liveagent", Rule::HelpDesk),
    ("x-mailchimp", Rule::Campaign),
    ("x-mailer-campaign", Rule::Campaign),
    ("x-mailgun-sending-ip", Rule::BulkService),
    ("x-mailgun-sid", Rule::BulkService),
    ("x-mailgun-tag", Rule::BulkService),
    ("x-mailgun-variables", Rule::BulkService),
    ("x-mailin-", Rule::BulkService),
    ("x-mailing-id", Rule::Campaign),
    ("x-mailingid", Rule::Campaign),
    ("x-mailkit", Rule::Campaign),
    ("x-mandrill-user", Rule::BulkService),
    ("x-mantis", Rule::NoticeField),
    ("x-marketo", Rule::Campaign),
    ("x-mc-user", Rule::Campaign),
    ("x-mj-", Rule::BulkService),
    ("x-msfbl", Rule::BulkService),
    ("x-msys-api", Rule::BulkService),
    ("x-nagios", Rule::NoticeField),
    ("x-newsletter", Rule::Campaign),
    ("x-osticket", Rule::HelpDesk),
    ("x-otrs-loop", Rule::HelpDesk),
    ("x-pagerduty", Rule::NoticeField),
    ("x-phabricator-", Rule::NoticeField),
    ("x-php-bug", Rule::NoticeField),
    ("x-pivotal-", Rule::NoticeField),
    ("x-pm-message-id", Rule::BulkService),
    ("x-pm-tag", Rule::BulkService),
    ("x-postmark", Rule::BulkService),
    ("x-redmine-", Rule::NoticeField),
    ("x-roundup-", Rule::NoticeField),
    ("x-rpcampaign", Rule::Campaign),
    ("x-rt-", Rule::HelpDesk),
    ("x-savannah-", Rule::NoticeField),
    ("x-sendgrid-campaign", Rule::Campaign),
    ("x-sendpulse", Rule::BulkService),
    ("x-sentry-", Rule::NoticeField),
    ("x-servicenow-", Rule::HelpDesk),
    ("x-ses-outgoing", Rule::BulkService),
    ("x-sfmc", Rule::BulkService),
    ("x-sg-eid", Rule::BulkService),
    ("x-sg-id", Rule::BulkService),
    ("x-sib-id", Rule::BulkService),
    ("x-smtpapi", Rule::BulkService),
    ("x-sparkpost", Rule::BulkService),
    ("x-spiceworks", Rule::HelpDesk),
    ("x-teamsupport", Rule::HelpDesk),
    ("x-tm-id", Rule::BulkService),
    ("x-topdesk", Rule::HelpDesk),
    ("x-trac-", Rule::NoticeField),
    ("x-travis-", Rule::NoticeField),
    ("x-trello-", Rule::NoticeField),
    ("x-unisender", Rule::BulkService),
    ("x-xero-", Rule::TemplateField),
    ("x-xpt-", Rule::TemplateField),
    ("x-youtrack", Rule::NoticeField),
    ("x-zabbix", Rule::NoticeField),
    ("x-zammad-", Rule::HelpDesk),
    ("x-zendesk-", Rule::HelpDesk),
    ("x-znuny-", Rule::HelpDesk),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginnings_are_in_order_and_none_begins_with_another() {
        for pair in BEGINNINGS.windows(2) {
            let [(one, _), (next, _)] = pair else {
                panic!()
            };
            assert!(one < next && !next.starts_with(one), "{one}, {next}");
        }
        assert_eq!(rule("x-zendesk-from-account-id"), Some(Rule::HelpDesk));
        assert_eq!(rule("x-jira-fingerprint"), Some(Rule::NoticeField));
        assert_eq!(rule("x-internal-note"), None);
        assert_eq!(rule("a"), None);
        assert_eq!(rule("z"), None);
    }

    #[test]
    fn local_programs_and_template_fields_are_found() {
        for (received, local) in [
            ("by w.example (Postfix, from userid 33) id 1", true),
            ("(qmail 14022 invoked by uid 48); now", true),
            ("from www by w.example with local (Exim 4.96) id 1", true),
            ("by w.example (Postfix, from userid 1004) id 1", false),
            ("from a.example by w.example with ESMTP id 1", false),
        ] {
            assert_eq!(is_local_program(received.as_bytes()), local, "{received}");
        }
        assert!(is_template_field("x-email-type-id") && is_template_field("x-shop-template"));
        assert!(!is_template_field("x-mailer") && !is_template_field("notification"));
        assert!(is_answer_mark("autoResponseCase") && is_answer_mark("33:auto-reply.php"));
        assert!(!is_answer_mark("automobile") && !is_answer_mark("reply"));
        assert!(is_program("Gate Notifier 2") && is_program("MFP Alert Mail"));
        assert!(!is_program("Alerting Thunderbird") && !is_for_people("AcyMailing 9"));
        assert!(is_for_people("eM_Client/9.2") && is_for_newsletters("AcyMailing 9"));
    }
}
