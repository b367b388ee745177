//! Fetches from the remote and pushes to it.

use std::time::SystemTime;

use anyhow::Context as _;
use gix::ObjectId;
use gix::refs::FullName;
use phase::{Fault, OutgoingRef};
use remote::{Direction, Fetch, Prepared, PushTurn, Remote, RemoteError, Update, UpdateStatus};
use store::RecentObjects;

use crate::context::SyncContext;
use crate::policy::Policy;
use crate::upstream::{SaidBy, Upstream};
use crate::{faults, stale_refs};

/// The state of the branch at the remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theirs {
    /// The branch is at this commit.
    At(ObjectId),
    /// There is no such branch, and none was ever known.
    New,
    /// There was such a branch, and it has been deleted.
    Gone,
}

impl Theirs {
    /// Returns the commit that the branch is at.
    pub fn id(self) -> Option<ObjectId> {
        match self {
            Self::At(id) => Some(id),
            Self::New | Self::Gone => None,
        }
    }
}

/// The result of a fetch.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The state of the branch at the remote.
    pub branch: Theirs,
    /// When the remote was asked.
    pub asked: SystemTime,
    /// The notes refs that the remote has, by name; they were not fetched.
    pub notes: Vec<(FullName, ObjectId)>,
    /// The objects that were received.
    pub recent: RecentObjects,
    /// Messages about refs that could not be updated to the remote's.
    pub left_behind: Vec<String>,
}

/// Why an exchange failed, with an unreachable remote told apart from everything else.
#[derive(Debug)]
pub enum Failed {
    /// The remote cannot be reached. Trying again at once would not help.
    Offline(anyhow::Error),
    /// Anything else.
    Otherwise(anyhow::Error),
}

impl From<RemoteError> for Failed {
    fn from(trouble: RemoteError) -> Self {
        let offline = matches!(trouble, RemoteError::Unreachable(_));
        let error = faults::of_remote(trouble);
        if offline { Self::Offline(error) } else { Self::Otherwise(error) }
    }
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self::Otherwise(error)
    }
}

/// The prefix of notes refs. They are only listed here, because another phase syncs them; with the listing, that
/// phase need not ask the remote again when there is nothing to do.
const NOTES: &str = "refs/notes/";

/// Fetches with the remote's configured refspecs, and returns what the remote has.
///
/// # Errors
/// The remote cannot be reached or refuses, or the lock is lost.
pub fn fetch(place: &SyncContext<'_>, upstream: &Upstream, policy: &Policy) -> Result<Heard, Failed> {
    let remote = connect(place, upstream, policy)?;
    let known = tracked(place.repo, upstream)?;
    let asked = SystemTime::now();
    let mut what = Fetch::configured().listing(NOTES);
    if upstream.tracking.is_none() {
        // No configured refspec matches the branch: it is fetched nevertheless, without a tracking ref.
        what = what.and(&upstream.at_remote.as_bstr().to_string())?;
    }
    let fetched = remote.fetch(&what, &place.follower())?;
    let (notes, others): (Vec<_>, Vec<_>) =
        fetched.listing.refs.iter().partition(|listed| listed.name.as_bstr().starts_with(NOTES.as_bytes()));
    let left_behind = fetched.rejected.iter();
    let left_behind = left_behind.filter_map(|one| stale_refs::by_fetch(one, &upstream.remote)).collect();
    let branch = match fetched.listing.id_of(upstream.at_remote.as_ref()) {
        // As in git, a negative refspec (`^…`) also applies to refs that are named in addition to the configured
        // refspecs.
        Some(id) if upstream.tracking.is_none() && !place.repo.has_object(id) => {
            return Err(anyhow::Error::from(left_out(upstream)).into());
        }
        Some(id) => Theirs::At(id),
        None if others.is_empty() => Theirs::New,
        None if upstream.said_by == SaidBy::Configuration || known.is_some() => Theirs::Gone,
        None => Theirs::New,
    };
    let notes = notes.into_iter().map(|listed| (listed.name.clone(), listed.id)).collect();
    Ok(Heard { branch, asked, notes, recent: fetched.recent, left_behind })
}

fn left_out(upstream: &Upstream) -> Fault {
    let (remote, branch) = (&upstream.remote, upstream.at_remote.as_bstr());
    Fault::misconfigured(format!("{branch} is left out of what is fetched from {remote}")).help(format!(
        "take the refspec that begins with ^ away: `git config --get-all remote.{remote}.fetch` shows it"
    ))
}

