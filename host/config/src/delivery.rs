//! How accepted mail goes on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatepost_model::NextHop;
use ipnet::IpNet;
use serde::Deserialize;

use super::{Domain, units};

/// How accepted mail goes on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Delivery {
    /// The server for mail that no policy routes; without it such mail waits until it expires.
    pub default_route: Option<NextHop>,
    /// Waits between attempts; the last one repeats.
    #[serde(deserialize_with = "units::durations")]
    pub retry: Vec<Duration>,
    /// By how much a wait is stretched or shortened at random, as a fraction of it.
    pub jitter: f64,
    /// When a message that cannot be delivered goes back (RFC 5321 section 4.5.4.1 asks for at
    /// least 4 to 5 days).
    #[serde(deserialize_with = "units::duration")]
    pub expiry: Duration,
    /// How long after its acceptance the sender of a message is told that it is late; `None` for
    /// never.
    #[serde(deserialize_with = "units::duration_or_never")]
    pub delay_notice: Option<Duration>,
    /// Messages being delivered at a time.
    pub messages_in_flight: usize,
    /// Connections to one next hop at a time.
    pub connections_per_next_hop: usize,
    /// Convert an 8-bit message for a next hop without 8BITMIME, where no signature covers it;
    /// else it goes back to its sender.
    #[serde(rename = "convert-8bit")]
    pub convert_8bit: bool,
    /// What becomes of a message with lines of more than 998 octets for a next hop without CHUNKING.
    pub long_lines: LongLines,
    /// Next hops at addresses in these networks learn who sent a message here, by XFORWARD.
    pub xforward_to: Vec<IpNet>,
    /// PEM file of roots trusted besides the public ones, for next hops with TLS required.
    pub ca_file: Option<PathBuf>,
}

/// What becomes of a message with lines of more than 998 octets for a next hop without CHUNKING.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LongLines {
    /// It is encoded anew where no signature covers what changes, else it goes as it is.
    #[default]
    Convert,
    /// It is encoded anew, signed or not.
    ConvertSigned,
    /// It goes as it is.
    Pass,
    /// It goes back to its sender.
    Refuse,
}

impl LongLines {
    /// The same in the delivery's terms.
    fn setting(self) -> gatepost_delivery::LongLines {
        match self {
            Self::Convert => gatepost_delivery::LongLines::Convert,
            Self::ConvertSigned => gatepost_delivery::LongLines::ConvertSigned,
            Self::Pass => gatepost_delivery::LongLines::Pass,
            Self::Refuse => gatepost_delivery::LongLines::Refuse,
        }
    }
}

impl Default for Delivery {
    fn default() -> Self {
        let retry = gatepost_delivery::Retry::default();
        let settings = gatepost_delivery::Settings::new("");
        Self {
            default_route: None,
            retry: retry.schedule,
            jitter: retry.jitter,
            expiry: retry.expiry,
            delay_notice: settings.notifications.delay,
            messages_in_flight: settings.messages_in_flight,
            connections_per_next_hop: settings.connections_per_next_hop,
            convert_8bit: false,
            long_lines: LongLines::default(),
            xforward_to: Vec::new(),
            ca_file: None,
        }
    }
}

impl Delivery {
    /// The same in the delivery's terms, for a relay of this name that tells senders so much.
    pub fn settings(
        &self,
        hostname: &Domain,
        notifications: Arc<gatepost_delivery::Notifications>,
    ) -> gatepost_delivery::Settings {
        gatepost_delivery::Settings {
            default_route: self.default_route.clone(),
            retry: gatepost_delivery::Retry {
                schedule: self.retry.clone(),
                jitter: self.jitter,
                expiry: self.expiry,
                ..gatepost_delivery::Retry::default()
            },
            notifications,
            messages_in_flight: self.messages_in_flight,
            connections_per_next_hop: self.connections_per_next_hop,
            convert_8bit: self.convert_8bit,
            long_lines: self.long_lines.setting(),
            xforward_to: self.xforward_to.clone(),
            trusted: self.ca_file.iter().cloned().collect(),
            ..gatepost_delivery::Settings::new(hostname.as_str())
        }
    }
}
