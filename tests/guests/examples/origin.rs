//! Well behaved: gives one reason for each fact about the message's authentication, the account,
//! the client and the relay itself. At RCPT, where there are no facts yet, it asks for them for the
//! recipients that its settings name.

use gatepost_sdk::*;

/// Settings of the policy.
#[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Prefix of the recipients for which it asks at RCPT.
    too_soon: Option<String>,
    /// Domains of which it asks whether they are the account's own.
    own_domains: Vec<String>,
}

/// The policy.
pub struct Origin(Settings);

fn spf(of: &str, spf: &SpfResult) -> String {
    format!("{of} {} {}", spf.result.word(), spf.domain)
}

fn policy(policy: Option<DmarcPolicy>) -> &'static str {
    policy.map_or("-", DmarcPolicy::word)
}

/// Returns the facts, a line each.
fn facts(facts: &Authentication) -> Vec<String> {
    let mut lines = vec![
        spf("spf-helo", &facts.spf_helo),
        spf("spf-mailfrom", &facts.spf_mailfrom),
    ];
    lines.extend(facts.dkim.iter().map(|dkim| {
        let DkimResult {
            result,
            domain,
            selector,
            ..
        } = dkim;
        format!("dkim {} {domain} {selector}", result.word())
    }));
    let dmarc = &facts.dmarc;
    lines.push(format!(
        "dmarc {} {} {} {} {} {} {}",
        dmarc.result.word(),
        policy(dmarc.policy),
        policy(dmarc.applied),
        dmarc.domain,
        dmarc.organizational_domain,
        dmarc.spf_aligned,
        dmarc.dkim_aligned
    ));
    let arc = &facts.arc;
    lines.push(format!(
        "arc {} {} {}",
        arc.result.word(),
        arc.instances,
        arc.sealer
    ));
    lines.extend(arc.sets.iter().map(|set| {
        format!(
            "arc-set {} {} {}",
            set.instance,
            set.sealer,
            set.dmarc.map_or("-", Outcome::word)
        )
    }));
    lines.push(format!("iprev {}", facts.iprev.result.word()));
    lines.extend(
        facts
            .authors
            .iter()
            .map(|author| format!("author {:?} {}", author.name, author.address)),
    );
    lines
}

/// Returns the facts about an address, on a line.
fn known(address: &str) -> String {
    let of = receiving_domain(address).map_or_else(
        || "nobody's".to_owned(),
        |domain| {
            format!(
                "{domain} {:?} {:?} {:?} {:?} {:?}",
                domain_kind(address),
                domain_state(address),
                forwarder_networks(address),
                forwarder_domains(address),
                forwarder_sealers(address)
            )
        },
    );
    let support = is_support_address(address);
    format!("to {address} {of} {support} {:?}", arrival(address))
}

impl Policy for Origin {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        Ok(Self(settings))
    }

    fn recipient(
        &self,
        _: &Transaction,
        recipient: &str,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        let too_soon = self.0.too_soon.as_ref();
        if too_soon.is_some_and(|prefix| recipient.starts_with(prefix)) {
            decision.reason(authentication().dmarc.result.word());
        }
        Verdict::Pass
    }

    fn message(
        &self,
        transaction: &Transaction,
        _: &dyn Message,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        for line in facts(&authentication()) {
            decision.reason(line);
        }
        for recipient in &transaction.recipients {
            decision.reason(known(recipient));
        }
        decision.reason(known("somebody@elsewhere.example"));
        for domain in &self.0.own_domains {
            decision.reason(format!("own {:?}", own_domain(domain)));
        }
        decision.reason(match partner("help@partner.example") {
            None => "partner none".to_owned(),
            Some(of) => format!("partner {} {:?}", of.by_domain, of.source),
        });
        decision.reason(format!("addresses {}", knows_addresses()));
        decision.reason(format!("product {:?}", product()));
        decision.reason(match credential() {
            None => "credential none".to_owned(),
            Some(Credential { user, scope }) => format!("credential {user} {scope:?}"),
        });
        decision.reason(match settings_of_account::<serde_json::Value>() {
            Ok(None) => "settings none".to_owned(),
            Ok(Some(settings)) => format!("settings {settings}"),
            Err(error) => format!("settings {error}"),
        });
        decision.reason(format!(
            "relay {} ours {} {} given {:?} {:?}",
            host_name(),
            is_ours(&email_id()),
            is_ours("forged"),
            our_message_id("1@service.example"),
            our_message_id("forged")
        ));
        Verdict::Pass
    }
}

gatepost_sdk::export!(Origin: recipient, message);
