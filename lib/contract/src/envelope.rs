//! Carries the run document from phase to phase without losing fields that this version does not know.
//!
//! A phase knows only its own version of the contract, but the document may hold fields and sections of another one.
//! If the document were deserialized into the types and serialized again, everything that the types lack would be
//! lost. So the JSON value itself is carried along, and each phase only inserts its own fields into it.

use serde_json::{Map, Value};

use crate::{Common, Document, Failure, Outcome, Section, VERSION};

/// A run document together with all fields that it was read with, known or not.
#[derive(Debug, Clone)]
pub struct Envelope {
    json: Map<String, Value>,
    document: Document,
}

/// Why a text is not a run document of this version.
#[derive(Debug, thiserror::Error)]
pub enum BadDocument {
    /// The text is not JSON, or JSON of another shape.
    #[error("not a run document: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The text is a JSON object without the `lockstep` field that marks a run document.
    #[error("not a run document: it has no \"lockstep\" at line 1 column 1")]
    Unmarked,
    /// The `phases` of the run document is not an object.
    #[error("not a run document: its \"phases\" is no object, at line 1 column 1")]
    NoSections,
    /// The run document has another version of the contract.
    #[error(
        "a run document of version {found}, where this program reads version {VERSION}, at line 1 column 1"
    )]
    OtherVersion {
        /// The version that the document has.
        found: Value,
    },
}

impl Envelope {
    /// Wraps a document with which a run begins.
    pub fn new(document: Document) -> Self {
        let json = match serde_json::to_value(&document) {
            Ok(Value::Object(json)) => json,
            // Cannot happen: a struct of strings, numbers and maps with string keys always serializes to an object.
            _ => Map::new(),
        };
        Self { json, document }
    }

    /// Parses a run document, checking its version before anything else.
    pub fn parse(text: &str) -> Result<Self, BadDocument> {
        let json: Map<String, Value> = serde_json::from_str(text)?;
        match json.get("lockstep") {
            None => return Err(BadDocument::Unmarked),
            Some(version) if version.as_u64() != Some(VERSION.into()) => {
                return Err(BadDocument::OtherVersion { found: version.clone() });
            }
            Some(_) => {}
        }
        if json.get("phases").is_some_and(|phases| !phases.is_object()) {
            // Serde also deserializes a struct from an array, but an array has no room for another section.
            return Err(BadDocument::NoSections);
        }
        let document = serde_json::from_str(text)?;
        Ok(Self { json, document })
    }

    /// Returns the fields that this version knows, as they were read; only `outcome`, `error` and `ended` are kept up
    /// to date.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Adds a phase's section, or updates it if it exists; fields of the section that this version does not know are
    /// kept.
    pub fn put<S: Section>(&mut self, section: &S) -> Result<(), serde_json::Error> {
        if let Value::Object(fields) = serde_json::to_value(section)? {
            self.put_fields(S::NAME, fields);
        }
        Ok(())
    }

    /// Writes the fields that all sections share into a phase's section, creating the section if it does not exist.
    pub fn put_common(&mut self, name: &str, common: &Common) {
        if let Ok(Value::Object(fields)) = serde_json::to_value(common) {
            self.put_fields(name, fields);
        }
    }

    /// Records how a phase ended. The outcome and the error of a run are those of the first thing that went wrong.
    pub fn conclude(&mut self, outcome: Outcome, failure: Option<Failure>, ended: bool) {
        if self.document.outcome == Outcome::Ok && outcome != Outcome::Ok {
            self.document.outcome = outcome;
            self.set("outcome", &outcome);
            if failure.is_some() {
                self.set("error", &failure);
                self.document.error = failure;
            }
        }
        let ended = ended || self.document.has_ended();
        self.document.ended = Some(ended);
        self.json.insert("ended".into(), Value::Bool(ended));
    }

    /// Serializes the document to one line, without a line feed. JSON allows unescaped control characters beyond
    /// ASCII, which a terminal would obey; they occur only in strings, so they are written as `\u` escapes.
    pub fn to_line(&self) -> String {
        // Cannot fail: the keys are strings, and the values were JSON already.
        let line = serde_json::to_string(&self.json).unwrap_or_default();
        if !line.contains(char::is_control) {
            return line;
        }
        let escaped =
            |c: char| if c.is_control() { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
        line.chars().map(escaped).collect()
    }

    fn put_fields(&mut self, name: &str, fields: Map<String, Value>) {
        let phases = self.json.entry("phases").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(phases) = phases {
            let section = phases.entry(name).or_insert_with(|| Value::Object(Map::new()));
            match section {
                Value::Object(section) => section.extend(fields),
                other => *other = Value::Object(fields),
            }
        }
    }

    fn set<T: serde::Serialize>(&mut self, key: &str, value: &T) {
        if let Ok(value) = serde_json::to_value(value) {
            self.json.insert(key.into(), value);
        }
    }
}
