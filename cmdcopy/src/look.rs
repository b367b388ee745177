//! Reads the commands to copy, and what exists at their targets.

use std::{collections::BTreeMap, io::ErrorKind};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use gix::{ObjectId, objs};

use crate::place::Source;

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// The object id that git would give it as a blob.
    pub(crate) id: ObjectId,
}

impl Content {
    /// Creates the content from its bytes.
    ///
    /// # Errors
    /// If SHA-1 detects a collision attack in the bytes.
    pub(crate) fn of(bytes: Vec<u8>) -> anyhow::Result<Self> {
        let id = objs::compute_hash(gix::hash::Kind::Sha1, objs::Kind::Blob, &bytes)?;
        Ok(Self { bytes, id })
    }
}

/// A command of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// It can be copied.
    File(Content),
    /// It is not copied, for this reason.
    Left(&'static str),
}

/// What exists at the target of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Nothing.
    Absent,
    /// A regular file.
    File {
        /// The object id of its content.
        id: ObjectId,
        /// Whether it is read-only.
        is_read_only: bool,
    },
    /// A symbolic link, wherever it leads.
    Link,
    /// A directory, or a special file.
    NoFile,
    /// A file that this user may not read.
    Unreadable,
}

/// The commands of a directory.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    /// The commands by name.
    pub(crate) by_name: BTreeMap<String, Command>,
    /// Names that are not UTF-8, with the invalid bytes escaped.
    pub(crate) unnameable: Vec<String>,
    /// The paths of commands that this user may not read.
    pub(crate) unreadable: Vec<Utf8PathBuf>,
    /// Whether the directory itself leads out of the repository: then its contents are unknown.
    pub(crate) lead_away: bool,
}

/// Returns the commands in the source directory; none if it does not exist.
///
/// # Errors
/// If the directory, or a file in it, cannot be read.
pub(crate) fn commands(source: &Source) -> anyhow::Result<Commands> {
    let mut commands = Commands::default();
    let entries = match std::fs::read_dir(&source.folder) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(commands),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", source.folder)),
    };
    if !stays_inside(source, &source.folder)? {
        let name = source.folder.file_name().unwrap_or_default().to_owned();
        commands.by_name.insert(name, Command::Left(LEAVES));
        commands.lead_away = true;
        return Ok(commands);
    }
    for entry in entries {
        let entry = entry.with_context(|| format!("{} cannot be read", source.folder))?;
        match entry.file_name().into_string() {
            Ok(name) if is_command(&name) => {
                let path = source.folder.join(&name);
                match command(source, &path) {
                    Ok(command) => commands.by_name.extend(command.map(|command| (name, command))),
                    Err(error) if is_not_allowed(&error) => {
                        commands.unreadable.push(path);
                        commands.by_name.insert(name, Command::Left("it cannot be read"));
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(_) => {}
            Err(name) if name.as_encoded_bytes().ends_with(b".md") => {
                commands.unnameable.push(format!("{name:?}").trim_matches('"').to_owned());
            }
            Err(_) => {}
        }
    }
    Ok(commands)
}

/// Returns commands that the repository has and the working tree has not: they are outside of a sparse checkout, or
/// were deleted and that is not committed yet. So they are not gone.
///
/// # Errors
/// If the index cannot be read.
pub(crate) fn not_checked_out(
    repo: &gix::Repository,
    source: &Source,
    commands: &Commands,
) -> anyhow::Result<BTreeMap<String, Command>> {
    let index = repo.index_or_empty()?;
    let folder = format!("{}/", source.name);
    let names = index.entries().iter().filter_map(|entry| entry.path(&index).strip_prefix(folder.as_bytes()));
    let names = names.filter_map(|name| std::str::from_utf8(name).ok()).filter(|name| !name.contains('/'));
    let missing = names.filter(|name| is_command(name) && !commands.by_name.contains_key(*name));
    Ok(missing.map(|name| (name.to_owned(), Command::Left("it is not checked out"))).collect())
}

const LEAVES: &str = "a link that leaves the repository";

/// Whether a shell's `*.md` matches this name.
fn is_command(name: &str) -> bool {
    name.ends_with(".md") && !name.starts_with('.')
}

/// Reads a command; `None` if it is a directory, whatever its name.
fn command(source: &Source, path: &Utf8Path) -> anyhow::Result<Option<Command>> {
    let metadata = path.symlink_metadata().with_context(|| format!("{path} cannot be read"))?;
    let path = if metadata.is_symlink() {
        match phase::real_path(path) {
            Ok(target) if is_inside(source, &target) => target,
            Ok(_) => return Ok(Some(Command::Left(LEAVES))),
            Err(_) => return Ok(Some(Command::Left("a link that leads nowhere"))),
        }
    } else {
        path.to_owned()
    };
    let metadata = path.metadata().with_context(|| format!("{path} cannot be read"))?;
    if metadata.is_dir() {
        return Ok(None);
    }
    if !metadata.is_file() {
        return Ok(Some(Command::Left("not a file")));
    }
    let bytes = std::fs::read(&path).with_context(|| format!("{path} cannot be read"))?;
    Ok(Some(Command::File(Content::of(bytes)?)))
}

/// Whether the directory's real path is inside the source's root, and not in a private directory.
fn stays_inside(source: &Source, folder: &Utf8Path) -> anyhow::Result<bool> {
    let real = phase::real_path(folder).with_context(|| format!("{folder} cannot be looked up"))?;
    Ok(is_inside(source, &real))
}

fn is_inside(source: &Source, real: &Utf8Path) -> bool {
    real.starts_with(&source.root) && !source.private.iter().any(|private| real.starts_with(private))
}

/// Returns what exists at `path` in the target directory.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn target(path: &Utf8Path) -> anyhow::Result<Target> {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if is_absent(&error) => return Ok(Target::Absent),
        Err(error) => return Err(error).with_context(|| format!("{path} cannot be read")),
    };
    if metadata.is_symlink() {
        return Ok(Target::Link);
    }
    if !metadata.is_file() {
        return Ok(Target::NoFile);
    }
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(Target::Unreadable),
        bytes => bytes.with_context(|| format!("{path} cannot be read"))?,
    };
    Ok(Target::File { id: Content::of(bytes)?.id, is_read_only: metadata.permissions().readonly() })
}

/// Returns what exists in the target directory under each of these names.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn targets<'a>(
    folder: &Utf8Path,
    names: impl Iterator<Item = &'a String>,
) -> anyhow::Result<BTreeMap<String, Target>> {
    names.map(|name| Ok((name.clone(), target(&folder.join(name))?))).collect()
}

fn is_not_allowed(error: &anyhow::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<std::io::Error>();
    cause.is_some_and(|cause| cause.kind() == ErrorKind::PermissionDenied)
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
