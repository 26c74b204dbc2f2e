//! Examples for each hook, with a setting and fixtures.

/// Hooks, in the order in which a message meets them.
pub const HOOKS: [&str; 6] = [
    "connect",
    "sender",
    "recipient",
    "message",
    "route",
    "outcome",
];

/// Parts of a crate for one hook.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) hook: &'static str,
    /// Field of the settings.
    pub(super) setting: &'static str,
    /// Example value of the field in TOML.
    pub(super) example: &'static str,
    pub(super) method: &'static str,
    /// Names and texts of fixtures.
    pub(super) fixtures: &'static [(&'static str, &'static str)],
}

pub(super) fn example(hook: &str) -> Option<&'static Example> {
    EXAMPLES.iter().find(|example| example.hook == hook)
}

const EXAMPLES: &[Example] = &[
    Example {
        hook: "connect",
        setting: "    /// Clients at these addresses are sent away.\n    pub denied_clients: Vec<String>,\n",
        example: r#"denied-clients = ["192.0.2.1"]"#,
        method: r#"    fn connect(&self, session: &Session, _: &dyn Facts, decision: &mut Decision) -> Verdict {
        let denied = &self.settings.denied_clients;
        match session.client_ip() {
            Some(ip) if denied.iter().any(|one| one == ip) => {
                decision.reason(format!("{ip} is denied"));
                Verdict::reject(550, "5.7.1", "Not from there, please")
            }
            _ => Verdict::Pass,
        }
    }
"#,
        fixtures: &[(
            "denied-client.toml",
            r#"shows = "a client that is denied is sent away"
hook = "connect"
client-ip = "192.0.2.1"

[settings]
denied-clients = ["192.0.2.1"]

[expect]
verdict = "reject"
reply = "550 5.7.1 *"
"#,
        )],
    },
    Example {
        hook: "sender",
        setting: "    /// Mail from these addresses is refused.\n    pub denied_senders: Vec<String>,\n",
        example: r#"denied-senders = ["lottery@sender.example"]"#,
        method: r#"    fn sender(&self, transaction: &Transaction, _: &dyn Facts, decision: &mut Decision) -> Verdict {
        let sender = &transaction.mail_from;
        if self.settings.denied_senders.contains(sender) {
            decision.reason(format!("{sender} is denied"));
            return Verdict::reject(550, "5.7.1", "Not from you, please");
        }
        Verdict::Pass
    }
"#,
        fixtures: &[(
            "denied-sender.toml",
            r#"shows = "a sender that is denied is refused"
hook = "sender"
mail-from = "lottery@sender.example"

[settings]
denied-senders = ["lottery@sender.example"]

[expect]
verdict = "reject"
reply = "550 5.7.1 *"
"#,
        )],
    },
    Example {
        hook: "recipient",
        setting: "    /// Mail to these addresses is refused.\n    pub closed_addresses: Vec<String>,\n",
        example: r#"closed-addresses = ["old@desk.example"]"#,
        method: r#"    fn recipient(
        &self,
        _: &Transaction,
        recipient: &str,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        let closed = &self.settings.closed_addresses;
        if closed.iter().any(|address| address == recipient) {
            decision.reason(format!("{recipient} is closed"));
            return Verdict::reject(550, "5.1.1", "Nobody reads this address any more");
        }
        Verdict::Pass
    }
"#,
        fixtures: &[(
            "closed-address.toml",
            r#"shows = "mail to a closed address is refused"
hook = "recipient"
mail-from = "ann@sender.example"
rcpt-to = ["old@desk.example"]

[settings]
closed-addresses = ["old@desk.example"]

[expect]
verdict = "reject"
reply = "550 5.1.1 *"
"#,
        )],
    },
    Example {
        hook: "message",
        setting: "    /// A message whose subject holds one of these texts is refused.\n    pub forbidden: Vec<String>,\n",
        example: r#"forbidden = ["winner"]"#,
        method: r#"    fn message(
        &self,
        _: &Transaction,
        message: &dyn Message,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        let subject = message.header("Subject").unwrap_or_default();
        let forbidden = &self.settings.forbidden;
        if forbidden.iter().any(|text| subject.contains(text)) {
            decision.reason("the subject holds forbidden words");
            return Verdict::reject(550, "5.7.1", "Not here, please");
        }
        Verdict::Pass
    }
"#,
        fixtures: &[
            (
                "spam.eml",
                "From: Lottery <lottery@sender.example>\nTo: help@desk.example\nSubject: You are a winner\n\nClaim your prize.\n",
            ),
            (
                "spam.toml",
                r#"shows = "forbidden words in the subject are refused"
mail-from = "lottery@sender.example"
rcpt-to = ["help@desk.example"]

[settings]
forbidden = ["winner"]

[expect]
verdict = "reject"
reply = "550 5.7.1 *"
reasons = ["the subject holds forbidden words"]
"#,
            ),
            (
                "ham.eml",
                "From: Ann <ann@sender.example>\nTo: help@desk.example\nSubject: My printer\n\nIt does not print.\n",
            ),
            (
                "ham.toml",
                r#"shows = "a person's question passes, and is not touched"
mail-from = "ann@sender.example"
rcpt-to = ["help@desk.example"]
exact = true

[settings]
forbidden = ["winner"]

[expect]
verdict = "pass"
"#,
            ),
        ],
    },
    Example {
        hook: "route",
        setting: "    /// Connection by which mail leaves that the application submits.\n    pub connection: Option<String>,\n",
        example: r#"connection = "acme""#,
        method: r#"    fn route(
        &self,
        transaction: &Transaction,
        _: &Attempt,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Routing {
        match &self.settings.connection {
            Some(name) if transaction.session.flow == Flow::Submission => {
                decision.reason(format!("it leaves through {name}"));
                // By MX, if the connection has not taken it for an hour.
                Routing::Deliver(Plan::by_connection(name).go_on_after(3, 3600).then_by_mx())
            }
            _ => Routing::Pass,
        }
    }
"#,
        fixtures: &[(
            "connection.toml",
            r#"shows = "what the application submits leaves by the connection"
hook = "route"
direction = "submission"
mail-from = "support@customer.example"
rcpt-to = ["ann@sender.example"]

[settings]
connection = "acme"

[expect]
verdict = "deliver"
plan = ["connection acme go-on-after=3,3600", "mx"]
"#,
        )],
    },
    Example {
        hook: "outcome",
        setting: "    /// True if recipients of failed deliveries are counted.\n    pub count_failures: bool,\n",
        example: "count-failures = true",
        method: r#"    fn outcome(
        &self,
        _: &Transaction,
        result: &AttemptResult,
        _: &dyn Facts,
        decision: &mut Decision,
    ) {
        if self.settings.count_failures && result.ending == Ending::Failed {
            decision.count(format!("failed:{}", result.recipient), 1);
        }
    }
"#,
        fixtures: &[(
            "failed.toml",
            r#"shows = "a delivery that failed is counted"
hook = "outcome"
mail-from = "support@customer.example"
rcpt-to = ["ann@sender.example"]
result = { ending = "failed", code = 550, enhanced = "5.1.1", text = "No such user" }

[settings]
count-failures = true

[expect]
effects = ["count 1 failed:ann@sender.example"]
"#,
        )],
    },
];
