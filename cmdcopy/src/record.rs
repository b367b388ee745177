//! Records what was copied, to distinguish copies from files that the user has changed since.
//!
//! The record is `lockstep/cmdcopy.json` in the git directory, with one entry for each target directory. If it were
//! lost, every file that differs would count as the user's own: that costs a backup, and never a file.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

/// The records of all target directories.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct File {
    folders: BTreeMap<Utf8PathBuf, Copied>,
}

/// The record of one target directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Copied {
    /// The object ids of what was written, by command name. While a run is copying there are several: that of the old
    /// content and that of the new.
    pub(crate) commands: BTreeMap<String, BTreeSet<String>>,
    /// The directory that each command was copied from, as a [`Source::name`](crate::place::Source::name). Commands
    /// recorded by older versions have none.
    pub(crate) from: BTreeMap<String, Utf8PathBuf>,
    /// The mark of the temporary files of a run that is copying, or that was killed while copying.
    pub(crate) unfinished: Option<String>,
}

impl Copied {
    /// Records that a command was copied from a directory, or is about to be, and returns its ids.
    pub(crate) fn note(&mut self, name: &str, from: &Utf8Path) -> &mut BTreeSet<String> {
        self.from.insert(name.into(), from.into());
        self.commands.entry(name.into()).or_default()
    }

    /// Removes a command from the record.
    pub(crate) fn forget(&mut self, name: &str) {
        self.from.remove(name);
        self.commands.remove(name);
    }

    /// Returns the commands that were copied from a directory, or whose directory is not recorded.
    pub(crate) fn from(&self, folder: &Utf8Path) -> impl Iterator<Item = &String> {
        self.commands.keys().filter(move |name| self.from.get(*name).is_none_or(|from| from == folder))
    }
}

/// The record file, opened for one target directory.
#[derive(Debug)]
pub(crate) struct Record {
    path: Utf8PathBuf,
    folder: Utf8PathBuf,
    file: File,
}

impl Record {
    /// Reads what was copied to `folder` from the repository with this git directory.
    pub(crate) fn read(common_dir: &Utf8Path, folder: &Utf8Path) -> Self {
        let path = common_dir.join("lockstep").join("cmdcopy.json");
        let text = std::fs::read(&path).unwrap_or_default();
        // A damaged record counts as a missing one.
        let file = serde_json::from_slice(&text).unwrap_or_default();
        Self { path, folder: folder.to_owned(), file }
    }

    /// Returns the record of the target directory.
    pub(crate) fn copied(&self) -> Copied {
        self.file.folders.get(&self.folder).cloned().unwrap_or_default()
    }

    /// Writes the record of the target directory.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(&mut self, copied: Copied) -> anyhow::Result<()> {
        if self.copied() == copied {
            return Ok(());
        }
        if copied == Copied::default() {
            self.file.folders.remove(&self.folder);
        } else {
            self.file.folders.insert(self.folder.clone(), copied);
        }
        let folder = self.path.parent().unwrap_or(&self.path);
        let text = serde_json::to_vec_pretty(&self.file)?;
        let new = self.path.with_extension("json.new");
        std::fs::create_dir_all(folder)
            .and_then(|()| crate::disk::write_whole(&new, &text, None))
            .and_then(|()| std::fs::rename(&new, &self.path))
            .with_context(|| format!("{} cannot be written", self.path))
    }
}
