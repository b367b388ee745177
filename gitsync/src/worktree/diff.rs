//! Lists the paths that differ between two trees, and checks every name in the new tree.
//!
//! gix's diff is not used, since a tree that comes from someone else must be distrusted while it is walked: a name
//! that occurs twice in a tree, or that leads outside, must be refused by name before anything is written. What both
//! trees share has been checked out before and is not examined.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::thread;

use anyhow::{Context as _, anyhow};
use gix::ObjectId;
use gix::bstr::{BStr, BString};
use gix::index::entry::Mode;
use gix::objs::tree::EntryRef;

use super::{Refused, Side, Why};
use crate::path::{self, Hostile, Leaf};
use crate::tree::canonical;

/// Longer paths cannot be opened, and a tree may be nested arbitrarily deep.
const DEEPEST: usize = 2_048;

/// From this many trees on, starting other threads pays off: each tree takes some ten microseconds.
const WORTH_IT: usize = 16;
/// More threads do not help, since they contend for the same resources.
const THREADS: usize = 4;

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The old tree's entry, if it is a file, a symbolic link or a submodule.
    pub old: Option<Side>,
    /// The new tree's entry, likewise.
    pub new: Option<Side>,
}

/// The differences, and the names in the new tree that must not be written.
#[derive(Debug, Default)]
pub struct Diff {
    /// The differences, by path.
    pub changes: BTreeMap<BString, Change>,
    /// The names that are refused.
    pub hostile: Vec<Refused>,
}

/// Compares the trees `from` and `to`.
///
/// # Errors
/// A tree is missing or damaged.
pub fn diff(repo: &gix::Repository, from: ObjectId, to: ObjectId) -> anyhow::Result<Diff> {
    let mut out = Diff::default();
    let mut open = vec![Pair { folder: BString::default(), depth: 0, old: Some(from), new: Some(to) }];
    while let Some(pair) = open.pop() {
        out.folder(repo, pair, &mut open)?;
        if open.len() >= WORTH_IT {
            out.rest(repo, std::mem::take(&mut open))?;
        }
    }
    out.hostile.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(out)
}

/// Returns what the tree `root` has at `path`, if that is a file, a symbolic link or a submodule.
///
/// # Errors
/// A tree is missing or damaged.
pub fn side_at(repo: &gix::Repository, root: ObjectId, path: &BStr) -> anyhow::Result<Option<Side>> {
    let found = repo.find_tree(root)?.lookup_entry(path.split(|byte| *byte == b'/'))?;
    Ok(found
        .filter(|entry| !entry.mode().is_tree())
        .map(|entry| Side { id: entry.object_id(), mode: canonical::mode(entry.mode()).into() }))
}

struct Pair {
    folder: BString,
    depth: usize,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Tree(ObjectId),
    Leaf(Side),
}

impl Diff {
    /// Compares one pair of trees; differing subtrees are added to `open`.
    fn folder(&mut self, repo: &gix::Repository, pair: Pair, open: &mut Vec<Pair>) -> anyhow::Result<()> {
        if pair.old == pair.new {
            return Ok(());
        }
        let (old, new) = (tree(repo, pair.old)?, tree(repo, pair.new)?);
        let (old, new) = (Names::of(old.as_ref())?, Names::of(new.as_ref())?);
        for name in &new.twice {
            self.refuse(join(&pair.folder, name), Hostile::Twice);
        }
        for (name, old, new) in old.against(&new) {
            let path = join(&pair.folder, name);
            if let Some(new) = &new
                && let Err(why) = check(&path, name, new, pair.depth)
            {
                self.refuse(path, why);
                continue;
            }
            let (old_tree, old) = split(old);
            let (new_tree, new) = split(new);
            if old_tree.is_some() || new_tree.is_some() {
                open.push(Pair { folder: path.clone(), depth: pair.depth + 1, old: old_tree, new: new_tree });
            }
            if old.is_some() || new.is_some() {
                self.changes.insert(path, Change { old, new });
            }
        }
        Ok(())
    }