/// Asks the remote which commit the upstream branch is at, without fetching anything.
///
/// # Errors
/// The remote cannot be reached or refuses.
pub fn list(
    place: &SyncContext<'_>,
    upstream: &Upstream,
    policy: &Policy,
) -> Result<Option<ObjectId>, Failed> {
    let remote = connect(place, upstream, policy)?;
    let name = upstream.at_remote.as_bstr().to_string();
    let listing = remote.list(&[&name], &place.follower())?;
    Ok(listing.id_of(upstream.at_remote.as_ref()))
}

/// Returns the commit that the tracking ref of the upstream is at.
///
/// # Errors
/// The tracking ref cannot be read.
pub fn tracked(repo: &gix::Repository, upstream: &Upstream) -> anyhow::Result<Option<ObjectId>> {
    let Some(tracking) = &upstream.tracking else { return Ok(None) };
    match repo.try_find_reference(tracking.as_ref())? {
        Some(mut reference) => {
            let id = reference.peel_to_id().with_context(|| tracking.as_bstr().to_string())?;
            Ok(Some(id.detach()))
        }
        None => Ok(None),
    }
}

/// Waits for this run's turn to push to the upstream's remote.
///
/// # Errors
/// The remote's configuration cannot be used.
pub fn turn(place: &SyncContext<'_>, upstream: &Upstream, policy: &Policy) -> Result<PushTurn, Failed> {
    Ok(connect(place, upstream, policy)?.turn(&|| place.guard.alive()))
}

/// The result of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// The push succeeded. Holds messages about tracking refs that could not be updated.
    Done(Vec<String>),
    /// The branch at the remote was moved in the meantime.
    LostRace,
}

/// What is pushed.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// The commit that the local branch is at.
    pub local: ObjectId,
    /// The commit that the upstream is expected to be at.
    pub expected: Option<ObjectId>,
    /// Objects that were just made, so that they need not be read.
    pub made: &'a RecentObjects,
}

/// Pushes a branch to the upstream, after running the `pre-push` hook.
///
/// # Errors
/// The hook refuses, the remote cannot be reached, or it rejects the push: then its message is included.
pub fn push(
    place: &SyncContext<'_>,
    upstream: &Upstream,
    policy: &Policy,
    branch: &gix::refs::FullNameRef,
    Outgoing { local, expected, made }: Outgoing<'_>,
) -> Result<Pushed, Failed> {
    let remote = connect(place, upstream, policy)?;
    let going = OutgoingRef { here: branch, id: local, at_remote: upstream.at_remote.as_ref(), expected };
    // Git passes the hook the whole URL.
    let url = remote.full_url(Direction::Push).unwrap_or_else(|| upstream.remote.to_string());
    place.hooks()?.ask_before_push(upstream.remote.as_str(), &url, &[going])?;
    place.guard.check().map_err(anyhow::Error::from)?;
    let update = Update { name: upstream.at_remote.clone(), expected, new: Some(local) };
    let push = remote::Push { updates: vec![update.clone()], ..Default::default() };
    let pushed = remote.push_with(&push, Prepared { ready: None, made }, &place.follower())?;
    match pushed.answers.into_iter().next() {
        Some(UpdateStatus::Done | UpdateStatus::UpToDate) => {
            Ok(Pushed::Done(pushed.left_behind.into_iter().map(stale_refs::by_push).collect()))
        }
        Some(UpdateStatus::Stale { .. } | UpdateStatus::NotAttempted) | None => {
            remote.check_race(&update, &place.follower())?;
            Ok(Pushed::LostRace)
        }
        Some(UpdateStatus::Rejected { words }) => {
            Err(Failed::Otherwise(rejected(&upstream.remote, &words, &pushed.remote_lines).into()))
        }
    }
}

fn connect<'repo>(
    place: &SyncContext<'repo>,
    upstream: &Upstream,
    policy: &Policy,
) -> Result<Remote<'repo>, Failed> {
    let remote = Remote::named(place.repo, &upstream.remote)?.with_history(place.history.clone());
    Ok(match policy.stall {
        Some(limit) => remote.with_stall(limit),
        None => remote,
    })
}

fn rejected(remote: &remote::RemoteName, words: &str, lines: &[String]) -> Fault {
    let mut message = format!("{remote} did not take the push: {words}");
    for line in lines {
        message.push_str("\n  ");
        message.push_str(line);
    }
    Fault::new(contract::Exit::Unreachable, message)
        .help("the commits are here and will be pushed by the next run, once the remote takes them")
}
