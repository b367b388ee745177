//! Reads the pages, their fenced blocks, and the commands in them.

use std::{collections::BTreeSet, path::PathBuf};

/// The programs whose mention is looked up.
const PROGRAMS: [&str; 7] =
    ["lock", "logcheck", "gitsync", "notes-sync", "notesurface", "cmdcopy", "lockstep"];

/// What a path of the project begins with.
const FOLDERS: [&str; 12] = [
    "lock/",
    "logcheck/",
    "gitsync/",
    "notes-sync/",
    "notesurface/",
    "cmdcopy/",
    "xtask/",
    "lib/",
    "schema/",
    "docs/",
    ".ci/",
    "fuzz/",
];

/// The languages of blocks that hold nothing to run.
const NOT_TO_RUN: [&str; 2] = ["text", "rust"];

/// A page.
#[derive(Debug)]
pub struct Page {
    /// Its path from the project's root.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    text: String,
}

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    /// The line of the page on which it begins.
    pub line: usize,
    language: String,
    /// The words after the language.
    words: String,
    text: String,
}

impl Page {
    /// The README, and the pages directly below docs.
    pub fn all() -> Vec<Self> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        let docs = root.join("docs").read_dir().unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = docs.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
        paths.push(root.join("README.md"));
        paths.sort();
        let page = |path: PathBuf| Self {
            name: path.strip_prefix(&root).unwrap().display().to_string(),
            text: std::fs::read_to_string(&path).unwrap(),
            path,
        };
        paths.into_iter().map(page).collect()
    }

    /// The path of what a link of this page names.
    pub fn beside(&self, file: &str) -> PathBuf {
        if file.is_empty() {
            return self.path.clone();
        }
        let path = self.path.parent().unwrap().join(file);
        path.canonicalize().unwrap_or(path)
    }

    /// Its fenced blocks, less the indentation of their fences.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<(Block, usize)> = None;
        for (number, line) in self.text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            match (open.take(), line.trim_start().strip_prefix("```")) {
                (None, None) => {}
                (None, Some(info)) => {
                    let (language, words) = info.split_once(' ').unwrap_or((info, ""));
                    assert!(
                        !language.is_empty(),
                        "{}, line {}: a fence without a language",
                        self.name,
                        number + 1
                    );
                    let (language, words) = (language.to_owned(), words.to_owned());
                    open = Some((Block { line: number + 1, language, words, text: String::new() }, indent));
                }
                (Some((block, _)), Some(_)) => blocks.push(block),
                (Some((mut block, fence)), None) => {
                    block.text.push_str(line.get(fence..).unwrap_or_default());
                    block.text.push('\n');
                    open = Some((block, fence));
                }
            }
        }
        blocks
    }

    /// Where code is set off by indentation alone, so that nothing says what it is and whether it runs.
    pub fn indented_code(&self) -> Vec<String> {
        let mut found = Vec::new();
        let (mut fenced, mut in_a_list, mut after_a_gap) = (false, false, true);
        for (number, line) in self.text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if !fenced && !line.is_empty() {
                if !line.starts_with(' ') {
                    let marker = line.split(' ').next().unwrap_or_default();
                    in_a_list = marker == "-" || marker.trim_end_matches('.').parse::<u32>().is_ok();
                } else if after_a_gap && !in_a_list && line.starts_with("    ") {
                    found.push(format!("{}, line {}", self.name, number + 1));
                }
            }
            after_a_gap = line.is_empty();
        }
        found
    }

    /// The programs' command lines in the page's running text, as program and subcommand, with the options that they
    /// are given.
    pub fn mentions(&self) -> Vec<(Vec<String>, Vec<String>)> {
        let text = self.running_text();
        let spans = text.split('`').skip(1).step_by(2);
        spans.flat_map(|span| span.split('|')).filter_map(mention).collect()
    }

    /// The project's files that the page's running text names.
    pub fn files(&self) -> Vec<String> {
        let text = self.running_text();
        let spans = text.split('`').skip(1).step_by(2);
        let is_path = |span: &&str| FOLDERS.iter().any(|folder| span.starts_with(folder));
        let paths = spans.filter(is_path).filter(|span| !span.contains([' ', '*', '<', '…', '$']));
        paths.map(str::to_owned).collect()
    }

    /// What stands outside of the blocks.
    fn running_text(&self) -> String {
        let mut outside = String::new();
        let mut fenced = false;
        for line in self.text.lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                outside.push_str(line);
                outside.push('\n');
            }
        }
        outside
    }

    /// The targets of its links within the project: file and heading.
    pub fn links(&self) -> Vec<(String, Option<String>)> {
        let targets = self.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let local = targets.filter(|target| !target.contains(':') && !target.contains(' '));
        local
            .map(|target| match target.split_once('#') {
                Some((file, heading)) => (file.to_owned(), Some(heading.to_owned())),
                None => (target.to_owned(), None),
            })
            .collect()
    }

    /// What links to its headings look like, as GitHub makes them.
    pub fn anchors(&self) -> BTreeSet<String> {
        let headings = self.text.lines().filter(|line| line.starts_with('#'));
        headings
            .map(|line| {
                let text = line.trim_start_matches('#').trim().to_lowercase();
                let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
                kept.map(|c| if c == ' ' { '-' } else { c }).collect()
            })
            .collect()
    }
}

