//! The settings of loop-guard.

use crate::limits::Limits;

/// How loops are told, and what becomes of what would keep them going.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Messages with more Received fields than this are refused. RFC 5321 section 6.3 asks for at
    /// least 100.
    #[schemars(range(min = 1, max = 1000))]
    pub hop_limit: u32,
    /// The header that carries the email id of messages that we sent.
    #[schemars(length(min = 1, max = 76))]
    pub email_id_header: String,
    /// For how many days an email id is remembered at a recipient, the Message-ID of an automatic
    /// message, that the application writes from an address, and how many newcomers are usual.
    #[schemars(range(min = 1, max = 365))]
    pub remember_days: u32,
    /// The names under which this site's relays write Received, besides this relay's own. A message
    /// with 8 such fields loops.
    pub own_hosts: Vec<String>,
    /// The header in which the application says who a notification is from: `agent`, for what a
    /// person wrote, or `automatic`.
    #[schemars(length(min = 1, max = 76))]
    pub trigger_header: String,
    /// The header that names the help desk's account that a message is from.
    #[schemars(length(min = 1, max = 76))]
    pub account_id_header: String,
    /// For how many days an address is known as a machine's; 0 for never.
    #[schemars(range(max = 365))]
    pub machine_days: u32,
    /// For how many hours one that has sent an automatic answer is: a person may be behind it. 0
    /// for never.
    #[schemars(range(max = 168))]
    pub autoresponder_hours: u32,
    /// What becomes of recipients who are not written to.
    pub suppress: Suppress,
    /// Whether the submitter is told of them; where they are refused, it is told in any case.
    pub report: bool,
    /// How many exchanges without a person are too many.
    pub limits: Limits,
}

/// What becomes of a recipient who is not written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Suppress {
    /// Gets nothing, and the submission is taken: 250.
    Silently,
    /// Is refused: 550 where it holds for all recipients, else a bounce.
    Reject,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hop_limit: 100,
            email_id_header: "X-Gatepost-Email-Id".into(),
            remember_days: 7,
            own_hosts: Vec::new(),
            trigger_header: "X-Gatepost-Trigger".into(),
            account_id_header: "X-Gatepost-From-Account-Id".into(),
            machine_days: 30,
            autoresponder_hours: 1,
            suppress: Suppress::Silently,
            report: false,
            limits: Limits::default(),
        }
    }
}

impl Settings {
    /// What is wrong with them that the schema cannot say.
    pub fn problems(&self) -> Vec<String> {
        let plausible = |b: u8| (33..=126).contains(&b) && b != b':';
        let headers = [
            ("email-id-header", &self.email_id_header),
            ("trigger-header", &self.trigger_header),
            ("account-id-header", &self.account_id_header),
        ];
        let wrong = headers
            .into_iter()
            .filter(|(_, name)| !name.bytes().all(plausible));
        wrong
            .map(|(setting, name)| format!("/{setting}: {name:?} is not a header's name"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_setting_with_its_default() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/loop-guard.md");
        let page = std::fs::read_to_string(page).unwrap();
        // Taken apart, so that a further setting has to be put here.
        let Settings {
            hop_limit,
            email_id_header,
            remember_days,
            own_hosts,
            trigger_header,
            account_id_header,
            machine_days,
            autoresponder_hours,
            suppress,
            report,
            limits,
        } = Settings::default();
        let suppress = match suppress {
            Suppress::Silently => "silently",
            Suppress::Reject => "reject",
        };
        for (setting, default) in [
            ("hop-limit", hop_limit.to_string()),
            ("email-id-header", format!("{email_id_header:?}")),
            ("remember-days", remember_days.to_string()),
            ("own-hosts", format!("{own_hosts:?}")),
            ("trigger-header", format!("{trigger_header:?}")),
            ("account-id-header", format!("{account_id_header:?}")),
            ("machine-days", machine_days.to_string()),
            ("autoresponder-hours", autoresponder_hours.to_string()),
            ("suppress", format!("{suppress:?}")),
            ("report", report.to_string()),
        ] {
            let settings = page.split("## Settings").nth(1).unwrap();
            let begin = format!("| `{setting}` |");
            let mut rows = settings.lines().filter(|line| line.starts_with(&begin));
            let row = rows
                .next()
                .unwrap_or_else(|| panic!("{setting} is missing"));
            assert!(
                row.contains(&format!("| `{default}` |")),
                "{default}: {row}"
            );
        }
        // Taken apart for the same reason.
        let Limits {
            correspondent,
            thread,
            repeats,
            words,
            subject,
            marked,
            domain,
            account,
            newcomers,
            haste,
        } = limits;
        assert!(page.contains("| `limits` | table | `see below` |"));
        for (name, limit) in [
            ("correspondent", correspondent),
            ("thread", thread),
            ("repeats", repeats),
            ("words", words),
            ("subject", subject),
            ("marked", marked),
            ("domain", domain),
            ("account", account),
            ("newcomers", newcomers),
            ("haste", haste),
        ] {
            let begin = format!("| `limits.{name}` | {limit} |");
            assert!(page.lines().any(|line| line.starts_with(&begin)), "{begin}");
        }
    }

    #[test]
    fn what_the_schema_cannot_say_is_said() {
        let wrong = Settings {
            trigger_header: "a header".into(),
            ..Settings::default()
        };
        let problems = wrong.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("/trigger-header: "), "{problems:?}");
        assert_eq!(Settings::default().problems(), Vec::<String>::new());
    }
}
