//! Pushes to a remote, like `git push`.

mod follow;
mod options;
mod plan;
mod refusal;
mod report;
mod send;
mod two_places;

use std::collections::HashMap;

use gix::{ObjectId, bstr::BString, protocol::handshake::Ref, refs::FullName};
use store::{
    History, PreparedPack, Receiver, RecentObjects,
    pack::{
        Item,
        encoded_entries::EncodedEntries,
        walk::{self, Limit},
        write::Offsets,
    },
};

use self::{
    plan::Plan,
    refusal::refused,
    report::{Report, Verdict},
    send::{Features, Request, Why},
};
use crate::{
    Change, Direction, Notice, Remote, RemoteError, Step, Watcher,
    direct::{Offer, Taken},
    heartbeat,
    transport::Connection,
};

/// What to push.
#[derive(Debug, Clone, Default)]
pub struct Push {
    /// The refs to update, each at most once.
    pub updates: Vec<Update>,
    /// What happens to the other updates if one cannot be made.
    pub together: Atomicity,
}

/// Whether the updates of one push depend on each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Atomicity {
    /// Each is made or refused on its own.
    #[default]
    Independent,
    /// All or none. If the remote does not support that, none is made: [`RemoteError::Refused`].
    Atomic,
}

/// An update of one ref of the remote, as a compare-and-swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The ref's name at the remote.
    pub name: FullName,
    /// The value that the remote's ref must have for the update to be made; `None`: the ref must not exist.
    pub expected: Option<ObjectId>,
    /// The new value; `None`: delete the ref.
    pub new: Option<ObjectId>,
}

/// What was prepared for a push in advance.
#[derive(Clone, Copy)]
pub struct Prepared<'a> {
    /// Some of the objects to push, in the form in which they are sent.
    pub ready: Option<&'a PreparedPack>,
    /// Objects of this repository that were just made, so that they need not be read.
    pub made: &'a RecentObjects,
}

/// The result of a push.
#[derive(Debug, Clone, Default)]
pub struct Pushed {
    /// One answer per update, in the order of the updates.
    pub answers: Vec<UpdateStatus>,
    /// The server's messages (mostly of hooks), line by line, as git shows them after `remote: `.
    pub remote_lines: Vec<String>,
    /// The number of objects sent.
    pub objects: u64,
    /// The bytes of the pack sent, or of the objects stored in a repository on this machine.
    pub bytes: u64,
    /// Why some tracking refs of what was pushed could not be updated.
    pub left_behind: Vec<Notice>,
}

/// The result of one update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateStatus {
    /// The update was made.
    Done,
    /// Nothing to do: the remote's ref has the new value already.
    UpToDate,
    /// The remote's ref has another value than expected: fetch, and try again. Determined by comparing ids.
    Stale {
        /// The remote's value.
        actual: Option<ObjectId>,
    },
    /// The remote refused the new value, or did something else instead.
    Rejected {
        /// The server's reason, or what it did instead.
        words: String,
    },
    /// Not attempted: another update of an atomic push cannot be made.
    NotAttempted,
}

impl Pushed {
    /// Whether every ref has its new value.
    #[must_use]
    pub fn all_done(&self) -> bool {
        self.answers.iter().all(|answer| matches!(answer, UpdateStatus::Done | UpdateStatus::UpToDate))
    }

    /// Whether a ref of the remote has changed meanwhile: the caller should then fetch and try again.
    #[must_use]
    pub fn lost_a_race(&self) -> bool {
        self.answers.iter().any(|answer| matches!(answer, UpdateStatus::Stale { .. }))
    }
}

