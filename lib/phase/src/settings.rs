//! Rewrites settings that git and gix interpret differently, so that they mean the same to both.
//!
//! Git works in the root of the working tree, wherever it is started, and resolves relative paths in its
//! configuration from there. A run that is started in another directory would not find such a file, and would commit
//! everything that should be ignored. Git accepts `input` in any case, such as `Input`. And encodings that gix does
//! not know need no round-trip check: they are all some form of UTF-16 or UTF-32, which lose nothing on the way to
//! UTF-8 and back. See <https://git-scm.com/docs/git-config>.

use std::path::Path;

use gix::bstr::{BStr, BString};
use gix::config::Source;
use gix::filter::plumbing::worktree::encoding::for_label;

/// Settings that are paths.
const FILES: [&str; 2] = ["core.excludesFile", "core.attributesFile"];

/// Boolean settings that affect what is committed. Git stops at an invalid value, but gix uses the default instead,
/// so that a commit that should be signed would be pushed without a signature.
const SWITCHES: [&str; 5] =
    ["commit.gpgSign", AUTO_CRLF, "core.fileMode", "core.ignoreCase", "core.symlinks"];

/// The one of them that accepts a third value.
const AUTO_CRLF: &str = "core.autocrlf";

/// Checks that the boolean settings of `repo` have valid values.
///
/// # Errors
/// A message that says what is wrong.
pub fn check(repo: &gix::Repository) -> Result<(), String> {
    let config = repo.config_snapshot();
    for key in SWITCHES {
        let value = config.string(key).unwrap_or_default();
        let is_third = key == AUTO_CRLF && is_input(&value);
        if !is_third && config.try_boolean(key).is_err() {
            return Err(format!("{key} is '{value}', which is neither true nor false"));
        }
    }
    Ok(())
}

fn is_input(value: &[u8]) -> bool {
    value.eq_ignore_ascii_case(b"input")
}

/// Rewrites the settings of `repo` so that gix interprets them as git does.
///
/// # Errors
/// If one of them is invalid.
pub fn translate(repo: &mut gix::Repository) -> gix::Result<()> {
    let mut changed = Vec::new();
    let config = repo.config_snapshot();
    for key in FILES {
        let named = config.string(key).is_some_and(|named| !named.is_empty());
        let Some(file) = config.trusted_path(key)?.filter(|file| named && file.is_relative()) else {
            continue;
        };
        let whole = repo.workdir().unwrap_or(Path::new("")).join(file);
        changed.extend(gix::path::into_bstr(whole).ok().map(|whole| (key, whole.into_owned())));
    }
    if config.string(AUTO_CRLF).is_some_and(|value| is_input(&value)) {
        changed.push((AUTO_CRLF, "input".into()));
    }
    let key = "core.checkRoundTripEncoding";
    if let Some(names) = config.string(key) {
        let is_separator = |byte: &u8| *byte == b',' || byte.is_ascii_whitespace();
        let names = names.split(is_separator).map(BStr::new).filter(|name| !name.is_empty());
        changed.push((key, gix::bstr::join(",", names.filter(|name| for_label(*name).is_ok())).into()));
    }
    if changed.is_empty() {
        return Ok(());
    }
    let lines =
        changed.into_iter().map(|(key, value)| BString::from([key.as_bytes(), b"=", &value].concat()));
    let mut config = repo.config_snapshot_mut();
    config.append_config(lines, Source::Api)?;
    config.commit().map(drop)
}
