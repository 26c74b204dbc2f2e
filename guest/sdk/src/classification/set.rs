//! Sets of rules, so that several questions can share them.

use super::rule::Rule;

/// A set of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Set(u128);

const _: () = assert!(Rule::ALL.len() <= 128, "a set has 128 places");

impl Set {
    pub(super) const NONE: Self = Self(0);

    pub(super) const fn of(rules: &[Rule]) -> Self {
        let mut bits = 0;
        let mut rest = rules;
        while let [rule, others @ ..] = rest {
            bits |= 1 << *rule as u32;
            rest = others;
        }
        Self(bits)
    }

    /// Returns the rules that have a weight.
    pub(super) const fn of_weights(weights: &[(Rule, u32)]) -> Self {
        let mut bits = 0;
        let mut rest = weights;
        while let [(rule, _), others @ ..] = rest {
            bits |= 1 << *rule as u32;
            rest = others;
        }
        Self(bits)
    }

    /// Returns the union.
    pub(super) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the intersection.
    pub(super) const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the difference: the rules that are not in the other set.
    pub(super) const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn has(self, rule: Rule) -> bool {
        self.0 & 1 << rule as u32 != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn len(self) -> u32 {
        self.0.count_ones()
    }

    pub(super) fn add(&mut self, rule: Rule) {
        self.0 |= 1 << rule as u32;
    }

    pub(super) fn remove(&mut self, rule: Rule) {
        self.0 &= !(1 << rule as u32);
    }
}

/// Returns the total weight of the set's rules.
pub(super) fn weight(of: Set, weights: &[(Rule, u32)]) -> u32 {
    let all = weights.iter().filter(|(rule, _)| of.has(*rule));
    all.map(|(_, weight)| weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_bit_of_its_own() {
        let mut all = Set::NONE;
        for (number, rule) in Rule::ALL.iter().enumerate() {
            assert!(!all.has(*rule));
            all.add(*rule);
            assert_eq!(all.len() as usize, number + 1);
        }
        assert_eq!(all, Set::of(Rule::ALL));
        all.remove(Rule::AutoReplied);
        assert_eq!(all.intersection(Set::of(&[Rule::AutoReplied])), Set::NONE);
        assert_eq!(all.union(Set::of(&[Rule::AutoReplied])), Set::of(Rule::ALL));
    }
}
