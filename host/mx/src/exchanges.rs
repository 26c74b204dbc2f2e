//! Rules for MX records (RFC 5321 section 5.1, RFC 7505), without look-ups.

use gatepost_dns::{Found, MailExchange};
use gatepost_guard::Host;
use rand::Rng;
use rand::seq::SliceRandom as _;

use crate::NoRoute;

/// Returns the exchanges of a domain that may be looked up, by preference: those of its MX records,
/// or the domain itself if it has none (implicit MX).
///
/// An exchange that is an address, `localhost` or no host at all is left out.
///
/// # Errors
/// The domain takes no mail, does not exist, or names no host.
pub(crate) fn usable(
    domain: &str,
    found: Found<MailExchange>,
) -> Result<Vec<MailExchange>, NoRoute> {
    let records = match found {
        Found::NoName => return Err(NoRoute::NoSuchDomain(domain.to_owned())),
        Found::NoData => {
            return Ok(vec![MailExchange {
                preference: 0,
                host: domain.to_owned(),
            }]);
        }
        Found::Records(records) => records,
    };
    // RFC 7505 section 3: beside others it is an exchange that cannot be used.
    if let [MailExchange { host, .. }] = &*records
        && host.is_empty()
    {
        return Err(NoRoute::NullMx(domain.to_owned()));
    }
    let mut usable: Vec<MailExchange> = records.iter().filter_map(host_name).collect();
    usable.sort_by_key(|exchange| exchange.preference);
    match usable.is_empty() {
        true => Err(NoRoute::NoServer(domain.to_owned())),
        false => Ok(usable),
    }
}

fn host_name(exchange: &MailExchange) -> Option<MailExchange> {
    let Host::Name(host) = Host::parse(&exchange.host)? else {
        return None;
    };
    let is_local = host == "localhost" || host.ends_with(".localhost");
    (!is_local).then_some(MailExchange {
        preference: exchange.preference,
        host,
    })
}

/// Leaves out the relay itself with all servers of the same or a worse preference: mail for them
/// would come back. `exchanges` are sorted by preference.
///
/// # Errors
/// Nothing is left: the mail would loop.
pub(crate) fn before_own<T>(
    domain: &str,
    mut exchanges: Vec<T>,
    preference: impl Fn(&T) -> u16,
    is_own: impl Fn(&T) -> bool,
) -> Result<Vec<T>, NoRoute> {
    let own = exchanges.iter().find(|exchange| is_own(exchange));
    let Some(own) = own.map(&preference) else {
        return Ok(exchanges);
    };
    exchanges.retain(|exchange| preference(exchange) < own);
    match exchanges.is_empty() {
        true => Err(NoRoute::Loop(domain.to_owned())),
        false => Ok(exchanges),
    }
}

/// Sorts by preference, with a random order within each.
pub(crate) fn shuffle<T>(exchanges: &mut [T], preference: impl Fn(&T) -> u16, rng: &mut impl Rng) {
    exchanges.shuffle(rng);
    // The sort is stable.
    exchanges.sort_by_key(preference);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    fn mx(preference: u16, host: &str) -> MailExchange {
        MailExchange {
            preference,
            host: host.to_owned(),
        }
    }

    fn found(records: &[(u16, &str)]) -> Found<MailExchange> {
        Found::Records(
            records
                .iter()
                .map(|(preference, host)| mx(*preference, host))
                .collect(),
        )
    }

    #[test]
    fn a_domain_without_mx_is_its_own_server() {
        assert_eq!(
            usable("a.example", Found::NoData),
            Ok(vec![mx(0, "a.example")])
        );
        let missing = NoRoute::NoSuchDomain("a.example".to_owned());
        assert_eq!(usable("a.example", Found::NoName), Err(missing));
    }

    #[test]
    fn a_null_mx_takes_no_mail_and_beside_others_is_left_out() {
        let null = NoRoute::NullMx("a.example".to_owned());
        assert_eq!(usable("a.example", found(&[(7, "")])), Err(null));
        let beside = usable("a.example", found(&[(0, ""), (5, "mx.example")]));
        assert_eq!(beside, Ok(vec![mx(5, "mx.example")]));
    }

    #[test]
    fn an_exchange_that_is_no_host_name_is_left_out() {
        let odd = [
            (1, "192.0.2.1"),
            (2, "localhost"),
            (3, "a.localhost"),
            (4, "127.1"),
            (5, "a\\.b.c"),
        ];
        let none = NoRoute::NoServer("a.example".to_owned());
        assert_eq!(usable("a.example", found(&odd)), Err(none));
    }

    proptest! {
        #[test]
        fn order_is_by_preference_and_keeps_every_exchange(
            preferences in prop::collection::vec(0_u16..4, 0..12),
            seed: u64,
        ) {
            let before: Vec<_> = preferences.iter().copied().enumerate().collect();
            let mut after = before.clone();
            shuffle(&mut after, |(_, preference)| *preference, &mut StdRng::seed_from_u64(seed));
            prop_assert!(after.is_sorted_by_key(|(_, preference)| *preference));
            after.sort_unstable();
            prop_assert_eq!(after, before);
        }

        #[test]
        fn only_better_servers_than_the_relay_are_left(
            mut servers in prop::collection::vec((0_u16..4, any::<bool>()), 1..12),
        ) {
            servers.sort_unstable();
            let own = servers.iter().filter(|(_, own)| *own).map(|(preference, _)| *preference).min();
            let left = before_own("a.example", servers.clone(), |(preference, _)| *preference, |(_, own)| *own);
            let expected: Vec<_> = servers
                .iter()
                .copied()
                .filter(|(preference, _)| own.is_none_or(|own| *preference < own))
                .collect();
            match left {
                Ok(left) => prop_assert_eq!(left, expected),
                Err(NoRoute::Loop(_)) => prop_assert!(expected.is_empty()),
                Err(other) => prop_assert!(false, "{}", other),
            }
        }
    }

    #[test]
    fn equal_servers_come_in_every_order() {
        const SEED: u64 = 20_261_129;
        let mut rng = StdRng::seed_from_u64(SEED);
        let mut first = [0; 3];
        for _ in 0..300 {
            let mut servers = [(10, 0), (10, 1), (10, 2), (20, 3)];
            shuffle(&mut servers, |(preference, _)| *preference, &mut rng);
            assert_eq!(servers[3].1, 3);
            first[servers[0].1] += 1;
        }
        assert!(
            first.iter().all(|count| *count > 50),
            "seed {SEED}: {first:?}"
        );
    }
}
