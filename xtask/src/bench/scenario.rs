//! The situations that a sync finds a clone in.

use anyhow::{Context as _, ensure};
use camino::Utf8Path;

use super::{
    history::{self, Commit, NOTES},
    lab::Objects,
    site::Site,
    table::thousands,
};

/// A situation, numbered as the targets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// S1.
    NothingToDo,
    /// S2.
    OneFileChanged,
    /// S3.
    Incoming,
    /// S4.
    Diverged,
    /// S5.
    Notes,
}

const MAIN: &str = "refs/heads/main";

impl Scenario {
    /// Its number.
    pub fn id(self) -> &'static str {
        match self {
            Self::NothingToDo => "S1",
            Self::OneFileChanged => "S2",
            Self::Incoming => "S3",
            Self::Diverged => "S4",
            Self::Notes => "S5",
        }
    }

    /// What there is to do, with its amounts.
    pub fn title(self, site: &Site<'_>) -> String {
        let amounts = site.amounts;
        match self {
            Self::NothingToDo => "nothing to do".into(),
            Self::OneFileChanged => "one file changed".into(),
            Self::Incoming => {
                let (commits, files) = amounts.incoming;
                format!("{commits} commits, {} files to pull", thousands(commits * files))
            }
            Self::Diverged => format!("{0} local against {0} remote commits", amounts.diverged.0),
            Self::Notes => {
                let (notes, changed) = amounts.notes;
                format!("{} notes, {changed} changed on each side", thousands(notes))
            }
        }
    }

    /// How many times as fast as the baseline a run is to be.
    pub fn target(self) -> f64 {
        match self {
            Self::NothingToDo | Self::OneFileChanged => 6.0,
            Self::Incoming => 4.0,
            Self::Diverged => 15.0,
            Self::Notes => 12.0,
        }
    }

    /// Brings about what is committed: at the remote and in the clone.
    pub fn arrange(self, site: &Site<'_>) -> anyhow::Result<()> {
        match self {
            Self::NothingToDo | Self::OneFileChanged => Ok(()),
            Self::Incoming => incoming(site),
            Self::Diverged => diverged(site),
            Self::Notes => notes(site),
        }
    }

    /// Brings about what is not committed, anew before each run.
    pub fn edit(self, site: &Site<'_>) -> anyhow::Result<()> {
        if self != Self::OneFileChanged {
            return Ok(());
        }
        let path = site.clone.join(history::page(1));
        std::fs::write(&path, history::text(1, 1)).with_context(|| format!("{path} could not be written"))
    }
}

/// Somebody else's commits, spread over all areas, one of them with a message for the user.
fn incoming(site: &Site<'_>) -> anyhow::Result<()> {
    let (commits, files) = site.amounts.incoming;
    let stride = stride(site, commits * files);
    let changes = (0..commits).map(|number| {
        let pages = (0..files).map(|file| (number * files + file) * stride);
        let mut changes: Vec<_> = pages.map(edited).collect();
        if number == commits / 2 {
            changes.truncate(files.saturating_sub(1));
            changes.push((history::log(1), history::message(1)));
        }
        changes
    });
    on_top(site, &site.remote, Objects::Packed, MAIN, "Howard", changes)
}

/// Commits on each side that do not touch each other's pages.
fn diverged(site: &Site<'_>) -> anyhow::Result<()> {
    let (commits, files) = site.amounts.diverged;
    let stride = stride(site, 2 * commits * files);
    let changes = |side: usize| {
        let of_commit = move |number| {
            (0..files).map(|file| edited((2 * (number * files + file) + side) * stride)).collect()
        };
        (0..commits).map(of_commit)
    };
    on_top(site, &site.remote, Objects::Packed, MAIN, "Howard", changes(0))?;
    on_top(site, &site.clone, Objects::Loose, MAIN, "Mike", changes(1))?;
    site.git(&["reset", "--quiet", "--hard"]).map(drop)
}

/// Notes on pages, that both sides have; then changes on each side, half of them to the same notes.
fn notes(site: &Site<'_>) -> anyhow::Result<()> {
    let (notes, changed) = site.amounts.notes;
    let objects = site.git(&["ls-tree", "-r", "--format=%(objectname)", "HEAD"])?;
    let objects = objects.lines().take(notes).enumerate();
    let all = objects.map(|(number, object)| (object.to_owned(), note(number))).collect();
    on_top(site, &site.clone, Objects::Packed, NOTES, "Mike", [all].into_iter())?;
    // Git lays the notes out in folders as it does with any that it has written itself.
    site.git(&["notes", "--ref", NOTES, "append", "-m", "it stays", "HEAD"])?;
    site.git(&["push", "--quiet", "origin", NOTES])?;

    let paths = site.git(&["ls-tree", "-r", "--name-only", NOTES])?;
    let paths: Vec<&str> = paths.lines().collect();
    // Every note is a commit of its own, as `git notes` makes them.
    let changes = |author: &'static str, first: usize| {
        paths.iter().enumerate().skip(first).take(changed).map(move |(number, path)| {
            vec![((*path).to_owned(), format!("{}decided by {author}: {number}\n", note(number)))]
        })
    };
    on_top(site, &site.remote, Objects::Packed, NOTES, "Howard", changes("Howard", 0))?;
    on_top(site, &site.clone, Objects::Loose, NOTES, "Mike", changes("Mike", changed / 2))
}

fn note(number: usize) -> String {
    format!("decision {number}: as before\nreason: it works\n")
}

fn edited(page: usize) -> (String, String) {
    (history::page(page), history::text(page, 1))
}

/// Puts commits on top of a branch, and checks that they are there: a history that is shorter than it should be would make
/// for figures as good as wrong.
fn on_top(
    site: &Site<'_>,
    repository: &Utf8Path,
    objects: Objects,
    branch: &str,
    author: &str,
    changes: impl ExactSizeIterator<Item = Vec<(String, String)>>,
) -> anyhow::Result<()> {
    let count = || -> anyhow::Result<usize> {
        Ok(site.lab.git(repository, &["rev-list", "--count", branch])?.parse()?)
    };
    let wanted = count()? + changes.len();
    let tip = format!("{branch}^0");
    site.lab.import(repository, objects, |out| {
        changes.enumerate().try_for_each(|(number, files)| {
            // The first one names what it follows; each of the others follows the one before it.
            let from = (number == 0).then_some(tip.as_str());
            history::commit(out, Commit { on: branch, from, author, number: number + 1 }, files)
        })
    })?;
    let count = count()?;
    ensure!(count == wanted, "{branch} has {count} commits instead of {wanted}");
    Ok(())
}

/// How far apart `count` pages are that are spread over all there are.
fn stride(site: &Site<'_>, count: usize) -> usize {
    (history::pages(site.amounts.files) / count).max(1)
}
