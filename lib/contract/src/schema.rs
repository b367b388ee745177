//! Generates the document's JSON Schema from the types, so that the two cannot diverge.

use serde_json::Value;

use crate::Document;

/// Returns the JSON Schema (draft 2020-12) of the run document.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Document).to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".into(), "Lockstep run document".into());
    }
    schema
}
