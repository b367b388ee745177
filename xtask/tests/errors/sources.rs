//! Extracts the error messages from the sources.
//!
//! Nobody would notice an error that was added without a row. So everything that creates one is found by its syntax,
//! and the longest piece of its fixed text is taken.

use std::path::Path;

/// Where the sources are.
const FOLDERS: [&str; 16] = [
    "lock/src",
    "logcheck/src",
    "gitsync/src",
    "notes-sync/src",
    "notesurface/src",
    "cmdcopy/src",
    "lib/phase/src",
    "lib/remote/src",
    "lib/store/src",
    "xtask/src/full_run",
    "xtask/src/report",
    "xtask/src/doctor",
    "xtask/src/hooks",
    "xtask/src/demo",
    "xtask/src/binaries.rs",
    "xtask/src/install.rs",
];

/// What makes an error, or gives it a remedy.
const MAKERS: [&str; 10] = [
    "Fault::failed(",
    "Fault::misconfigured(",
    "Fault::new(",
    "RemoteError::unreachable(",
    "RemoteError::not_allowed(",
    "RemoteError::misconfigured(",
    "RemoteError::refused(",
    "#[error(",
    "page.error(",
    ".help(",
];

/// What never reaches a user as it is: told by others in other words, or a part of another message.
const NOT_TOLD: [&str; 7] = [
    "; besides,",
    "besides, the vault:",
    "note a file in",
    "take over",
    "the report on the push has no line on the pack",
    "the report on the push breaks off",
    "the report on the push is no protocol of git's",
];

/// Shorter pieces say nothing by themselves.
const TELLING: usize = 8;

/// What an error says, and where.
#[derive(Debug)]
#[allow(dead_code, reason = "where it is, is for whoever reads the failure of the test")]
pub struct Said {
    pub file: String,
    pub words: String,
}

/// The longest fixed piece of each error's words.
pub fn words() -> Vec<Said> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut said = Vec::new();
    for folder in FOLDERS {
        read(&root.join(folder), &mut said);
    }
    said.retain(|said| !NOT_TOLD.contains(&said.words.as_str()));
    said
}

fn read(path: &Path, said: &mut Vec<Said>) {
    if path.is_dir() {
        path.read_dir().unwrap().for_each(|entry| read(&entry.unwrap().path(), said));
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        let text = std::fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let texts = MAKERS.iter().flat_map(|maker| text.split(maker).skip(1)).flat_map(texts_of_call);
        let file = path.display().to_string();
        said.extend(texts.filter_map(|text| fixed(&text)).map(|words| Said { file: file.clone(), words }));
    }
}

/// The texts in a call's parentheses, which are open already.
fn texts_of_call(rest: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut depth = 1;
    let mut letters = rest.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            '\'' => {
                // A letter in quotes, such as ')'.
                let mut ahead = letters.clone();
                if let (Some(_), Some('\'')) = (ahead.next(), ahead.next()) {
                    letters = ahead;
                }
            }
            'r' if letters.as_str().starts_with('"') => {
                letters.next();
                texts.push(letters.by_ref().take_while(|letter| *letter != '"').collect());
            }
            '"' => texts.push(text(&mut letters)),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    texts
}

/// The text up to the closing quotation mark, as it is when printed.
fn text(letters: &mut std::str::Chars<'_>) -> String {
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => match letters.next() {
                Some('n') => text.push('\n'),
                // A line that goes on in the next one.
                Some('\n') => {
                    let rest = letters.as_str();
                    *letters = rest.trim_start().chars();
                }
                Some(other) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    text
}

/// The longest piece between placeholders.
fn fixed(text: &str) -> Option<String> {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let pieces = one_line.split('{').enumerate().map(|(number, piece)| match piece.split_once('}') {
        Some((_, after)) if number > 0 => after,
        Some(_) | None => piece,
    });
    let longest = pieces.max_by_key(|piece| piece.len())?.trim();
    (longest.len() >= TELLING && longest.contains(' ')).then(|| longest.to_owned())
}
