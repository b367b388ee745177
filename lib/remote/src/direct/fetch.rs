//! What a remote has and this repository lacks: the work of `git-upload-pack`.

use std::collections::VecDeque;

use gix::{
    ObjectId, Repository,
    hashtable::HashSet,
    object::Kind,
    objs::Exists,
    odb::{self, HeaderExt, store::RefreshMode},
    zlib::Compression,
};

use super::{
    Direct,
    whole::{self, Whole},
};
use crate::{
    History, Recent, Step, Watcher,
    history::Commit,
    pack::{
        self, Item, Receiver,
        kept::Kept,
        laid::Laid,
        landing::Limited,
        walk::{self, Limit},
        write::{self, Offsets, Options},
    },
};

/// How many commits that the remote does not have are passed on the way to one that it has.
const PATIENCE: usize = 8 * 1024;

/// What is asked of a remote.
pub(crate) struct Ask<'a> {
    /// The repository that it is for, and its history.
    pub ours: &'a Repository,
    pub history: &'a History,
    /// What is to be there with all that it leads to.
    pub wanted: &'a [ObjectId],
    /// Tags that come along if what they are of does.
    pub tags: &'a [ObjectId],
}

impl Direct {
    /// Packs that hold most of the commits that are asked for, if there are such that can be taken as they are, and one
    /// with the rest.
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
        let Some(Whole { mut packs, rest }) = whole::packs(&self.repo, ask.ours, &new).filter(|_| !has_tags)
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

    /// Whether nothing came but what is asked for, as far as it could be taken for something that is whole: whatever
    /// leads on to others. Who finds the end of a tag or branch here does not ask whether all that belongs to it is
    /// here too.
    pub fn is_no_more(&self, came: &Recent, ask: &Ask<'_>, common: &[ObjectId]) -> bool {
        let Ok(new) = self.new_commits(ask, common) else { return false };
        let new: HashSet<ObjectId> = new.into_iter().map(|commit| commit.id).collect();
        let leads_on = |object: &&Kept| matches!(object.kind, Kind::Commit | Kind::Tag);
        came.objects()
            .filter(leads_on)
            .all(|object| new.contains(&object.id) || ask.ours.objects.exists(&object.id))
    }

    /// A pack with all that is asked for.
    ///
    /// # Errors
    ///
    /// Where something cannot be read, or it is more than what can be held in memory.
    pub fn pack(&self, ask: &Ask<'_>, common: &[ObjectId], watcher: &dyn Watcher) -> gix::Result<Vec<u8>> {
        let mut wanted = ask.wanted.to_vec();
        wanted.extend(self.tags(ask, &self.new_commits(ask, common)?)?);
        self.packed(&wanted, common, watcher)
    }

    fn packed(&self, wanted: &[ObjectId], there: &[ObjectId], watcher: &dyn Watcher) -> gix::Result<Vec<u8>> {
        let counted = &mut |objects| watcher.progress(Step::Counting { objects });
        let limit = Limit { receiver: Receiver::Server, most: pack::MOST_AT_ONCE, found: counted };
        let recent = Recent::default();
        let items = walk::new_objects(&self.repo, &self.history, wanted, there, &recent, limit)?;
        let told = &mut |_, bytes| watcher.progress(Step::Receiving { bytes });
        in_memory(&self.repo, &items, told)
    }

    /// The commits that are asked for, and those before them that are not `common`.
    fn new_commits(&self, ask: &Ask<'_>, common: &[ObjectId]) -> gix::Result<Vec<Commit>> {
        let tips = walk::commits_among(&self.repo, ask.wanted);
        self.history.between(&self.repo, tips, common.to_vec())
    }

    /// The tags that come along with `new`.
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

    /// Commits that both have, and behind which is all that both have, as far as one need look.
    pub fn common(&self, ask: &Ask<'_>) -> gix::Result<Vec<ObjectId>> {
        let mut here = ask.ours.clone();
        here.objects.refresh = RefreshMode::Never;
        // To be sure that something is not there, the indices of all packs are opened. They are closed again with this.
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
        // It may be a rest of something that was thrown away. Whoever walks there comes upon what is missing, and
        // leaves it all to a server; only a name without a commit must not be in the way.
        common.retain(|commit| there.header(commit).is_ok_and(|header| header.kind() == Kind::Commit));
        Ok(common)
    }
}

/// Commits each of which has but one parent that is the next one, down to one that the remote has.
///
/// Whoever has a commit has what is behind it, and else a walk comes upon what is missing. So not each commit is asked
/// for, as in git's [`skipping`](https://git-scm.com/docs/git-config#Documentation/git-config.txt-fetchnegotiationAlgorithm)
/// negotiation.
struct Line {
    /// How many were passed.
    passed: usize,
    /// The first that the remote has.
    common: Option<ObjectId>,
    /// What comes next where it has none.
    open: Vec<ObjectId>,
}

/// How many commits of a line are passed before one is asked for.
const STRIDE: usize = 16;

impl Line {
    /// The line that begins with `first`, which is not there. `parents` says which a commit has, as far as they were
    /// not seen yet.
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

/// Those of `commits` that neither are in `rest` nor have a commit in it among those before them.
fn without_any_before(commits: &[Commit], rest: &[ObjectId]) -> Vec<ObjectId> {
    let mut tainted: HashSet<ObjectId> = rest.iter().copied().collect();
    // Parents come late in the list, but not always after their children.
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

/// A pack of `items`, in memory. `told` hears how many objects and bytes there are so far.
fn in_memory(repo: &Repository, items: &[Item], told: &mut dyn FnMut(usize, u64)) -> gix::Result<Vec<u8>> {
    // Where it arrives, it is taken apart.
    let options = Options::of(repo, Receiver::Server, Offsets::Understood);
    let options = Options { level: Compression::BEST_SPEED, ..options };
    let mut pack = Limited::new(Vec::new());
    write::write(repo, &Laid::default(), items, options, &mut pack, told)?;
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
            // From there on they are there, be it none.
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
