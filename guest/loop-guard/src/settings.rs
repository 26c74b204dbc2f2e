//! Settings of loop-guard.

use crate::limits::Limits;

/// Settings of loop recognition, and of the treatment of mail that would keep a loop going.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Most Received fields of a message; with more it is refused. RFC 5321 section 6.3 asks for at
    /// least 100.
    #[schemars(range(min = 1, max = 1000))]
    pub hop_limit: u32,
    /// Header with the email id of messages that we sent.
    #[schemars(length(min = 1, max = 76))]
    pub email_id_header: String,
    /// Days for which the relay remembers email ids at a recipient, Message-IDs of automatic
    /// messages, addresses that the application writes from, and the usual number of newcomers.
    #[schemars(range(min = 1, max = 365))]
    pub remember_days: u32,
    /// Names under which this site's relays write Received, besides this relay's own. A message
    /// with 8 such fields loops.
    pub own_hosts: Vec<String>,
    /// Header in which the application says who wrote a notification: `agent` for a person, or
    /// `automatic`.
    #[schemars(length(min = 1, max = 76))]
    pub trigger_header: String,
    /// Header that names the help desk's account that a message is from.
    #[schemars(length(min = 1, max = 76))]
    pub account_id_header: String,
    /// Days for which an address is known as a machine's; 0 for never.
    #[schemars(range(max = 365))]
    pub machine_days: u32,
    /// Hours for which an address that has sent an automatic answer is known as a machine's: a
    /// person may be behind it. 0 for never.
    #[schemars(range(max = 168))]
    pub autoresponder_hours: u32,
    /// Treatment of recipients to whom no automatic mail goes.
    pub suppress: Suppress,
    /// True to tell the submitter of recipients to whom no automatic mail goes; if they are
    /// refused, it is told in any case.
    pub report: bool,
    /// Limits of exchanges without a person.
    pub limits: Limits,
}

/// Treatment of a recipient to whom no automatic mail goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Suppress {
    /// Silence: the recipient gets nothing, and the submission is accepted with 250.
    Silently,
    /// Refusal: 550 if it holds for all recipients, else a bounce.
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
    /// Returns the problems that the schema cannot express.
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
        // Destructured, so that a new setting has to be added here.
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
        // Destructured for the same reason.
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
    fn a_header_name_that_is_none_is_a_problem() {
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