impl Remote<'_> {
    /// Pushes, and updates the tracking refs of what was pushed, as `git push` does.
    ///
    /// # Errors
    ///
    /// Every [`RemoteError`] of a connection; the remote's refs may or may not have been updated then, which a new
    /// listing tells. An update that is not made is not an error but an [`UpdateStatus`].
    pub fn push(&self, what: &Push, watcher: &dyn Watcher) -> Result<Pushed, RemoteError> {
        self.push_with(what, Prepared { ready: None, made: &RecentObjects::default() }, watcher)
    }

    /// Pushes, using what is `prepared` as far as the remote lacks it.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn push_with(
        &self,
        what: &Push,
        prepared: Prepared<'_>,
        watcher: &dyn Watcher,
    ) -> Result<Pushed, RemoteError> {
        if let Some(pushed) = self.push_directly(what, prepared, watcher)? {
            return Ok(pushed);
        }
        let mut line = Connection::open(self, Direction::Push, watcher)?;
        let advertised = line.handshake.refs.take().unwrap_or_default();
        watcher.progress(Step::Listed { refs: advertised.len() });
        let (theirs, has) = (tips(&advertised), by_name(&advertised));
        let Plan { mut answers, send } = plan::plan(&what.updates, &has, what.together);
        if send.is_empty() {
            line.close();
            return Ok(Pushed { answers: settled(answers), ..Pushed::default() });
        }
        let updates: Vec<&Update> = send.iter().map(|at| &what.updates[*at]).collect();
        let prepared = self.fitting(prepared, Receiver::Server, &updates);
        let sent = self.send(line, updates, (&theirs, prepared), what.together, watcher)?;
        for at in send {
            answers[at] = Some(self.answer(&what.updates[at], &sent.report, watcher)?);
        }
        let answers = settled(answers);
        let left_behind = self.follow(&what.updates, &answers, watcher)?;
        let Outgoing { messages: remote_lines, objects, bytes, .. } = sent;
        Ok(Pushed { answers, remote_lines, objects, bytes, left_behind })
    }

    /// Stores the new objects in the remote's own repository. `None` if a server program has to receive them.
    fn push_directly(
        &self,
        what: &Push,
        prepared: Prepared<'_>,
        watcher: &dyn Watcher,
    ) -> Result<Option<Pushed>, RemoteError> {
        // Push options are for hooks, and only a server says whether it passes them on.
        if !options::configured(self.repo)?.is_empty() {
            return Ok(None);
        }
        let direct = self.direct(Direction::Push)?.filter(|direct| direct.only_stores());
        let Some((direct, listed)) =
            direct.and_then(|direct| direct.refs(&[]).ok().map(|refs| (direct, refs)))
        else {
            return Ok(None);
        };
        watcher.progress(Step::Listed { refs: listed.len() });
        let (theirs, has) = (tips(&listed), by_name(&listed));
        let Plan { mut answers, send } = plan::plan(&what.updates, &has, what.together);
        if send.is_empty() {
            return Ok(Some(Pushed { answers: settled(answers), ..Pushed::default() }));
        }
        if what.together == Atomicity::Atomic && send.len() > 1 {
            return Ok(None);
        }
        let updates: Vec<&Update> = send.iter().map(|at| &what.updates[*at]).collect();
        let prepared = self.fitting(prepared, Receiver::ObjectDatabase, &updates);
        let (from, history) = (self.repo, &self.history);
        let offer = Offer { from, history, updates: &updates, prepared, theirs: &theirs };
        watcher.may_change(Change::RemoteRefs).map_err(RemoteError::Stopped)?;
        let Ok(Taken { answers: given, stored }) = direct.take(&offer, watcher) else { return Ok(None) };
        for (at, answer) in send.into_iter().zip(given) {
            answers[at] = Some(answer);
        }
        let answers = settled(answers);
        let left_behind = self.follow(&what.updates, &answers, watcher)?;
        let (objects, bytes) = (stored.objects, stored.bytes);
        Ok(Some(Pushed { answers, remote_lines: Vec::new(), objects, bytes, left_behind }))
    }

    fn send(
        &self,
        mut line: Connection,
        updates: Vec<&Update>,
        (theirs, prepared): (&[ObjectId], Prepared<'_>),
        together: Atomicity,
        watcher: &dyn Watcher,
    ) -> Result<Outgoing, RemoteError> {
        let features = match features(self.repo, &line, &updates, together) {
            Ok(features) => features,
            Err(trouble) => {
                line.close();
                return Err(trouble);
            }
        };
        // The prepared entries refer to their delta bases by offset, and without `no-thin` these may be the objects of
        // the server.
        let is_understood = |ready: &&PreparedPack| {
            features.offsets == Offsets::Understood && (features.thin || ready.is_whole())
        };
        let ready = prepared.ready.filter(is_understood);
        let prepared = Prepared { ready, ..prepared };
        let new: Vec<_> = updates.iter().filter_map(|update| update.new).collect();
        let theirs = (Receiver::Server, theirs);
        let items = lacking((self.repo, &self.history), &new, theirs, prepared, watcher)
            .map_err(|error| RemoteError::local("finding out what the remote lacks", error))?;
        let none = EncodedEntries::default();
        let ready = prepared.ready.map_or(&none, PreparedPack::laid);
        if let Err(stop) = watcher.may_change(Change::RemoteRefs) {
            line.close();
            return Err(RemoteError::Stopped(stop));
        }
        let request = Request { updates, ready, items: &items, features };
        let wire = line.wire();
        let talk = || send::send(self.repo, &mut line, &request, watcher);
        match heartbeat::during(watcher, Step::Awaiting, &|| wire.received(), talk) {
            Ok(sent) => {
                let called = line.called().to_owned();
                line.hang_up();
                match sent.report.unpack_failed {
                    Some(words) => Err(refused(&called, &words, &sent.messages)),
                    None => Ok(Outgoing {
                        report: sent.report,
                        messages: sent.messages,
                        objects: (ready.count() + items.len()) as u64,
                        bytes: sent.bytes,
                    }),
                }
            }
            Err(broken) => match broken.why {
                Why::Objects(error) => {
                    line.hang_up();
                    Err(RemoteError::local("reading the objects to push", error))
                }
                Why::Connection(error) if broken.messages.is_empty() || wire.has_stalled() => {
                    Err(line.trouble(&error))
                }
                Why::Connection(error) => {
                    let called = line.called().to_owned();
                    line.hang_up();
                    // The messages may say why the server refused everything, or come from a hook after it had
                    // accepted everything.
                    if !self.has_all(&request.updates, watcher)? {
                        return Err(refused(&called, &sanitize::error(&error), &broken.messages));
                    }
                    Ok(Outgoing {
                        report: Report::all_made(&request.updates),
                        messages: broken.messages,
                        objects: (ready.count() + items.len()) as u64,
                        bytes: 0,
                    })
                }
            },
        }
    }

    /// Whether the remote's refs have their new values by now.
    fn has_all(&self, updates: &[&Update], watcher: &dyn Watcher) -> Result<bool, RemoteError> {
        let names: Vec<String> = updates.iter().map(|update| update.name.as_bstr().to_string()).collect();
        let listing = self.list(&names.iter().map(String::as_str).collect::<Vec<_>>(), watcher)?;
        Ok(updates.iter().all(|update| listing.id_of(update.name.as_ref()) == update.new))
    }

    /// Returns what was prepared, without the ready objects if the remote has some of them or they are not for such a
    /// receiver.
    fn fitting<'a>(&self, prepared: Prepared<'a>, receiver: Receiver, updates: &[&Update]) -> Prepared<'a> {
        let fits = |ready: &&PreparedPack| ready.is_good_for(receiver) && self.fits(ready, updates);
        Prepared { ready: prepared.ready.filter(fits), ..prepared }
    }

    /// Whether the remote lacks all ready objects, and they belong to this push: each range of commits leads from the
    /// merge base with the remote's value towards the value that is pushed. If the remote has received some of them
    /// by now, or the commits were undone here, it is better to start anew.
    fn fits(&self, ready: &PreparedPack, updates: &[&Update]) -> bool {
        ready.stretches().iter().all(|stretch| {
            updates.iter().any(|update| {
                let (Some(expected), Some(new)) = (update.expected, update.new) else { return false };
                self.leads_to(stretch.tip, new)
                    && matches!(self.history.base(self.repo, stretch.tip, expected), Ok(Some(base)) if base == stretch.known)
            })
        })
    }

    /// Whether `commit` is `tip` or one of its nearest first-parent ancestors.
    fn leads_to(&self, commit: ObjectId, mut tip: ObjectId) -> bool {
        const FAR: usize = 64;
        (0..FAR).any(|_| {
            let found = tip == commit;
            if !found && let Ok(Some(parent)) = self.history.first_parent_of(self.repo, tip) {
                tip = parent;
            }
            found
        })
    }

    /// Returns the result of `update`. If the server did not make it, the remote is asked for its value: the text of
    /// a refusal does not tell a lost race from a rule.
    fn answer(
        &self,
        update: &Update,
        report: &Report,
        watcher: &dyn Watcher,
    ) -> Result<UpdateStatus, RemoteError> {
        let verdict = report.verdict(update);
        if verdict == Verdict::Made {
            return Ok(UpdateStatus::Done);
        }
        let name = update.name.as_bstr().to_string();
        let actual = self.list(&[&name], watcher)?.id_of(update.name.as_ref());
        Ok(match verdict {
            Verdict::Made => UpdateStatus::Done,
            Verdict::Refused(words) => plan::refused(update, actual, &words),
            Verdict::Elsewhere(words) => plan::elsewhere(update, actual, words),
        })
    }
}

