//! Writing of Authentication-Results (RFC 8601 section 2.2).

use std::net::IpAddr;

use crate::{ArcFact, Authentication, DkimFact, DmarcFact, Facts, SpfFact};

/// Length limit of a value, in characters: enough for any domain and address, and short enough for
/// a line.
const MAX_VALUE: usize = 300;

/// Authserv-id and session for which the results are written.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// Authserv-id that vouches for the results: as a rule, a host name.
    pub authserv_id: &'a str,
    /// Client's address, for `iprev`.
    pub client: IpAddr,
    /// Authenticated user, if there is one: `auth=pass smtp.auth=`.
    pub sasl: Option<&'a str>,
}

impl Stamp<'_> {
    /// Returns the field's body, without the space after the colon: one line for each result,
    /// folded with CRLF and a tab, in US-ASCII. Whatever the facts contain, nothing in it can end
    /// the field or pass for another result: values are tokens, or quoted.
    pub fn field_body(&self, facts: &Facts) -> String {
        let mut lines = Vec::new();
        if let Some(user) = self.sasl {
            lines.push(format!("auth=pass smtp.auth={}", value(user)));
        }
        lines.extend(spf(&facts.spf.helo, "smtp.helo"));
        lines.extend(spf(&facts.spf.mailfrom, "smtp.mailfrom"));
        match facts.dkim.as_slice() {
            [] => lines.push("dkim=none".to_owned()),
            signatures => lines.extend(signatures.iter().map(dkim)),
        }
        lines.push(dmarc(&facts.dmarc));
        lines.extend(arc(&facts.arc));
        if facts.iprev.result != Authentication::None {
            lines.push(format!(
                "iprev={} policy.iprev={}",
                facts.iprev.result.word(),
                value(&self.client.to_string())
            ));
        }
        let mut body = value(self.authserv_id);
        for line in lines {
            body.push_str(";\r\n\t");
            body.push_str(&line);
        }
        body
    }
}

fn spf(fact: &SpfFact, property: &str) -> Option<String> {
    if fact.domain.is_empty() && fact.result == Authentication::None {
        return None;
    }
    let result = fact.result.word();
    Some(format!("spf={result} {property}={}", value(&fact.domain)))
}

fn dkim(fact: &DkimFact) -> String {
    let mut line = format!("dkim={}", fact.result.word());
    line.push_str(&reason(fact.reason.as_deref()));
    let properties = [
        ("header.d", &fact.domain),
        ("header.s", &fact.selector),
        ("header.a", &fact.algorithm),
    ];
    for (name, text) in properties {
        if !text.is_empty() {
            line.push_str(&format!(" {name}={}", value(text)));
        }
    }
    line
}

fn dmarc(fact: &DmarcFact) -> String {
    let mut line = format!("dmarc={}", fact.result.word());
    if let Some(policy) = fact.policy {
        line.push_str(&format!(" (p={})", policy.word()));
    }
    line.push_str(&reason(fact.reason.as_deref()));
    if !fact.domain.is_empty() {
        line.push_str(&format!(" header.from={}", value(&fact.domain)));
    }
    line
}

fn arc(fact: &ArcFact) -> Option<String> {
    (fact.instances > 0 || fact.result != Authentication::None).then(|| {
        let result = fact.result.word();
        let reason = reason(fact.reason.as_deref());
        format!("arc={result} (i={}){reason}", fact.instances)
    })
}

/// Returns `reason=` on a line of its own.
fn reason(reason: Option<&str>) -> String {
    reason.map_or(String::new(), |reason| {
        format!("\r\n\t reason={}\r\n\t", quoted(reason))
    })
}

/// Returns a value as it is if it is a token (RFC 2045 section 5.1), otherwise quoted.
fn value(text: &str) -> String {
    let is_token = |c: char| c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(c);
    match !text.is_empty() && text.len() <= MAX_VALUE && text.chars().all(is_token) {
        true => text.to_owned(),
        false => quoted(text),
    }
}

/// Quotes a text. Characters other than printable US-ASCII become question marks.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars().take(MAX_VALUE) {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            _ => quoted.push('?'),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use gatepost_message::FieldBody;
    use proptest::prelude::*;

    use super::*;
    use crate::results::read::Results;
    use crate::{DmarcPolicy, IprevFact, SpfFacts};

    fn stamp(sasl: Option<&str>) -> Stamp<'_> {
        Stamp {
            authserv_id: "mx.desk.example",
            client: "2001:db8::1".parse().unwrap(),
            sasl,
        }
    }

    #[test]
    fn every_result_has_a_line() {
        let facts = Facts {
            spf: SpfFacts {
                helo: SpfFact {
                    result: Authentication::None,
                    domain: "mail.example".into(),
                    reason: None,
                },
                mailfrom: SpfFact {
                    result: Authentication::Softfail,
                    domain: "b.example".into(),
                    reason: None,
                },
            },
            dkim: vec![DkimFact {
                result: Authentication::Fail,
                domain: "b.example".into(),
                selector: "s".into(),
                algorithm: "rsa-sha256".into(),
                reason: Some("it is \"wrong\"; really".into()),
            }],
            dmarc: DmarcFact {
                result: Authentication::Fail,
                policy: Some(DmarcPolicy::Reject),
                domain: "b.example".into(),
                ..DmarcFact::default()
            },
            arc: ArcFact {
                result: Authentication::Pass,
                instances: 2,
                ..ArcFact::default()
            },
            iprev: IprevFact {
                result: Authentication::Pass,
                name: "mail.example".into(),
            },
            from: crate::FromFact::default(),
            authors: Vec::new(),
        };
        assert_eq!(
            stamp(Some("a@b.example")).field_body(&facts),
            "mx.desk.example;\r\n\tauth=pass smtp.auth=\"a@b.example\";\
             \r\n\tspf=none smtp.helo=mail.example;\
             \r\n\tspf=softfail smtp.mailfrom=b.example;\
             \r\n\tdkim=fail\r\n\t reason=\"it is \\\"wrong\\\"; really\"\
             \r\n\t header.d=b.example header.s=s header.a=rsa-sha256;\
             \r\n\tdmarc=fail (p=reject) header.from=b.example;\
             \r\n\tarc=pass (i=2);\
             \r\n\tiprev=pass policy.iprev=\"2001:db8::1\""
        );
    }

    proptest! {
        #[test]
        fn no_value_adds_a_result(user in any::<String>(), text in any::<String>()) {
            let facts = Facts {
                dkim: vec![DkimFact {
                    result: Authentication::Permerror,
                    domain: text.clone(),
                    selector: text.clone(),
                    reason: Some(text),
                    ..DkimFact::default()
                }],
                ..Facts::default()
            };
            let body = stamp(Some(&user)).field_body(&facts);
            prop_assert!(body.is_ascii());
            FieldBody::new(&body).unwrap();
            let results = Results::parse(&body);
            prop_assert_eq!(results.authserv_id.as_deref(), Some("mx.desk.example"));
            let dkim: Vec<_> = results.of("dkim").map(|claim| claim.result).collect();
            prop_assert_eq!(dkim, [Authentication::Permerror]);
            prop_assert_eq!(results.of("auth").count(), 1);
            prop_assert_eq!(results.of("spf").count(), 0);
        }
    }
}
