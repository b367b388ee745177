//! The document as it travels from phase to phase.
//!
//! A phase knows its own version of the contract; the document may hold fields and sections of another. Were it read
//! into types and written back from them, whatever the types lack would be lost on the way. So the JSON itself is
//! carried along, and only what a phase has to say is written into it.

use serde_json::{Map, Value};

use crate::{Common, Document, Failure, Outcome, Section, VERSION};

/// A run document with everything in it that came in, known or not.
#[derive(Debug, Clone)]
pub struct Envelope {
    json: Map<String, Value>,
    document: Document,
}

/// Why a text is not a run document of this version.
#[derive(Debug, thiserror::Error)]
pub enum BadDocument {
    /// Not JSON, or JSON of another shape.
    #[error("not a run document: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A JSON object that does not say that it is a run document.
    #[error("not a run document: it has no \"lockstep\" at line 1 column 1")]
    Unmarked,
    /// A run document whose sections are not in an object.
    #[error("not a run document: its \"phases\" is no object, at line 1 column 1")]
    NoSections,
    /// A run document of another version of the contract.
    #[error(
        "a run document of version {found}, where this program reads version {VERSION}, at line 1 column 1"
    )]
    OtherVersion {
        /// The version that the document has.
        found: Value,
    },
}

impl Envelope {
    /// Wraps a document that begins a run.
    pub fn new(document: Document) -> Self {
        let json = match serde_json::to_value(&document) {
            Ok(Value::Object(json)) => json,
            // A struct of strings, numbers and maps with string keys is an object and cannot fail to become one.
            _ => Map::new(),
        };
        Self { json, document }
    }

    /// Reads a document, checking its version before anything else.
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
            // A struct may be read from an array as well, which has no place for another section.
            return Err(BadDocument::NoSections);
        }
        let document = serde_json::from_str(text)?;
        Ok(Self { json, document })
    }

    /// The parts of the document that this version knows, as they came in; only how the run goes is kept up to date.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Adds a phase's section, or replaces what it said before; fields of the section that this version does not know
    /// stay.
    pub fn put<S: Section>(&mut self, section: &S) -> Result<(), serde_json::Error> {
        if let Value::Object(fields) = serde_json::to_value(section)? {
            self.put_fields(S::NAME, fields);
        }
        Ok(())
    }

    /// Writes what all sections share into a phase's section, which begins with it where there is none yet.
    pub fn put_common(&mut self, name: &str, common: &Common) {
        if let Ok(Value::Object(fields)) = serde_json::to_value(common) {
            self.put_fields(name, fields);
        }
    }

    /// Notes how a phase ended: the first thing that went wrong in a run is the run's.
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

    /// The document in one line, without a line feed. Nothing in it is a control character, which JSON allows beyond
    /// ASCII, and which a terminal would obey: such can only be in strings, where an escape is as good.
    pub fn to_line(&self) -> String {
        // Strings for keys, and values that were JSON before: there is nothing in it that could not be written.
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
