//! Runs custom merge drivers for the files whose `merge` attribute names one.
//!
//! They are run as by git, except for their files. Git puts the three files that a driver works on into the working
//! tree, where somebody else's `git add -A` would include them, and so would the next run if this one were killed.
//! Here they are in a temporary directory in the object database, where a later run finds what a killed one left. See
//! <https://git-scm.com/docs/gitattributes#_defining_a_custom_merge_driver>, and `ll_ext_merge` in git.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::{fs, io};

use anyhow::{Context as _, bail};
use gix::attrs::StateRef;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::merge::blob::builtin_driver::text::{Conflict, Labels};
use phase::{Fault, child, programs};
use signals::Program;
use store::temporary::Folder;

use super::text_merge::{Conflicts, Style};
use crate::watch::Watch;

/// The attributes that determine the driver and its options, in this order.
const ATTRIBUTES: [&str; 2] = ["merge", "conflict-marker-size"];

/// The highest exit code that means that there are conflicts. A higher one means that the driver failed.
const CONFLICTS: i32 = 128;

/// A merge driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driver {
    name: BString,
    command: BString,
}

/// What a driver is to merge.
pub struct Contents {
    /// The content in the merge base.
    pub base: Vec<u8>,
    /// The content that is merged into.
    pub ours: Vec<u8>,
    /// The content that is merged.
    pub theirs: Vec<u8>,
}

impl Contents {
    /// Whether git would merge them by lines, which depends on their first bytes.
    pub fn are_text(&self) -> bool {
        [&self.base, &self.ours, &self.theirs]
            .iter()
            .all(|content| !content[..content.len().min(8000)].contains(&0))
    }
}

/// The result of a driver.
pub enum Answer {
    /// The merged content, with both changes in it.
    Clean(Vec<u8>),
    /// There are conflicts.
    Conflict,
}

/// The drivers of a repository.
pub struct Drivers {
    all: Vec<Driver>,
    /// The name of the driver for files whose attributes name none.
    default: Option<BString>,
    /// How far git's own drivers refine conflicts.
    style: Style,
}

/// What merges a file.
pub enum Who<'a> {
    /// A program.
    Program(Choice<'a>),
    /// Git's own driver `text`, or `union`.
    Lines(Style, Conflicts),
}

/// A program that merges a file.
pub struct Choice<'a> {
    /// The driver.
    pub driver: &'a Driver,
    /// The length of its conflict markers.
    pub marker_size: u8,
}

impl Drivers {
    /// Returns the drivers that are configured.
    pub fn of(repo: &gix::Repository) -> Self {
        let config = repo.config_snapshot();
        let mut all: Vec<Driver> = Vec::new();
        for section in config.plumbing().sections_by_name("merge").into_iter().flatten() {
            let name = section.header().subsection_name();
            let (Some(name), Some(command)) = (name, section.value("driver")) else { continue };
            all.retain(|driver| driver.name != name);
            all.push(Driver { name: name.into(), command: command.to_owned() });
        }
        Self { all, default: config.string("merge.default"), style: Style::of(repo) }
    }

    /// Returns what merges the file at `path`, or `None` if nothing does. A driver of the user's replaces git's
    /// driver with the same name.
    ///
    /// # Errors
    /// The attributes cannot be read.
    pub fn choose(
        &self,
        repo: &gix::Repository,
        attributes: &mut gix::worktree::Stack,
        path: &BStr,
    ) -> anyhow::Result<Option<Who<'_>>> {
        let mut found = attributes.selected_attribute_matches(ATTRIBUTES);
        attributes.at_path(path, None, &repo.objects)?.matching_attributes(&mut found);
        let states: Vec<_> = found.iter_selected().map(|found| found.assignment.state.to_owned()).collect();
        let [merge, marker_size] = states.as_slice() else {
            bail!("as many attributes as were asked for are answered")
        };
        let name = match merge.as_ref() {
            // Git's own, whatever is configured under their names.
            StateRef::Set => return Ok(Some(self.text())),
            StateRef::Unset => return Ok(None),
            StateRef::Unspecified => self.default.as_ref().map(|name| name.as_bstr()),
            StateRef::Value(name) => Some(name.as_bstr()),
        };
        let marker_size = marker_size.as_ref().as_bstr().and_then(|size| size.to_str().ok()?.parse().ok());
        let marker_size = marker_size.filter(|size| *size > 0).unwrap_or(Conflict::DEFAULT_MARKER_SIZE);
        let driver = self.all.iter().find(|driver| name == Some(driver.name.as_bstr()));
        Ok(match driver {
            Some(driver) => Some(Who::Program(Choice { driver, marker_size })),
            None if name == Some("union".into()) => Some(Who::Lines(self.style, Conflicts::Union)),
            None if name == Some("binary".into()) => None,
            // A driver that is not configured means text.
            None => Some(self.text()),
        })
    }

    fn text(&self) -> Who<'_> {
        Who::Lines(self.style, Conflicts::Remain)
    }
}

