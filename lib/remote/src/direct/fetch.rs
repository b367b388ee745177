//! Finds and packs what a remote on this machine has and this repository lacks: the work of `git-upload-pack`.

use std::collections::VecDeque;

use gix::{
    ObjectId, Repository,
    hashtable::HashSet,
    object::Kind,
    objs::Exists,
    odb::{self, HeaderExt, store::RefreshMode},
    zlib::Compression,
};
use store::{
    Commit, History, RecentObjects,
    pack::{
        self, Item, Receiver,
        cached_object::CachedObject,
        encoded_entries::EncodedEntries,
        walk::{self, Limit},
        write::{self, Offsets, Options},
        write_local::Limited,
    },
};

use super::{
    LocalRepo,
    copy_packs::{self, Whole},
};
use crate::{Step, Watcher};

/// How many commits that the remote lacks are visited in the search for common ones.
const PATIENCE: usize = 8 * 1024;

/// A request to a remote.
pub(crate) struct Ask<'a> {
    /// The repository that fetches, and its history.
    pub ours: &'a Repository,
    pub history: &'a History,
    /// The objects that must exist afterwards, with everything reachable from them.
    pub wanted: &'a [ObjectId],
    /// Tags to be included if the objects that they point to are.
    pub tags: &'a [ObjectId],
}

impl LocalRepo {
    /// Returns existing packs that hold most of the commits that are asked for, and one more pack with the rest.
    /// `None` if no packs are suitable.
    ///
    /// # Errors
    ///
    /// As with [`pack`](Self::pack).
    pub fn whole_packs(
        &self,
        ask: &Ask<'_>,
        common: &[ObjectId],
        watcher: &dyn Watcher,
    ) -> gix::Result<Option<Vec<Vec<u8>>>> {
        let new = self.new_commits(ask, common)?;
        let has_tags = !self.tags(ask, &new)?.is_empty();
        let Some(Whole { mut packs, rest }) =
            copy_packs::packs(&self.repo, ask.ours, &new).filter(|_| !has_tags)
        else {
            return Ok(None);
        };
        if !rest.is_empty() {
            let mut there = common.to_vec();
            there.extend(without_any_before(&new, &rest));
            packs.push(self.packed(&rest, &there, watcher)?);
        }
        Ok(Some(packs))
    }

    /// Whether the packs brought no commit or tag that is neither asked for nor here already. Whoever later finds
    /// such an object here takes everything reachable from it to be here too, without checking.
    pub fn is_no_more(&self, came: &RecentObjects, ask: &Ask<'_>, common: &[ObjectId]) -> bool {
        let Ok(new) = self.new_commits(ask, common) else { return false };
        let new: HashSet<ObjectId> = new.into_iter().map(|commit| commit.id).collect();
        let leads_on = |object: &&CachedObject| matches!(object.kind, Kind::Commit | Kind::Tag);
        came.objects()
            .filter(leads_on)
            .all(|object| new.contains(&object.id) || ask.ours.objects.exists(&object.id))
    }

    /// Returns a pack with everything that is asked for.
    ///
    /// # Errors
    ///
    /// If something cannot be read, or is too large to be held in memory.
    pub fn pack(&self, ask: &Ask<'_>, common: &[ObjectId], watcher: &dyn Watcher) -> gix::Result<Vec<u8>> {
        let mut wanted = ask.wanted.to_vec();
        wanted.extend(self.tags(ask, &self.new_commits(ask, common)?)?);
        self.packed(&wanted, common, watcher)
    }

    fn packed(&self, wanted: &[ObjectId], there: &[ObjectId], watcher: &dyn Watcher) -> gix::Result<Vec<u8>> {
        let counted = &mut |objects| watcher.progress(Step::Counting { objects });
        let limit = Limit { receiver: Receiver::Server, most: pack::MOST_AT_ONCE, found: counted };
        let recent = RecentObjects::default();
        let items = walk::new_objects(&self.repo, &self.history, wanted, there, &recent, limit)?;
        let told = &mut |_, bytes| watcher.progress(Step::Receiving { bytes });
        in_memory(&self.repo, &items, told)
    }

