//! Reads stdin: a run document, an agent hook's JSON, nothing, or the empty pipe of a phase that died.
//!
//! An empty pipe must not be taken for "no document": after a crash of `lock acquire` the rest of the run would
//! continue without a lock.

use std::io::{BufRead as _, BufReader, Read};
use std::str::Utf8Error;

use camino::Utf8PathBuf;
use contract::{Envelope, Exit};
use serde::{Deserialize, Deserializer, de::IgnoredAny};

use crate::{Fault, blocking_io::Patient};

/// What stdin holds.
#[derive(Debug)]
pub(crate) enum Input {
    /// Nothing: the phase begins a run of its own.
    Nothing,
    /// The JSON of an agent's hook: the phase begins a run in this directory.
    Hook(Utf8PathBuf),
    /// The document of a run.
    Document(Box<Envelope>),
}

/// Whether stdin may be written later by a phase that is still running.
pub(crate) fn may_come_late() -> bool {
    matches!(kind_of_stdin(), Kind::Pipe)
}

/// Reads stdin.
///
/// # Errors
/// A fault with exit 65 if an earlier phase died, or if the text is not a run document.
pub(crate) fn read() -> Result<Input, Fault> {
    let may_be_empty = match kind_of_stdin() {
        Kind::NeverADocument => return Ok(Input::Nothing),
        Kind::File => true,
        Kind::Pipe => false,
    };
    let mut bytes = Vec::new();
    let in_one_line = read_all(Patient(std::io::stdin().lock()), &mut bytes)
        .map_err(|error| Fault::new(Exit::BadInput, format!("stdin could not be read: {error}")))?;
    if let Some(envelope) = in_one_line {
        return Ok(Input::Document(Box::new(envelope)));
    }
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(error.as_bytes(), error.utf8_error()))?;
    if text.trim().is_empty() {
        return if may_be_empty { Ok(Input::Nothing) } else { Err(dead_predecessor()) };
    }
    interpret(&text)
}

/// Reads stdin to its end into `bytes`, and returns the document if it is a single line, as phases write it.
///
/// The line is parsed before the writing phase has ended, which may still have to release its own lock.
fn read_all(stdin: impl Read, bytes: &mut Vec<u8>) -> std::io::Result<Option<Envelope>> {
    let mut stdin = BufReader::new(stdin);
    let line = stdin.read_until(b'\n', bytes)?;
    let envelope = str::from_utf8(bytes).ok().and_then(|text| Envelope::parse(text).ok());
    stdin.read_to_end(bytes)?;
    Ok(envelope.filter(|_| bytes.len() == line))
}

/// Interprets a text that is not empty.
fn interpret(text: &str) -> Result<Input, Fault> {
    if let Some(directory) = hook_directory(text) {
        return Ok(Input::Hook(directory));
    }
    Envelope::parse(text)
        .map(|envelope| Input::Document(Box::new(envelope)))
        .map_err(|error| no_document(format!("stdin is {error}")))
}

/// Returns the `cwd` of an agent hook's JSON.
fn hook_directory(text: &str) -> Option<Utf8PathBuf> {
    /// The fields that matter. Ignored fields may hold anything: a prompt that was cut in the middle of an emoji
    /// contains an escape that is not a character.
    #[derive(Deserialize)]
    struct Hook {
        #[serde(rename = "hook_event_name")]
        _event: IgnoredAny,
        cwd: Utf8PathBuf,
        #[serde(rename = "lockstep", default, deserialize_with = "is_there")]
        is_document: bool,
    }

    fn is_there<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
        IgnoredAny::deserialize(value).map(|_| true)
    }

    // Nearly every input is a run document; this check avoids parsing it twice. Serde also deserializes a struct from
    // an array.
    if !text.contains("hook_event_name") || !text.trim_start().starts_with('{') {
        return None;
    }
    let hook: Hook = serde_json::from_str(text).ok()?;
    (!hook.is_document).then_some(hook.cwd)
}

/// Returns the fault for bytes that are not UTF-8, with their place; columns are counted in bytes, as for JSON.
fn not_utf8(bytes: &[u8], error: Utf8Error) -> Fault {
    let before = &bytes[..error.valid_up_to()];
    let line = before.split(|byte| *byte == b'\n').count();
    let column = before.rsplit(|byte| *byte == b'\n').next().map_or(1, |line| line.len() + 1);
    no_document(format!("stdin is not a run document: it is not UTF-8 at line {line} column {column}"))
}

