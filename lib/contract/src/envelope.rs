//! The document as it travels from phase to phase.
//!
//! A phase knows its own version of the contract; the document may hold fields and sections of another. Were it read
//! into types and written back from them, whatever the types lack would be lost on the way. So the JSON itself is
//! carried along, and only what a phase has to say is written into it.

use serde::Serialize;

use crate::{Common, Document, Failure, Outcome, Section, VERSION, object::Object};

/// A run document with everything in it that came in, known or not.
#[derive(Debug, Clone)]
pub struct Envelope {
    json: Object,
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
        /// The version that the document has, as JSON.
        found: String,
    },
}

impl Envelope {
    /// Wraps a document that begins a run.
    pub fn new(document: Document) -> Self {
        // A struct of strings, numbers and maps with string keys is an object and cannot fail to become one.
        let json = Object::of(&document).unwrap_or_default();
        Self { json, document }
    }

    /// Reads a document, checking its version before anything else.
    pub fn parse(text: &str) -> Result<Self, BadDocument> {
        // Whatever the values are, they are not looked at here: what is of the wrong kind is the whole text.
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
        self.put_fields(S::NAME, Object::of(section)?)
    }

    /// Writes what all sections share into a phase's section, which begins with it where there is none yet.
    pub fn put_common(&mut self, name: &str, common: &Common) {
        // Numbers and words: there is nothing in it that could not be written.
        let _ = Object::of(common).and_then(|fields| self.put_fields(name, fields));
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
        self.set("ended", &ended);
    }

    /// The document in one line, without a line feed. Nothing in it is a control character, which JSON allows beyond
    /// ASCII in strings, and which a terminal would obey: an escape is as good.
    pub fn to_line(&self) -> String {
        // Strings for keys, and values that were JSON before: there is nothing in it that could not be written.
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
        // As above.
        let _ = self.json.set(key, value);
    }
}

/// The same JSON with an escape for each control character in a string, and without the space between what is none.
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
