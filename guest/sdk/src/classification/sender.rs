//! Evidence of an address's local part: a mail system, a list, or an author who wants no answer.

/// Returns the reverse-path as its sender wrote it: without the wrapping of forwarders and the tag
/// of BATV, and with the local part in lower case.
///
/// SRS0 and SRS1 (Sender Rewriting Scheme), `prvs` (BATV), Exchange Online's
/// `bounces+SRS=hash=day@` and `name+SRS=hash=day=domain=name@`, and Google's
/// `name+caf_=to=domain@` all stand for forwarded mail: their beginning says nothing of the sender.
pub(super) fn unwrapped(path: &str) -> String {
    let local = path.rsplit_once('@').map_or(path, |(local, _)| local);
    let local = local.to_lowercase();
    if let Some(wrapped) = local
        .strip_prefix("srs0=")
        .or_else(|| local.strip_prefix("srs0+"))
        .or_else(|| local.strip_prefix("srs0-"))
    {
        // hash=day=domain=local
        return wrapped.splitn(4, '=').nth(3).unwrap_or_default().to_owned();
    }
    if local.starts_with("srs1") || local.contains("+srs=") || local.contains("+caf_=") {
        return local
            .rsplit_once('=')
            .map_or(String::new(), |(head, last)| {
                // Only the form with all four parts ends with a local part.
                let parts = head.rsplit("srs").next().unwrap_or_default();
                let whole = parts.matches('=').count() >= 3;
                if whole {
                    last.to_owned()
                } else {
                    String::new()
                }
            });
    }
    if let Some(tagged) = local.strip_prefix("prvs=") {
        // tag=local, and by some local=tag
        return match tagged.split_once('=') {
            Some((tag, local)) if is_batv_tag(tag) => local.to_owned(),
            Some((local, _)) => local.to_owned(),
            None => String::new(),
        };
    }
    if let Some(tagged) = local.strip_prefix("btv1==") {
        return tagged
            .split_once("==")
            .map_or("", |(_, local)| local)
            .to_owned();
    }
    local
}

/// Returns true if the reverse-path is that of a forwarding server.
pub(super) fn is_forwarded(path: &str) -> bool {
    let local = path
        .rsplit_once('@')
        .map_or(path, |(local, _)| local)
        .to_lowercase();
    let begins = |tag: &str| local.starts_with(tag);
    ["srs0=", "srs0+", "srs0-", "srs1=", "srs1+", "srs1-"]
        .into_iter()
        .any(begins)
        || local.contains("+srs=")
        || local.contains("+caf_=")
}

