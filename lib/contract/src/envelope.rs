//! Carries the run document from phase to phase without losing fields that this version does not know.
//!
//! A phase knows only its own version of the contract, but the document may hold fields and sections of another one.
//! If the document were deserialized into the types and serialized again, everything that the types lack would be
//! lost. So the JSON value itself is carried along, and each phase only inserts its own fields into it.

use serde::Serialize;

use crate::{Common, Document, Failure, Outcome, Section, VERSION, object::Object};

/// A run document together with all fields that it was read with, known or not.
#[derive(Debug, Clone)]
pub struct Envelope {
    json: Object,
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
        /// The version that the document has, as JSON.
        found: String,
    },
}

impl Envelope {
    /// Wraps a document with which a run begins.
    pub fn new(document: Document) -> Self {
        // Cannot fail: a struct of strings, numbers and maps with string keys always serializes to an object.
        let json = Object::of(&document).unwrap_or_default();
        Self { json, document }
    }

    /// Parses a run document, checking its version before anything else.
    pub fn parse(text: &str) -> Result<Self, BadDocument> {
        // The values are not examined here, so an error about data means that the text is not an object.
        let json: Object = serde_json::from_str(text)
            .map_err(|error| if error.is_data() { BadDocument::Unmarked } else { error.into() })?;
        match json.get("lockstep") {
            None => return Err(BadDocument::Unmarked),
            Some(version) if serde_json::from_str(version).ok() != Some(VERSION) => {
                return Err(BadDocument::OtherVersion { found: version.to_owned() });
            }
            Some(_) => {}
        }
        if json.get("phases").is_some_and(|phases| !phases.starts_with('{')) {
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
        self.put_fields(S::NAME, Object::of(section)?)
    }

    /// Writes the fields that all sections share into a phase's section, creating the section if it does not exist.
    pub fn put_common(&mut self, name: &str, common: &Common) {
        // Cannot fail: the fields are numbers and strings.
        let _ = Object::of(common).and_then(|fields| self.put_fields(name, fields));
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
        self.set("ended", &ended);
    }

    /// Serializes the document to one line, without a line feed. JSON allows unescaped control characters beyond
    /// ASCII, which a terminal would obey; they occur only in strings, so they are written as `\u` escapes.
    pub fn to_line(&self) -> String {
        // Cannot fail: the keys are strings, and the values were JSON already.
        let line = serde_json::to_string(&self.json).unwrap_or_default();
        if line.contains(char::is_control) { without_controls(&line) } else { line }
    }

    fn put_fields(&mut self, name: &str, fields: Object) -> Result<(), serde_json::Error> {
        let mut phases = self.json.inner("phases");
        let mut section = phases.inner(name);
        section.extend(fields);
        phases.set(name, &section)?;
        self.json.set("phases", &phases)
    }

    fn set<T: Serialize>(&mut self, key: &str, value: &T) {
        // Cannot fail: the values are strings, numbers, and structs of these.
        let _ = self.json.set(key, value);
    }
}

/// Returns the same JSON with an escape for each control character in a string, and without white space between tokens.
fn without_controls(json: &str) -> String {
    let (mut is_in_string, mut is_escaped) = (false, false);
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if is_in_string && c.is_control() {
            line.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else if is_in_string || !c.is_ascii_whitespace() {
            line.push(c);
        }
        match c {
            '"' if !is_escaped => is_in_string = !is_in_string,
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    line
}
