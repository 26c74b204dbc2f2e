//! Pages of lists.
//!
//! A cursor holds the identity of the last item of the page before, so that a page is right however
//! many items come and go in between.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::fields::FieldError;

/// Items of a page, unless the request says otherwise.
pub(crate) const USUAL: usize = 100;

/// Most items of a page.
pub(crate) const MOST: usize = 1000;

/// Most characters of a cursor.
pub(crate) const LONGEST: usize = 4096;

/// Reads the number of items that a page may have.
///
/// # Errors
/// It is no number, or none from 1 to 1000.
pub(crate) fn limit(text: Option<&str>) -> Result<usize, FieldError> {
    let Some(text) = text else {
        return Ok(USUAL);
    };
    let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
    let wrong = || FieldError::new(format_args!("it is a number from 1 to {MOST}")).of("limit");
    limit.ok_or_else(wrong)
}

/// Makes the cursor of the identity of an item in the list of an operation.
pub(crate) fn of(operation: &str, identity: &[Value]) -> String {
    let cursor = serde_json::json!([operation, identity]);
    URL_SAFE_NO_PAD.encode(cursor.to_string())
}

/// Reads the identity that a cursor of the operation's list holds, of this many parts.
///
/// # Errors
/// It is no cursor of the list.
pub(crate) fn read(operation: &str, parts: usize, text: &str) -> Result<Vec<Value>, FieldError> {
    let read = || {
        let short = (text.len() <= LONGEST).then_some(text)?;
        let json = URL_SAFE_NO_PAD.decode(short).ok()?;
        let (of, identity): (String, Vec<Value>) = serde_json::from_slice(&json).ok()?;
        let are_plain = identity
            .iter()
            .all(|part| part.is_string() || part.is_u64());
        (of == operation && identity.len() == parts && are_plain).then_some(identity)
    };
    let wrong =
        || FieldError::new("it is no cursor of this list: take `next` of a page").of("cursor");
    read().ok_or_else(wrong)
}

/// Returns the identity of an item: these members, as texts. A member that it does not have is empty.
fn identity(item: &Value, members: &[&str]) -> Vec<Value> {
    let part = |name: &&str| match &item[*name] {
        Value::String(text) => Value::from(text.as_str()),
        Value::Null => Value::from(""),
        other => Value::from(other.to_string()),
    };
    members.iter().map(part).collect()
}

/// Returns the page of a list behind an identity, in the order of these members, and the cursor of
/// the next one.
pub(crate) fn page_of(
    operation: &str,
    items: Vec<Value>,
    members: &[&str],
    behind: Option<&[Value]>,
    limit: usize,
) -> (Vec<Value>, Option<String>) {
    let texts = |identity: &[Value]| -> Vec<String> {
        let text = |part: &Value| part.as_str().unwrap_or_default().to_owned();
        identity.iter().map(text).collect()
    };
    let behind = behind.map(texts);
    let keyed = items
        .into_iter()
        .map(|item| (texts(&identity(&item, members)), item));
    let mut keyed: Vec<_> = keyed
        .filter(|(key, _)| behind.as_ref().is_none_or(|behind| key > behind))
        .collect();
    keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
    let more = keyed.len() > limit;
    keyed.truncate(limit);
    let last = keyed.last().filter(|_| more);
    let next = last.map(|(_, item)| of(operation, &identity(item, members)));
    (keyed.into_iter().map(|(_, item)| item).collect(), next)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_go_on_behind_an_item_that_is_gone() {
        let all = |names: &[&str]| {
            names
                .iter()
                .map(|of| json!({"name": of}))
                .collect::<Vec<_>>()
        };
        let names = |page: &[Value]| -> Vec<String> {
            page.iter()
                .map(|of| of["name"].as_str().unwrap().to_owned())
                .collect()
        };
        let list = all(&["d", "a", "c", "b"]);
        let (page, next) = page_of("list", list, &["name"], None, 2);
        assert_eq!(names(&page), ["a", "b"]);
        let behind = read("list", 1, &next.unwrap()).unwrap();
        let (page, next) = page_of(
            "list",
            all(&["a", "d", "bb", "c"]),
            &["name"],
            Some(&behind),
            2,
        );
        assert_eq!(names(&page), ["bb", "c"]);
        let behind = read("list", 1, &next.unwrap()).unwrap();
        let (page, next) = page_of("list", all(&["d"]), &["name"], Some(&behind), 2);
        assert_eq!((names(&page), next), (vec!["d".to_owned()], None));
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let cursor = of("list", &["a".into()]);
        assert!(read("list", 1, &cursor).is_ok());
        assert!(read("other", 1, &cursor).is_err());
        assert!(read("list", 2, &cursor).is_err());
        for wrong in ["", "a", &cursor[1..], &"A".repeat(LONGEST + 1)] {
            assert!(read("list", 1, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_limit_is_bounded() {
        assert_eq!(limit(None), Ok(USUAL));
        assert_eq!(limit(Some("1000")), Ok(MOST));
        for wrong in ["0", "1001", "-1", "many", ""] {
            assert!(limit(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
