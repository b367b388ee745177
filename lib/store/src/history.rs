//! A cache of commits, shared by every history walk of a run.
//!
//! One run walks the same commits several times: for the negotiation with the server, to determine what is new on
//! either side, to compare the two. Each commit is read once and kept, up to a limit.

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

use self::links::CommitHeader;
use crate::{
    objects::{self, Loose},
    recent::RecentObjects,
};

/// The commits of a repository. Each commit that was read is kept, as commits never change, and its id is verified
/// when it is read, so that the links between commits can be trusted. Several threads can share it; clones share
/// their content.
///
/// All methods take a handle of that same repository, as another one may have objects that this one lacks.
#[derive(Clone)]
pub struct History {
    loose: Arc<Mutex<Loose>>,
    kept: Arc<Mutex<Kept>>,
    answers: Arc<Mutex<Answers>>,
    /// Trees that were read, if they are to be kept.
    pub(crate) trees: Arc<Mutex<Option<MemoryCappedHashmap>>>,
}

/// The commits that were read.
struct Kept {
    commits: HashMap<ObjectId, Known>,
    /// The number of bytes that may still be kept.
    room: usize,
}

/// A commit that was read.
struct Known {
    bytes: Arc<[u8]>,
    links: CommitHeader,
}

impl Default for Kept {
    fn default() -> Self {
        Self { commits: HashMap::default(), room: ROOM }
    }
}

impl Kept {
    /// Keeps a commit, unless it is kept already, there are too many, or it is malformed, which is reported when the
    /// commit is needed.
    fn keep(&mut self, id: &oid, commit: impl Into<Arc<[u8]>> + AsRef<[u8]>) {
        if self.commits.contains_key(id) {
            return;
        }
        let bytes = commit.as_ref();
        if let Some(room) = self.room.checked_sub(bytes.len())
            && let Ok(links) = CommitHeader::of(bytes, id.kind())
        {
            self.room = room;
            self.commits.insert(id.to_owned(), Known { bytes: commit.into(), links });
        }
    }
}

/// The parts of a commit that walks need.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The id of the commit.
    pub id: ObjectId,
    /// The id of its tree.
    pub tree: ObjectId,
    /// The ids of its parents.
    pub parents: ParentIds,
}

/// The results of the last queries, which are often repeated: new local commits are examined, packed and pushed.
#[derive(Default)]
struct Answers {
    /// Tips, hidden commits, and the commits between them.
    between: VecDeque<(Vec<ObjectId>, Vec<ObjectId>, Vec<Commit>)>,
    /// Two commits and their merge base.
    base: VecDeque<(ObjectId, ObjectId, Option<ObjectId>)>,
}

/// The number of results of each kind that are kept.
const LAST: usize = 4;
/// Longer results are not kept.
const LONGEST: usize = 4096;

/// Adds a result, replacing the oldest one.
fn remember<T>(answers: &mut VecDeque<T>, answer: T) {
    answers.truncate(LAST - 1);
    answers.push_front(answer);
}

/// The maximum size of the commits that are kept, in bytes.
const ROOM: usize = 1024 * 1024;

impl History {
    /// Creates an empty cache.
    #[must_use]
    pub fn of(repo: &Repository) -> Self {
        let loose = Arc::new(Mutex::new(Loose::of(repo)));
        Self { loose, kept: Arc::default(), answers: Arc::default(), trees: Arc::default() }
    }

    /// Adds the commits among objects that are now in the repository, so that they need not be read.
    pub fn take_in(&self, recent: &RecentObjects) {
        let mut kept = locked(&self.kept);
        recent.commits().for_each(|commit| kept.keep(&commit.id, commit.data));
    }

    /// Forgets all commits, if some of those received did not become part of the repository.
    pub fn forget(&self) {
        *locked(&self.kept) = Kept::default();
        *locked(&self.answers) = Answers::default();
    }

