//! Integrates what the remote has: fetches it, then fast-forwards the branch or replays the local commits onto it.

use contract::Exit;
use gix::ObjectId;
use phase::{Call, Fault};
use store::RecentObjects;

use super::Sync;
use crate::exchange::{self, Theirs};
use crate::look::Branch;
use crate::plan::{self, Integration};
use crate::policy::{Commit, Pull};
use crate::prefetch::Prefetch;
use crate::rebase::{self, Advice, ConflictPaths, Outcome, Replay, Replayed, Replayer, UpstreamReflog};
use crate::relate::relate_to_past;
use crate::worktree::Refused;
use crate::{failpoint, history, refuse, rewrite_notes, update};

/// How many bytes of trees are cached during a replay and after it.
const TREES: usize = 8 * 1024 * 1024;

impl Sync<'_> {
    /// Integrates what the remote has. Returns `None` if something moved, and the attempt has to start over from the
    /// commit.
    pub(super) fn pull(
        &mut self,
        branch: &Branch,
        local: ObjectId,
        seen: &UpstreamReflog,
        early: Prefetch,
    ) -> anyhow::Result<Option<(ObjectId, Theirs)>> {
        let repo = self.place.repo;
        if self.policy.pull == Pull::No {
            let known = exchange::tracked(repo, &self.upstream)?;
            return Ok(Some((local, known.map_or(Theirs::New, Theirs::At))));
        }
        let heard = early.unwrap_or_else(|| {
            self.place.progress.set(|| format!("fetching from {}", self.upstream.remote));
            exchange::fetch(self.place, &self.upstream, self.policy)
        });
        let heard = self.reached(heard)?;
        let theirs = heard.branch;
        self.asked = Some(heard.asked);
        self.recent = heard.recent.clone();
        self.ledger.fetched(heard);
        failpoint::reach("fetched", self.place.root());
        let relation = relate_to_past(repo, &self.place.history, seen, local, theirs)?;
        let onto = match (plan::integrate(relation, &self.upstream)?, theirs.id()) {
            (Integration::Nothing, _) | (_, None) => return Ok(Some((local, theirs))),
            (Integration::FastForward, Some(to)) => {
                self.index_is_written()?;
                return Ok(self.fast_forward(branch, local, to)?.map(|id| (id, theirs)));
            }
            (Integration::Replay, Some(onto)) => onto,
        };
        self.index_is_written()?;
        Ok(self.replay(branch, local, onto, seen)?.map(|id| (id, theirs)))
    }

    fn fast_forward(
        &mut self,
        branch: &Branch,
        local: ObjectId,
        to: ObjectId,
    ) -> anyhow::Result<Option<ObjectId>> {
        let now = Branch { commit: Some(local), ..branch.clone() };
        if !self.settle(update::update(self.place, &self.recent, &now, to, "lockstep: Fast-forward")?)? {
            return Ok(None);
        }
        self.place.hooks()?.tell("post-merge", Call::with(["0"]))?;
        Ok(Some(to))
    }

    fn replay(
        &mut self,
        branch: &Branch,
        local: ObjectId,
        onto: ObjectId,
        seen: &UpstreamReflog,
    ) -> anyhow::Result<Option<ObjectId>> {
        let (place, repo) = (self.place, self.place.repo);
        let known = &place.history;
        let what = Replay { onto, upstream: rebase::base_for(repo, known, seen, onto, local)?, head: local };
        // Each commit shares most of its trees with the one before it, and the first and last with what is compared
        // next.
        known.keep_trees(TREES);
        let view = known.view(repo, &self.recent);
        // Refuse names that must not be written before merging them, which the merge is not prepared for.
        update::presentable(&view, local, onto)?;
        self.place.hooks()?.ask("pre-rebase", Call::with([what.upstream.to_string()]))?;
        place.progress.set(|| "replaying local commits".into());
        let held = place.signing.held(place.progress);
        let by = Replayer { committer: place.people.committer()?, signing: place.signing };
        let mut replayed = match rebase::rebase(&view, known, what, &by, place)? {
            Outcome::Nothing => return Ok(Some(local)),
            Outcome::Replayed(replayed) => replayed,
            Outcome::Conflict(conflict) => return Err(self.conflict(conflict)?.into()),
        };
        drop(held);
        let thrown_out = rebase::thrown_out(&view, known, what)?;
        drop(view);
        failpoint::reach("replayed", place.root());
        place.guard.check()?;
        let (made, held) = replayed.keep(repo)?;
        known.take_in(&made);
        failpoint::reach("kept", place.root());
        let now = Branch { commit: Some(local), ..branch.clone() };
        let reason = format!("lockstep (finish): {} onto {onto}", branch.name.as_bstr());
        let recent = RecentObjects::joined(&[self.recent.clone(), made.clone()]);
        if !self.settle(update::update(place, &recent, &now, replayed.head, &reason)?)? {
            return Ok(None);
        }
        drop(held);
        self.made = made;
        self.ledger.replayed(|old| replayed.now(old));
        // The branch has moved: notes that cannot be copied now are no reason to stop.
        if let Err(error) = rewrite_notes::copy(place, &replayed.rewritten) {
            self.ledger.notes_left_behind(&error);
        }
        self.ledger.thrown_out(thrown_out);
        self.tell_of(&replayed, local)?;
        Ok(Some(replayed.head))
    }

    fn tell_of(&self, replayed: &Replayed, before: ObjectId) -> anyhow::Result<()> {
        let hooks = self.place.hooks()?;
        hooks
            .tell("post-checkout", Call::with([before.to_string(), replayed.head.to_string(), "1".into()]))?;
        let lines: String = replayed.rewritten.iter().map(|(old, new)| format!("{old} {new}\n")).collect();
        if lines.is_empty() {
            return Ok(());
        }
        hooks.tell("post-rewrite", Call { stdin: lines.into_bytes(), ..Call::with(["rebase"]) })
    }

    /// Whether the branch was updated; if not, the attempt has to start over.
    fn settle(&mut self, outcome: update::Outcome) -> anyhow::Result<bool> {
        match outcome {
            update::Outcome::Done(update::Done { leavings, logs }) => {
                self.leavings.extend(leavings);
                self.ledger.updated(logs);
                Ok(true)
            }
            update::Outcome::SomebodyElseMoved => Ok(false),
            update::Outcome::Refused(paths) if self.commit_may_help(&paths) => {
                self.in_the_way = paths;
                Ok(false)
            }
            update::Outcome::Refused(paths) => Err(update::refused(&paths).into()),
        }
    }

    /// Whether all these paths are in the way only until they are committed. What a commit has not included once,
    /// such as an ignored file, it will not include the next time either.
    fn commit_may_help(&self, paths: &[Refused]) -> bool {
        matches!(self.policy.commit, Commit::Everything { .. })
            // On the last attempt, starting over is right only if a commit would include all paths: the report is
            // then that files keep moving.
            && (self.ledger.attempts < self.policy.attempts
                || paths.iter().all(|path| path.why.is_of_the_index()))
            && paths.iter().all(|path| path.why.is_passing() && !self.in_the_way.contains(path))
    }

    fn conflict(&mut self, conflict: rebase::Conflict) -> anyhow::Result<Fault> {
        let commit = history::describe(self.place.repo, conflict.commit)?;
        let message = format!(
            "{}; the local commit that does not apply is {} ({})",
            in_words(&conflict.disputed),
            &commit.id[..10],
            commit.summary
        );
        self.ledger.conflicts(conflict.disputed.paths);
        let upstream = self.upstream.shown();
        Ok(Fault::new(Exit::Conflict, message).help(match conflict.way_out {
            Advice::Rebase => format!(
                "everything local is committed and as it was; resolve it by hand with `git rebase {upstream}`, then run this again"
            ),
            Advice::Merge => format!(
                "everything local is committed and as it was; join both with `git merge {upstream}`, which keeps what only a merge here holds, then run this again"
            ),
        }))
    }
}

/// Describes what both sides changed.
fn in_words(ConflictPaths { paths, file_and_folder }: &ConflictPaths) -> String {
    let (clash, lines): (Vec<_>, Vec<_>) =
        paths.iter().cloned().partition(|path| file_and_folder.contains(path));
    let lines = (!lines.is_empty())
        .then(|| format!("local and remote changes touch the same lines of {}", refuse::named(&lines)));
    let clash = (!clash.is_empty())
        .then(|| format!("one side has a file and the other a folder at {}", refuse::named(&clash)));
    lines.into_iter().chain(clash).collect::<Vec<_>>().join(", and ")
}