    /// Returns the wanted commits and their ancestors that are not reachable from `common`.
    fn new_commits(&self, ask: &Ask<'_>, common: &[ObjectId]) -> gix::Result<Vec<Commit>> {
        let tips = walk::commits_among(&self.repo, ask.wanted);
        self.history.between(&self.repo, tips, common.to_vec())
    }

    /// Returns the tags that point to commits of `new`.
    fn tags(&self, ask: &Ask<'_>, new: &[Commit]) -> gix::Result<Vec<ObjectId>> {
        let mut tags = Vec::new();
        for tag in ask.tags {
            let target = self.repo.find_object(*tag)?.peel_tags_to_end()?.id;
            if new.iter().any(|commit| commit.id == target) {
                tags.push(*tag);
            }
        }
        Ok(tags)
    }

    /// Returns commits that both repositories have and from which all that they share is reachable, as far as the
    /// search goes.
    pub fn common(&self, ask: &Ask<'_>) -> gix::Result<Vec<ObjectId>> {
        let mut here = ask.ours.clone();
        here.objects.refresh = RefreshMode::Never;
        // To prove that an object is absent, the indexes of all packs are opened. Dropping this handle closes them.
        let objects = self.repo.objects.store_ref().path();
        let mut there = odb::at(objects, self.repo.object_hash()).map_err(gix::Error::from_error)?;
        there.refresh = RefreshMode::Never;
        let mut open: VecDeque<ObjectId> = walk::commits_among(&here, &crate::fetch::tips(&here)?).into();
        let mut seen: HashSet<ObjectId> = open.iter().copied().collect();
        let (mut common, mut passed) = (Vec::new(), 0);
        while let Some(commit) = open.pop_front() {
            if there.exists(&commit) {
                common.push(commit);
                continue;
            }
            let parents = &mut |commit| {
                let parents = ask.history.parents_of(&here, commit)?;
                Ok(parents.into_iter().filter(|parent| seen.insert(*parent)).collect())
            };
            let line = Line::below(commit, &|id| there.exists(id), parents)?;
            common.extend(line.common);
            passed += line.passed;
            if passed > PATIENCE {
                break;
            }
            open.extend(line.open);
        }
        // A commit may be a remnant of history that was discarded. A walk from it then finds objects missing, and the
        // whole fetch is left to a server; only ids that cannot be read as commits must be dropped here.
        common.retain(|commit| there.header(commit).is_ok_and(|header| header.kind() == Kind::Commit));
        Ok(common)
    }
}

/// A chain of commits, each with only one parent that was not seen yet, the next in the chain, down to one that the
/// remote has.
///
/// A repository that has a commit normally has its ancestors (if not, a later walk finds what is missing). So not
/// every commit is looked up, as in git's
/// [`skipping`](https://git-scm.com/docs/git-config#Documentation/git-config.txt-fetchnegotiationAlgorithm)
/// negotiation.
struct Line {
    /// How many commits were visited that the remote lacks.
    passed: usize,
    /// The first commit of the chain that the remote has.
    common: Option<ObjectId>,
    /// The commits to go on with, if the remote has none of the chain.
    open: Vec<ObjectId>,
}

/// How many commits of a chain are skipped before one is looked up.
const STRIDE: usize = 16;

