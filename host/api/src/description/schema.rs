//! Schemas for people: the type in a few words, and members in a table.

use std::fmt::Write as _;

use serde_json::Value;

/// Returns a text of the description as HTML: backticks are code.
pub(super) fn prose(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for (number, part) in text.split('`').enumerate() {
        let part = escaped(part);
        match number % 2 {
            0 => html.push_str(&part),
            _ => {
                let _ = write!(html, "<code>{part}</code>");
            }
        }
    }
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

/// Returns the members of an object in a table, those of objects within in tables within; of anything
/// else the type.
pub(super) fn members(schema: &Value) -> String {
    let Some(members) = schema["properties"].as_object() else {
        return match alternatives(schema) {
            Some(ways) => listed(ways),
            None => format!("<p>{}</p>", type_of(schema)),
        };
    };
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|of| of == name));
    let mut html = String::from("<table><tr><th>Member</th><th>Type</th><th>About</th></tr>");
    for (name, member) in members {
        let _ = write!(
            html,
            "<tr><td><code>{}</code>{}</td><td>{}</td><td>{}{}</td></tr>",
            escaped(name),
            if is_required(name) { "" } else { ", optional" },
            type_of(member),
            prose(member["description"].as_str().unwrap_or_default()),
            within(member)
        );
    }
    html.push_str("</table>");
    if let Some(ways) = alternatives(schema) {
        html.push_str("<p>And one of:</p>");
        html.push_str(&listed(ways));
    }
    html
}

/// Returns the alternatives of a schema that are more than words.
fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    let ways = schema["oneOf"].as_array().or(schema["anyOf"].as_array())?;
    let is_told_by_type = |way: &Value| way.get("$ref").is_some() || way["type"] == "null";
    (!ways.iter().all(is_told_by_type)).then_some(ways)
}

fn listed(ways: &[Value]) -> String {
    let mut html = String::from("<ul>");
    for way in ways {
        let _ = write!(
            html,
            "<li>{} {}{}</li>",
            type_of(way),
            prose(way["description"].as_str().unwrap_or_default()),
            within(way)
        );
    }
    html.push_str("</ul>");
    html
}

/// Returns what an object, or the items of a list, consist of, where that stands here and not under a
/// name.
fn within(schema: &Value) -> String {
    let has_more = |of: &Value| of["properties"].is_object() || alternatives(of).is_some();
    if has_more(schema) {
        return members(schema);
    }
    match &schema["items"] {
        items if has_more(items) => members(items),
        _ => String::new(),
    }
}

/// Returns the type in a few words.
pub(super) fn type_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return format!("<a href=\"#type-{name}\">{name}</a>");
    }
    if let Some(word) = schema.get("const") {
        return format!("<code>{}</code>", escaped(&word.to_string()));
    }
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().map(|word| {
            let word = word
                .as_str()
                .map_or_else(|| word.to_string(), str::to_owned);
            format!("<code>{}</code>", escaped(&word))
        });
        return words.collect::<Vec<_>>().join(", ");
    }
    for ways in [&schema["anyOf"], &schema["oneOf"]] {
        if let Some(ways) = ways.as_array() {
            return ways.iter().map(type_of).collect::<Vec<_>>().join(" or ");
        }
    }
    if schema["properties"]["items"]["type"] == "array" && schema["properties"]["next"].is_object()
    {
        return format!(
            "page of {}",
            type_of(&schema["properties"]["items"]["items"])
        );
    }
    let kinds: Vec<_> = match &schema["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec!["any"],
    };
    let word = |kind: &str| match kind {
        "array" => format!("list of {}", type_of(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!(
                "object with {} by name",
                type_of(&schema["additionalProperties"])
            )
        }
        kind => match schema["format"].as_str() {
            Some(format) if kind != "null" => format!("{kind} ({})", escaped(format)),
            _ => kind.to_owned(),
        },
    };
    kinds.into_iter().map(word).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_told_in_words() {
        for (schema, expected) in [
            (json!({"type": "string"}), "string"),
            (
                json!({"type": ["integer", "null"], "format": "uint64"}),
                "integer (uint64) or null",
            ),
            (
                json!({"$ref": "#/components/schemas/Account"}),
                "<a href=\"#type-Account\">Account</a>",
            ),
            (
                json!({"type": "array", "items": {"type": "string"}}),
                "list of string",
            ),
            (
                json!({"enum": ["a", "<b>"]}),
                "<code>a</code>, <code>&lt;b></code>",
            ),
            (json!({}), "any"),
        ] {
            assert_eq!(type_of(&schema), expected);
        }
    }

    #[test]
    fn prose_shows_code_and_runs_nothing() {
        assert_eq!(prose("see `a<b`, <i>"), "see <code>a&lt;b</code>, &lt;i>");
    }
}
