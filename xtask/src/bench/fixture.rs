//! Creates a remote and a clone of it, on which everything but S6 is measured.

use anyhow::{Context as _, ensure};
use camino::Utf8PathBuf;

use super::{
    amounts::Amounts,
    history::{self, Commit, NOTES},
    sandbox::{Objects, Sandbox},
    snapshot::{self, Snapshot},
};

/// A remote and a clone of it.
#[derive(Debug)]
pub struct Fixture<'a> {
    /// Where they are.
    pub lab: &'a Sandbox,
    /// The sizes.
    pub amounts: Amounts,
    folder: Utf8PathBuf,
    /// The remote, a bare repository.
    pub remote: Utf8PathBuf,
    /// The clone that is synced.
    pub clone: Utf8PathBuf,
}

/// The states of both repositories.
#[derive(Debug)]
pub struct State {
    remote: Snapshot,
    clone: Snapshot,
}

/// The expected result of a run, computed with plain git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    tree: String,
    commits: String,
    notes: String,
}

impl<'a> Fixture<'a> {
    /// Creates a remote with `amounts.files` files and some notes, and a clone that is up to date with it.
    pub fn new(lab: &'a Sandbox, amounts: Amounts) -> anyhow::Result<Self> {
        let folder = lab.root().join(format!("files-{}", amounts.files));
        let (remote, clone) = (folder.join("origin.git"), folder.join("clone"));
        std::fs::create_dir(&folder).with_context(|| format!("{folder} could not be made"))?;
        lab.git(&folder, &["init", "--quiet", "--bare", remote.as_str()])?;
        lab.import(&remote, Objects::Packed, |out| {
            let main = Commit { on: "refs/heads/main", from: None, author: "Mike", number: 0 };
            history::commit(out, main, history::beginning(amounts.files))
        })?;
        lab.git(&folder, &["clone", "--quiet", remote.as_str(), clone.as_str()])?;
        let site = Self { lab, amounts, folder, remote, clone };
        site.git(&["notes", "--ref", NOTES, "add", "-m", "we keep the old parser"])?;
        site.git(&["push", "--quiet", "origin", NOTES])?;
        // So that a later repack of new objects leaves these alone.
        site.git(&["repack", "-d", "-l", "-q"])?;
        Ok(site)
    }

    /// Runs git in the clone.
    pub fn git(&self, args: &[&str]) -> anyhow::Result<String> {
        self.lab.git(&self.clone, args)
    }

    /// Saves the states of both.
    pub fn freeze(&self) -> anyhow::Result<State> {
        Ok(State {
            remote: Snapshot::bare(self.lab, &self.remote)?,
            clone: Snapshot::clone(self.lab, &self.clone)?,
        })
    }

    /// Restores the states of both.
    pub fn thaw(&self, state: &State) -> anyhow::Result<()> {
        state.remote.thaw(self.lab)?;
        state.clone.thaw(self.lab)
    }

    /// Waits until the clone's files are older than its index.
    pub fn settle(&self) -> anyhow::Result<()> {
        snapshot::settle(self.lab, [self.clone.as_path()])
    }

    /// Syncs with plain git without pushing, and returns the result.
    pub fn expect(&self) -> anyhow::Result<Expected> {
        self.git(&["add", "--all"])?;
        if !self.git(&["status", "--porcelain"])?.is_empty() {
            self.git(&["commit", "--quiet", "--message", "what was changed"])?;
        }
        self.git(&["fetch", "--quiet", "origin"])?;
        self.git(&["rebase", "--quiet", "origin/main"])?;
        self.git(&["fetch", "--quiet", "origin", "+refs/notes/mem/*:refs/notes/origin/mem/*"])?;
        let theirs = NOTES.replace("refs/notes/", "refs/notes/origin/");
        self.git(&["notes", "--ref", NOTES, "merge", "--quiet", "--strategy", "cat_sort_uniq", &theirs])?;
        self.is()
    }

    fn is(&self) -> anyhow::Result<Expected> {
        Ok(Expected {
            tree: self.git(&["rev-parse", "HEAD^{tree}"])?,
            commits: self.git(&["rev-list", "--count", "HEAD"])?,
            notes: self.git(&["rev-parse", &format!("{NOTES}^{{tree}}")])?,
        })
    }

    /// Checks that the clone is clean, that it agrees with the remote, and that its contents are as expected.
    pub fn check(&self, expected: &Expected) -> anyhow::Result<()> {
        self.check_branch(expected)?;
        self.check_notes(expected)
    }

    /// Checks the same without the notes.
    pub fn check_branch(&self, expected: &Expected) -> anyhow::Result<()> {
        let is = self.is()?;
        ensure!(
            (&is.tree, &is.commits) == (&expected.tree, &expected.commits),
            "the clone holds {is:?} instead of {expected:?}"
        );
        self.check_pushed("refs/heads/main")?;
        self.check_clean()
    }

    /// Checks only the notes.
    pub fn check_notes(&self, expected: &Expected) -> anyhow::Result<()> {
        let is = self.is()?;
        ensure!(is.notes == expected.notes, "the clone holds {is:?} instead of {expected:?}");
        self.check_pushed(NOTES)
    }

    fn check_pushed(&self, name: &str) -> anyhow::Result<()> {
        let (here, there) =
            (self.git(&["rev-parse", name])?, self.lab.git(&self.remote, &["rev-parse", name])?);
        ensure!(here == there, "the remote does not have the clone's {name}");
        Ok(())
    }

    /// Removes both repositories, to free disk space.
    pub fn remove(self) -> anyhow::Result<()> {
        std::fs::remove_dir_all(&self.folder).with_context(|| format!("{} could not be removed", self.folder))
    }

    /// Checks that nothing is uncommitted in the clone, and that it is unlocked.
    pub fn check_clean(&self) -> anyhow::Result<()> {
        let status = self.git(&["status", "--porcelain"])?;
        ensure!(status.is_empty(), "the clone is not clean: {status}");
        let lock = self.clone.join(".git/claudetools-sync.lock");
        ensure!(!lock.exists(), "the clone is still locked");
        Ok(())
    }
}