impl Block {
    /// The value of a word such as `exit=3`, or `norun="a reason"`.
    pub fn word(&self, name: &str) -> Option<String> {
        let at = self.words.find(&format!("{name}="))?;
        let value = &self.words[at + name.len() + 1..];
        Some(match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next()?.to_owned(),
            None => value.split(' ').next()?.to_owned(),
        })
    }

    /// Whether there is something in it to run; all of that is, but where a reason is given why not.
    pub fn is_to_be_run(&self) -> bool {
        let reason = self.word("norun");
        if let Some(reason) = &reason {
            assert!(reason.split(' ').count() > 3, "line {}: that is no reason: {reason}", self.line);
        }
        reason.is_none() && !self.script().is_empty()
    }

    /// What is to be run, each piece in a shell of its own.
    pub fn script(&self) -> Vec<String> {
        match self.language.as_str() {
            "sh" => vec![self.text.clone()],
            "console" => vec![self.typed()],
            "crontab" => self.text.lines().filter_map(scheduled).collect(),
            "json" => hooks(&self.text),
            language => {
                assert!(NOT_TO_RUN.contains(&language), "line {}: what is {language}?", self.line);
                Vec::new()
            }
        }
    }

    /// What is on stdin: an agent tells its hooks where it is, cron gives an empty pipe, a shell nothing.
    pub fn stdin(&self) -> Stdin {
        match self.language.as_str() {
            "json" => Stdin::OfAHook,
            "crontab" => Stdin::Empty,
            _ => Stdin::Nothing,
        }
    }

    /// What follows the prompts of a session.
    fn typed(&self) -> String {
        let mut typed = String::new();
        let mut goes_on = false;
        for line in self.text.lines() {
            if let Some(command) = line.strip_prefix("$ ").or_else(|| goes_on.then_some(line)) {
                typed.push_str(command);
                typed.push('\n');
                goes_on = command.ends_with('\\');
            }
        }
        typed
    }
}

/// What a script finds on stdin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdin {
    /// `/dev/null`.
    Nothing,
    /// A pipe that nobody writes to.
    Empty,
    /// What an agent tells its hooks.
    OfAHook,
}

/// The command of a crontab's line.
fn scheduled(line: &str) -> Option<String> {
    let mut rest = line.trim_start();
    for _ in 0..5 {
        rest = rest.split_once(char::is_whitespace)?.1.trim_start();
    }
    // In a crontab a percent sign is a line's end unless it is escaped.
    Some(rest.replace("\\%", "%"))
}

/// The commands in an agent's settings.
fn hooks(text: &str) -> Vec<String> {
    fn collect(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                found.extend(fields.get("command").and_then(|command| Some(command.as_str()?.to_owned())));
                fields.values().for_each(|field| collect(field, found));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(&serde_json::from_str(text).expect("a json block holds JSON"), &mut found);
    found
}

/// A program with its subcommand, and the options that it is given; `None` where the text is something else.
fn mention(text: &str) -> Option<(Vec<String>, Vec<String>)> {
    let text = text.trim();
    let text =
        text.strip_prefix("cargo xtask ").map_or_else(|| text.to_owned(), |rest| format!("lockstep {rest}"));
    // What follows a second pair of dashes is somebody else's.
    let own = text.split(" -- ").next()?;
    let words: Vec<&str> = own.split_whitespace().collect();
    let program = words.first().filter(|word| PROGRAMS.contains(word))?;
    let is_subcommand =
        |word: &&&str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && !word.starts_with('-');
    let has_subcommands = ["lock", "lockstep", "notes-sync", "notesurface"].contains(program);
    let subcommand = words.get(1).filter(|word| has_subcommands && is_subcommand(word));
    let mut command = vec![(*program).to_owned()];
    command.extend(subcommand.map(|word| (*word).to_owned()));
    if subcommand == Some(&"hooks") {
        command.extend(words.get(2).filter(is_subcommand).map(|word| (*word).to_owned()));
    }
    let options = words.iter().filter(|word| word.starts_with("--"));
    let options = options.map(|word| word.split('=').next().unwrap_or(word).to_owned());
    Some((command, options.collect()))
}
