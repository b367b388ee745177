//! The history as walks read it.
//!
//! One run walks the same commits several times: to agree with the server on what is missing, to find out what is new
//! on either side, to compare the two. Each is read once and kept, as long as there are not too many.

mod difference;
mod links;

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use gix::{
    ObjectId, Repository, commitgraph,
    hash::oid,
    hashtable::{HashMap, HashSet},
    object::Kind,
    objs::{Data, Find, FindExt},
    odb::pack::cache::object::MemoryCappedHashmap,
    revision::plumbing,
    revwalk::Graph,
    traverse::commit::ParentIds,
};

use self::links::Links;
use crate::{
    objects::{self, Loose},
    recent::Recent,
};

/// Commits of a repository. What has once been read of them stays: a commit never changes. Each is hashed when it is
/// read, so that what leads from one to the next is true. Several threads can share it; a clone has all that the other
/// one has, and will have.
///
/// Everything is asked for by a handle of that repository, as another one may have objects that this one has not.
#[derive(Clone)]
pub struct History {
    loose: Arc<Mutex<Loose>>,
    kept: Arc<Mutex<Kept>>,
    answers: Arc<Mutex<Answers>>,
    /// Trees that were read, where they are to be kept.
    pub(crate) trees: Arc<Mutex<Option<MemoryCappedHashmap>>>,
}

/// Commits that were read.
struct Kept {
    commits: HashMap<ObjectId, Known>,
    /// How many bytes there may still be.
    room: usize,
}

/// A commit that was read.
struct Known {
    bytes: Arc<[u8]>,
    links: Links,
}

impl Default for Kept {
    fn default() -> Self {
        Self { commits: HashMap::default(), room: ROOM }
    }
}

impl Kept {
    /// Keeps a commit, unless it is kept already, there are too many, or it is none: that is told when it is needed.
    fn keep(&mut self, id: &oid, commit: impl Into<Arc<[u8]>> + AsRef<[u8]>) {
        if self.commits.contains_key(id) {
            return;
        }
        let bytes = commit.as_ref();
        if let Some(room) = self.room.checked_sub(bytes.len())
            && let Ok(links) = Links::of(bytes, id.kind())
        {
            self.room = room;
            self.commits.insert(id.to_owned(), Known { bytes: commit.into(), links });
        }
    }
}

/// A commit, as far as walks need it.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Its id.
    pub id: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// The commits before it.
    pub parents: ParentIds,
}

/// What was asked last, which is often asked again: what is new here is looked at, packed and pushed.
#[derive(Default)]
struct Answers {
    /// Tips, what is hidden, and what is between them.
    between: VecDeque<(Vec<ObjectId>, Vec<ObjectId>, Vec<Commit>)>,
    /// Two commits, and what is their base.
    base: VecDeque<(ObjectId, ObjectId, Option<ObjectId>)>,
}

/// How many answers of a kind are remembered.
const LAST: usize = 4;
/// Longer ones are not.
const LONGEST: usize = 4096;

/// Remembers an answer in place of the oldest one.
fn remember<T>(answers: &mut VecDeque<T>, answer: T) {
    answers.truncate(LAST - 1);
    answers.push_front(answer);
}

/// How many bytes of commits are kept.
const ROOM: usize = 1024 * 1024;

impl History {
    /// Nothing is read yet.
    #[must_use]
    pub fn of(repo: &Repository) -> Self {
        let loose = Arc::new(Mutex::new(Loose::of(repo)));
        Self { loose, kept: Arc::default(), answers: Arc::default(), trees: Arc::default() }
    }

    /// Takes in the commits among objects that are the repository's now, so that they need not be looked for.
    pub fn take_in(&self, recent: &Recent) {
        let mut kept = locked(&self.kept);
        recent.commits().for_each(|commit| kept.keep(&commit.id, commit.data));
    }

    /// Forgets all that was read, where some of it came in and did not become the repository's.
    pub(crate) fn forget(&self) {
        *locked(&self.kept) = Kept::default();
        *locked(&self.answers) = Answers::default();
    }

    /// The commits behind `tips` that are not behind `hidden`, the newer ones roughly first.
    ///
    /// # Errors
    ///
    /// Where one cannot be read.
    pub fn between(
        &self,
        repo: &Repository,
        tips: Vec<ObjectId>,
        hidden: Vec<ObjectId>,
    ) -> gix::Result<Vec<Commit>> {
        if !is_fixed(repo)? {
            return self.walk(repo, tips, hidden);
        }
        let asked_before = locked(&self.answers)
            .between
            .iter()
            .find_map(|(from, to, between)| (from == &tips && to == &hidden).then(|| between.clone()));
        if let Some(between) = asked_before {
            return Ok(between);
        }
        let between = self.walk(repo, tips.clone(), hidden.clone())?;
        if between.len() <= LONGEST {
            remember(&mut locked(&self.answers).between, (tips, hidden, between.clone()));
        }
        Ok(between)
    }

