//! Stand-ins for personal data: what a fixture of a recorded message has in its place.
//!
//! [`StandIns`] replaces an address, a domain, a name, an IP address, an id or an account, the same by
//! the same wherever it stands, so that a policy that compares them finds what it found before. A
//! whole message is replaced [field by field](StandIns::message) and keeps its form: names of fields,
//! MIME parts, white space, punctuation. Words of the mail protocols stay.

mod body;
mod fields;
mod parameters;
#[cfg(test)]
mod tests;
mod words;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gatepost_message::domain_to_ascii;

use self::words::{is_role, is_server_label, mask};

/// Stand-ins that were given out, by what they stand for.
#[derive(Debug, Default)]
pub struct StandIns {
    /// Numbers of persons, by local part and domain in lower case.
    people: HashMap<(String, String), usize>,
    /// Domains by organisational domain.
    domains: HashMap<String, String>,
    /// Organisational domains that are known to be such.
    organisations: Vec<String>,
    /// The transaction's account.
    own_account: Option<String>,
    /// Numbers by kind and text.
    numbers: HashMap<(Kind, String), usize>,
    /// Numbers that were given out by kind.
    counts: HashMap<Kind, usize>,
    ips: HashMap<IpAddr, IpAddr>,
    tokens: HashMap<String, String>,
    /// Ids that were given out, so that none is given twice.
    given: HashMap<String, String>,
}

/// Kind of things that are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Name,
    Domain,
    Host,
    Selector,
    User,
    Account,
    File,
    Boundary,
    Ipv4,
    Ipv6,
}

impl StandIns {
    /// Domain that stands for the account's own.
    pub const OWN_DOMAIN: &str = "desk.example";

    /// Account that stands for the transaction's.
    pub const ACCOUNT: &str = "acme";

    /// Makes stand-ins where this is a domain of the account's own.
    pub fn of_account(own_domain: Option<&str>, account: Option<&str>) -> Self {
        let mut stand_ins = Self::default();
        if let Some(domain) = own_domain {
            let ascii = ascii(domain);
            let organisation = stand_ins.organisation(&ascii).to_owned();
            (stand_ins.domains).insert(organisation, Self::OWN_DOMAIN.to_owned());
        }
        stand_ins.own_account = account.map(str::to_owned);
        stand_ins
    }

    /// Notes that a domain is one that an organisation has registered. Others are guessed.
    pub fn add_organisation(&mut self, domain: &str) {
        let ascii = ascii(domain);
        if ascii.contains('.') && !self.organisations.contains(&ascii) {
            self.organisations.push(ascii);
        }
    }

    fn number(&mut self, kind: Kind, of: &str) -> usize {
        let count = self.counts.entry(kind).or_default();
        let known = self.numbers.entry((kind, of.to_owned()));
        *known.or_insert_with(|| {
            *count += 1;
            *count
        })
    }

    /// Returns the stand-in for an address, such as `person1@domain1.example`. The local part of a role
    /// stays, and so does the form of one that was rewritten (SRS, BATV, VERP).
    pub fn address(&mut self, address: &str) -> String {
        let Some((local, domain)) = address.rsplit_once('@') else {
            return self.user(address);
        };
        let key = ascii(domain);
        let domain = self.domain(domain);
        format!("{}@{domain}", self.local(local, &key))
    }

    fn local(&mut self, local: &str, domain: &str) -> String {
        let lower = local.to_lowercase();
        if lower.is_empty() {
            return lower;
        }
        if let Some(rewritten) = self.rewritten(&lower, domain) {
            return rewritten;
        }
        let (base, tag) = match lower.split_once('+') {
            Some((base, tag)) if !base.is_empty() => (base, Some(tag)),
            _ => (lower.as_str(), None),
        };
        let written = local.get(..base.len()).unwrap_or(base);
        let base = self.mailbox(written, domain);
        match tag {
            None => base,
            Some(tag) => format!("{base}+{}", self.tag(tag, domain)),
        }
    }

    /// Returns the stand-in of a local part that a server made of another: SRS, BATV.
    fn rewritten(&mut self, local: &str, domain: &str) -> Option<String> {
        if let Some(of) = local.strip_prefix("prvs=") {
            let (tag, of) = of.split_once('=')?;
            return Some(format!("prvs={}={}", mask(tag), self.local(of, domain)));
        }
        let (scheme, rest) = local.split_at_checked(5)?;
        if !matches!(scheme, "srs0=" | "srs0+" | "srs0-") {
            return None;
        }
        let mut parts = rest.splitn(4, '=');
        let (hash, time) = (parts.next()?, parts.next()?);
        let (of, local) = (parts.next()?, parts.next()?);
        let local = self.local(local, &ascii(of));
        let (hash, time) = (mask(hash), mask(time));
        let scheme = scheme.to_uppercase();
        Some(format!("{scheme}{hash}={time}={}={local}", self.domain(of)))
    }

