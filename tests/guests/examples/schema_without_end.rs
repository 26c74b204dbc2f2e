//! Gives a schema that refers to itself: whoever follows it runs out of stack.

hostile_guests::with_schema!(
    serde_json::json!({ "$defs": { "a": { "allOf": [{ "$ref": "#/$defs/b" }] },
        "b": { "anyOf": [{ "$ref": "#/$defs/a" }] } }, "$ref": "#/$defs/a" })
);