impl Line {
    /// Follows the chain that begins with `first`, which the remote lacks. `parents` returns the parents of a commit
    /// that were not seen yet.
    fn below(
        first: ObjectId,
        is_there: &dyn Fn(&ObjectId) -> bool,
        parents: &mut dyn FnMut(ObjectId) -> gix::Result<Vec<ObjectId>>,
    ) -> gix::Result<Self> {
        let (mut line, mut missing) = (vec![first], 1);
        let mut open = parents(first)?;
        loop {
            let goes_on = open.len() == 1 && line.len() <= PATIENCE;
            if goes_on {
                line.append(&mut open);
            }
            let last = line[line.len() - 1];
            if line.len() > missing && (!goes_on || line.len() - missing == STRIDE) {
                if is_there(&last) {
                    let at = missing + line[missing..].partition_point(|commit| !is_there(commit));
                    return Ok(Self { passed: at, common: Some(line[at]), open: Vec::new() });
                }
                missing = line.len();
            }
            if !goes_on {
                return Ok(Self { passed: line.len(), common: None, open });
            }
            open = parents(last)?;
        }
    }
}

/// Returns those of `commits` that are not in `rest` and have no ancestor in it.
fn without_any_before(commits: &[Commit], rest: &[ObjectId]) -> Vec<ObjectId> {
    let mut tainted: HashSet<ObjectId> = rest.iter().copied().collect();
    // Parents come late in the list, but not always after all of their children.
    loop {
        let known = tainted.len();
        for commit in commits.iter().rev() {
            if commit.parents.iter().any(|parent| tainted.contains(parent)) {
                tainted.insert(commit.id);
            }
        }
        if tainted.len() == known {
            break;
        }
    }
    commits.iter().map(|commit| commit.id).filter(|id| !tainted.contains(id)).collect()
}

/// Writes a pack of `items` in memory. `told` is called with the number of objects and bytes so far.
fn in_memory(repo: &Repository, items: &[Item], told: &mut dyn FnMut(usize, u64)) -> gix::Result<Vec<u8>> {
    // The pack is parsed as soon as it arrives.
    let options = Options::of(repo, Receiver::Server, Offsets::Understood);
    let options = Options { level: Compression::BEST_SPEED, ..options };
    let mut pack = Limited::new(Vec::new());
    write::write(repo, &EncodedEntries::default(), items, options, &mut pack, told)?;
    Ok(pack.into_inner())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn id(number: usize) -> ObjectId {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        ObjectId::from_bytes_or_panic(&bytes)
    }

    #[test]
    fn the_first_commit_of_a_line_that_is_there_is_found_and_few_are_asked_for() {
        for length in [1, 2, 15, 16, 17, 18, 33, 500] {
            // The remote has the commits from `there` on; none if `there` is `length`.
            for there in 1..=length {
                let asked = Cell::new(0);
                let is_there = |commit: &ObjectId| {
                    asked.set(asked.get() + 1);
                    (there..length).any(|number| id(number) == *commit)
                };
                let mut numbers = 1..length;
                let mut parents = |_| Ok(numbers.next().map(id).into_iter().collect());
                let line = Line::below(id(0), &is_there, &mut parents).unwrap();
                assert_eq!(line.common, (there < length).then(|| id(there)), "{there} of {length}");
                assert_eq!(line.passed, there, "{there} of {length}");
                assert!(asked.get() <= there / STRIDE + 7, "{} asked for, {there} of {length}", asked.get());
            }
        }
    }

    #[test]
    fn a_line_ends_where_histories_meet_and_is_left_after_a_long_way() {
        let merge = |commit| Ok(if commit == id(0) { vec![id(1)] } else { vec![id(2), id(3)] });
        let line = Line::below(id(0), &|_| false, &mut { merge }).unwrap();
        assert_eq!((line.passed, line.common, line.open), (2, None, vec![id(2), id(3)]));
        let line = Line::below(id(0), &|commit| *commit == id(1), &mut { merge }).unwrap();
        assert_eq!((line.passed, line.common, line.open), (1, Some(id(1)), vec![]));
        let mut all = 1..;
        let line = Line::below(id(0), &|_| false, &mut |_| Ok(all.next().map(id).into_iter().collect()));
        assert!(line.unwrap().passed > PATIENCE);
    }
}