    /// Returns the stand-in of a sub-address; that of `user=domain`, as a list writes it, is one too.
    fn tag(&mut self, tag: &str, domain: &str) -> String {
        match tag.rsplit_once('=') {
            Some((local, of)) if of.contains('.') => {
                let local = self.mailbox(local, &ascii(of));
                format!("{local}={}", self.domain(of))
            }
            _ if is_role(tag) => tag.to_owned(),
            _ => self.token(&format!("{tag} {domain}"), tag),
        }
    }

    /// Returns the stand-in of a local part without its sub-address: `person1`, `owner-person1`.
    fn mailbox(&mut self, local: &str, domain: &str) -> String {
        if is_role(local) {
            return local.to_owned();
        }
        if let Some((of, target)) = local.rsplit_once('=')
            && target.contains('.')
        {
            let of = self.mailbox(of, &ascii(target));
            return format!("{of}={}", self.domain(target));
        }
        let lower = local.to_lowercase();
        let mut numbered = |of: &str| {
            let next = self.people.len() + 1;
            let key = (of.to_owned(), domain.to_owned());
            format!("person{}", self.people.entry(key).or_insert(next))
        };
        let separator = |c: char| matches!(c, '-' | '_' | '.');
        if let Some((front, of)) = lower.split_once(separator)
            && is_role(front)
        {
            return format!("{front}-{}", numbered(of));
        }
        match lower.rsplit_once(separator) {
            Some((of, end)) if is_role(end) => format!("{}-{end}", numbered(of)),
            _ => numbered(&lower),
        }
    }

    fn is_known_address(&self, local: &str, domain: &str) -> bool {
        let local = local.to_lowercase();
        let base = local.split('+').next().unwrap_or(&local);
        let key = (base.to_owned(), ascii(domain));
        self.people.contains_key(&key)
    }

    /// Returns the stand-in for a domain, such as `domain1.example`; a sub-domain's is a sub-domain of
    /// its organisation's. An address literal stays one.
    pub fn domain(&mut self, domain: &str) -> String {
        let literal = domain
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        if let Some(literal) = literal {
            return format!("[{}]", self.text(literal));
        }
        if let Ok(ip) = domain.parse() {
            return self.ip(ip).to_string();
        }
        let ascii = ascii(domain);
        if ascii.is_empty() || ascii == "localhost" || ascii == "localhost.localdomain" {
            return ascii;
        }
        if !ascii.contains('.') {
            return self.label(&ascii);
        }
        let organisation = self.organisation(&ascii).to_owned();
        let stand_in = match self.domains.get(&organisation) {
            Some(known) => known.clone(),
            None => {
                let number = self.number(Kind::Domain, &organisation);
                let stand_in = format!("domain{number}.example");
                self.domains.insert(organisation.clone(), stand_in.clone());
                stand_in
            }
        };
        let above = ascii.strip_suffix(&organisation).unwrap_or_default();
        let labels = above.split('.').filter(|label| !label.is_empty());
        let mut name: String = labels.map(|label| self.label(label) + ".").collect();
        name.push_str(&stand_in);
        name
    }

