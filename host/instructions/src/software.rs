//! Software and services that there are instructions for.

use std::fmt;
use std::str::FromStr;

use crate::Arrangement;

/// Software or service of the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, schemars::JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum Software {
    /// Postfix.
    Postfix,
    /// Exim.
    Exim,
    /// Exchange Server on the customer's own machines.
    ExchangeServer,
    /// A gateway in front of the customer's server, such as Mimecast.
    Gateway,
    /// Exchange Online, also known as Microsoft 365.
    ExchangeOnline,
    /// Google Workspace.
    GoogleWorkspace,
    /// Any other software.
    Generic,
}

/// Text that is no name of software.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there are no instructions for `{0}`; there are for {names}", names = Software::names(&Software::ALL))]
pub struct SoftwareError(String);

impl Software {
    /// All, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Postfix,
        Self::Exim,
        Self::ExchangeServer,
        Self::Gateway,
        Self::ExchangeOnline,
        Self::GoogleWorkspace,
        Self::Generic,
    ];

    /// Returns the name in commands and requests.
    pub fn word(self) -> &'static str {
        match self {
            Self::Postfix => "postfix",
            Self::Exim => "exim",
            Self::ExchangeServer => "exchange-server",
            Self::Gateway => "gateway",
            Self::ExchangeOnline => "exchange-online",
            Self::GoogleWorkspace => "google-workspace",
            Self::Generic => "generic",
        }
    }

    /// Returns the name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Postfix => "Postfix",
            Self::Exim => "Exim",
            Self::ExchangeServer => "Exchange Server",
            Self::Gateway => "mail gateways such as Mimecast",
            Self::ExchangeOnline => "Exchange Online",
            Self::GoogleWorkspace => "Google Workspace",
            Self::Generic => "your mail server",
        }
    }

    /// Returns true if there are instructions for connectors of this arrangement. A server that
    /// relays has to log in at another, which neither of the two services does.
    pub fn fits(self, arrangement: &Arrangement) -> bool {
        match self {
            Self::Postfix | Self::Exim | Self::ExchangeServer | Self::Gateway => {
                matches!(arrangement, Arrangement::TwoWay(_))
            }
            Self::ExchangeOnline | Self::GoogleWorkspace => {
                !matches!(arrangement, Arrangement::TwoWay(_))
            }
            Self::Generic => true,
        }
    }

    /// Returns the names of those that fit an arrangement, in a sentence.
    pub(crate) fn names_for(arrangement: &Arrangement) -> String {
        let all = Self::ALL.into_iter();
        let fitting: Vec<_> = all.filter(|of| of.fits(arrangement)).collect();
        Self::names(&fitting)
    }

    fn names(of: &[Self]) -> String {
        let words: Vec<_> = of.iter().map(|of| of.word()).collect();
        match words.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

impl fmt::Display for Software {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Software {
    type Err = SoftwareError;

    fn from_str(text: &str) -> Result<Self, SoftwareError> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|of| of.word().eq_ignore_ascii_case(text));
        found.ok_or_else(|| SoftwareError(text.to_owned()))
    }
}

impl serde::Serialize for Software {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> serde::Deserialize<'de> for Software {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