    fn walk(
        &self,
        repo: &Repository,
        tips: Vec<ObjectId>,
        hidden: Vec<ObjectId>,
    ) -> gix::Result<Vec<Commit>> {
        let shallow = repo.shallow_commits()?;
        let stored = repo.commit_graph_if_enabled()?.filter(|_| !replaces(repo));
        difference::difference(tips, hidden, &mut |id| {
            let mut links = self.stored_links(repo, stored.as_ref(), id)?;
            // What lies behind a shallow commit is not here.
            if shallow.as_ref().is_some_and(|shallow| shallow.contains(&id)) {
                links.parents.clear();
            }
            Ok(links)
        })
    }

    /// What a commit leads to, from a commit-graph where that has it.
    fn stored_links(
        &self,
        repo: &Repository,
        stored: Option<&commitgraph::Graph>,
        commit: ObjectId,
    ) -> gix::Result<Links> {
        match stored.and_then(|graph| Some((graph, graph.commit_by_id(commit)?))) {
            Some((graph, commit)) => Links::stored(graph, &commit),
            None => self.links(repo, commit),
        }
    }

    /// What a commit leads to.
    fn links(&self, repo: &Repository, commit: ObjectId) -> gix::Result<Links> {
        let kept = || locked(&self.kept).commits.get(&commit).map(|known| known.links.clone());
        if let Some(links) = kept().filter(|_| !replaces(repo)) {
            return Ok(links);
        }
        let mut buffer = Vec::new();
        let found = self.seen_by(repo).find(&commit, &mut buffer)?;
        if found.kind != Kind::Commit {
            let message = format!("object {commit} should be a commit and is a {}", found.kind);
            return Err(gix::Error::from_error(io::Error::other(message)));
        }
        match kept().filter(|_| !replaces(repo)) {
            Some(links) => Ok(links),
            None => Links::of(found.data, commit.kind()),
        }
    }

    /// The best common ancestor of two commits, of several the first; `None` where they have none.
    ///
    /// # Errors
    ///
    /// Where a commit cannot be read.
    pub fn base(&self, repo: &Repository, one: ObjectId, other: ObjectId) -> gix::Result<Option<ObjectId>> {
        let asked_before = locked(&self.answers)
            .base
            .iter()
            .find_map(|(asked, with, base)| ((*asked, *with) == (one, other)).then_some(*base));
        if let Some(base) = asked_before.filter(|_| is_fixed(repo).unwrap_or(false)) {
            return Ok(base);
        }
        // Where one was made of the other, what else it was made of need not be walked.
        let base = if one == other || self.parents_of(repo, one)?.contains(&other) {
            Some(other)
        } else if self.parents_of(repo, other)?.contains(&one) {
            Some(one)
        } else if let Some(base) = self.base_of_lines(repo, one, other) {
            Some(base)
        } else {
            self.bases(repo, one, &[other])?.first().copied()
        };
        remember(&mut locked(&self.answers).base, (one, other, base));
        Ok(base)
    }

    /// Where two lines of commits part, if nothing was merged since: what each of the two leads to is a single line then,
    /// so that the first commit on both is the one base that there is. `None`: it is not as simple as that.
    fn base_of_lines(&self, repo: &Repository, one: ObjectId, other: ObjectId) -> Option<ObjectId> {
        let stored = repo.commit_graph_if_enabled().ok()?.filter(|_| !replaces(repo));
        let links = |commit| self.stored_links(repo, stored.as_ref(), commit).ok();
        let mut ends = [Some((links(one)?, 0)), Some((links(other)?, 1))];
        let mut passed = [HashSet::from_iter([one]), HashSet::from_iter([other])];
        // The newer one first: neither side goes far beyond where the other one ends.
        while let Some((end, side)) = ends.iter().flatten().max_by_key(|(end, _)| end.time) {
            let side = *side;
            ends[side] = match end.parents.as_slice() {
                [] => None,
                [parent] if passed[1 - side].contains(parent) => return Some(*parent),
                [parent] => {
                    passed[side].insert(*parent);
                    Some((links(*parent)?, side))
                }
                _ => return None,
            };
        }
        None
    }

    /// The best common ancestors of one commit and a merge of others, see
    /// [`git merge-base`](https://git-scm.com/docs/git-merge-base#_discussion).
    ///
    /// # Errors
    ///
    /// Where a commit cannot be read.
    pub fn bases(&self, repo: &Repository, one: ObjectId, others: &[ObjectId]) -> gix::Result<Vec<ObjectId>> {
        let stored = repo.commit_graph_if_enabled()?;
        let mut graph = self.graph(repo, stored.as_ref());
        let Some(found) = plumbing::merge_base(one, others, &mut graph)? else { return Ok(Vec::new()) };
        // gix leaves out a base that lies behind another one only where first parents lead from one to the other, and
        // finds such bases where the clocks of commits differ, or stand still.
        let mut best = Vec::with_capacity(found.len());
        for base in &found {
            let others: Vec<ObjectId> = found.iter().copied().filter(|other| other != base).collect();
            let lies_behind = !others.is_empty()
                && plumbing::merge_base(*base, &others, &mut graph)?
                    .is_some_and(|common| common.iter().any(|common| common == base));
            if !lies_behind {
                best.push(*base);
            }
        }
        Ok(best)
    }