    /// Returns the organisational domain of a name of several labels: one that was noted, or the last
    /// two labels; three where the last but one is as short as in `co.uk`.
    fn organisation<'a>(&self, ascii: &'a str) -> &'a str {
        let noted = self.organisations.iter();
        let noted = noted.filter(|of| {
            let above = ascii.strip_suffix(of.as_str());
            above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
        });
        if let Some(length) = noted.map(String::len).min() {
            return &ascii[ascii.len() - length..];
        }
        let mut starts = ascii.rmatch_indices('.').map(|(at, _)| at + 1);
        let (last, second) = (starts.next(), starts.next().unwrap_or(0));
        let labels = match last {
            Some(last) => (&ascii[second..last - 1], &ascii[last..]),
            None => return ascii,
        };
        let is_registry = labels.0.len() <= 3 && labels.1.len() == 2;
        match is_registry {
            true => &ascii[starts.next().unwrap_or(0).min(second)..],
            false => &ascii[second..],
        }
    }

    fn label(&mut self, label: &str) -> String {
        match is_server_label(label) {
            true => label.to_owned(),
            false => format!("host{}", self.number(Kind::Host, label)),
        }
    }

    /// Returns the stand-in for a DKIM selector, such as `selector1`.
    pub fn selector(&mut self, selector: &str) -> String {
        match selector.is_empty() {
            true => String::new(),
            false => format!("selector{}", self.number(Kind::Selector, selector)),
        }
    }

    /// Returns the stand-in for the name of a person, such as `Person 1`.
    pub fn name(&mut self, name: &str) -> String {
        let name = name.trim();
        match name.is_empty() {
            true => String::new(),
            false => format!("Person {}", self.number(Kind::Name, name)),
        }
    }

    /// Returns the stand-in for a user of AUTH: an address, or such as `user1`.
    pub fn user(&mut self, user: &str) -> String {
        match user.contains('@') {
            true => self.address(user),
            false => format!("user{}", self.number(Kind::User, user)),
        }
    }

    /// Returns the stand-in for an account, such as `account1`.
    pub fn account(&mut self, account: &str) -> String {
        match self.own_account.as_deref() == Some(account) {
            true => Self::ACCOUNT.to_owned(),
            false => format!("account{}", self.number(Kind::Account, account)),
        }
    }

    /// Returns the stand-in for an IP address, of the networks for documentation (RFC 5737, RFC 3849).
    /// A loopback address stays.
    pub fn ip(&mut self, ip: IpAddr) -> IpAddr {
        let ip = ip.to_canonical();
        if ip.is_loopback() || ip.is_unspecified() {
            return ip;
        }
        if let Some(known) = self.ips.get(&ip) {
            return *known;
        }
        let stand_in = match ip {
            IpAddr::V4(_) => {
                let number = self.number(Kind::Ipv4, &ip.to_string()) - 1;
                // Numbers 1 to 254 of three networks.
                let octet = u8::try_from(number % 254 + 1).unwrap_or(254);
                IpAddr::V4(match number / 254 % 3 {
                    0 => Ipv4Addr::new(192, 0, 2, octet),
                    1 => Ipv4Addr::new(198, 51, 100, octet),
                    _ => Ipv4Addr::new(203, 0, 113, octet),
                })
            }
            IpAddr::V6(_) => {
                let number = self.number(Kind::Ipv6, &ip.to_string());
                let number = u16::try_from(number).unwrap_or(u16::MAX);
                // Each in a network (/64) of its own.
                IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, number, 0, 0, 0, number))
            }
        };
        self.ips.insert(ip, stand_in);
        stand_in
    }

    /// Returns the stand-in for a network in CIDR form: one address. It is that of a known address in
    /// the network, if there is one.
    fn network(&mut self, network: ipnet::IpNet) -> String {
        let mut known: Vec<_> = self.ips.keys().filter(|ip| network.contains(*ip)).collect();
        known.sort();
        let ip = known.first().map_or(network.addr(), |ip| **ip);
        let ip = self.ip(ip);
        ipnet::IpNet::from(ip).to_string()
    }

    /// Returns the stand-in for an id: of the same form and length, another for each.
    pub fn id(&mut self, id: &str) -> String {
        self.token(id, id)
    }

    fn token(&mut self, key: &str, token: &str) -> String {
        if let Some(known) = self.tokens.get(key) {
            return known.clone();
        }
        let mut number = self.tokens.len();
        let stand_in = loop {
            let (shaped, left) = shaped(token, number);
            let stand_in = match left {
                0 => shaped,
                _ => format!("{shaped}{left}"),
            };
            if !self.given.contains_key(&stand_in) {
                break stand_in;
            }
            number += 1;
        };
        self.given.insert(stand_in.clone(), key.to_owned());
        self.tokens.insert(key.to_owned(), stand_in.clone());
        stand_in
    }

    /// Returns the stand-in for a Message-ID without angle brackets. One that is an address known from
    /// elsewhere is replaced as such.
    pub fn message_id(&mut self, id: &str) -> String {
        match id.rsplit_once('@') {
            Some((left, right)) if !self.is_known_address(left, right) => {
                let right = self.domain(right);
                format!("{}@{right}", self.id(left))
            }
            Some(_) => self.address(id),
            None => self.id(id),
        }
    }
}

/// Returns a domain in lower-case A-labels, as far as it has them.
fn ascii(domain: &str) -> String {
    let bare = domain.trim_end_matches('.').to_lowercase();
    domain_to_ascii(&bare).unwrap_or(bare)
}

/// Writes a number in the form of a token: digits for digits, letters for letters, from the end. The
/// version and the variant of a UUID (RFC 9562) stay. Returns the rest of a number that is too large.
fn shaped(token: &str, mut number: usize) -> (String, usize) {
    let is_hex = |c: char| c.is_ascii_hexdigit() || !c.is_ascii_alphanumeric();
    let letters = match token.chars().all(is_hex) {
        true => 6,
        false => 26,
    };
    let dashes = [8, 13, 18, 23].map(|at| token.as_bytes().get(at).copied());
    let is_uuid = token.len() >= 36 && dashes == [Some(b'-'); 4];
    let zero = |c: char| match c {
        '0'..='9' => Some(('0', 10)),
        'A'..='Z' => Some(('A', letters)),
        'a'..='z' => Some(('a', letters)),
        other if other.is_alphanumeric() => Some(('x', 1)),
        _ => None,
    };
    let mut characters: Vec<char> = token.chars().collect();
    for (at, character) in characters.iter_mut().enumerate().rev() {
        if is_uuid && matches!(at, 14 | 19) {
            continue;
        }
        if let Some((first, base)) = zero(*character) {
            let digit = u8::try_from(number % base).unwrap_or(0);
            number /= base;
            *character = char::from_u32(u32::from(first) + u32::from(digit)).unwrap_or(first);
        }
    }
    (characters.into_iter().collect(), number)
}
