//! A JSON object whose values keep the text that they were written as.
//!
//! A value that is parsed and serialized again comes back in another form at best. At worst it cannot be parsed: JSON
//! may be nested more deeply than a parser's limit, and a string may contain half of a surrogate pair, which is not a
//! character. To pass a value on, neither matters.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The keys, each with the text of its value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object(Vec<(String, Box<RawValue>)>);

impl Object {
    /// Serializes `value`, which must be an object.
    pub(crate) fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::from_str(&serde_json::to_string(value)?)
    }

    /// Returns the text of a value.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.get())
    }

    /// Returns the object with this key; an empty one if there is none, or the value is not an object.
    pub(crate) fn inner(&self, key: &str) -> Self {
        self.get(key).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// Replaces the value with this key, or appends it.
    pub(crate) fn set(&mut self, key: &str, value: &impl Serialize) -> Result<(), serde_json::Error> {
        self.set_raw(key, serde_json::value::to_raw_value(value)?);
        Ok(())
    }

    /// Sets all values of `other`.
    pub(crate) fn extend(&mut self, other: Self) {
        for (key, value) in other.0 {
            self.set_raw(&key, value);
        }
    }

    fn set_raw(&mut self, key: &str, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }

        deserializer.deserialize_map(Keys)
    }
}
