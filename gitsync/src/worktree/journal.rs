//! Records on disk what an update is about to do, before it does it.
//!
//! A run that is killed half-way leaves some files of the new tree in the working tree. Without a record the next run
//! would take them for the user's work and commit them, and thereby revert what others did. The record stays until
//! the branch has moved, since only then is the update what the branch says.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::entry::stat::Time;
use gix::index::entry::{Mode, Stat};
use serde::{Deserialize, Serialize};
use signals::Section;
use store::durable::{Durability, Part};

use super::Side;
use super::backup::{self, Backup, Role};
use super::clear::clear;
use super::dir::Folder;
use super::plan::{Op, Step, UpdatePlan};
use super::trash::Trash;

const FILE: &str = "journal.json";
const PLACED: &str = "placed";
/// The version of the file format. In version 1 a replaced file was never exchanged with the new one.
const VERSION: u32 = 2;

/// An update whose branch has not moved yet. Its files are in place; the files that they replaced are kept aside.
#[derive(Debug)]
#[must_use = "the record stays until it is finished, and the next run would undo the update"]
pub struct Pending {
    /// The tree that the working tree and the index have become.
    pub(super) to: ObjectId,
    /// The paths; a path's position is the number under which its files are kept aside. Empty if there was nothing to
    /// do.
    pub(super) entries: Vec<Entry>,
    pub(super) aside: Option<Backup>,
    pub(super) root: PathBuf,
    /// The list of new files, once it has been opened.
    placed: RefCell<Option<File>>,
    /// Held from the first change until the branch has moved, or until everything is undone.
    section: OnceCell<Section>,
}

/// One path of an update, with what is needed to undo it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path.
    pub path: BString,
    /// What the old tree has there.
    pub old: Option<Side>,
    /// What the new tree has there.
    pub new: Option<Side>,
    /// What was to be done on disk.
    pub doing: Doing,
}

/// What was to be done on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// Write a file, moving any existing one aside.
    Write,
    /// Move a file aside.
    Remove,
    /// Create the directory of a submodule.
    MakeFolder,
    /// Remove the directory of a submodule.
    RemoveFolder,
    /// Nothing.
    Nothing,
}

impl Pending {
    /// An update without anything to do.
    pub(super) fn nothing(plan: &UpdatePlan) -> Self {
        Pending {
            to: plan.to,
            entries: Vec::new(),
            aside: None,
            root: PathBuf::new(),
            placed: RefCell::default(),
            section: OnceCell::new(),
        }
    }

    /// Records what `plan` is about to do.
    pub(super) fn begin(repo: &gix::Repository, plan: &UpdatePlan) -> anyhow::Result<Self> {
        let root = repo.workdir().context("a bare repository has no work tree")?.to_owned();
        let token = token();
        let aside = Backup::new(repo.git_dir(), &token);
        let folder = aside.folder().to_owned();
        fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let entries: Vec<Entry> = plan.ops.iter().map(Entry::from).collect();
        let record = Record {
            version: VERSION,
            token,
            from: plan.from.to_string(),
            to: plan.to.to_string(),
            entries: entries.iter().map(Line::from).collect(),
        };
        let flushing = Durability::of(repo).flushing(Part::Index);
        let draft = folder.join("journal.draft");
        let cannot_write = || format!("cannot write {}", draft.display());
        let mut file = File::create_new(&draft).with_context(cannot_write)?;
        file.write_all(&serde_json::to_vec(&record)?).with_context(cannot_write)?;
        flushing.file(&file).with_context(cannot_write)?;
        fs::rename(&draft, folder.join(FILE))
            .and_then(|()| flushing.folder(&folder))
            .and_then(|()| flushing.folder(repo.git_dir()))
            .with_context(|| format!("cannot write {}", folder.display()))?;
        Ok(Pending {
            to: plan.to,
            entries,
            aside: Some(aside),
            root,
            placed: RefCell::default(),
            section: OnceCell::new(),
        })
    }

