//! Facts about the site that customers are told.

use std::net::IpAddr;

use gatepost_config::{Config, Direction, HandoverUrl, ListenerTls, Policy};
use gatepost_message::Domain;

/// Facts about the site, of its configuration.
#[derive(Debug, Clone)]
pub struct SiteFacts {
    /// Host name of the relay.
    pub(crate) hostname: Domain,
    /// Listener at which servers of customers log in; `None` if there is none.
    pub(crate) log_in: Option<LogInPort>,
    /// Addresses that mail leaves from, as far as the relay knows them.
    pub(crate) egress: Vec<IpAddr>,
    /// Domain whose SPF record names them, for customers to include.
    pub(crate) spf_include: String,
    /// Names of the header fields that mark mail of the relay.
    pub(crate) headers: Vec<String>,
    /// Return paths of customers' own domains: the domain of the sender, and that of the path.
    pub(crate) return_paths: Vec<(Domain, Domain)>,
    /// Domain that those are aliases of.
    pub(crate) return_domain: Domain,
    /// URL of the page of handovers; `None` if it is not served.
    pub(crate) handover: Option<HandoverUrl>,
    /// Names of the Maildirs.
    pub(crate) maildirs: Vec<String>,
}

/// Port at which servers of customers log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogInPort {
    pub(crate) port: u16,
    pub(crate) implicit_tls: bool,
}

/// Marks that header-guard puts on mail that leaves: the key of each in its settings, and the name
/// of its header field where none is set.
const MARKS: [(&str, &str); 5] = [
    ("auto-submitted", "Auto-Submitted"),
    ("auto-response-suppress", "X-Auto-Response-Suppress"),
    ("mailer", "X-Mailer"),
    ("account-id", "X-Gatepost-From-Account-Id"),
    ("email-id", "X-Gatepost-Email-Id"),
];

impl From<&Config> for SiteFacts {
    fn from(config: &Config) -> Self {
        let hostname = &config.relay.hostname;
        let custom = config.return_path.custom.iter();
        Self {
            hostname: hostname.clone(),
            log_in: log_in(config),
            egress: config.all_outside_addresses(),
            spf_include: config.spf_include(),
            headers: marks(config.policies.iter().find(|of| is_header_guard(of))),
            return_paths: custom
                .map(|of| (of.sender.clone(), of.domain.clone()))
                .collect(),
            return_domain: (config.return_path.domain.as_ref())
                .unwrap_or(hostname)
                .clone(),
            handover: config.handover.as_ref().map(|page| page.url.clone()),
            maildirs: config.maildirs.keys().cloned().collect(),
        }
    }
}

/// Returns the port for log-ins. One with STARTTLS goes first, since some servers know no other.
fn log_in(config: &Config) -> Option<LogInPort> {
    let listeners = config.listeners.iter();
    let taking = listeners
        .filter(|of| of.direction == Direction::Inbound && of.auth && of.tls != ListenerTls::None);
    let ports = taking.map(|of| LogInPort {
        port: of.address.port(),
        implicit_tls: of.tls == ListenerTls::Implicit,
    });
    ports.min_by_key(|of| of.implicit_tls)
}

fn is_header_guard(policy: &Policy) -> bool {
    policy.builtin.as_deref() == Some("header-guard")
}

/// Returns the names of the marks, as the policy's settings have them.
fn marks(policy: Option<&Policy>) -> Vec<String> {
    let settings = policy.and_then(|policy| policy.settings.get("marks"));
    let names = MARKS.iter().filter_map(|(key, default)| {
        let mark = settings.and_then(|settings| settings.get(key));
        let is_off = mark.and_then(|mark| mark.get("off")?.as_bool()) == Some(true);
        let name = mark.and_then(|mark| mark.get("header")?.as_str());
        (!is_off).then(|| name.unwrap_or(default).to_owned())
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn facts(more: &str) -> SiteFacts {
        let text = format!("[relay]\nhostname = \"mx.desk.example\"\n{more}");
        let config = Config::parse(&text, Path::new("gatepost.toml"), Path::new(""));
        SiteFacts::from(&config.unwrap())
    }

    const TLS: &str = "[tls]\ncertificate = \"c\"\nkey = \"k\"\n";

    fn listener(name: &str, port: u16, tls: &str, direction: &str) -> String {
        format!(
            "[[listener]]\nname = \"{name}\"\naddress = \"0.0.0.0:{port}\"\ntls = \"{tls}\"\n\
             direction = \"{direction}\"\n"
        )
    }

    #[test]
    fn servers_of_customers_log_in_by_starttls_where_that_is_offered() {
        let [mx, tls, starttls] = [
            listener("mx", 25, "none", "inbound"),
            listener("tls", 465, "implicit", "inbound"),
            listener("starttls", 2525, "starttls", "inbound"),
        ];
        let submission = listener("submission", 587, "starttls", "submission");
        let port = |listeners: &[&String]| {
            let all: String = listeners.iter().map(|of| of.as_str()).collect();
            let found = facts(&format!("{TLS}{all}")).log_in;
            found.map(|of| (of.port, of.implicit_tls))
        };
        assert_eq!(port(&[&submission, &mx]), None);
        assert_eq!(port(&[&submission, &mx, &tls]), Some((465, true)));
        assert_eq!(port(&[&tls, &starttls]), Some((2525, false)));
    }

    #[test]
    fn the_names_of_the_marks_are_those_that_header_guard_writes() {
        let listener = listener("mx", 25, "none", "inbound");
        let default: Vec<_> = MARKS.iter().map(|(_, name)| (*name).to_owned()).collect();
        assert_eq!(facts(&listener).headers, default);
        let settings = "[[policy]]\nname = \"guard\"\nbuiltin = \"header-guard\"\n\
            settings = { marks = { email-id = { header = \"X-Desk-Id\" }, mailer = { off = true } } }\n";
        let headers = facts(&format!("{listener}{settings}")).headers;
        assert!(headers.contains(&"X-Desk-Id".to_owned()), "{headers:?}");
        assert!(
            !headers
                .iter()
                .any(|name| name == "X-Mailer" || name == "X-Gatepost-Email-Id")
        );
        assert_eq!(headers.len(), 4);
    }
}
