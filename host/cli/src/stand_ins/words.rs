//! Texts word by word: addresses, domains, IP addresses and ids get their stand-ins, words of the mail
//! protocols stay, and other words are masked.

use super::StandIns;

/// Local parts, and parts of them, that name a role and no person.
const ROLES: &str = "
    abuse admin alert alerts auto autoreply autoresponder bounce bounces confirm daemon donotreply
    do help hostmaster info join leave list listserv mail mailer mailer-daemon majordomo msprvs1
    news newsletter no no-reply nobody noreply not notification notifications notify owner
    postmaster reply request return returns robot root sales subscribe support unsubscribe
    webmaster
";

/// Labels of host names that say what a server does.
const SERVERS: &str = "
    bounce bounces imap in lists localhost mail mailer mailin mailout mta mx ns out pop relay smtp
    www
";

/// Words of the mail protocols, in lower case.
const PROTOCOL: &str = "
    address action algorithm alternative application arrival aspf adkim attachment attachments
    authentication authenticated author auto autoreply automatic base best body bounce bulk
    charset cipher class client code command comment complaint connect content daemon data date
    deferred delayed delivered delivery delsp designated designates diagnostic digest discard
    disposition dkim dmarc does domain domainkeys ecdsa ehlo email encoding envelope error errors
    esmtp esmtpa esmtps esmtpsa exim expired expires fail failed failure false feedback field
    fields final fixed flowed format forwarded from generated guess hardfail header headers helo
    help high html http https identity image inbound inline invalid iprev junk line lines list
    lmtp local localhost mail mailbox mailer mailfrom mailto manual message microsoft mime mixed
    mode multipart name neutral none normal notification notified null octets original outbound
    outlook partial parallel pass permerror permitted permit plain policy post postfix postmaster
    precedence printable processed protocol quarantine queue quoted read received receiver
    recipient recipients record recursion reject rejected relaxed relay relayed remote replied
    reply report reported reporting result results return returned rfc822 route rsa selector
    sender sendmail sent service signature signed simple smtp softfail source status strict
    subject submission subsystem successful system temperror temporary tests text timeout transfer
    transport true type undisclosed unknown unsubscribe urgent user utf8 using vacation value
    verify version with without xtext
";

/// Names in front of `=` that stay, besides words of the protocols.
const KEYS: &[&str] = &[
    "ip", "ip4", "ip6", "d", "i", "s", "b", "a", "t", "v", "cv", "p", "sp", "dis",
];

/// Length from which a word with letters and digits is an id, in characters.
const ID_LENGTH: usize = 8;

