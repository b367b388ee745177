//! The JSON Schema of the document, generated from the types so that the two cannot drift apart.

use serde_json::Value;

use crate::Document;

/// The JSON Schema (draft 2020-12) of the run document.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Document).to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".into(), "Lockstep run document".into());
    }
    schema
}