    /// Loads the record that an earlier run left, if there is one.
    pub(super) fn load(repo: &gix::Repository) -> anyhow::Result<Option<Self>> {
        let folder = backup::folder(repo.git_dir());
        let path = folder.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // The run was killed before it made the record, so before it changed anything; or after it removed
                // the record.
                clear(&folder)?;
                return Ok(None);
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let record: Record =
            serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))?;
        if !(1..=VERSION).contains(&record.version) {
            bail!(
                "{} was written by another version of this program (form {})",
                path.display(),
                record.version
            );
        }
        let root = repo.workdir().context("a bare repository has no work tree")?.to_owned();
        Ok(Some(Pending {
            to: ObjectId::from_hex(record.to.as_bytes())?,
            entries: record.entries.into_iter().map(Entry::try_from).collect::<anyhow::Result<_>>()?,
            aside: Some(Backup::of_an_earlier_run(repo.git_dir(), &record.token)),
            root,
            placed: RefCell::default(),
            section: OnceCell::new(),
        }))
    }

    /// Notes that the working tree or the index is about to be changed, so that no signal ends the run half-way.
    pub(super) fn goes_on(&self) {
        self.section.get_or_init(Section::begin);
    }

    /// Records that new files (by the number of their step) with these stat data are about to be put in place, so
    /// that undoing the update can tell them from edited files.
    pub(super) fn note(&self, files: &[(usize, Stat)]) -> anyhow::Result<()> {
        if files.is_empty() {
            return Ok(());
        }
        let path = self.aside()?.folder().join(PLACED);
        let cannot_write = || format!("cannot write {}", path.display());
        let mut log = self.placed.borrow_mut();
        let log = match &mut *log {
            Some(log) => log,
            none => {
                none.insert(File::options().append(true).create(true).open(&path).with_context(cannot_write)?)
            }
        };
        let mut lines = String::new();
        for (number, Stat { mtime, size, ino, .. }) in files {
            writeln!(lines, "{number} {} {} {size} {ino}", mtime.secs, mtime.nsecs)?;
        }
        log.write_all(lines.as_bytes()).with_context(cannot_write)?;
        Ok(())
    }

    /// Where files are kept.
    pub(super) fn aside(&self) -> anyhow::Result<&Backup> {
        self.aside.as_ref().context("nothing is kept where nothing is to be done")
    }

    /// Opens the directory in the git directory where they are kept.
    pub(super) fn folder(&self) -> anyhow::Result<Folder> {
        let folder = self.aside()?.folder();
        Folder::root(folder).with_context(|| format!("cannot open {}", folder.display()))
    }

    /// The recorded stat data of the new files, by the number of their step.
    pub(super) fn all_placed(&self) -> HashMap<usize, Stat> {
        let Some(aside) = &self.aside else { return HashMap::new() };
        let text = fs::read_to_string(aside.folder().join(PLACED)).unwrap_or_default();
        text.lines()
            .filter_map(|line| {
                let mut numbers = line.split(' ').map(str::parse::<u32>);
                let mut next = || numbers.next()?.ok();
                let number = next()? as usize;
                let (secs, nsecs, size, ino) = (next()?, next()?, next()?, next()?);
                Some((number, Stat { mtime: Time { secs, nsecs }, size, ino, ..Stat::default() }))
            })
            .collect()
    }

    /// Forgets the replaced files, since the branch has moved.
    ///
    /// # Errors
    /// Something cannot be removed; the next run will try again.
    pub fn finish(self) -> anyhow::Result<()> {
        self.forget()?.map_or(Ok(()), |aside| clear(aside.folder()))
    }

    /// As [`finish`](Self::finish), but the replaced files may be removed in the background. Returns `None` if they
    /// are already gone.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn retire(self, repo: &gix::Repository) -> anyhow::Result<Option<Trash>> {
        match self.forget()? {
            Some(aside) => Trash::begin(repo.git_dir(), aside.folder(), aside.token()),
            None => Ok(None),
        }
    }

    /// Removes the record and what is kept outside the directory in the git directory. Only that directory is left
    /// then.
    fn forget(self) -> anyhow::Result<Option<Backup>> {
        let Some(aside) = self.aside else { return Ok(None) };
        let entries = self.entries.iter().enumerate().filter(|_| aside.may_be_beside());
        for (number, entry) in entries {
            let full = super::disk::full(&self.root, entry.path.as_bstr())?;
            for role in [Role::New, Role::Old] {
                let [_, beside] = aside.places(role, number, &full);
                match backup::remove_file(&beside) {
                    Err(error) if !super::disk::is_missing(&error) => return Err(error.into()),
                    _ => {}
                }
            }
        }
        backup::remove_file(&aside.folder().join(FILE))?;
        Ok(Some(aside))
    }
}

