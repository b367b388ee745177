//! Edits JSON as text: finds where its values are, so that one can be added or removed while every other byte stays.
//!
//! Parsing a user's settings and writing them out again would keep their meaning but not their formatting:
//! indentation, blank lines, how a letter was escaped. The diff of a shared file would then span all of it.

use serde::Serialize as _;
use serde_json::{Value, ser::PrettyFormatter};

/// A value and its position in a text.
#[derive(Debug)]
pub struct Node {
    /// The offset of its beginning.
    pub start: usize,
    /// The offset of its end.
    pub end: usize,
    /// Its contents.
    pub inside: Inside,
}

/// The contents of a value.
#[derive(Debug)]
pub enum Inside {
    /// Members, in order.
    Object(Vec<Member>),
    /// Elements, in order.
    Array(Vec<Node>),
    /// Nothing that could be removed.
    Scalar,
}

/// A member of an object.
#[derive(Debug)]
pub struct Member {
    /// The offset of its name.
    pub start: usize,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// Finds the positions of all values in a text.
    ///
    /// # Errors
    /// What is wrong with the text, with line and column, if it is not valid JSON.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| error.to_string())?;
        let mut reader = Reader { text, at: 0 };
        reader.value().ok_or_else(|| "it cannot be read".into())
    }

    /// Returns the value, given the text that it stands in. A string with an escape that is no character is returned as
    /// it is written.
    pub fn value(&self, text: &str) -> Value {
        match &self.inside {
            Inside::Object(members) => {
                members.iter().map(|member| (member.name.clone(), member.value.value(text))).collect()
            }
            Inside::Array(elements) => elements.iter().map(|element| element.value(text)).collect(),
            Inside::Scalar => {
                let written = text.get(self.start..self.end).unwrap_or_default();
                serde_json::from_str(written).unwrap_or_else(|_| written.into())
            }
        }
    }

    /// Returns the last member of that name, which is the one that counts.
    pub fn member(&self, name: &str) -> Option<&Node> {
        match &self.inside {
            Inside::Object(members) => {
                members.iter().rev().find(|member| member.name == name).map(|member| &member.value)
            }
            Inside::Array(_) | Inside::Scalar => None,
        }
    }

    /// Returns where its children begin and end.
    fn children(&self) -> Vec<(usize, usize)> {
        match &self.inside {
            Inside::Object(members) => {
                members.iter().map(|member| (member.start, member.value.end)).collect()
            }
            Inside::Array(elements) => elements.iter().map(|element| (element.start, element.end)).collect(),
            Inside::Scalar => Vec::new(),
        }
    }
}

/// Adds a child at the end of a container whose nesting depth is `depth`; `name` is for a member of an object.
pub fn append(text: &str, container: &Node, depth: usize, name: Option<&str>, child: &Value) -> String {
    let looks = Looks::of(text);
    let name = name.map(|name| format!("{}: ", Value::from(name))).unwrap_or_default();
    let child = format!("{name}{}", looks.render(child, depth + 1));
    let children = container.children();
    let (from, to, put) = match children.last() {
        Some((_, end)) => (*end, *end, format!(",{}{child}", looks.line(depth + 1))),
        None => {
            let inner = format!("{}{child}{}", looks.line(depth + 1), looks.line(depth));
            (container.start + 1, container.end - 1, inner)
        }
    };
    spliced(text, from, to, &put)
}

/// Replaces a value whose nesting depth is `depth`.
pub fn replace(text: &str, node: &Node, depth: usize, value: &Value) -> String {
    spliced(text, node.start, node.end, &Looks::of(text).render(value, depth))
}

/// Removes the child with this number, and the comma that is then superfluous.
pub fn remove(text: &str, container: &Node, number: usize) -> String {
    let children = container.children();
    let before = number.checked_sub(1).and_then(|before| children.get(before));
    match (before, children.get(number), children.get(number + 1)) {
        (Some((_, end_before)), Some((_, end)), _) => spliced(text, *end_before, *end, ""),
        (None, Some((start, _)), Some((start_after, _))) => spliced(text, *start, *start_after, ""),
        (None, Some(_), None) => spliced(text, container.start + 1, container.end - 1, ""),
        (_, None, _) => text.to_owned(),
    }
}

fn spliced(text: &str, from: usize, to: usize, put: &str) -> String {
    let before = text.get(..from).unwrap_or_default();
    let after = text.get(to..).unwrap_or_default();
    format!("{before}{put}{after}")
}

/// The formatting of a text.
struct Looks {
    /// One level of indentation; `None` if everything is on one line.
    unit: Option<String>,
    end_of_line: &'static str,
}

impl Looks {
    fn of(text: &str) -> Self {
        let end_of_line = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let unit = text.lines().skip(1).find_map(|line| {
            let indent: String = line.chars().take_while(|c| [' ', '\t'].contains(c)).collect();
            (!indent.is_empty()).then_some(indent)
        });
        let on_one_line = text.trim().len() > 2 && !text.trim().contains('\n');
        let unit = (!on_one_line).then(|| unit.unwrap_or_else(|| "  ".into()));
        Self { unit, end_of_line }
    }

