//! Choice of the mail for which a candidate decides.
//!
//! It is by account and correspondent, so that one correspondent has one experience: whoever is in a
//! share of 1 % is in one of 5 %, too. A salt, which each rollout has of its own, has other
//! correspondents be the first each time.

use sha2::{Digest as _, Sha256};

use crate::Ppm;

/// Share of the mail for which a candidate decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Size.
    pub of: Ppm,
    /// Salt of the rollout.
    pub salt: u64,
}

impl Share {
    /// Returns true if the mail of an account with a correspondent is in the share. Both are to be in
    /// their canonical form.
    pub fn has(&self, account: &str, correspondent: &str) -> bool {
        let digest = Sha256::new()
            .chain_update(self.salt.to_be_bytes())
            .chain_update((account.len() as u64).to_be_bytes())
            .chain_update(account)
            .chain_update(correspondent)
            .finalize();
        let first = digest.iter().take(8);
        let number = first.fold(0_u64, |number, octet| number << 8 | u64::from(*octet));
        // A share of the range of numbers, to 2^-64.
        (u128::from(number) * u128::from(Ppm::ALL.get())) >> 64 < u128::from(self.of.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(of: Ppm, salt: u64) -> Vec<u32> {
        let share = Share { of, salt };
        (0..20_000)
            .filter(|n| share.has("acme", &format!("ann{n}@sender.example")))
            .collect()
    }

    #[test]
    fn a_share_has_its_size_and_grows_by_others() {
        let (one, five) = (members(Ppm::percent(1), 7), members(Ppm::percent(5), 7));
        assert!((150..=250).contains(&one.len()), "{}", one.len());
        assert!((850..=1_150).contains(&five.len()), "{}", five.len());
        assert!(one.iter().all(|member| five.contains(member)));
        assert!(members(Ppm::default(), 7).is_empty());
        assert_eq!(members(Ppm::ALL, 7).len(), 20_000);
        assert_ne!(
            members(Ppm::percent(1), 8),
            one,
            "another salt, other people"
        );
    }
}