fn is_batv_tag(tag: &str) -> bool {
    tag.len() == 10 && tag.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Returns true for a server's mail system (RFC 5230 section 4.6).
pub(super) fn is_daemon(local: &str) -> bool {
    matches!(
        without_separators(local).as_str(),
        "mailerdaemon" | "maildaemon" | "mdaemon" | "mailsystem"
    ) || local.starts_with("mailer-daemon")
        // Exchange's own mailbox, the same everywhere.
        || local.starts_with("microsoftexchange329e71ec88ae4615bbc36ab6ce41109e")
        // The double bounce of qmail.
        || local == "#"
}

/// Returns true for the administrators of a server's mail (RFC 2142 section 5).
pub(super) fn is_postmaster(local: &str) -> bool {
    without_separators(local) == "postmaster"
}

/// Returns true for the command address of a list manager, or an address that a mailing list sends
/// from (RFC 5230 section 4.6, RFC 2142 section 6).
pub(super) fn is_list_address(local: &str) -> bool {
    let plain = local.split('+').next().unwrap_or_default();
    matches!(plain, "listserv" | "majordomo" | "listmaster" | "sympa" | "mailman")
        || local.starts_with("owner-")
        || ["-owner", "-request", "-bounces", "-bounce", "-return", "-errors", "-relay"]
            .iter()
            .any(|ending| plain.ends_with(ending))
        // ezmlm: list-return-number-recipient
        || local.split_once("-return-").is_some_and(|(_, rest)| {
            rest.starts_with(|c: char| c.is_ascii_digit())
        })
}

/// Returns true if only a list's own program writes from an address of that
/// [form](is_list_address): `purchase-request@` may be a team's, and `wool-request@` is a list's
/// only with its mark.
pub(super) fn is_list_program_address(local: &str) -> bool {
    let plain = local.split('+').next().unwrap_or_default();
    let of_list = |ending| {
        plain.strip_suffix(ending).is_some_and(|list| {
            matches!(list, "list" | "lists") || list.ends_with("-list") || list.ends_with("-l")
        })
    };
    is_list_address(local)
        && (!plain.ends_with("-request") && !plain.ends_with("-relay") || of_list("-request"))
}

/// Returns true for an address whose mail, as it says, nobody reads.
pub(super) fn wants_no_reply(local: &str) -> bool {
    const WORDS: &[&str] = &[
        "noreply",
        "donotreply",
        "dontreply",
        "noresponse",
        "norespond",
        "noresponder",
        "nocontestar",
        "nepasrepondre",
        "noreponse",
        "naoresponda",
        "naoresponder",
        "nonrispondere",
        "noreplay",
        "nichtantworten",
        "keineantwort",
        "nietantwoorden",
        "geenantwoord",
        "svarainte",
        "svarikke",
        "ikkesvar",
        "alavastaa",
        "nieodpowiadaj",
        "neodpovidat",
        "neodpovidejte",
        "neodpovedajte",
        "nevalaszoljon",
        "yanitlamayin",
        "cevapvermeyin",
        "jangandibalas",
    ];
    // The phrase must begin a word: `milano-response` and `casino-reply` are other words.
    let local = local
        .get(..local.floor_char_boundary(LOCAL))
        .unwrap_or_default();
    let words: Vec<&str> = words(local).collect();
    (0..words.len()).any(|from| {
        // The longest phrase has four words: `do-not-reply-please`
        let few = words.iter().skip(from).take(4);
        let joined: String = few.copied().collect();
        WORDS.iter().any(|word| joined.starts_with(word))
    })
}

/// Octets of a local part that are read: RFC 5321 section 4.5.3.1.1 allows 64.
const LOCAL: usize = 128;

/// Returns the words of a local part, as its owner has separated them.
fn words(local: &str) -> impl Iterator<Item = &str> {
    local
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// Returns true for the mailbox of a server's own programs, in whose name nobody writes.
pub(super) fn is_system_mailbox(local: &str) -> bool {
    let plain = local.split('+').next().unwrap_or_default();
    matches!(
        plain,
        "root" | "nobody" | "daemon" | "anacron" | "cron" | "logwatch" | "smartd" | "sys"
    )
}

/// Returns true for the mailbox of a web server, or of an application in one: a form sends from it
/// what a visitor wrote.
pub(super) fn is_web_server_mailbox(local: &str) -> bool {
    matches!(
        local,
        "www-data"
            | "www"
            | "wwwrun"
            | "apache"
            | "apache2"
            | "httpd"
            | "nginx"
            | "wordpress"
            | "wp"
            | "joomla"
            | "drupal"
            | "typo3"
            | "webserver"
            | "phpmailer"
    )
}

/// Returns true if a list is the address of a team, with the help desk as a member: all its words
/// are about a team that customers write to, or name its own domain.
pub(super) fn is_team_address(local: &str, domain: &str) -> bool {
    const TEAMS: &[&str] = &[
        "support",
        "help",
        "helpdesk",
        "desk",
        "service",
        "servicedesk",
        "assistance",
        "aide",
        "hilfe",
        "kundenservice",
        "kundendienst",
        "kontakt",
        "contact",
        "contacto",
        "contato",
        "contatti",
        "info",
        "ayuda",
        "soporte",
        "ajuda",
        "suporte",
        "assistenza",
        "supporto",
        "hulp",
        "klantenservice",
        "kundeservice",
        "kundtjanst",
        "tuki",
        "pomoc",
        "podpora",
        "obsluga",
        "destek",
        "yardim",
        "customerservice",
        "customercare",
        "care",
        "hotline",
        "tickets",
        "ticket",
        "requests",
        "enquiries",
        "inquiries",
        "orders",
        "bestellung",
        "commandes",
        "pedidos",
        "ordini",
        "billing",
        "sales",
        "office",
        "reception",
        "accueil",
        "empfang",
        "sekretariat",
        "buchhaltung",
        "compta",
        "accounts",
        "returns",
        "retouren",
        "reklamation",
        "complaints",
        "garantie",
        "warranty",
        "booking",
        "bookings",
        "reservations",
        "buchung",
        "shop",
        "hello",
        "hallo",
        "hola",
        "bonjour",
        "post",
        "mail",
    ];
    const OTHERS: &[&str] = &[
        "it",
        "edv",
        "ict",
        "tech",
        "technical",
        "technik",
        "technique",
        "customer",
        "customers",
        "client",
        "clients",
        "kunden",
        "clienti",
        "web",
        "team",
        "user",
    ];
    let mut teams = false;
    let all = words(local).take(8).all(|word| {
        let team = TEAMS.contains(&word);
        teams |= team;
        team || OTHERS.contains(&word) || domain.split('.').any(|label| label == word)
    });
    all && teams
}

/// Returns true for an address that sends notices.
pub(super) fn is_notice_address(local: &str) -> bool {
    let plain = local.split('+').next().unwrap_or_default();
    let plain = without_separators(plain);
    // `ups2`, `nas01`
    let plain = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    matches!(
        plain,
        "notification"
            | "notifications"
            | "notify"
            | "alert"
            | "alerts"
            | "autoconfirm"
            | "automailer"
            | "mailrobot"
            | "nagios"
            | "asterisk"
            | "freepbx"
            | "voicemail"
            | "icinga"
            | "prtg"
            | "munin"
            | "zabbix"
            | "jenkins"
            | "crondaemon"
            | "automated"
            | "calendarnotification"
            | "dmarcreport"
            | "dmarcreports"
            | "dmarcsupport"
            | "receipt"
            | "receipts"
            | "scan"
            | "scanner"
            | "scans"
            | "scantomail"
            | "scan2mail"
            | "scan2email"
            | "copier"
            | "kopierer"
            | "printer"
            | "drucker"
            | "mfp"
            | "faxserver"
            | "nas"
            | "diskstation"
            | "synology"
            | "qnap"
            | "ups"
            | "usv"
            | "monitor"
            | "monitoring"
            | "ueberwachung"
            | "uptime"
            | "watchdog"
            | "alarm"
            | "alarme"
            | "alerta"
            | "alertas"
            | "alerte"
            | "notificacion"
            | "notificaciones"
            | "notificacao"
            | "notificacoes"
            | "notifica"
            | "notifiche"
            | "benachrichtigung"
            | "benachrichtigungen"
            | "melding"
            | "meldingen"
            | "powiadomienia"
            | "grafana"
            | "alertmanager"
            | "prometheus"
            | "checkmk"
            | "backups"
            | "veeam"
            | "cronjob"
            | "workflow"
            | "robot"
            | "mailer"
            | "autoemail"
            | "sysmail"
            | "servicenotification"
            | "messagingservice"
            | "invitation"
            | "invitations"
            | "invites"
            | "einladung"
            | "einladungen"
            | "convites"
            | "invitaciones"
            | "inviti"
            | "avisos"
            | "seguimiento"
            | "suivi"
            | "moodle"
            | "nextcloud"
            | "fritzbox"
            | "statuspage"
            | "ordersender"
            | "dohled"
            | "dse"
            | "echosign"
            | "adobesign"
            | "notifier"
            | "reminder"
            | "reminders"
            | "erinnerung"
            | "erinnerungen"
            | "rappel"
            | "recordatorio"
            | "tracking"
            | "shipping"
            | "shipmenttracking"
            | "sendungsinfo"
            | "orderupdate"
            | "orderupdates"
            | "orderconfirmation"
            | "einvoice"
            | "quarantine"
            | "quarantaene"
            | "quarantaine"
            | "cuarentena"
            | "quarantena"
            | "kwarantanna"
            | "spamfilter"
            | "spamreport"
            | "spamdigest"
            | "digest"
            | "digests"
            | "bildirim"
            | "bildirimler"
            | "ertesites"
            | "oznameni"
            | "upozorneni"
            | "upozornenie"
            | "varsel"
            | "varsling"
            | "avisering"
            | "ilmoitus"
            | "ilmoitukset"
            | "powiadomienie"
            | "uvedomlenie"
            | "rassylka"
    )
}

/// Returns true if a service uses the domain for its automatic mail alone:
/// `notification.service.example`.
pub(super) fn is_notice_domain(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    let own = labels.get(..labels.len().saturating_sub(2));
    own.unwrap_or_default().iter().any(|label| {
        matches!(
            *label,
            "notification"
                | "notifications"
                | "notify"
                | "alerts"
                | "mailer"
                | "noreply"
                | "no-reply"
        )
    })
}

/// Returns true for the address at which the writer confirms that he is no machine:
/// `verify-7f31bb02`.
pub(super) fn is_challenge_address(local: &str) -> bool {
    let begins = [
        "verify",
        "confirm",
        "challenge",
        "validate",
        "authorize",
        "whitelist",
    ];
    begins.iter().any(|word| {
        let rest = local.strip_prefix(word);
        let rest = rest.and_then(|rest| rest.strip_prefix(['-', '+', '.', '_', '=']));
        rest.is_some_and(|rest| rest.chars().any(|c| c.is_ascii_digit()))
    })
}

/// Returns true for the address of an autoresponder.
pub(super) fn is_autoresponder(local: &str) -> bool {
    let without_separators = without_separators(local);
    ["autoreply", "autoresponder", "autoresponse", "autorespond"]
        .iter()
        .any(|word| without_separators.starts_with(word))
}

/// Returns true if the local part holds another address, as `own-name=domain` (VERP): the
/// recipient's, wherever the message was forwarded since.
pub(super) fn holds_recipient(local: &str) -> bool {
    local.rsplit_once('=').is_some_and(|(own, domain)| {
        let name = own.rsplit(['+', '-']).next().unwrap_or_default();
        let labels = domain.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
        name.len() < own.len() && !name.is_empty() && domain.contains('.') && labels
    })
}

/// Removes the separators that people put between words.
fn without_separators(local: &str) -> String {
    local
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | '.'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_of_forwarders_and_batv_is_removed() {
        for (path, local) in [
            ("Ann@x.example", "ann"),
            ("SRS0=aO/p=ON=shop.example=Ann@fwd.example", "ann"),
            (
                "SRS1=ab=fwd.example==aO/p=ON=shop.example=ann@b.example",
                "ann",
            ),
            ("bounces+SRS=44ldt=IX@customer.example", ""),
            ("help+SRS=44ldt=IX=shop.example=ann@customer.example", "ann"),
            ("bo+caf_=help=desk.example@mail.example", ""),
            ("prvs=0123456789=ann@x.example", "ann"),
            ("prvs=ann=0123456789@x.example", "ann"),
            ("btv1==123abc==ann@x.example", "ann"),
        ] {
            assert_eq!(unwrapped(path), local, "{path}");
        }
    }

    #[test]
    fn list_addresses_are_told_from_those_of_people() {
        for local in [
            "owner-wool",
            "wool-request",
            "wool-bounces+ann=x.example",
            "listserv",
        ] {
            assert!(is_list_address(local), "{local}");
        }
        for local in ["ann", "request", "owner", "bounce", "it-admin"] {
            assert!(!is_list_address(local), "{local}");
        }
        for local in [
            "no.reply",
            "noreply+12",
            "donotreply-shop",
            "x-do-not-reply",
        ] {
            assert!(wants_no_reply(local), "{local}");
        }
        for local in ["milano-response", "casino-reply", "domino.reply", "reply"] {
            assert!(!wants_no_reply(local), "{local}");
        }
        for (local, domain) in [
            ("support", "x.example"),
            ("it-help", "x.example"),
            ("x-support", "x.example"),
        ] {
            assert!(is_team_address(local, domain), "{local}");
        }
        for local in ["r-help", "wool", "support-talk", "it"] {
            assert!(!is_team_address(local, "x.example"), "{local}");
        }
        assert!(wants_no_reply("gmail-noreply") && wants_no_reply("do_not.reply"));
        assert!(!wants_no_reply("reply+1234"));
    }
}