    /// The tree of a commit.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub fn tree_of(&self, repo: &Repository, commit: ObjectId) -> gix::Result<ObjectId> {
        Ok(self.links(repo, commit)?.tree)
    }

    /// The first parent of a commit, if it has one.
    ///
    /// # Errors
    ///
    /// Where the commit cannot be read.
    pub(crate) fn first_parent_of(
        &self,
        repo: &Repository,
        commit: ObjectId,
    ) -> gix::Result<Option<ObjectId>> {
        Ok(self.parents_of(repo, commit)?.first().copied())
    }

    /// The parents of a commit.
    ///
    /// # Errors
    ///
    /// Where the commit cannot be read.
    pub(crate) fn parents_of(&self, repo: &Repository, commit: ObjectId) -> gix::Result<ParentIds> {
        Ok(self.links(repo, commit)?.parents)
    }

    /// Objects as `repo` has them, those read first that were read before.
    #[must_use]
    pub fn seen_by<'a>(&'a self, repo: &'a Repository) -> SeenBy<'a> {
        SeenBy { history: self, repo }
    }

    /// Whether a commit was read before.
    pub(crate) fn has_kept(&self, id: &oid) -> bool {
        locked(&self.kept).commits.contains_key(id)
    }

    /// A commit that was read before.
    pub(crate) fn kept(&self, id: &oid, into: &mut Vec<u8>) -> Option<Kind> {
        let kept = locked(&self.kept);
        let commit = kept.commits.get(id)?;
        into.clear();
        into.extend_from_slice(&commit.bytes);
        Some(Kind::Commit)
    }

    /// An object that has a file of its own.
    fn in_file(&self, id: &oid, into: &mut Vec<u8>) -> gix::Result<Option<Kind>> {
        let mut loose = locked(&self.loose);
        // Another thread may have read it meanwhile: two often walk the same commits at once.
        if let Some(kind) = self.kept(id, into) {
            return Ok(Some(kind));
        }
        let Some(kind) = loose.read(id, into) else { return Ok(None) };
        self.keep(id, kind, into)?;
        Ok(Some(kind))
    }

    /// Keeps a commit that was read, if it is what it is called.
    fn keep(&self, id: &oid, kind: Kind, object: &[u8]) -> gix::Result<()> {
        if kind == Kind::Commit {
            objects::check(id, kind, object)?;
            locked(&self.kept).keep(id, object);
        }
        Ok(())
    }

    /// For gix's own algorithms.
    pub(crate) fn graph<'a, 'cache, T>(
        &'a self,
        repo: &'a Repository,
        stored: Option<&'cache commitgraph::Graph>,
    ) -> Graph<'a, 'cache, T> {
        Graph::new(self.seen_by(repo), stored.filter(|_| !replaces(repo)))
    }
}

/// The objects of a repository, of which the commits are kept.
#[derive(Clone, Copy)]
pub struct SeenBy<'a> {
    history: &'a History,
    repo: &'a Repository,
}

impl Find for SeenBy<'_> {
    fn try_find<'a>(&self, id: &oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<Data<'a>>> {
        // Where commits are replaced by others, gix knows by which, and who wants to see it.
        if replaces(self.repo) {
            return self.repo.objects.try_find(id, buffer);
        }
        let known = match self.history.kept(id, buffer) {
            Some(kind) => Some(kind),
            None => self.history.in_file(id, buffer)?,
        };
        let kind = match known {
            Some(kind) => kind,
            None => match self.repo.objects.try_find(id, buffer)? {
                Some(found) => {
                    let kind = found.kind;
                    self.history.keep(id, kind, buffer)?;
                    kind
                }
                None => return Ok(None),
            },
        };
        Ok(Some(Data { kind, object_hash: id.kind(), data: buffer }))
    }
}

/// Whether all histories stay what they are, however the repository is looked at.
fn is_fixed(repo: &Repository) -> gix::Result<bool> {
    Ok(repo.shallow_commits()?.is_none() && !replaces(repo))
}

/// A thread that panicked has left nothing half done here.
pub(crate) fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the repository has objects that stand for others, see <https://git-scm.com/docs/git-replace>.
#[must_use]
pub fn replaces(repo: &Repository) -> bool {
    repo.objects.store_ref().replacements().next().is_some()
}