/// Returns the objects reachable from `new` that the owner of `theirs` lacks, except those that are ready.
pub(crate) fn lacking(
    (repo, history): (&gix::Repository, &History),
    new: &[ObjectId],
    (receiver, theirs): (Receiver, &[ObjectId]),
    Prepared { ready, made }: Prepared<'_>,
    watcher: &dyn Watcher,
) -> gix::Result<Vec<Item>> {
    let counted = &mut |objects| watcher.progress(Step::Counting { objects });
    // The ready objects, and everything reachable from them, will be at the remote when the rest arrives.
    let mut theirs = theirs.to_vec();
    theirs.extend(ready.into_iter().flat_map(PreparedPack::stretches).map(|stretch| stretch.tip));
    let limit = Limit { receiver, most: usize::MAX, found: counted };
    let mut items = walk::new_objects(repo, history, new, &theirs, made, limit)?;
    items.retain(|item| ready.is_none_or(|ready| ready.laid().find(&item.id).is_none()));
    Ok(items)
}

/// What was sent, and what the server answered.
struct Outgoing {
    report: Report,
    messages: Vec<String>,
    objects: u64,
    bytes: u64,
}

/// Returns every id that the remote advertises, including those of its alternates.
fn tips(advertised: &[Ref]) -> Vec<ObjectId> {
    advertised.iter().filter_map(|one| one.unpack().1).map(ToOwned::to_owned).collect()
}

