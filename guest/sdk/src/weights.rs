//! Choice among weighted alternatives that repeats on replay.

/// Returns one of the alternatives, each in proportion to its weight; `None` if no weight is above
/// 0. The choice depends on `id` and on the weights alone. So every call for a transaction, and
/// every replay of it, chooses the same.
///
/// Two choices with the same id go together. Where they should not, add a word of its own to the id
/// of each.
///
/// ```
/// use gatepost_sdk::*;
///
/// /// A quarter of the mail tries the new service.
/// fn route(transaction: &Transaction) -> Routing {
///     let name = choose_by_weight(&transaction.id, &[("old", 3), ("new", 1)]);
///     name.map_or(Routing::Pass, |name| Routing::Deliver(Plan::by_connection(*name)))
/// }
///
/// let once = choose_by_weight("019b7780-4000-7000-8000-000000000001", &[("a", 1), ("b", 1)]);
/// let again = choose_by_weight("019b7780-4000-7000-8000-000000000001", &[("a", 1), ("b", 1)]);
/// assert_eq!(once, again);
/// assert_eq!(choose_by_weight("any", &[("a", 0)]), None);
/// ```
pub fn choose_by_weight<'a, T>(id: &str, alternatives: &'a [(T, u32)]) -> Option<&'a T> {
    let weights = alternatives.iter().map(|(_, weight)| u64::from(*weight));
    let total: u64 = weights.sum();
    // The hash as a fraction of 2^64, times the total.
    let scaled = (u128::from(hash(id)) * u128::from(total)) >> 64;
    let mut place = u64::try_from(scaled).unwrap_or_default();
    alternatives.iter().find_map(|(alternative, weight)| {
        let weight = u64::from(*weight);
        match place < weight {
            true => Some(alternative),
            false => {
                place -= weight;
                None
            }
        }
    })
}

/// Returns FNV-1a of a text, mixed once more: ids that differ in their last digits alone would
/// else share their first bits.
fn hash(text: &str) -> u64 {
    let fnv = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> String {
        format!("019b7780-4000-7000-8000-{number:012x}")
    }

    #[test]
    fn choices_are_in_proportion_to_the_weights() {
        let names = [("a", 70), ("b", 25), ("none", 0), ("c", 5)];
        let mut chosen = std::collections::BTreeMap::new();
        for number in 0..100_000 {
            *chosen
                .entry(*choose_by_weight(&id(number), &names).unwrap())
                .or_insert(0) += 1;
        }
        assert_eq!(chosen.keys().copied().collect::<Vec<_>>(), ["a", "b", "c"]);
        for (name, expected) in [("a", 70_000i32), ("b", 25_000), ("c", 5_000)] {
            assert!((chosen[name] - expected).abs() < 700, "{chosen:?}");
        }
    }

    /// A replay by a later SDK has to choose as this one did.
    #[test]
    fn a_choice_is_the_same_in_every_version() {
        let names = [("a", 1), ("b", 1), ("c", 2)];
        let chosen = (0..16).map(|number| *choose_by_weight(&id(number), &names).unwrap());
        assert_eq!(chosen.collect::<String>(), "cbccabbccaccbcbc");
    }

    #[test]
    fn the_greatest_weights_do_not_overflow() {
        let names = [("a", u32::MAX), ("b", u32::MAX), ("c", u32::MAX)];
        assert!((0..100).all(|number| choose_by_weight(&id(number), &names).is_some()));
        assert_eq!(choose_by_weight::<&str>("any", &[]), None);
    }
}
