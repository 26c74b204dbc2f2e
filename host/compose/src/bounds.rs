//! Bounds of a draft, and which fields a program may set.

use gatepost_message::{FieldBody, FieldName, bare_message_id};

use crate::{Draft, DraftError, DraftFile, DraftMailbox, Setting};

/// Most characters of a subject, of a name and of a file's name.
const LONGEST_LINE: usize = 900;
const LONGEST_NAME: usize = 200;

/// Most recipients of all kinds together.
const MOST_RECIPIENTS: usize = 1000;

/// Most files, further fields and references.
const MOST_FILES: usize = 100;
const MOST_HEADERS: usize = 50;
const MOST_REFERENCES: usize = 100;

/// Most characters of a Message-ID.
const LONGEST_ID: usize = 900;

/// Most characters of a media type and of a content id.
const LONGEST_TYPE: usize = 127;

/// Fields that other members make, that describe the body, or that servers add on the way.
const RESERVED: &[&str] = &[
    "bcc",
    "cc",
    "date",
    "from",
    "in-reply-to",
    "message-id",
    "mime-version",
    "received",
    "references",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
];

/// Beginnings of such fields.
const RESERVED_BEGINNINGS: &[&str] = &[
    "arc-",
    "authentication-results",
    "content-",
    "dkim-",
    "resent-",
];

/// Checks all members but the contents of files.
///
/// # Errors
/// The first member that cannot be written as it is.
pub(crate) fn check(draft: &Draft, setting: &Setting) -> Result<(), DraftError> {
    if draft.recipients().next().is_none() {
        return Err(DraftError::new(
            "to",
            "name at least one recipient in to, cc or bcc",
        ));
    }
    few("to", draft.recipients().count(), MOST_RECIPIENTS)?;
    few("reply-to", draft.reply_to.len(), MOST_RECIPIENTS)?;
    let author = draft.from.as_ref();
    mailbox(
        "from",
        author.ok_or_else(|| DraftError::new("from", "name an author"))?,
    )?;
    for (member, mailboxes) in [
        ("to", &draft.to),
        ("cc", &draft.cc),
        ("bcc", &draft.bcc),
        ("reply-to", &draft.reply_to),
    ] {
        for (number, one) in mailboxes.iter().enumerate() {
            mailbox(&format!("{member}[{number}]"), one)?;
        }
    }
    line("subject", &draft.subject, LONGEST_LINE)?;
    if draft.text.is_none() && draft.html.is_none() && draft.files.is_empty() {
        return Err(DraftError::new(
            "text",
            "give the message a text, HTML or a file",
        ));
    }
    few("files", draft.files.len(), MOST_FILES)?;
    for (number, file) in draft.files.iter().enumerate() {
        check_file(&format!("files[{number}]"), file)?;
    }
    if let Some(id) = &draft.in_reply_to {
        message_id("in-reply-to", id)?;
    }
    few("references", draft.references.len(), MOST_REFERENCES)?;
    for (number, id) in draft.references.iter().enumerate() {
        message_id(&format!("references[{number}]"), id)?;
    }
    if let Some(metadata) = &draft.metadata {
        line("metadata", metadata, LONGEST_LINE)?;
    }
    few("headers", draft.headers.len(), MOST_HEADERS)?;
    for (name, value) in &draft.headers {
        header(name, value, setting)?;
    }
    Ok(())
}

fn few(member: &str, number: usize, most: usize) -> Result<(), DraftError> {
    match number <= most {
        true => Ok(()),
        false => Err(DraftError::new(
            member,
            format!("there may be {most} at most"),
        )),
    }
}

/// Checks that a text is one line, and not too long.
fn line(member: &str, text: &str, longest: usize) -> Result<(), DraftError> {
    if text.chars().any(char::is_control) {
        return Err(DraftError::new(
            member,
            "it is to be one line without control characters",
        ));
    }
    match text.len() <= longest {
        true => Ok(()),
        false => Err(DraftError::new(
            member,
            format!("it may have {longest} octets at most"),
        )),
    }
}

fn mailbox(member: &str, mailbox: &DraftMailbox) -> Result<(), DraftError> {
    line(member, mailbox.name().unwrap_or_default(), LONGEST_NAME)
}

fn check_file(member: &str, file: &DraftFile) -> Result<(), DraftError> {
    let name = format!("{member}.name");
    line(&name, &file.name, LONGEST_NAME)?;
    if file.name.is_empty() || file.name.contains(['/', '\\']) {
        return Err(DraftError::new(name, "name the file, without folders"));
    }
    let is_token = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        !text.is_empty() && text.len() <= LONGEST_TYPE && text.bytes().all(plain)
    };
    // RFC 6838 section 4.2. A part that is a message or of several parts would be read as such.
    let halves = file.media_type.split_once('/');
    let composite = ["multipart", "message"];
    let is_type = halves.is_some_and(|(kind, subtype)| {
        is_token(kind)
            && is_token(subtype)
            && !composite.iter().any(|of| kind.eq_ignore_ascii_case(of))
    });
    if !is_type {
        let problem = "write a media type such as application/pdf, without parameters, \
                       and neither multipart nor message";
        return Err(DraftError::new(format!("{member}.type"), problem));
    }
    if let Some(id) = &file.content_id {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@._-+".contains(&byte);
        if id.is_empty() || id.len() > LONGEST_TYPE || !id.bytes().all(plain) {
            let problem = "write letters, digits, @, dots, underlines, plus signs and hyphens";
            return Err(DraftError::new(format!("{member}.content-id"), problem));
        }
    }
    Ok(())
}

/// Returns true if a text is a Message-ID that can be written, with angle brackets or without.
pub fn is_message_id(id: &str) -> bool {
    let in_brackets = match id.starts_with('<') {
        true => id.to_owned(),
        false => format!("<{id}>"),
    };
    let bare = bare_message_id(&in_brackets);
    let plain = |id: &str| {
        id.bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"<>".contains(&byte))
    };
    bare.is_some_and(|id| !id.is_empty() && id.len() <= LONGEST_ID && plain(id))
}

fn message_id(member: &str, id: &str) -> Result<(), DraftError> {
    match is_message_id(id) {
        true => Ok(()),
        false => Err(DraftError::new(
            member,
            "it is no Message-ID, such as <id@example.com>",
        )),
    }
}

fn header(name: &str, value: &str, setting: &Setting) -> Result<(), DraftError> {
    let member = format!("headers.{name}");
    let refused = |problem: String| Err(DraftError::new(member.clone(), problem));
    let field = match FieldName::new(name) {
        Ok(field) => field,
        Err(error) => return refused(error.to_string()),
    };
    let lower = name.to_ascii_lowercase();
    let is_reserved = RESERVED.contains(&lower.as_str())
        || RESERVED_BEGINNINGS.iter().any(|of| lower.starts_with(of))
        || field == setting.trigger
        || field == setting.metadata;
    if is_reserved {
        return refused("this field is made by another member, or by the relay".to_owned());
    }
    line(&member, value, LONGEST_LINE)?;
    match FieldBody::new(value) {
        Ok(_) => Ok(()),
        Err(error) => refused(error.to_string()),
    }
}