fn no_document(message: String) -> Fault {
    Fault::new(Exit::BadInput, message)
        .help("pipe the output of another phase into this one, or give --fresh to begin a run without reading stdin")
}

fn dead_predecessor() -> Fault {
    Fault::new(Exit::BadInput, "stdin is an empty pipe: the phase before this one died, so nothing was done").help(
        "look at the messages of the phase before; to run this phase alone from a script or cron, give --fresh or </dev/null",
    )
}

enum Kind {
    /// A terminal, a device or a socket: reading it could block forever.
    NeverADocument,
    /// A regular file; if empty, there is no document.
    File,
    /// A pipe; if empty, its writer died.
    Pipe,
}

#[cfg(unix)]
fn kind_of_stdin() -> Kind {
    use rustix::fs::FileType;
    let Ok(stat) = rustix::fs::fstat(std::io::stdin()) else { return Kind::NeverADocument };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Fifo => Kind::Pipe,
        FileType::RegularFile | FileType::Directory => Kind::File,
        FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Symlink
        | FileType::Unknown => Kind::NeverADocument,
    }
}

#[cfg(windows)]
fn kind_of_stdin() -> Kind {
    use std::{fs::File, io::IsTerminal as _, os::windows::io::AsHandle as _};
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Kind::NeverADocument;
    }
    // Windows returns no file metadata for a pipe.
    match stdin.as_handle().try_clone_to_owned().map(File::from).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_file() => Kind::File,
        _ => Kind::Pipe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_of_an_agents_hook_names_the_directory() {
        let text = r#"{"session_id":"1","hook_event_name":"Stop","cwd":"/home/mike/tools"}"#;
        assert!(matches!(interpret(text), Ok(Input::Hook(directory)) if directory == "/home/mike/tools"));
    }

    #[test]
    fn what_else_an_agent_says_may_be_any_json() {
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        for value in [r#""abc\ud83d""#, r#"["\udc00\ud83d"]"#, &deep, "1e999"] {
            let text = format!(r#"{{"hook_event_name":"Stop","prompt":{value},"cwd":"/home/mike/tools"}}"#);
            let input = interpret(&text);
            assert!(
                matches!(input, Ok(Input::Hook(directory)) if directory == "/home/mike/tools"),
                "{value}"
            );
        }
    }

    #[test]
    fn what_is_no_object_is_refused_as_json_of_something_else() {
        for text in ["[]", " [1]", "1", "\"hook_event_name\"", r#"["hook_event_name","/home/mike",null]"#] {
            let fault = interpret(text).map(|_| ()).expect_err(text);
            assert!(fault.message().ends_with("it has no \"lockstep\" at line 1 column 1"), "{fault}");
        }
    }

    #[test]
    fn garbage_is_refused_with_its_line_and_column() {
        let fault = interpret("{\"lockstep\": 1,\n  oops}").expect_err("it is garbage");
        assert_eq!(fault.exit(), Exit::BadInput);
        assert!(fault.message().contains("line 2 column 3"), "{}", fault.message());
    }

    #[test]
    fn what_is_not_utf8_is_refused_with_its_line_and_column() {
        for (bytes, place) in [(&b"\xff"[..], "line 1 column 1"), (b"{\n \xc3", "line 2 column 2")] {
            let error = str::from_utf8(bytes).expect_err("it is not UTF-8");
            let fault = not_utf8(bytes, error);
            assert!(fault.message().ends_with(&format!("it is not UTF-8 at {place}")), "{fault}");
        }
    }

    #[test]
    fn a_document_of_another_version_is_refused() {
        let fault = interpret(r#"{"lockstep": 2}"#).expect_err("it is of another version");
        assert_eq!(fault.exit(), Exit::BadInput);
        assert!(fault.message().contains("version 2"), "{}", fault.message());
    }

    #[test]
    fn other_json_is_refused() {
        for text in ["[]", "1", "null", "{}", r#"{"hook_event_name": "Stop"}"#, r#"{"lockstep": "1"}"#] {
            assert_eq!(interpret(text).map(|_| ()).expect_err(text).exit(), Exit::BadInput, "{text}");
        }
    }
}