    /// Returns the commits reachable from `tips` but not from `hidden`, roughly the newest first.
    ///
    /// # Errors
    ///
    /// If a commit cannot be read.
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
        let stored = commit_graph(repo);
        difference::difference(tips, hidden, &mut |id| {
            let mut links = self.stored_links(repo, stored.as_ref(), id)?;
            // The parents of a shallow commit are not here.
            if shallow.as_ref().is_some_and(|shallow| shallow.contains(&id)) {
                links.parents.clear();
            }
            Ok(links)
        })
    }

    /// Returns the tree, the parents and the time of a commit, from the commit-graph if that contains it.
    fn stored_links(
        &self,
        repo: &Repository,
        stored: Option<&commitgraph::Graph>,
        commit: ObjectId,
    ) -> gix::Result<CommitHeader> {
        match stored.and_then(|graph| Some((graph, graph.commit_by_id(commit)?))) {
            // If the graph contradicts itself, the commit itself is still right.
            Some((graph, found)) => CommitHeader::stored(graph, &found).or_else(|_| self.links(repo, commit)),
            None => self.links(repo, commit),
        }
    }

    /// Returns the tree, the parents and the time of a commit.
    fn links(&self, repo: &Repository, commit: ObjectId) -> gix::Result<CommitHeader> {
        let kept = || locked(&self.kept).commits.get(&commit).map(|known| known.links.clone());
        if let Some(links) = kept().filter(|_| !has_replace_refs(repo)) {
            return Ok(links);
        }
        let mut buffer = Vec::new();
        let found = self.seen_by(repo).find(&commit, &mut buffer)?;
        if found.kind != Kind::Commit {
            let message = format!("object {commit} should be a commit and is a {}", found.kind);
            return Err(gix::Error::from_error(io::Error::other(message)));
        }
        match kept().filter(|_| !has_replace_refs(repo)) {
            Some(links) => Ok(links),
            None => CommitHeader::of(found.data, commit.kind()),
        }
    }

    /// Returns the merge base of two commits, the first one if there are several; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If a commit cannot be read.
    pub fn base(&self, repo: &Repository, one: ObjectId, other: ObjectId) -> gix::Result<Option<ObjectId>> {
        let asked_before = locked(&self.answers)
            .base
            .iter()
            .find_map(|(asked, with, base)| ((*asked, *with) == (one, other)).then_some(*base));
        if let Some(base) = asked_before.filter(|_| is_fixed(repo).unwrap_or(false)) {
            return Ok(base);
        }
        // If one is a parent of the other, its other parents need not be walked.
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

    /// Returns the fork point of two lines of commits without merges since then: the first commit on both is then
    /// their only merge base. `None` if it is not as simple as that.
    fn base_of_lines(&self, repo: &Repository, one: ObjectId, other: ObjectId) -> Option<ObjectId> {
        let stored = commit_graph(repo);
        let links = |commit| self.stored_links(repo, stored.as_ref(), commit).ok();
        let mut ends = [Some((links(one)?, 0)), Some((links(other)?, 1))];
        let mut passed = [HashSet::from_iter([one]), HashSet::from_iter([other])];
        // The newer one first, so that neither side is walked far beyond the end of the other one.
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

    /// Returns the merge bases of one commit and a hypothetical merge of others, see [`git
    /// merge-base`](https://git-scm.com/docs/git-merge-base#_discussion).
    ///
    /// # Errors
    ///
    /// If a commit cannot be read.
    pub fn bases(&self, repo: &Repository, one: ObjectId, others: &[ObjectId]) -> gix::Result<Vec<ObjectId>> {
        let stored = commit_graph(repo);
        let mut graph = self.graph(repo, stored.as_ref());
        let Some(found) = plumbing::merge_base(one, others, &mut graph)? else { return Ok(Vec::new()) };
        // gix removes a base that is reachable from another one only if first parents lead from one to the other, and
        // finds such bases if the committer dates are skewed, or the same.
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

    /// Returns the tree of a commit.
    ///
    /// # Errors
    ///
    /// If the commit cannot be read.
    pub fn tree_of(&self, repo: &Repository, commit: ObjectId) -> gix::Result<ObjectId> {
        Ok(self.links(repo, commit)?.tree)
    }

    /// Returns the first parent of a commit, if it has one.
    ///
    /// # Errors
    ///
    /// If the commit cannot be read.
    pub fn first_parent_of(&self, repo: &Repository, commit: ObjectId) -> gix::Result<Option<ObjectId>> {
        Ok(self.parents_of(repo, commit)?.first().copied())
    }

    /// Returns the parents of a commit.
    ///
    /// # Errors
    ///
    /// If the commit cannot be read.
    pub fn parents_of(&self, repo: &Repository, commit: ObjectId) -> gix::Result<ParentIds> {
        Ok(self.links(repo, commit)?.parents)
    }

    /// Returns a source of the objects of `repo` that takes cached commits from memory.
    #[must_use]
    pub fn seen_by<'a>(&'a self, repo: &'a Repository) -> CachedObjects<'a> {
        CachedObjects { history: self, repo }
    }

    /// Whether a commit is cached.
    pub(crate) fn has_kept(&self, id: &oid) -> bool {
        locked(&self.kept).commits.contains_key(id)
    }

    /// Reads a cached commit.
    pub(crate) fn kept(&self, id: &oid, into: &mut Vec<u8>) -> Option<Kind> {
        let kept = locked(&self.kept);
        let commit = kept.commits.get(id)?;
        into.clear();
        into.extend_from_slice(&commit.bytes);
        Some(Kind::Commit)
    }

    /// Reads a loose object.
    fn in_file(&self, id: &oid, into: &mut Vec<u8>) -> gix::Result<Option<Kind>> {
        let mut loose = locked(&self.loose);
        // Another thread may have read it meanwhile: two threads often walk the same commits at once.
        if let Some(kind) = self.kept(id, into) {
            return Ok(Some(kind));
        }
        let Some(kind) = loose.read(id, into) else { return Ok(None) };
        self.keep(id, kind, into)?;
        Ok(Some(kind))
    }

    /// Verifies and caches an object, if it is a commit.
    fn keep(&self, id: &oid, kind: Kind, object: &[u8]) -> gix::Result<()> {
        if kind == Kind::Commit {
            objects::check(id, kind, object)?;
            locked(&self.kept).keep(id, object);
        }
        Ok(())
    }

    /// Creates a graph for gix's own algorithms.
    pub fn graph<'a, 'cache, T>(
        &'a self,
        repo: &'a Repository,
        stored: Option<&'cache commitgraph::Graph>,
    ) -> Graph<'a, 'cache, T> {
        Graph::new(self.seen_by(repo), stored.filter(|_| !has_replace_refs(repo)))
    }
}

/// The objects of a repository, whose commits are cached.
#[derive(Clone, Copy)]
pub struct CachedObjects<'a> {
    history: &'a History,
    repo: &'a Repository,
}

impl Find for CachedObjects<'_> {
    fn try_find<'a>(&self, id: &oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<Data<'a>>> {
        // With replace refs, gix decides which commits are replaced, and for whom.
        if has_replace_refs(self.repo) {
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

/// Whether the parents of commits cannot change: the repository is not shallow and has no replace refs.
fn is_fixed(repo: &Repository) -> gix::Result<bool> {
    Ok(repo.shallow_commits()?.is_none() && !has_replace_refs(repo))
}

/// Locks the mutex even if it is poisoned: a thread that panicked leaves nothing inconsistent here.
pub(crate) fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the repository's [commit-graph](https://git-scm.com/docs/git-commit-graph), if it has one that can be used:
/// it is disabled where objects are replaced, and one that is damaged is ignored, as by git, since it holds nothing
/// that the commits do not hold.
#[must_use]
pub fn commit_graph(repo: &Repository) -> Option<commitgraph::Graph> {
    repo.commit_graph_if_enabled().ok().flatten().filter(|_| !has_replace_refs(repo))
}

/// Whether the repository has replace refs, see <https://git-scm.com/docs/git-replace>.
#[must_use]
pub fn has_replace_refs(repo: &Repository) -> bool {
    repo.objects.store_ref().replacements().next().is_some()
}