    /// Compares many pairs of trees on several threads.
    fn rest(&mut self, repo: &gix::Repository, open: Vec<Pair>) -> anyhow::Result<()> {
        let threads = threads::processors().min(THREADS);
        let mut shares: Vec<Vec<Pair>> = (0..threads).map(|_| Vec::new()).collect();
        for (number, pair) in open.into_iter().enumerate() {
            shares[number % threads].push(pair);
        }
        let all = |repo: &gix::Repository, mut open: Vec<Pair>| {
            let mut out = Diff::default();
            while let Some(pair) = open.pop() {
                out.folder(repo, pair, &mut open)?;
            }
            anyhow::Ok(out)
        };
        let here = shares.pop().unwrap_or_default();
        let found = thread::scope(|scope| {
            let others: Vec<_> = shares
                .into_iter()
                .map(|share| {
                    let repo = store::clone_view(repo);
                    threads::spawn(scope, move || all(&repo, share))
                })
                .collect();
            let mut found = vec![all(repo, here)];
            let died = || Err(anyhow!("a thread that compares trees has died"));
            found.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|_| died())));
            found
        });
        for part in found {
            let mut part = part?;
            self.changes.append(&mut part.changes);
            self.hostile.append(&mut part.hostile);
        }
        Ok(())
    }

    fn refuse(&mut self, path: BString, why: Hostile) {
        self.hostile.push(Refused { path, why: Why::Hostile(why) });
    }
}

fn check(path: &BString, name: &BStr, entry: &Entry, depth: usize) -> Result<(), Hostile> {
    if depth >= DEEPEST {
        return Err(Hostile::TooLong);
    }
    let is_link = matches!(entry, Entry::Leaf(Side { mode: Mode::SYMLINK, .. }));
    path::check_name(name, if is_link { Leaf::Link } else { Leaf::Other })?;
    if path.len() > path::LONGEST_PATH { Err(Hostile::TooLong) } else { Ok(()) }
}

fn split(entry: Option<Entry>) -> (Option<ObjectId>, Option<Side>) {
    match entry {
        Some(Entry::Tree(id)) => (Some(id), None),
        Some(Entry::Leaf(side)) => (None, Some(side)),
        None => (None, None),
    }
}

fn tree(repo: &gix::Repository, id: Option<ObjectId>) -> anyhow::Result<Option<gix::Tree<'_>>> {
    id.map(|id| repo.find_tree(id).with_context(|| format!("cannot read the tree {id}"))).transpose()
}

/// The entries of a tree, by name.
#[derive(Default)]
struct Names<'a> {
    /// Sorted by name only, which differs from git's order of tree entries. Each name occurs once.
    entries: Vec<EntryRef<'a>>,
    /// The names that the tree contains more than once; the last entry of each counts.
    twice: Vec<&'a BStr>,
}

impl<'a> Names<'a> {
    fn of(tree: Option<&'a gix::Tree<'_>>) -> anyhow::Result<Self> {
        let Some(tree) = tree else { return Ok(Names::default()) };
        let entries = gix::objs::TreeRefIter::from_bytes(&tree.data, tree.id.kind());
        let mut names = Names {
            entries: entries
                .collect::<Result<_, _>>()
                .with_context(|| format!("the tree {} is damaged", tree.id))?,
            twice: Vec::new(),
        };
        names.entries.sort_by(|one, other| one.filename.cmp(other.filename));
        let Names { entries, twice } = &mut names;
        entries.dedup_by(|next, kept| {
            let is_twice = next.filename == kept.filename;
            if is_twice {
                twice.push(next.filename);
                *kept = *next;
            }
            is_twice
        });
        Ok(names)
    }

    /// The differences to `new`, in the order of the names.
    fn against<'b>(
        &'b self,
        new: &'b Names<'a>,
    ) -> impl Iterator<Item = (&'a BStr, Option<Entry>, Option<Entry>)> + use<'a, 'b> {
        let (mut old, mut new) = (self.entries.iter().peekable(), new.entries.iter().peekable());
        let both = std::iter::from_fn(move || {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => old.filename.cmp(new.filename),
            };
            Some(match order {
                Ordering::Less => (old.next(), None),
                Ordering::Equal => (old.next(), new.next()),
                Ordering::Greater => (None, new.next()),
            })
        });
        both.filter(|(old, new)| old != new).filter_map(|(old, new)| {
            let name = new.or(old)?.filename;
            let (old, new) = (old.map(Entry::from), new.map(Entry::from));
            (old != new).then_some((name, old, new))
        })
    }
}

impl From<&EntryRef<'_>> for Entry {
    fn from(entry: &EntryRef<'_>) -> Self {
        let id = entry.oid.to_owned();
        if entry.mode.is_tree() {
            Entry::Tree(id)
        } else {
            // Old trees contain modes such as 100664, which mean a plain file.
            Entry::Leaf(Side { id, mode: canonical::mode(entry.mode).into() })
        }
    }
}

fn join(folder: &BString, name: &BStr) -> BString {
    if folder.is_empty() {
        return name.to_owned();
    }
    let mut path = folder.clone();
    path.push(b'/');
    path.extend_from_slice(name);
    path
}
