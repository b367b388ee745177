//! What was copied before, so that what the user has changed since can be told from it.
//!
//! The record lies in the git directory, one entry for each folder that was copied to: `lockstep/cmdcopy.json`. Were it
//! lost, every file that differs would count as the user's own: it costs a backup, and never a file.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

/// What was copied to all folders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct File {
    folders: BTreeMap<Utf8PathBuf, Copied>,
}

/// What was copied to one folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Copied {
    /// The ids of what was written, by the command's name. There are several while a run is at it: what was there
    /// before and what is about to be.
    pub(crate) commands: BTreeMap<String, BTreeSet<String>>,
    /// Which folder a command was copied from, as [`Source::name`](crate::place::Source::name) has it; a command without
    /// one was written down before there was this.
    pub(crate) from: BTreeMap<String, Utf8PathBuf>,
    /// The mark in the names of the temporary files of a run that is at it, or that was when it was killed.
    pub(crate) unfinished: Option<String>,
}

impl Copied {
    /// Notes that a command was, or is about to be, copied from a folder.
    pub(crate) fn note(&mut self, name: &str, from: &Utf8Path) -> &mut BTreeSet<String> {
        self.from.insert(name.into(), from.into());
        self.commands.entry(name.into()).or_default()
    }

    /// Forgets a command.
    pub(crate) fn forget(&mut self, name: &str) {
        self.from.remove(name);
        self.commands.remove(name);
    }

    /// The commands that were copied from a folder.
    pub(crate) fn from(&self, folder: &Utf8Path) -> impl Iterator<Item = &String> {
        self.commands.keys().filter(move |name| self.from.get(*name).is_none_or(|from| from == folder))
    }
}

/// The record of one folder.
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
        // A record that is broken is as good as none.
        let file = serde_json::from_slice(&text).unwrap_or_default();
        Self { path, folder: folder.to_owned(), file }
    }

    /// What was copied to the folder.
    pub(crate) fn copied(&self) -> Copied {
        self.file.folders.get(&self.folder).cloned().unwrap_or_default()
    }

    /// Writes down what was copied to the folder.
    ///
    /// # Errors
    /// Where it cannot be written.
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
