//! Generates docs/reference.md, which describes the run document field by field.
//!
//! The page is written from the schema, and so from the doc comments of the contract's types. With a single source,
//! the two cannot contradict each other.

use serde_json::Value;

/// The text above the fields.
const OPENING: &str = "\
<!-- Written by `cargo xtask schema`; to change it, change the doc comments in lib/contract/src. -->

# The run document

All its fields; [`schema/run-document.schema.json`](../schema/run-document.schema.json) is the same for programs. How to ask
it with `jq` is in [the pipeline by hand](pipeline.md).

What a phase does not know it passes on unchanged. Ids are full hexadecimal object ids, times are RFC 3339 with offset, and
paths in a repository are relative to its root, with `/`. There is never a credential in it.
";

/// A document that uses every field; the contract's own tests read it as well.
const EXAMPLE: &str = include_str!("../../lib/contract/tests/golden/v1.json");

/// Returns the whole page.
pub fn page(schema: &Value) -> String {
    let mut page = OPENING.to_owned();
    section(&mut page, "The document", schema);
    for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
        section(&mut page, name, definition);
    }
    page.push_str(&format!(
        "\n## An example\n\nOn several lines here.\n\n```json\n{}\n```\n",
        EXAMPLE.trim_end()
    ));
    page
}

fn section(page: &mut String, title: &str, definition: &Value) {
    page.push_str(&format!("\n## {title}\n\n{}\n", described(definition)));
    if let Some(fields) = definition["properties"].as_object() {
        page.push_str("\n| field | type | what it says |\n|---|---|---|\n");
        for (name, field) in fields {
            page.push_str(&format!("| `{name}` | {} | {} |\n", kind(field), in_a_cell(&described(field))));
        }
    } else if let Some(words) = definition["oneOf"].as_array() {
        page.push_str("\n| value | what it says |\n|---|---|\n");
        for word in words {
            let value = word["const"].as_str().unwrap_or_default();
            page.push_str(&format!("| `{value}` | {} |\n", in_a_cell(&described(word))));
        }
    }
}

/// Returns the schema's description of something, on one line.
fn described(what: &Value) -> String {
    what["description"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn in_a_cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Returns a field's type in words.
fn kind(field: &Value) -> String {
    if let Some(name) = field["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(choices) = field["anyOf"].as_array() {
        return choices.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    match &field["type"] {
        Value::Array(names) => names.iter().map(|name| named(name, field)).collect::<Vec<_>>().join(" or "),
        name => named(name, field),
    }
}

fn named(name: &Value, field: &Value) -> String {
    match name.as_str() {
        Some("array") => format!("list of {}", kind(&field["items"])),
        Some(name) => name.to_owned(),
        None => "anything".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_is_told_with_its_type_and_what_it_says() {
        let schema = json!({
            "description": "All\nof it.",
            "properties": {
                "who": {"anyOf": [{"$ref": "#/$defs/Owner"}, {"type": "null"}], "description": "This | that."},
                "names": {"type": "array", "items": {"type": ["string", "null"]}, "description": "Some."},
            },
            "$defs": {"Owner": {"oneOf": [{"const": "me", "description": "Mine."}], "description": "Whose."}},
        });
        let page = page(&schema);
        for line in [
            "All of it.",
            "| `who` | [Owner](#owner) or null | This \\| that. |",
            "| `names` | list of string or null | Some. |",
            "## Owner",
            "| `me` | Mine. |",
        ] {
            assert!(page.contains(&format!("\n{line}\n")), "{line} is not in {page}");
        }
    }

    #[test]
    fn every_field_of_the_contract_has_a_type_with_a_name() {
        let page = page(&contract::schema());
        assert!(!page.contains("| anything |") && !page.contains("list of anything"));
    }
}
