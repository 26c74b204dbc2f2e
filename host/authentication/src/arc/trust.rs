//! Whom to believe of those who sealed a message.

use crate::{ArcFact, ArcSet, Authentication};

/// The set whose results may be believed, where `trusted` are domains whose seals are: the oldest
/// in the unbroken run of trusted sealers from the newest downwards.
///
/// The newest sealer handed us the message, so it vouches for the set below; a sealer that is not
/// trusted vouches for nothing, neither for itself nor for what it claims to have received. So
/// what an attacker puts below a trusted seal is never believed: the trusted sealer's own results
/// are. `None` where the chain does not pass, or its newest sealer is not trusted.
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
    fn the_oldest_of_the_unbroken_run_is_believed() {
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
    fn nothing_of_a_broken_chain_is_believed() {
        let broken = ArcFact {
            result: Authentication::Fail,
            ..chain(&["list.example"])
        };
        assert_eq!(believed(&broken), None);
    }
}
