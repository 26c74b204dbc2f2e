//! Policies that the relay knows: bounded, each until the end of its time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gatepost_message::Millis;
use serde::{Deserialize, Serialize};

use super::policy::{HostPattern, StsPolicy};
use super::record::PolicyId;

/// Most policies that are known.
const MOST: usize = 10_000;

/// Most bytes of names in them.
const MOST_BYTES: usize = 16 << 20;

/// Time after which a policy is fetched again, although it holds longer.
const REFRESHED_AFTER: Duration = Duration::from_secs(86_400);

/// Time before the next try after a refresh that failed.
const TRIED_AFTER: Duration = Duration::from_secs(3_600);

/// Time since the last mail for a domain after which its policy is no longer refreshed.
const UNUSED_AFTER: Duration = Duration::from_secs(30 * 86_400);

/// Policy of a domain, as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPolicy {
    /// Domain in A-labels and lower case.
    pub domain: String,
    /// Id by which it was announced.
    pub id: PolicyId,
    /// Time of the fetch.
    pub fetched: Millis,
    /// Time of the last mail for the domain, roughly.
    pub used: Millis,
    /// Policy.
    pub policy: StsPolicy,
}

impl KnownPolicy {
    /// Returns true while the policy holds.
    fn holds(&self, now: Millis) -> bool {
        now.since(self.fetched) < self.policy.max_age()
    }

    fn bytes(&self) -> usize {
        let hosts = self.policy.hosts.iter().map(HostPattern::as_str);
        self.domain.len() + hosts.map(str::len).sum::<usize>()
    }
}

/// Policies by domain. Beyond its bounds, that of the domain without mail for the longest time is
/// forgotten.
#[derive(Debug, Default)]
pub(super) struct KnownPolicies {
    by_domain: HashMap<String, Known>,
    bytes: usize,
}

#[derive(Debug)]
struct Known {
    policy: Arc<KnownPolicy>,
    used: Millis,
    /// Time of the next refresh.
    due: Millis,
}

impl KnownPolicies {
    /// Returns the policy of a domain that holds, for a message.
    pub(super) fn get(&mut self, domain: &str, now: Millis) -> Option<Arc<KnownPolicy>> {
        let known = self.by_domain.get_mut(domain)?;
        if !known.policy.holds(now) {
            self.forget(domain);
            return None;
        }
        known.used = now;
        Some(Arc::clone(&known.policy))
    }

    /// Adds a policy, in the place of the domain's former one.
    pub(super) fn insert(&mut self, policy: Arc<KnownPolicy>) {
        let Some(bytes) = self.make_room(&policy) else {
            return;
        };
        let early = (policy.policy.max_age() / 2).min(REFRESHED_AFTER);
        let known = Known {
            used: policy.used,
            due: after(policy.fetched, early),
            policy,
        };
        self.bytes += bytes;
        self.by_domain.insert(known.policy.domain.clone(), known);
    }

    fn make_room(&mut self, policy: &KnownPolicy) -> Option<usize> {
        self.forget(&policy.domain);
        let bytes = policy.bytes();
        while self.by_domain.len() >= MOST || self.bytes + bytes > MOST_BYTES {
            let oldest = self.by_domain.iter().min_by_key(|(_, known)| known.used);
            let oldest = oldest?.0.clone();
            self.forget(&oldest);
        }
        Some(bytes)
    }

    fn forget(&mut self, domain: &str) {
        if let Some(known) = self.by_domain.remove(domain) {
            self.bytes -= known.policy.bytes();
        }
    }

    /// Returns policies that are due for a refresh, the first `most`, and lets them rest for an
    /// hour. Forgets those that no longer hold.
    pub(super) fn due(&mut self, now: Millis, most: usize) -> Vec<Arc<KnownPolicy>> {
        let known = self.by_domain.values();
        let over = known.filter(|known| !known.policy.holds(now));
        let over: Vec<String> = over.map(|known| known.policy.domain.clone()).collect();
        over.iter().for_each(|domain| self.forget(domain));
        let is_due = |known: &&mut Known| known.due <= now && now.since(known.used) < UNUSED_AFTER;
        let due = self.by_domain.values_mut().filter(is_due).take(most);
        due.map(|known| {
            known.due = after(now, TRIED_AFTER);
            Arc::clone(&known.policy)
        })
        .collect()
    }

