//! Message-IDs that a service gives messages in place of ours.

use gatepost_smtp::Reply;
use serde::Deserialize;

/// Rule by which a service names the messages that it takes. A profile that has one is of a service
/// that replaces Message-ID.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MessageIdRule {
    /// Text of the reply to the message, in any case, behind which the id stands; none if the reply
    /// does not tell it.
    after: Option<String>,
    /// Domains, one of which stands behind the id; none if it has its own. `*` stands for what it
    /// stands for in `host`.
    #[serde(default)]
    domains: Vec<String>,
    /// Form of the service's host, with one `*`.
    host: Option<String>,
}

/// Longest id that a reply tells, and longest text of a rule.
const LONGEST: usize = 200;

/// Most domains of a rule.
const MOST_DOMAINS: usize = 8;

impl MessageIdRule {
    /// Checks the bounds of the rule, and puts its text in lower case.
    pub(crate) fn prepare(&mut self) -> Result<(), String> {
        let texts = (self.domains.iter()).chain(&self.after).chain(&self.host);
        if texts
            .into_iter()
            .any(|text| !(1..=LONGEST).contains(&text.len()))
        {
            return Err(format!(
                "a text of message-id has no characters, or over {LONGEST}"
            ));
        }
        if self.domains.len() > MOST_DOMAINS {
            return Err(format!("message-id has over {MOST_DOMAINS} domains"));
        }
        if let Some(after) = &mut self.after {
            after.make_ascii_lowercase();
        }
        Ok(())
    }

    /// Returns the Message-IDs that a message may have behind this host, as the reply to it tells.
    pub fn ids(&self, host: &str, reply: &Reply) -> Vec<String> {
        let text = reply.text();
        let Some(id) = self.id_in(&text).filter(|_| reply.is_positive()) else {
            return Vec::new();
        };
        if id.contains('@') {
            return vec![id.to_owned()];
        }
        let region = self.region(host);
        let domains = self
            .domains
            .iter()
            .filter_map(|domain| match domain.contains('*') {
                true => Some(domain.replace('*', region?)),
                false => Some(domain.clone()),
            });
        domains.map(|domain| format!("{id}@{domain}")).collect()
    }

    fn id_in<'a>(&self, text: &'a str) -> Option<&'a str> {
        let after = self.after.as_deref()?;
        let at = text.to_ascii_lowercase().find(after)? + after.len();
        let rest = text.get(at..)?.trim_start_matches([' ', '<']);
        let is_part = |at: char| at.is_ascii_graphic() && !"<>()[]\\,;:\"".contains(at);
        let end = rest.find(|at| !is_part(at)).unwrap_or(rest.len());
        rest.get(..end)
            .filter(|id| (1..=LONGEST).contains(&id.len()))
    }

    /// Returns the part of the host for which `*` stands.
    fn region<'a>(&self, host: &'a str) -> Option<&'a str> {
        let (before, behind) = self.host.as_deref()?.split_once('*')?;
        let region = host.strip_prefix(before)?.strip_suffix(behind)?;
        (!region.is_empty() && !region.contains('.')).then_some(region)
    }
}
