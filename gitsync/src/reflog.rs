//! A line in a reflog, as git writes it: how a person finds their way back.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use gix::ObjectId;
use gix::bstr::BStr;

use crate::person::Person;

/// One line.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// What the ref was; none where it is new.
    pub old: Option<ObjectId>,
    /// What it is.
    pub new: ObjectId,
    /// Who moved it.
    pub by: &'a Person,
    /// Why, in one line.
    pub reason: &'a BStr,
}

/// Adds a line to the log of the ref `name` below `base`; a log is begun where `core.logAllRefUpdates` wants it.
///
/// # Errors
/// It cannot be written.
pub fn append(repo: &gix::Repository, base: &Path, name: &Path, line: Line<'_>) -> io::Result<()> {
    let path = base.join("logs").join(name);
    let begin = repo.config_snapshot().boolean("core.logAllRefUpdates").unwrap_or(!repo.is_bare());
    if begin {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    }
    match OpenOptions::new().append(true).create(begin).open(&path) {
        // One write, so that lines of several writers do not mix.
        Ok(mut file) => file.write_all(&text(repo, line)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !begin => Ok(()),
        Err(error) => Err(error),
    }
}

fn text(repo: &gix::Repository, line: Line<'_>) -> io::Result<Vec<u8>> {
    let old = line.old.unwrap_or(repo.object_hash().null());
    let mut text = format!("{old} {} ", line.new).into_bytes();
    let mut time = gix::date::parse::TimeBuf::default();
    line.by.now().to_ref(&mut time).write_to(&mut text)?;
    text.push(b'\t');
    text.extend(line.reason.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
    text.push(b'\n');
    Ok(text)
}
