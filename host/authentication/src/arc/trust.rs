//! Trust in the sealers of a message.

use crate::{ArcFact, ArcSet, Authentication};

/// Returns the set whose results may be believed: the oldest of the unbroken run of `trusted`
/// sealers from the newest downwards. `None` if the chain does not pass, or its newest sealer is
/// not trusted.
///
/// A trusted sealer vouches for the set below its own. A sealer that is not trusted vouches for
/// nothing, neither for its own results nor for the sets that it claims to have received. So a set
/// that an attacker puts below a trusted seal is never believed: the trusted sealer's own results
/// are.
pub fn trusted_results<'a, S: AsRef<str>>(arc: &'a ArcFact, trusted: &[S]) -> Option<&'a ArcSet> {
    let is_trusted = |set: &ArcSet| {
        trusted
            .iter()
            .any(|sealer| sealer.as_ref().eq_ignore_ascii_case(&set.sealer))
    };
    if arc.result != Authentication::Pass {
        return None;
    }
    arc.sets.iter().take_while(|set| is_trusted(set)).last()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(sealers_newest_first: &[&str]) -> ArcFact {
        let instances = sealers_newest_first.len() as u32;
        let set = |(position, sealer): (usize, &&str)| ArcSet {
            instance: instances - position as u32,
            sealer: (*sealer).to_owned(),
            ..ArcSet::default()
        };
        ArcFact {
            result: Authentication::Pass,
            instances,
            sets: sealers_newest_first.iter().enumerate().map(set).collect(),
            ..ArcFact::default()
        }
    }

    fn believed(arc: &ArcFact) -> Option<u32> {
        trusted_results(arc, &["list.example", "Forwarder.example"]).map(|set| set.instance)
    }

    #[test]
    fn the_oldest_set_of_the_unbroken_run_of_trusted_sealers_is_believed() {
        assert_eq!(
            believed(&chain(&["list.example", "forwarder.example"])),
            Some(1)
        );
        let forged = chain(&["list.example", "attacker.example", "forwarder.example"]);
        assert_eq!(believed(&forged), Some(3));
        assert_eq!(
            believed(&chain(&["attacker.example", "list.example"])),
            None
        );
        assert_eq!(believed(&chain(&[])), None);
    }

    #[test]
    fn no_set_of_a_broken_chain_is_believed() {
        let broken = ArcFact {
            result: Authentication::Fail,
            ..chain(&["list.example"])
        };
        assert_eq!(believed(&broken), None);
    }
}