impl Choice<'_> {
    /// Runs the driver for the file at `path`.
    ///
    /// # Errors
    /// A fault with exit 1 if the driver fails, with its output; or the lock is lost, or the disk failed.
    pub fn merge(
        &self,
        repo: &gix::Repository,
        path: &BStr,
        contents: &Contents,
        labels: Labels<'_>,
        watch: &dyn Watch,
    ) -> anyhow::Result<Answer> {
        watch.check()?;
        let root = std::path::absolute(repo.workdir().context("a bare repository has no merge drivers")?)?;
        let files = Files::new(repo, &root, contents).context("cannot make the files of a merge driver")?;
        let line = self.line(&files, path, labels)?;
        let (output, writer) = io::pipe()?;
        let mut command = programs::shell(gix::path::from_bstring(line)?, &root);
        command.env("GIT_PREFIX", "").stdin(Stdio::null());
        command.stdout(writer.try_clone()?).stderr(writer);
        let child = Program::start(&mut command).context("cannot start the shell")?;
        // `command` holds the writing end of the pipe as well.
        drop(command);
        let ended = child::wait(child, Vec::new(), output, &|| watch.alive())?;
        match ended.status.code() {
            Some(0) => {}
            Some(1..=CONFLICTS) => return Ok(Answer::Conflict),
            _ => return Err(self.broke_down(path, &how(ended.status), &ended.said).into()),
        }
        match fs::read(files.folder.path().join(OURS)) {
            Ok(merged) => Ok(Answer::Clean(merged)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(self.broke_down(path, "it left no result", &ended.said).into())
            }
            Err(error) => Err(error).context("cannot read what a merge driver made"),
        }
    }

    /// Returns the driver's command, with its placeholders replaced as git does.
    fn line(&self, files: &Files, path: &BStr, labels: Labels<'_>) -> anyhow::Result<BString> {
        let quoted = |text: Option<&BStr>| gix::quote::single(text.unwrap_or_default());
        let mut line = BString::default();
        let mut rest = self.driver.command.as_bytes();
        while let Some(at) = rest.find_byte(b'%') {
            line.extend(&rest[..at]);
            let value = match rest.get(at + 1) {
                Some(b'O') => files.named(BASE)?,
                Some(b'A') => files.named(OURS)?,
                Some(b'B') => files.named(THEIRS)?,
                Some(b'L') => self.marker_size.to_string().into(),
                Some(b'P') => quoted(Some(path)),
                Some(b'S') => quoted(labels.ancestor),
                Some(b'X') => quoted(labels.current),
                Some(b'Y') => quoted(labels.other),
                Some(b'%') => "%".into(),
                _ => {
                    line.push(b'%');
                    rest = &rest[at + 1..];
                    continue;
                }
            };
            line.extend_from_slice(&value);
            rest = &rest[at + 2..];
        }
        line.extend(rest);
        Ok(line)
    }

    fn broke_down(&self, path: &BStr, how: &str, said: &str) -> Fault {
        let name = &self.driver.name;
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        Fault::failed(format!("the merge driver {name} broke down on {path}, {how}{said}")).help(format!(
            "mend it, or let .gitattributes name another: `git config --show-origin --get-all \
             merge.{name}.driver` shows its command"
        ))
    }
}

/// Describes how a program ended.
fn how(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => status.to_string(),
    }
}

/// The files that a driver works on.
struct Files {
    folder: Folder,
    /// The path of the directory as it is passed to the driver.
    shown: PathBuf,
}

const BASE: &str = "base";
const OURS: &str = "ours";
const THEIRS: &str = "theirs";

impl Files {
    fn new(repo: &gix::Repository, root: &Path, contents: &Contents) -> io::Result<Self> {
        let folder = Folder::new(&std::path::absolute(repo.objects.store_ref().path())?)?;
        let shown = folder.path().strip_prefix(root).unwrap_or(folder.path()).to_owned();
        let Contents { base, ours, theirs } = contents;
        for (name, content) in [(BASE, base), (OURS, ours), (THEIRS, theirs)] {
            fs::write(folder.path().join(name), content)?;
        }
        Ok(Self { folder, shown })
    }

    /// Returns the path of one of the files for the command line. Git does not quote these paths, as its own need no
    /// quotes, and commands rely on that: they may put quotes around them, or append something.
    fn named(&self, name: &str) -> anyhow::Result<BString> {
        let path = self.shown.join(name);
        let path = gix::path::to_unix_separators_on_windows(gix::path::into_bstr(path)?);
        let mut named = BString::default();
        for byte in path.iter().copied() {
            if !byte.is_ascii_alphanumeric() && !b"/._-:".contains(&byte) && byte.is_ascii() {
                named.push(b'\\');
            }
            named.push(byte);
        }
        Ok(named)
    }
}