fn by_name(advertised: &[Ref]) -> HashMap<BString, ObjectId> {
    advertised
        .iter()
        .filter_map(|one| {
            let (name, id, _peeled) = one.unpack();
            Some((name.to_owned(), id?.to_owned()))
        })
        .collect()
}

/// Returns the capabilities to request for this push.
fn features(
    repo: &gix::Repository,
    line: &Connection,
    updates: &[&Update],
    together: Atomicity,
) -> Result<Features, RemoteError> {
    let has = |name: &str| line.handshake.capabilities.contains(name);
    let lacking =
        |what: &str, help: &str| Err(RemoteError::refused(format!("{} cannot {what}", line.called()), help));
    if together == Atomicity::Atomic && !has("atomic") {
        return lacking("update several refs all or none", "push the refs one by one");
    }
    if updates.iter().any(|update| update.new.is_none()) && !has("delete-refs") {
        return lacking("delete refs", "have them deleted at the server");
    }
    let options = options::configured(repo)?;
    if !options.is_empty() && !has("push-options") {
        return Err(RemoteError::misconfigured(
            format!("{} takes no push options, and push.pushOption is set", line.called()),
            "have its owner set receive.advertisePushOptions, or leave them away for this remote: \
             `git config --show-origin --get-all push.pushOption` shows them",
        ));
    }
    let Some(report) = ["report-status-v2", "report-status"].into_iter().find(|name| has(name)) else {
        return lacking("say what became of a push", "push to a server that can");
    };
    let side_band = has("side-band-64k");
    let mut wanted = vec![report.to_owned()];
    wanted.extend(side_band.then(|| "side-band-64k".to_owned()));
    wanted.extend(has("quiet").then(|| "quiet".to_owned()));
    wanted.extend((together == Atomicity::Atomic).then(|| "atomic".to_owned()));
    wanted.extend((!options.is_empty()).then(|| "push-options".to_owned()));
    wanted.extend(has("object-format").then(|| "object-format=sha1".to_owned()));
    wanted.extend(has("agent").then(|| format!("agent={}", crate::agent())));
    let offsets = if has("ofs-delta") { Offsets::Understood } else { Offsets::Unknown };
    let thin = !has("no-thin");
    Ok(Features { line: format!(" {}", wanted.join(" ")), side_band, offsets, thin, options })
}

fn settled(answers: Vec<Option<UpdateStatus>>) -> Vec<UpdateStatus> {
    // The updates that were sent have an answer by now.
    answers.into_iter().map(|answer| answer.unwrap_or(UpdateStatus::NotAttempted)).collect()
}