    /// Returns a line break and the indentation of this depth.
    fn line(&self, depth: usize) -> String {
        match &self.unit {
            None => String::new(),
            Some(unit) => format!("{}{}", self.end_of_line, unit.repeat(depth)),
        }
    }

    fn render(&self, value: &Value, depth: usize) -> String {
        let Some(unit) = &self.unit else { return value.to_string() };
        let mut bytes = Vec::new();
        let formatter = PrettyFormatter::with_indent(unit.as_bytes());
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
        // Writing plain JSON to memory cannot fail.
        let _ = value.serialize(&mut serializer);
        String::from_utf8_lossy(&bytes).replace('\n', &self.line(depth))
    }
}

/// A reader of text that is known to be valid JSON.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Option<Node> {
        self.blank();
        let start = self.at;
        let inside = match self.peek()? {
            b'{' => Inside::Object(self.list(b'}', Self::member)?),
            b'[' => Inside::Array(self.list(b']', Self::value)?),
            b'"' => {
                self.string()?;
                Inside::Scalar
            }
            _ => {
                while self.peek().is_some_and(|byte| !b",]} \t\r\n".contains(&byte)) {
                    self.at += 1;
                }
                Inside::Scalar
            }
        };
        Some(Node { start, end: self.at, inside })
    }

    fn member(&mut self) -> Option<Member> {
        self.blank();
        let start = self.at;
        let written = self.string()?;
        // An escape that is no character, half of an emoji, is valid in JSON, but cannot be a name of ours.
        let name = serde_json::from_str(written).unwrap_or_else(|_| written.to_owned());
        self.blank();
        // Skip the colon.
        self.at += 1;
        Some(Member { start, name, value: self.value()? })
    }

    fn list<T>(&mut self, closing: u8, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            self.blank();
            match self.peek()? {
                byte if byte == closing => {
                    self.at += 1;
                    return Some(items);
                }
                b',' => self.at += 1,
                _ => items.push(item(self)?),
            }
        }
    }

    /// Reads a string, with its quotation marks.
    fn string(&mut self) -> Option<&str> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek()? {
                b'\\' => self.at += 2,
                b'"' => {
                    self.at += 1;
                    return self.text.get(start..self.at);
                }
                _ => self.at += 1,
            }
        }
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn root(text: &str) -> Node {
        Node::parse(text).expect("it is JSON")
    }

    #[test]
    fn values_are_found_where_they_stand() {
        let text = r#" {"a": [1, {"b": "}]\""}], "ü" : null} "#;
        let root = root(text);
        let slice = |node: &Node| &text[node.start..node.end];
        assert_eq!(slice(root.member("a").expect("a")), r#"[1, {"b": "}]\""}]"#);
        assert_eq!(slice(root.member("ü").expect("ü")), "null");
        assert!(root.member("b").is_none());
    }

    #[test]
    fn what_is_put_in_looks_like_what_was_there() {
        let tabbed = "{\n\t\"a\": 1\n}\n";
        assert_eq!(
            append(tabbed, &root(tabbed), 0, Some("b"), &json!([1])),
            "{\n\t\"a\": 1,\n\t\"b\": [\n\t\t1\n\t]\n}\n"
        );
        let dense = r#"{"a":1}"#;
        assert_eq!(append(dense, &root(dense), 0, Some("b"), &json!([1])), r#"{"a":1,"b": [1]}"#);
        let windows = "{\r\n  \"a\": 1\r\n}\r\n";
        let put = append(windows, &root(windows), 0, Some("b"), &json!({"c": 1}));
        assert_eq!(put, "{\r\n  \"a\": 1,\r\n  \"b\": {\r\n    \"c\": 1\r\n  }\r\n}\r\n");
    }

    #[test]
    fn what_was_put_in_can_be_taken_out_again_to_the_byte() {
        for text in
            ["{\n    \"a\":   [1,2],\n\n    \"z\": {}\n}", r#"{"a":"\u00fc"}"#, "{\r\n\"a\": 1e400}\r\n"]
        {
            let put = append(text, &root(text), 0, Some("b"), &json!({"c": [1]}));
            let root = root(&put);
            let last = root.children().len() - 1;
            assert_eq!(remove(&put, &root, last), text);
        }
    }

    #[test]
    fn of_several_the_one_that_is_meant_goes_with_its_comma() {
        let text = "[1, 2, 3]";
        assert_eq!(remove(text, &root(text), 0), "[2, 3]");
        assert_eq!(remove(text, &root(text), 1), "[1, 3]");
        assert_eq!(remove(text, &root(text), 2), "[1, 2]");
        assert_eq!(remove("[ 1 ]", &root("[ 1 ]"), 0), "[]");
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        let error = Node::parse("{\n  // mine\n}").expect_err("comments are no JSON");
        assert!(error.contains("line 2 column 3"), "{error}");
    }
}
