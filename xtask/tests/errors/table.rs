//! Reads the rows of docs/errors.md, and compares them with what a program did.

use testkit::Output;

const ERRORS: &str = include_str!("../../../docs/errors.md");

/// The section of what no test makes happen.
pub const NOT_MADE: &str = "Not made by a test";

/// A row of a table.
#[derive(Debug)]
pub struct Row {
    /// The heading of the section that it is in.
    pub section: String,
    /// When it happens.
    pub when: String,
    /// The exit code.
    pub exit: i32,
    /// The message, with placeholders such as `<path>`.
    pub message: String,
    /// The remedy, likewise.
    pub help: Option<String>,
}

/// All rows of all tables.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut section = String::new();
    for line in ERRORS.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.to_owned();
        } else if let Some([when, exit, message, help, ..]) = cells(line).as_deref()
            && let Ok(exit) = exit.parse()
        {
            let message = code(message).unwrap_or_else(|| panic!("no message in {line}"));
            rows.push(Row { section: section.clone(), when: when.clone(), exit, message, help: code(help) });
        }
    }
    rows
}

/// The cells of a table's line.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix("| ")?.strip_suffix(" |")?.replace("\\|", "\0");
    Some(inner.split(" | ").map(|cell| cell.replace('\0', "|")).collect())
}

/// What stands in code style in a cell; a dash stands for nothing.
fn code(cell: &str) -> Option<String> {
    let ticks = cell.len() - cell.trim_start_matches('`').len();
    let inner = cell.get(ticks..cell.len() - ticks)?.trim();
    (ticks > 0).then(|| inner.to_owned())
}

impl Row {
    /// Whether a program ended as the row says: with its code, and with its words for people and in the document, if it
    /// wrote one. Where the report is on stdout, the words are there.
    pub fn check(&self, output: &Output) -> Result<(), String> {
        let told = Told::among(&output.stderr).or_else(|| Told::among(&output.stdout));
        let told = told.ok_or_else(|| format!("no error was told: {output}"))?;
        if output.code != self.exit || !self.fits(&told) {
            return Err(format!("the table says\n{self:#?}\nand it was {} with {told:#?}", output.code));
        }
        match Told::in_document(output) {
            Some(document) if document != told => {
                Err(format!("a person is told {told:#?}, and the document says {document:#?}"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn fits(&self, told: &Told) -> bool {
        let help = match (&self.help, &told.help) {
            (Some(pattern), Some(help)) => matches(pattern, help),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        help && matches(&self.message, &told.message)
    }
}

/// What a program said went wrong, all white space being one space.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    message: String,
    help: Option<String>,
}

impl Told {
    fn among(words: &str) -> Option<Self> {
        let at_start = if words.starts_with("error: ") { Some(0) } else { None };
        let begin = at_start.or_else(|| words.find("\nerror: ").map(|at| at + 1))?;
        let told = words[begin..].strip_prefix("error: ")?;
        let (message, help) = match told.split_once("\n  help: ") {
            Some((message, help)) => (message, help.lines().next()),
            // What follows the message and belongs to it is indented.
            None => {
                let end = told.match_indices('\n').find(|(at, _)| !told[at + 1..].starts_with("  "));
                (end.map_or(told, |(at, _)| &told[..at]), None)
            }
        };
        Some(Self { message: one_line(message), help: help.map(one_line) })
    }

    fn in_document(output: &Output) -> Option<Self> {
        let json: serde_json::Value = serde_json::from_str(&output.stdout).ok()?;
        let text = |key: &str| json["error"][key].as_str().map(one_line);
        Some(Self { message: text("message")?, help: text("help") })
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether `text` is `pattern`, each placeholder in angle brackets standing for at least one letter.
fn matches(pattern: &str, text: &str) -> bool {
    let fixed = fixed_parts(pattern);
    let (Some(first), Some(last)) = (fixed.first(), fixed.last()) else { return false };
    if fixed.len() == 1 {
        return *first == text;
    }
    let Some(mut rest) = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else {
        return false;
    };
    for part in &fixed[1..fixed.len() - 1] {
        let Some(at) = rest.char_indices().skip(1).find(|(at, _)| rest[*at..].starts_with(part)) else {
            return false;
        };
        rest = &rest[at.0 + part.len()..];
    }
    !rest.is_empty()
}

/// What stands before, between and after the placeholders.
fn fixed_parts(pattern: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(open) = pattern[at..].find('<').map(|open| at + open) {
        at = open + 1;
        let Some(close) = pattern[at..].find('>').map(|close| at + close) else { break };
        if pattern[at..close].bytes().all(|b| b.is_ascii_lowercase() || b == b' ') && close > at {
            parts.push(&pattern[from..open]);
            from = close + 1;
            at = from;
        }
    }
    parts.push(&pattern[from..]);
    parts
}

#[test]
fn a_placeholder_stands_for_something() {
    assert!(matches("the lock <path> is held", "the lock /a b/c is held"));
    assert!(matches("<name> moved; tried <n> times", "origin moved; tried 10 times"));
    assert!(matches("give --fresh or </dev/null", "give --fresh or </dev/null"));
    assert!(!matches("the lock <path> is held", "the lock  is held"));
    assert!(!matches("the lock <path> is held", "the lock /a is held by Howard"));
}
