//! The situations that a sync finds a clone in.

use std::io::Write;

use anyhow::Context as _;

use super::{
    history::{self, Commit, NOTES},
    lab::Objects,
    site::Site,
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
                format!("{commits} commits, {} files to pull", commits * files)
            }
            Self::Diverged => format!("{0} local against {0} remote commits", amounts.diverged),
            Self::Notes => {
                let (notes, changed) = amounts.notes;
                format!("{notes} notes, {changed} changed on each side")
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
    site.lab.import(&site.remote, Objects::Packed, |out| {
        for number in 0..commits {
            let pages = (0..files).map(|file| (number * files + file) * stride(site, commits * files));
            let mut changes: Vec<_> =
                pages.map(|page| (history::page(page), history::text(page, 1))).collect();
            if number == commits / 2 {
                changes.truncate(files.saturating_sub(1));
                changes.push((history::log(1), history::message(1)));
            }
            on_top(out, MAIN, "Howard", number, changes)?;
        }
        Ok(())
    })
}

/// Commits on each side that do not touch each other's pages.
fn diverged(site: &Site<'_>) -> anyhow::Result<()> {
    let commits = site.amounts.diverged;
    let stride = stride(site, 2 * commits);
    for (repository, author, objects, first) in
        [(&site.remote, "Howard", Objects::Packed, 0), (&site.clone, "Mike", Objects::Loose, 1)]
    {
        site.lab.import(repository, objects, |out| {
            (0..commits).try_for_each(|number| {
                let page = (2 * number + first) * stride;
                let change = (history::page(page), history::text(page, 1));
                on_top(out, MAIN, author, number, [change])
            })
        })?;
    }
    site.git(&["reset", "--quiet", "--hard"]).map(drop)
}

/// Notes on pages, that both sides have; then changes on each side, half of them to the same notes.
fn notes(site: &Site<'_>) -> anyhow::Result<()> {
    let (notes, changed) = site.amounts.notes;
    let objects = site.git(&["ls-tree", "-r", "--format=%(objectname)", "HEAD"])?;
    let objects: Vec<&str> = objects.lines().take(notes).collect();
    site.lab.import(&site.clone, Objects::Packed, |out| {
        let all = objects.iter().enumerate().map(|(number, object)| ((*object).to_owned(), note(number)));
        on_top(out, NOTES, "Mike", 1, all)
    })?;
    // Git lays the notes out in folders as it does with any that it has written itself.
    site.git(&["notes", "--ref", NOTES, "append", "-m", "it stays", "HEAD"])?;
    site.git(&["push", "--quiet", "origin", NOTES])?;

    let paths = site.git(&["ls-tree", "-r", "--name-only", NOTES])?;
    let paths: Vec<&str> = paths.lines().collect();
    for (repository, author, kept, first) in
        [(&site.remote, "Howard", Objects::Packed, 0), (&site.clone, "Mike", Objects::Loose, changed / 2)]
    {
        site.lab.import(repository, kept, |out| {
            // Every note is a commit of its own, as `git notes` makes them.
            paths.iter().skip(first).take(changed).enumerate().try_for_each(|(number, path)| {
                let text = format!("{}decided by {author}: {number}\n", note(first + number));
                on_top(out, NOTES, author, number + 2, [((*path).to_owned(), text)])
            })
        })?;
    }
    Ok(())
}

fn note(number: usize) -> String {
    format!("decision {number}: as before\nreason: it works\n")
}

fn on_top(
    out: &mut dyn Write,
    branch: &str,
    author: &str,
    number: usize,
    files: impl IntoIterator<Item = (String, String)>,
) -> std::io::Result<()> {
    let from = format!("{branch}^0");
    history::commit(out, Commit { on: branch, from: Some(&from), author, number: number + 1 }, files)
}

/// How far apart `count` pages are that are spread over all there are.
fn stride(site: &Site<'_>, count: usize) -> usize {
    (history::pages(site.amounts.files) / count).max(1)
}