    /// Returns all policies, each with the time of its last use.
    pub(super) fn all(&self) -> Vec<Arc<KnownPolicy>> {
        let known = self.by_domain.values();
        let used = |known: &Known| match known.policy.used == known.used {
            true => Arc::clone(&known.policy),
            false => Arc::new(KnownPolicy {
                used: known.used,
                ..(*known.policy).clone()
            }),
        };
        known.map(used).collect()
    }
}

fn after(time: Millis, wait: Duration) -> Millis {
    let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    Millis(time.0.saturating_add(wait))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known(domain: &str, max_age: u64, at: u64) -> Arc<KnownPolicy> {
        let text = format!("version: STSv1\nmode: enforce\nmax_age: {max_age}\nmx: {domain}\n");
        Arc::new(KnownPolicy {
            domain: domain.to_owned(),
            id: PolicyId::try_from("1".to_owned()).unwrap(),
            fetched: Millis(at),
            used: Millis(at),
            policy: StsPolicy::parse(text.as_bytes()).unwrap(),
        })
    }

    #[test]
    fn a_policy_holds_until_its_end() {
        let mut policies = KnownPolicies::default();
        policies.insert(known("a.example", 60, 1_000));
        assert!(policies.get("a.example", Millis(60_999)).is_some());
        assert!(policies.get("a.example", Millis(61_000)).is_none());
        assert!(policies.all().is_empty());
        assert_eq!(policies.bytes, 0);
    }

    #[test]
    fn a_policy_is_due_ahead_of_its_end_while_mail_goes_to_the_domain() {
        let mut policies = KnownPolicies::default();
        policies.insert(known("short.example", 60, 0));
        policies.insert(known("long.example", 31_557_600, 0));
        let due = |policies: &mut KnownPolicies, now| -> Vec<String> {
            let due = policies.due(Millis(now), 9);
            due.iter().map(|policy| policy.domain.clone()).collect()
        };
        assert!(due(&mut policies, 29_999).is_empty());
        assert_eq!(due(&mut policies, 30_000), ["short.example"]);
        // The next try is later.
        assert!(due(&mut policies, 30_001).is_empty());
        let day = 86_400_000;
        assert_eq!(due(&mut policies, day), ["long.example"]);
        assert!(due(&mut policies, 31 * day).is_empty());
        policies.get("long.example", Millis(31 * day));
        assert_eq!(due(&mut policies, 31 * day), ["long.example"]);
    }

    #[test]
    fn the_domain_without_mail_for_longest_is_forgotten_first() {
        let mut policies = KnownPolicies::default();
        for number in 0..MOST as u64 {
            policies.insert(known(&format!("d{number}.example"), 86_400, number));
        }
        policies.get("d0.example", Millis(MOST as u64));
        policies.insert(known("new.example", 86_400, MOST as u64));
        assert_eq!(policies.by_domain.len(), MOST);
        assert!(policies.by_domain.contains_key("d0.example"));
        assert!(!policies.by_domain.contains_key("d1.example"));
    }

    proptest! {
        #[test]
        fn bytes_are_those_of_the_known(
            steps in prop::collection::vec((0_u8..6, 1_u64..100, any::<bool>()), 0..60),
        ) {
            let mut policies = KnownPolicies::default();
            for (step, (name, age, looks)) in steps.into_iter().enumerate() {
                let (domain, now) = (format!("{name}.{}", "a".repeat(name.into())), step as u64 * 7_000);
                let domain = format!("{domain}b.example");
                match looks {
                    true => _ = policies.get(&domain, Millis(now)),
                    false => policies.insert(known(&domain, age, now)),
                }
                let bytes: usize = policies.all().iter().map(|policy| policy.bytes()).sum();
                prop_assert_eq!(policies.bytes, bytes);
            }
        }
    }
}
