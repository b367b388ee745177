//! Pushes to the remote what it lacks, taking turns with other runs on this machine.

use std::thread;

use gix::ObjectId;
use phase::Fault;
use remote::PushTurn;
use store::RecentObjects;

use super::{Next, Sync};
use crate::exchange::{self, Outgoing, Pushed, Theirs};
use crate::look::Branch;
use crate::plan;
use crate::policy::Pull;
use crate::relate::relate;
use crate::upstream::SaidBy;
use crate::{failpoint, history, tracking, unpushed_submodules};

impl Sync<'_> {
    /// Pushes what the remote lacks, and returns where to continue.
    pub(super) fn push(&mut self, branch: &Branch, local: ObjectId, theirs: Theirs) -> anyhow::Result<Next> {
        let (place, repo) = (self.place, self.place.repo);
        let relation = relate(repo, &place.history, local, theirs)?;
        if !plan::push(relation, self.policy.pull, self.policy.push)? {
            return Ok(Next::Finish);
        }
        unpushed_submodules::refuse(repo, theirs.id(), local)?;
        if self.place.hooks()?.has("pre-push") {
            self.index_is_written()?;
        }
        let Some(turn) = self.take_turn()? else { return Ok(Next::FetchInTurn) };
        failpoint::reach("pushing", place.root());
        let commits = self.outgoing(local, theirs)?;
        place.progress.set(|| format!("pushing to {}", self.upstream.remote));
        // The fetched objects are no longer needed in memory.
        self.recent = RecentObjects::default();
        // Use the time that the push takes to gather the incoming commits for the report.
        let (view, ledger, made) = (repo.clone(), &self.ledger, &self.made);
        let outgoing = Outgoing { local, expected: theirs.id(), made };
        let (pushed, incoming) = thread::scope(|scope| {
            let looking = threads::spawn(scope, move || ledger.incoming(&view, made));
            let pushed = exchange::push(place, &self.upstream, self.policy, branch.name.as_ref(), outgoing);
            (pushed, looking.join())
        });
        // On failure they are gathered again when the ledger is closed, and the error is reported then.
        if let Ok(Ok(incoming)) = incoming {
            self.ledger.came_in(incoming);
        }
        match (self.reached(pushed)?, self.policy.pull) {
            (Pushed::Done(left_behind), _) => {
                turn.end_with_a_push();
                self.ledger.left_behind(left_behind);
            }
            (Pushed::LostRace, Pull::Wanted) => return Ok(Next::Fetch),
            (Pushed::LostRace, Pull::No) => {
                return Err(Fault::failed(
                    "the remote has moved on, and --no-pull keeps out what it has now",
                )
                .help("run it without --no-pull")
                .into());
            }
        }
        self.ledger.pushed(commits);
        failpoint::reach("pushed", place.root());
        if self.upstream.said_by == SaidBy::Custom {
            tracking::set_up(place, branch.name.as_ref(), &self.upstream)?;
        }
        Ok(Next::Finish)
    }

    /// Takes the turn to push. Returns `None` if others have pushed while this run waited for it; the turn is then
    /// kept, and the run fetches again.
    fn take_turn(&mut self) -> anyhow::Result<Option<PushTurn>> {
        if let Some(turn) = self.turn.take() {
            return Ok(Some(turn));
        }
        let turn = exchange::turn(self.place, &self.upstream, self.policy);
        let turn = self.reached(turn)?;
        if self.asked.is_some_and(|asked| turn.came_after_a_push(asked)) {
            self.turn = Some(turn);
            return Ok(None);
        }
        Ok(Some(turn))
    }

    /// The commits that a push will send.
    fn outgoing(&self, local: ObjectId, theirs: Theirs) -> anyhow::Result<Vec<contract::Commit>> {
        let repo = &self.place.history.view(self.place.repo, &self.made);
        let theirs = match theirs.id() {
            Some(id) => vec![id],
            None => history::known_of(repo, self.upstream.remote.as_str())?,
        };
        history::between(repo, &self.place.history, theirs, local)
    }
}
