//! Names of attachments, made safe for whoever stores them as files.

use crate::bounds::{LONGEST_NAME, beginning};

/// Characters that file systems or shells read as their own.
const OF_SYSTEMS: [char; 9] = ['/', '\\', ':', '*', '?', '"', '<', '>', '|'];

/// Returns a file name from the one that a message gives: its last component, without control
/// characters, characters that turn the direction of text or are not seen, and those of file
/// systems; never hidden, never empty, never longer than 200 octets. `number` and the media type name
/// what has no name.
pub(crate) fn safe(given: Option<&str>, number: usize, media_type: &str) -> String {
    let given = beginning(given.unwrap_or_default(), 8 * LONGEST_NAME);
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = (last.chars())
        .filter(|sign| !sign.is_control() && !is_format(*sign))
        .map(|sign| {
            if OF_SYSTEMS.contains(&sign) {
                '_'
            } else {
                sign
            }
        })
        .collect();
    // Windows ignores dots and spaces at the end.
    let name = name.trim_matches(|sign: char| sign.is_whitespace() || sign == '.');
    match name.is_empty() {
        true => format!("attachment-{number}.{}", extension(media_type)),
        false => shortened(name),
    }
}

/// Returns true for marks that change the direction of text, or are not seen.
fn is_format(sign: char) -> bool {
    matches!(sign, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Shortens a name; its extension stays.
fn shortened(name: &str) -> String {
    if name.len() <= LONGEST_NAME {
        return name.to_owned();
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    match extension.filter(|extension| extension.len() <= 16) {
        Some(extension) => {
            let stem = beginning(name, LONGEST_NAME - extension.len() - 1);
            format!("{}.{extension}", stem.trim_end_matches(['.', ' ']))
        }
        None => beginning(name, LONGEST_NAME).to_owned(),
    }
}

/// Returns the extension of files of a media type.
fn extension(media_type: &str) -> &'static str {
    match media_type {
        "message/rfc822" | "message/global" => "eml",
        "text/plain" => "txt",
        "text/html" => "html",
        "text/calendar" => "ics",
        "text/vcard" => "vcf",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "application/pdf" => "pdf",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn names_lead_nowhere() {
        for (given, due) in [
            (Some("report.pdf"), "report.pdf"),
            (Some("../../etc/passwd"), "passwd"),
            (Some("C:\\Users\\ann\\a.txt"), "a.txt"),
            (Some("..\\..\\"), "attachment-3.bin"),
            (Some(".htaccess"), "htaccess"),
            (Some("a\r\nX-Y: z\0.txt"), "aX-Y_ z.txt"),
            (Some("invoice\u{202e}fdp.exe"), "invoicefdp.exe"),
            (Some("Größe 1.png"), "Größe 1.png"),
            (Some("a\"b.txt"), "a_b.txt"),
            (Some("evil.exe. . "), "evil.exe"),
            (Some(" "), "attachment-3.bin"),
            (None, "attachment-3.bin"),
        ] {
            assert_eq!(safe(given, 3, "application/x-a"), due);
        }
        assert_eq!(safe(None, 1, "message/rfc822"), "attachment-1.eml");
        let long = safe(Some(&format!("{}.docx", "é".repeat(300))), 1, "");
        assert!(long.len() <= 200 && long.ends_with("é.docx"), "{long}");
    }
}
