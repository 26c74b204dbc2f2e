//! The message of a probe.

use bytes::Bytes;
use gatepost_message::{Address, Domain, FieldName, Message, Millis};
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as Mailbox;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};

use crate::token::FIELD;
use crate::{Language, ProbeKind, ProbeToken};

/// The five fields with which all mail of an account leaves, and which must come back unchanged.
/// Names and values are those that the site's header-guard sets; [`ProbeMarks::standard`] has its
/// defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeMarks(Vec<(FieldName, String)>);

impl ProbeMarks {
    /// Most marks of a probe.
    const MOST: usize = 16;

    /// Makes the marks; values are in one line each.
    pub fn new(marks: impl IntoIterator<Item = (FieldName, String)>) -> Self {
        let marks = marks.into_iter().take(Self::MOST);
        let plain = |value: String| value.replace(char::is_control, " ");
        Self(marks.map(|(name, value)| (name, plain(value))).collect())
    }

    /// Returns the marks of a relay whose header-guard has its default settings.
    pub fn standard(product: &str, account: &str, email_id: &str) -> Self {
        let marks = [
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("X-Auto-Response-Suppress", "All".to_owned()),
            ("X-Mailer", format!("{product} Mailer")),
            ("X-Gatepost-From-Account-Id", account.to_owned()),
            ("X-Gatepost-Email-Id", email_id.to_owned()),
        ];
        let named = |(name, value): (&str, String)| Some((FieldName::new(name).ok()?, value));
        Self::new(marks.into_iter().filter_map(named))
    }

    /// Returns the name and the value of each mark.
    pub fn iter(&self) -> impl Iterator<Item = (&FieldName, &str)> {
        self.0.iter().map(|(name, value)| (name, value.as_str()))
    }
}

/// All that the message of a probe says.
#[derive(Debug, Clone)]
pub struct ProbePlan<'a> {
    /// Kind.
    pub kind: ProbeKind,
    /// Token.
    pub token: &'a ProbeToken,
    /// Author: a native address for an inbound probe, else the address that is verified.
    pub from: &'a Address,
    /// Addressee: the address that is verified, or the native one of an outbound probe.
    pub to: &'a Address,
    /// Address that is verified, as the text names it.
    pub address: &'a Address,
    /// Domain of Message-ID.
    pub domain: &'a Domain,
    /// Name of the product, as the account calls it.
    pub product: &'a str,
    /// Fields that must survive.
    pub marks: &'a ProbeMarks,
    /// Language of the account's administrator.
    pub language: Language,
    /// Time of Date.
    pub at: Millis,
}

/// Composes the message of a probe: plain text in the administrator's language, which says what it
/// is and that nobody need answer.
pub fn compose(plan: &ProbePlan<'_>) -> Message {
    let token = plan.token.as_str();
    let product = plan.product.replace(char::is_control, " ");
    let address = plan.address.as_str();
    let subject = plan.language.subject(plan.kind, address);
    let seconds = i64::try_from(plan.at.0 / 1000).unwrap_or(i64::MAX);
    let mut message = MessageBuilder::new()
        .from(Mailbox::new_address(
            Some(product.as_str()),
            plan.from.as_str(),
        ))
        .to(Mailbox::new_address(None::<&str>, plan.to.as_str()))
        .subject(format!("{subject} [{token}]"))
        .date(Date::new(seconds))
        .message_id(format!("probe.{token}@{}", plan.domain.as_ascii()))
        .header(FIELD, Raw::new(token));
    for (name, value) in plan.marks.iter() {
        let name = name.as_str().to_owned();
        message = match value.is_ascii() {
            true => message.header(name, Raw::new(value)),
            false => message.header(name, Text::new(value)),
        };
    }
    let text = plan.language.text(&product, address, token);
    let mut raw = Vec::new();
    message
        .body(text_part(text, plan.language))
        .serialize(&mut raw);
    Message::from_bytes(Bytes::from(raw))
}

/// Returns the text as a part: unencoded if it is ASCII, so that the token is found in it whatever
/// a gateway does to encodings.
fn text_part(text: String, language: Language) -> MimePart<'static> {
    let is_ascii = text.is_ascii();
    let kind = ContentType::new("text/plain").attribute("charset", "utf-8");
    let part = MimePart::new(kind, BodyPart::Text(text.into())).language(language.tag());
    match is_ascii {
        true => part.transfer_encoding("7bit"),
        false => part,
    }
}
