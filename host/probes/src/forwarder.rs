//! Forwarders that are learnt: what proves who has passed a probe on.
//!
//! A probe that came back to a forwarding target shows by which server the customer's mail is
//! forwarded: only that server knew probe and target. What authenticates the server is learnt, so
//! that the mail that it forwards next is judged as forwarded: the domain of the reverse-path, if SPF
//! passes; those of DKIM signatures that verify and are not the relay's own; the sealer of an ARC
//! chain that passes. Beside such a proof the network of the client is learnt, too, and never alone:
//! nothing says whose it is. All of it counts for mail to forwarding targets only.

use gatepost_authentication::{Authentication, Facts};
use gatepost_directory::{AuditEntry, ForwarderMark, KeyOwner, Probe, View};
use gatepost_message::{Domain, Millis};

use crate::{ArrivedBy, Probes};

/// Returns the marks by which the forwarder of a probe is known from now on.
pub(crate) fn marks(
    view: &View,
    probe: &Probe,
    by: ArrivedBy<'_>,
    facts: &Facts,
) -> Vec<ForwarderMark> {
    let passes = |result: Authentication| result == Authentication::Pass;
    let of_others = |name: &str| {
        let domain = name.parse::<Domain>().ok()?;
        let native = view
            .domain(domain.as_ascii())
            .filter(|of| of.connector.is_none());
        native.is_none().then_some(domain)
    };
    let (spf, arc) = (&facts.spf.mailfrom, &facts.arc);
    let sent = (passes(spf.result) && !by.from_nobody).then_some(spf.domain.as_str());
    let signed = facts.dkim.iter().filter(|of| passes(of.result));
    let signed = signed.filter_map(|of| of_others(&of.domain));
    // The probe left with signatures of ours.
    let signed = signed.filter(|domain| !signs(view, probe, domain));
    let mut marks: Vec<ForwarderMark> = Vec::new();
    for domain in sent.and_then(of_others).into_iter().chain(signed) {
        let mark = ForwarderMark::DkimDomain(domain);
        if !marks.contains(&mark) {
            marks.push(mark);
        }
    }
    let sealed = passes(arc.result).then(|| of_others(&arc.sealer)).flatten();
    marks.extend(sealed.map(ForwarderMark::ArcSealer));
    if marks.is_empty() {
        return marks;
    }
    // The servers of the connected domain are known by its name alone.
    let own = probe.address.domain();
    marks.retain(|mark| !matches!(mark, ForwarderMark::DkimDomain(domain) if domain.matches(own)));
    marks.extend(by.client.map(ForwarderMark::of_client));
    marks
}

/// Returns true if the relay has keys of a domain with which it signs, or has signed, probes of the
/// account.
fn signs(view: &View, probe: &Probe, domain: &Domain) -> bool {
    let owners = [KeyOwner::Site, KeyOwner::Account(probe.account)];
    let mut keys = owners.into_iter().flat_map(|owner| view.dkim_keys(owner));
    keys.any(|key| key.domain == *domain)
}

impl Probes {
    /// Learns by what the forwarder of a probe is known.
    pub(crate) async fn learn(&self, probe: &Probe, marks: Vec<ForwarderMark>) {
        let view = self.stores.directory.view();
        let found = view.address(probe.account, &probe.address);
        let Some(connector) = found.and_then(|of| of.connector) else {
            return;
        };
        let probe = probe.clone();
        let entry = move |new: &[ForwarderMark]| AuditEntry {
            at: Millis::now(),
            account: Some(probe.account.to_string()),
            actor: "gatepost".to_owned(),
            origin: None,
            action: "forwarder-learnt".to_owned(),
            subject: probe.address.domain().to_owned(),
            detail: Some(format!(
                "{}, by the {} probe {} of {}",
                listed(new),
                probe.kind,
                probe.id,
                probe.address
            )),
        };
        let learning =
            self.change(move |directory| directory.learn_forwarders(connector, marks, entry));
        match learning.await {
            Ok(new) if new.is_empty() => {}
            Ok(new) => tracing::info!(%connector, forwarder = listed(&new), "forwarder learnt"),
            Err(error) => tracing::error!(%error, %connector, "a forwarder cannot be learnt"),
        }
    }
}

fn listed(marks: &[ForwarderMark]) -> String {
    let marks: Vec<_> = marks.iter().map(ToString::to_string).collect();
    marks.join(", ")
}
