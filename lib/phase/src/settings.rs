//! Settings that mean something else to git than to gix, put into words that mean the same to both.
//!
//! Git works in the root of the work tree, wherever it is started: that is where a file named by a relative path is.
//! A run from another folder would not find it, and commit all that is to be ignored. `Input` is git's `input`, in
//! whatever case. And encodings that gix does not know lose nothing on the way to UTF-8 and back, as they are UTF-16 and
//! UTF-32 in some form, so that none of them needs to be checked. See <https://git-scm.com/docs/git-config>.

use std::path::Path;

use gix::bstr::{BStr, BString};
use gix::config::Source;
use gix::filter::plumbing::worktree::encoding::for_label;

/// Settings that are paths.
const FILES: [&str; 2] = ["core.excludesFile", "core.attributesFile"];

/// Settings that are yes or no, and decide about what is committed. Git stops at any other value, and gix takes it for
/// the default: what is to be signed would go out without a signature.
const SWITCHES: [&str; 5] =
    ["commit.gpgSign", AUTO_CRLF, "core.fileMode", "core.ignoreCase", "core.symlinks"];

/// The one of them that knows a third way.
const AUTO_CRLF: &str = "core.autocrlf";

/// Looks whether the settings of `repo` that are yes or no are one of the two.
///
/// # Errors
/// What is wrong, in words.
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

/// Puts the settings of `repo` into words that gix understands as git does.
///
/// # Errors
/// One of them is wrong.
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
