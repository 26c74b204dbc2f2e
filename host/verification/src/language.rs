//! Texts of a probe in the languages of administrators.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ProbeKind;

/// Language of an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
}

/// Error: no probe is written in this language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownLanguage;

impl fmt::Display for UnknownLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("probes are written in en, de, fr and es")
    }
}

impl std::error::Error for UnknownLanguage {}

/// Reads a language tag (RFC 5646) such as `de` or `de-AT`: its first part decides.
impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(tag: &str) -> Result<Self, Self::Err> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        let is_it = |language: &&Self| language.tag().eq_ignore_ascii_case(primary);
        Self::ALL.iter().find(is_it).copied().ok_or(UnknownLanguage)
    }
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 4] = [Self::En, Self::De, Self::Fr, Self::Es];

    /// Returns its tag (RFC 5646).
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
        }
    }

    /// Returns the subject of a probe of this address, without its token.
    pub(crate) fn subject(self, kind: ProbeKind, address: &str) -> String {
        match (self, kind) {
            (Self::En, ProbeKind::Inbound) => format!("Test: does mail for {address} arrive?"),
            (Self::En, ProbeKind::Outbound) => format!("Test: does mail from {address} arrive?"),
            (Self::En, ProbeKind::Circuit) => format!("Test: mail from and to {address}"),
            (Self::De, ProbeKind::Inbound) => format!("Test: Kommt Mail an {address} an?"),
            (Self::De, ProbeKind::Outbound) => format!("Test: Kommt Mail von {address} an?"),
            (Self::De, ProbeKind::Circuit) => format!("Test: Mail von und an {address}"),
            (Self::Fr, ProbeKind::Inbound) => {
                format!("Test : les messages pour {address} arrivent-ils ?")
            }
            (Self::Fr, ProbeKind::Outbound) => {
                format!("Test : les messages de {address} arrivent-ils ?")
            }
            (Self::Fr, ProbeKind::Circuit) => format!("Test : messages de et pour {address}"),
            (Self::Es, ProbeKind::Inbound) => format!("Prueba: ¿llega el correo para {address}?"),
            (Self::Es, ProbeKind::Outbound) => format!("Prueba: ¿llega el correo de {address}?"),
            (Self::Es, ProbeKind::Circuit) => format!("Prueba: correo de y para {address}"),
        }
    }

    /// Returns the text of a probe.
    pub(crate) fn text(self, product: &str, address: &str, token: &str) -> String {
        match self {
            Self::En => format!(
                "This message tests the mail of {address}.\r\n\
                 {product} sent it by itself. Nobody need answer it, and it may be deleted.\r\n\
                 \r\n\
                 Your mail server should pass it on as it is, and not change its header.\r\n\
                 \r\n\
                 Code of this test: {token}\r\n"
            ),
            Self::De => format!(
                "Diese Nachricht prüft die E-Mail von {address}.\r\n\
                 {product} hat sie automatisch gesendet. Niemand muss sie beantworten, und sie\r\n\
                 kann gelöscht werden.\r\n\
                 \r\n\
                 Ihr Mailserver soll sie unverändert weitergeben, auch ihre Kopfzeilen.\r\n\
                 \r\n\
                 Kennung dieses Tests: {token}\r\n"
            ),
            Self::Fr => format!(
                "Ce message teste le courrier de {address}.\r\n\
                 {product} l'a envoyé automatiquement. Il n'appelle aucune réponse et peut être\r\n\
                 supprimé.\r\n\
                 \r\n\
                 Votre serveur de messagerie doit le transmettre tel quel, sans modifier ses\r\n\
                 en-têtes.\r\n\
                 \r\n\
                 Code de ce test : {token}\r\n"
            ),
            Self::Es => format!(
                "Este mensaje prueba el correo de {address}.\r\n\
                 {product} lo ha enviado automáticamente. No hace falta responder, y se puede\r\n\
                 borrar.\r\n\
                 \r\n\
                 Su servidor de correo debe transmitirlo tal como está, sin cambiar sus\r\n\
                 cabeceras.\r\n\
                 \r\n\
                 Código de esta prueba: {token}\r\n"
            ),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.tag())
    }
}
