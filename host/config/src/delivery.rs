//! Delivery of accepted mail.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatepost_model::NextHop;
use ipnet::IpNet;
use serde::Deserialize;

use super::{Domain, units};

/// Settings of delivery.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Delivery {
    /// Next hop of both directions where [`Routes`](super::Routes) has none.
    pub default_route: Option<NextHop>,
    /// Backoff: waits between attempts; the last one repeats.
    #[serde(deserialize_with = "units::durations")]
    pub retry: Vec<Duration>,
    /// Maximum random change of a wait, as a fraction of it.
    pub jitter: f64,
    /// Time after which a message that cannot be delivered bounces (RFC 5321 section 4.5.4.1 asks
    /// for at least 4 to 5 days).
    #[serde(deserialize_with = "units::duration")]
    pub expiry: Duration,
    /// Time after acceptance at which the sender gets a delay notice; `None` for never.
    #[serde(deserialize_with = "units::duration_or_never")]
    pub delay_notice: Option<Duration>,
    /// Maximum number of messages in delivery at a time.
    pub messages_in_flight: usize,
    /// Maximum number of connections to one next hop at a time.
    pub connections_per_next_hop: usize,
    /// Converts an 8-bit message for a next hop without 8BITMIME, if no signature covers it. If
    /// false, the message bounces.
    #[serde(rename = "convert-8bit")]
    pub convert_8bit: bool,
    /// Treatment of a message with lines of more than 998 octets for a next hop without CHUNKING.
    pub long_lines: LongLines,
    /// Networks of next hops that are told by XFORWARD who sent a message here.
    pub xforward_to: Vec<IpNet>,
    /// PEM file of roots that are trusted besides the public ones, for next hops with TLS required.
    pub ca_file: Option<PathBuf>,
}

/// Treatment of a message with lines of more than 998 octets for a next hop without CHUNKING.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LongLines {
    /// Re-encoded if no signature covers what changes, else sent unchanged.
    #[default]
    Convert,
    /// Re-encoded, signed or not.
    ConvertSigned,
    /// Sent unchanged.
    Pass,
    /// Bounced.
    Refuse,
}

impl LongLines {
    /// Returns the setting in the terms of delivery.
    fn to_delivery(self) -> gatepost_delivery::LongLines {
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
    /// Returns the settings in the terms of delivery, for a relay of this host name with these
    /// notices.
    pub(super) fn settings(
        &self,
        hostname: &Domain,
        notifications: Arc<gatepost_delivery::Notifications>,
    ) -> gatepost_delivery::Settings {
        gatepost_delivery::Settings {
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
            long_lines: self.long_lines.to_delivery(),
            xforward_to: self.xforward_to.clone(),
            trusted: self.ca_file.iter().cloned().collect(),
            ..gatepost_delivery::Settings::new(hostname.as_str())
        }
    }
}