/// Returns a random token that distinguishes the files of one update from those of another.
fn token() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{random:016x}")
}

impl From<&Op> for Entry {
    fn from(op: &Op) -> Self {
        let writes = op.new.is_some_and(|new| new.mode != Mode::COMMIT);
        let doing = match op.step {
            Step::Create if !writes => Doing::MakeFolder,
            Step::Create | Step::Replace(_) => Doing::Write,
            Step::Remove(_) => Doing::Remove,
            Step::MakeFolder => Doing::MakeFolder,
            Step::RemoveFolder => Doing::RemoveFolder,
            Step::Adopt(_) | Step::IndexOnly => Doing::Nothing,
        };
        Entry { path: op.path.clone(), old: op.old, new: op.new, doing }
    }
}

#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    token: String,
    /// For a human reader; undoing uses the entries only.
    from: String,
    to: String,
    entries: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    /// The path as it is, or a quote and its bytes in hex if JSON cannot represent it.
    path: String,
    old: Option<(String, u32)>,
    new: Option<(String, u32)>,
    doing: Doing,
}

impl From<&Entry> for Line {
    fn from(entry: &Entry) -> Self {
        let side = |side: Option<Side>| side.map(|side| (side.id.to_string(), side.mode.bits()));
        let path = match entry.path.to_str() {
            Ok(path) if !path.starts_with('"') => path.to_owned(),
            _ => hex(entry.path.as_bstr()),
        };
        Line { path, old: side(entry.old), new: side(entry.new), doing: entry.doing }
    }
}

impl TryFrom<Line> for Entry {
    type Error = anyhow::Error;

    fn try_from(line: Line) -> anyhow::Result<Self> {
        let side = |side: Option<(String, u32)>| {
            side.map(|(id, mode)| {
                let mode = Mode::from_bits(mode).with_context(|| format!("{mode:o} is no mode"))?;
                anyhow::Ok(Side { id: ObjectId::from_hex(id.as_bytes())?, mode })
            })
            .transpose()
        };
        let path = match line.path.strip_prefix('"') {
            Some(hex) => unhex(hex).with_context(|| format!("{} is no path", line.path))?,
            None => line.path.into(),
        };
        Ok(Entry { path, old: side(line.old)?, new: side(line.new)?, doing: line.doing })
    }
}

/// Encodes a path that JSON cannot represent: a quote, then its bytes in hex.
fn hex(path: &BStr) -> String {
    let mut out = String::from("\"");
    for byte in path.iter() {
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

fn unhex(hex: &str) -> Option<BString> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect::<Option<Vec<u8>>>()
        .map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_survives_the_record() {
        for path in [b"a/b".as_slice(), b"\"quoted\"", b"not \xff utf-8", "ü\n".as_bytes()] {
            let side = Side { id: ObjectId::null(gix::hash::Kind::Sha1), mode: Mode::SYMLINK };
            let entry = Entry { path: path.into(), old: None, new: Some(side), doing: Doing::Write };
            let text = serde_json::to_string(&Line::from(&entry)).unwrap();
            assert_eq!(Entry::try_from(serde_json::from_str::<Line>(&text).unwrap()).unwrap(), entry);
        }
    }
}