fn has(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

/// Returns true for a local part, or a part of one, that names a role.
pub(super) fn is_role(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut parts = lower.split(['-', '_', '.']);
    has(ROLES, &lower) || parts.all(|part| has(ROLES, part))
}

/// Returns true for a label that says what a server does, with a number at most, such as `mx1`.
pub(super) fn is_server_label(label: &str) -> bool {
    let word = label.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    has(SERVERS, word) || matches!(word, "_domainkey" | "_dmarc")
}

pub(super) fn is_protocol(word: &str) -> bool {
    has(PROTOCOL, &word.to_ascii_lowercase())
}

/// Returns a text with `x` for letters and `0` for digits.
pub(super) fn mask(text: &str) -> String {
    let masked = text.chars().map(|c| match c {
        _ if c.is_numeric() => '0',
        _ if c.is_alphanumeric() => 'x',
        other => other,
    });
    masked.collect()
}

impl StandIns {
    /// Returns a text in which addresses, domains, IP addresses, ids and known names have their
    /// stand-ins. Other words stay, as those of settings.
    pub fn text(&mut self, text: &str) -> String {
        self.chunks(text, false)
    }

    /// Returns a text in which, besides, all words are masked that are not of the mail protocols and
    /// longer than three letters.
    pub fn by_words(&mut self, text: &str) -> String {
        self.chunks(text, true)
    }

    fn chunks(&mut self, text: &str, masks: bool) -> String {
        let text = self.without_names(text);
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let end = rest.find(is_delimiter).unwrap_or(rest.len());
            let (chunk, after) = rest.split_at(end);
            replaced.push_str(&self.chunk(chunk, masks));
            let mut after = after.chars();
            replaced.extend(after.next());
            rest = after.as_str();
        }
        replaced
    }

    /// Replaces the names of persons that are known from elsewhere.
    fn without_names(&self, text: &str) -> String {
        let names = self.numbers.iter();
        let names = names.filter(|((kind, name), _)| *kind == super::Kind::Name && name.len() > 3);
        let mut names: Vec<_> = names
            .map(|((_, name), number)| (name.as_str(), *number))
            .collect();
        names.sort_by_key(|(name, number)| (std::cmp::Reverse(name.len()), *number));
        let mut text = text.to_owned();
        for (name, number) in names {
            text = with_word_replaced(&text, name, &format!("Person {number}"));
        }
        text
    }

    fn chunk(&mut self, chunk: &str, masks: bool) -> String {
        let is_edge = |c: char| matches!(c, '.' | ':' | '!' | '?' | '\'' | '*');
        let inner = chunk.trim_end_matches(is_edge);
        let end = &chunk[inner.len()..];
        let start = inner.len() - inner.trim_start_matches('\'').len();
        let (start, inner) = inner.split_at(start);
        if inner.is_empty() {
            return chunk.to_owned();
        }
        // `::1` and the like end in what is no edge of theirs.
        match self.known_form(chunk) {
            Some(replaced) => replaced,
            None => format!("{start}{}{end}", self.inner(inner, masks)),
        }
    }

    /// Replaces an id that is known, an IP address, or a network.
    fn known_form(&mut self, chunk: &str) -> Option<String> {
        if let Some(known) = self.tokens.get(chunk) {
            return Some(known.clone());
        }
        if let Ok(ip) = chunk.parse() {
            return Some(self.ip(ip).to_string());
        }
        if let Some(ip) = chunk.strip_prefix("IPv6:").and_then(|ip| ip.parse().ok()) {
            return Some(format!("IPv6:{}", self.ip(ip)));
        }
        let network = chunk.parse().ok()?;
        Some(self.network(network))
    }

    fn inner(&mut self, text: &str, masks: bool) -> String {
        if let Some(known) = self.known_form(text) {
            return known;
        }
        if let Some((key, value)) = text.split_once('=')
            && (KEYS.contains(&key.to_ascii_lowercase().as_str()) || is_property(key))
        {
            return format!("{key}={}", self.inner(value, masks));
        }
        // A colon stands before an address in `mailto:`, behind a host before a port.
        if let Some((before, after)) = text.split_once(':') {
            let before = self.inner(before, masks);
            return format!("{before}:{}", self.inner(after, masks));
        }
        if let Some((local, domain)) = text.rsplit_once('@')
            && !domain.is_empty()
            && !domain.contains('/')
        {
            return match local.is_empty() || self.is_known_address(local, domain) {
                true => self.address(text),
                false if self.tokens.contains_key(local) => self.message_id(text),
                false => self.address(text),
            };
        }
        if let Some((before, after)) = text.split_once('/') {
            let before = self.inner(before, masks);
            return format!("{before}/{}", self.inner(after, masks));
        }
        if is_property(text) {
            return text.to_owned();
        }
        if is_domain(text) {
            return self.domain(text);
        }
        self.word(text, masks)
    }

    fn word(&mut self, word: &str, masks: bool) -> String {
        let has = |test: fn(&char) -> bool| word.chars().any(|c| test(&c));
        let is_mixed = has(char::is_ascii_digit) && has(|c| c.is_alphabetic());
        let least = if masks { ID_LENGTH } else { 2 * ID_LENGTH };
        if is_mixed && word.chars().count() >= least && !is_property(word) {
            return self.id(word);
        }
        match masks {
            true => masked_parts(word),
            false => word.to_owned(),
        }
    }
}

/// Replaces a name where no letter or digit stands beside it.
fn with_word_replaced(text: &str, name: &str, stand_in: &str) -> String {
    let mut replaced = String::new();
    let mut from = 0;
    for (at, _) in text.match_indices(name) {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        if !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric) {
            replaced.push_str(&text[from..at]);
            replaced.push_str(stand_in);
            from = at + name.len();
        }
    }
    replaced.push_str(&text[from..]);
    replaced
}

/// Masks the parts of a word that are not of the protocols.
fn masked_parts(word: &str) -> String {
    if is_protocol(word) {
        return word.to_owned();
    }
    let mut replaced = String::with_capacity(word.len());
    for part in word.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let is_letters = part.chars().all(|c| !c.is_numeric());
        let letters = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        let most = if is_letters { 3 } else { 4 };
        match letters.chars().count() <= most || is_protocol(letters) {
            true => replaced.push_str(part),
            false => replaced.push_str(&mask(part)),
        }
    }
    replaced
}

fn is_delimiter(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | '"'
        )
}

/// Returns true for words of the protocols joined by `.`, `-` and `_`, such as `smtp.mailfrom`.
fn is_property(text: &str) -> bool {
    let mut parts = text.split(['.', '-', '_']);
    let known =
        |part: &str| is_protocol(part) || KEYS.contains(&part.to_ascii_lowercase().as_str());
    parts.all(known)
}

/// Returns true for a name of several labels, the last of which has letters alone or is an A-label.
fn is_domain(text: &str) -> bool {
    let labels = || text.split('.');
    let is_label = |label: &str| {
        let is_of_label = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        !label.is_empty() && label.chars().all(is_of_label)
    };
    let last = labels().next_back().unwrap_or_default();
    let is_top = last.chars().all(char::is_alphabetic) && last.chars().count() > 1
        || last.to_ascii_lowercase().starts_with("xn--");
    labels().count() > 1 && labels().all(is_label) && is_top
}
