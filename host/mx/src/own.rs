//! The relay itself, which must not take its own mail by way of MX.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// Names and addresses under which other servers reach this relay.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Host names in A-labels; case does not matter.
    pub names: Vec<String>,
    /// Public addresses that this machine does not have itself, such as those of a translator.
    pub addresses: Vec<IpAddr>,
    /// Addresses on which the relay takes mail. An unspecified one stands for all addresses of this
    /// machine in its family.
    pub listeners: Vec<SocketAddr>,
}

impl Own {
    /// Returns true if a host is this relay, by its name.
    pub(crate) fn has_name(&self, host: &str) -> bool {
        self.names.iter().any(|own| own.eq_ignore_ascii_case(host))
    }

    /// Returns true if this relay takes mail at an address and port.
    pub(crate) fn has_address(&self, address: IpAddr, port: u16) -> bool {
        let takes = |listener: &&SocketAddr| {
            let ip = listener.ip();
            let all = ip.is_unspecified() && ip.is_ipv4() == address.is_ipv4();
            listener.port() == port && (ip == address || (all && is_of_this_machine(address)))
        };
        self.addresses.contains(&address) || self.listeners.iter().any(|own| takes(&own))
    }
}

/// Returns true if this machine has an address: only then can a socket be bound to it. Systems that
/// bind to any address (`ip_nonlocal_bind`) know only loopback ones as their own.
fn is_of_this_machine(address: IpAddr) -> bool {
    let binds = |address: IpAddr| UdpSocket::bind((address, 0)).is_ok();
    // No machine has an address for documentation (RFC 5737).
    let binds_to_any = || binds(Ipv4Addr::new(192, 0, 2, 255).into());
    address.is_loopback() || (binds(address) && !binds_to_any())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_for_all_addresses_has_those_of_the_machine() {
        let own = Own {
            names: vec!["mx.desk.example".to_owned()],
            addresses: vec![IpAddr::from([198, 51, 100, 1])],
            listeners: vec![SocketAddr::from(([0, 0, 0, 0], 25))],
        };
        assert!(own.has_name("MX.desk.example"));
        assert!(own.has_address(IpAddr::from([127, 0, 0, 1]), 25));
        assert!(!own.has_address(IpAddr::from([127, 0, 0, 1]), 2525));
        assert!(own.has_address(IpAddr::from([198, 51, 100, 1]), 25));
        assert!(!own.has_address(IpAddr::from([192, 0, 2, 1]), 25));
        assert!(!own.has_address(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), 25));
    }
}
