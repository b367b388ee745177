//! Giving the remote what it lacks: `git push`.

mod follow;
mod options;
mod plan;
mod refusal;
mod report;
mod send;
mod two_places;

use std::collections::HashMap;

use gix::{ObjectId, bstr::BString, protocol::handshake::Ref, refs::FullName};

use self::{
    plan::Plan,
    refusal::refused,
    report::{Report, Verdict},
    send::{Features, Request, Why},
};
use crate::{
    Change, Direction, History, Notice, Ready, Receiver, Recent, Remote, Step, Trouble, Watcher,
    direct::{Offer, Taken},
    pack::{
        Item,
        laid::Laid,
        walk::{self, Limit},
        write::Offsets,
    },
    pulse,
    transport::Line,
};

/// What to push.
#[derive(Debug, Clone, Default)]
pub struct Push {
    /// The refs to update, each named once.
    pub updates: Vec<Update>,
    /// What becomes of the others where one update cannot be made.
    pub together: Together,
}

/// Whether the updates of one push depend on each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Together {
    /// Each on its own merits.
    #[default]
    Independent,
    /// All or none. A remote that cannot promise it makes none: [`Trouble::Refused`].
    Atomic,
}

/// One ref of the remote, to be moved from a value that it is known to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The ref's name at the remote.
    pub name: FullName,
    /// What the remote must have there for the update to be made; `None`: no such ref.
    pub expected: Option<ObjectId>,
    /// What it shall have; `None`: delete it.
    pub new: Option<ObjectId>,
}

/// What was done for a push beforehand.
#[derive(Clone, Copy)]
pub struct Prepared<'a> {
    /// Some of what it needs, in the form in which it is sent.
    pub ready: Option<&'a Ready>,
    /// Objects of this repository that were just made, so that they need not be read.
    pub made: &'a Recent,
}

/// What became of a push.
#[derive(Debug, Clone, Default)]
pub struct Pushed {
    /// One answer an update, in the order asked.
    pub answers: Vec<Answer>,
    /// What the server said meanwhile (hooks, mostly), line by line, as git shows it after `remote: `.
    pub remote_lines: Vec<String>,
    /// Objects sent.
    pub objects: u64,
    /// Bytes of the pack sent, or of what was stored in a repository on this machine.
    pub bytes: u64,
    /// Why local refs do not follow what was updated, where some could not be moved.
    pub left_behind: Vec<Notice>,
}

/// What became of one update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Made.
    Done,
    /// Nothing to do: the remote has that value already.
    UpToDate,
    /// The remote has another value than was expected: fetch, and try again. Found by comparing ids.
    Stale {
        /// What it has.
        actual: Option<ObjectId>,
    },
    /// The remote does not take the new value, or made something else of it.
    Rejected {
        /// The server's words, or what it did instead.
        words: String,
    },
    /// Not tried: another update of an atomic push cannot be made.
    HeldBack,
}

impl Pushed {
    /// Whether every ref has its new value.
    #[must_use]
    pub fn all_done(&self) -> bool {
        self.answers.iter().all(|answer| matches!(answer, Answer::Done | Answer::UpToDate))
    }

    /// Whether the remote moved under some update: what is to be done then is to fetch and try again.
    #[must_use]
    pub fn lost_a_race(&self) -> bool {
        self.answers.iter().any(|answer| matches!(answer, Answer::Stale { .. }))
    }
}

impl Remote<'_> {
    /// Pushes, and moves the local tracking refs of what was updated, as `git push` does.
    ///
    /// # Errors
    ///
    /// Every [`Trouble`] of a connection; the remote's refs may or may not have moved then, which a new listing
    /// tells. An update that is not made is no error but an [`Answer`].
    pub fn push(&self, what: &Push, watcher: &dyn Watcher) -> Result<Pushed, Trouble> {
        self.push_with(what, Prepared { ready: None, made: &Recent::default() }, watcher)
    }

    /// Pushes, and makes use of what is `prepared`, as far as the remote lacks it.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn push_with(
        &self,
        what: &Push,
        prepared: Prepared<'_>,
        watcher: &dyn Watcher,
    ) -> Result<Pushed, Trouble> {
        if let Some(pushed) = self.push_directly(what, prepared, watcher)? {
            return Ok(pushed);
        }
        let mut line = Line::open(self, Direction::Push, watcher)?;
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

    /// Stores what is new in the remote's own repository. None: a server is to take it.
    fn push_directly(
        &self,
        what: &Push,
        prepared: Prepared<'_>,
        watcher: &dyn Watcher,
    ) -> Result<Option<Pushed>, Trouble> {
        // Options are for hooks, and only a server says whether it hands them on.
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
        if what.together == Together::Atomic && send.len() > 1 {
            return Ok(None);
        }
        let updates: Vec<&Update> = send.iter().map(|at| &what.updates[*at]).collect();
        let prepared = self.fitting(prepared, Receiver::Folder, &updates);
        let (from, history) = (self.repo, &self.history);
        let offer = Offer { from, history, updates: &updates, prepared, theirs: &theirs };
        watcher.may_change(Change::RemoteRefs).map_err(Trouble::Stopped)?;
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
        mut line: Line,
        updates: Vec<&Update>,
        (theirs, prepared): (&[ObjectId], Prepared<'_>),
        together: Together,
        watcher: &dyn Watcher,
    ) -> Result<Outgoing, Trouble> {
        let features = match features(self.repo, &line, &updates, together) {
            Ok(features) => features,
            Err(trouble) => {
                line.close();
                return Err(trouble);
            }
        };
        // What was laid out names what it is a delta of by its distance, and for a server that may be the server's.
        let is_understood =
            |ready: &&Ready| features.offsets == Offsets::Understood && (features.thin || ready.is_whole());
        let ready = prepared.ready.filter(is_understood);
        let prepared = Prepared { ready, ..prepared };
        let new: Vec<_> = updates.iter().filter_map(|update| update.new).collect();
        let theirs = (Receiver::Server, theirs);
        let items = lacking((self.repo, &self.history), &new, theirs, prepared, watcher)
            .map_err(|error| Trouble::local("finding out what the remote lacks", error))?;
        let none = Laid::default();
        let ready = prepared.ready.map_or(&none, Ready::laid);
        if let Err(stop) = watcher.may_change(Change::RemoteRefs) {
            line.close();
            return Err(Trouble::Stopped(stop));
        }
        let request = Request { updates, ready, items: &items, features };
        let wire = line.wire();
        let talk = || send::send(self.repo, &mut line, &request, watcher);
        match pulse::beside(watcher, Step::Awaiting, &|| wire.received(), talk) {
            Ok(sent) => {
                let called = line.called().to_owned();
                line.hang_up();
                match sent.report.unpack_failed {
                    Some(words) => Err(refused(&called, &words, &sent.messages)),
                    None => Ok(Outgoing {
                        report: sent.report,
                        messages: sent.messages,
                        objects: (ready.len() + items.len()) as u64,
                        bytes: sent.bytes,
                    }),
                }
            }
            Err(broken) => match broken.why {
                Why::Objects(error) => {
                    line.hang_up();
                    Err(Trouble::local("reading the objects to push", error))
                }
                Why::Connection(error) if broken.messages.is_empty() || wire.has_stalled() => {
                    Err(line.trouble(&error))
                }
                Why::Connection(error) => {
                    let called = line.called().to_owned();
                    line.hang_up();
                    // What it said may be why it took nothing, or what a hook said after it had taken all.
                    if !self.has_all(&request.updates, watcher)? {
                        return Err(refused(&called, &words::error(&error), &broken.messages));
                    }
                    Ok(Outgoing {
                        report: Report::all_made(&request.updates),
                        messages: broken.messages,
                        objects: (ready.len() + items.len()) as u64,
                        bytes: 0,
                    })
                }
            },
        }
    }

    /// Whether the remote has by now what it was to have.
    fn has_all(&self, updates: &[&Update], watcher: &dyn Watcher) -> Result<bool, Trouble> {
        let names: Vec<String> = updates.iter().map(|update| update.name.as_bstr().to_string()).collect();
        let listing = self.list(&names.iter().map(String::as_str).collect::<Vec<_>>(), watcher)?;
        Ok(updates.iter().all(|update| listing.id_of(update.name.as_ref()) == update.new))
    }

    /// What was prepared, without what is ready where that is not what is lacking, or is not for such a receiver.
    fn fitting<'a>(&self, prepared: Prepared<'a>, receiver: Receiver, updates: &[&Update]) -> Prepared<'a> {
        let fits = |ready: &&Ready| ready.is_good_for(receiver) && self.fits(ready, updates);
        Prepared { ready: prepared.ready.filter(fits), ..prepared }
    }

    /// Whether all that is ready is lacked by the remote, and has its place there: each stretch is what led from what
    /// both have to what is pushed. If the remote has some of it by now, or it was taken back here, it is better to
    /// look anew.
    fn fits(&self, ready: &Ready, updates: &[&Update]) -> bool {
        ready.stretches().iter().all(|stretch| {
            updates.iter().any(|update| {
                let (Some(expected), Some(new)) = (update.expected, update.new) else { return false };
                self.leads_to(stretch.tip, new)
                    && matches!(self.history.base(self.repo, stretch.tip, expected), Ok(Some(base)) if base == stretch.known)
            })
        })
    }

    /// Whether a commit is one of the last first parents of another one.
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

    /// What became of `update`. Where the server did not make it, the remote is asked what it has: the words of a
    /// refusal do not tell a lost race from a rule.
    fn answer(&self, update: &Update, report: &Report, watcher: &dyn Watcher) -> Result<Answer, Trouble> {
        let verdict = report.verdict(update);
        if verdict == Verdict::Made {
            return Ok(Answer::Done);
        }
        let name = update.name.as_bstr().to_string();
        let actual = self.list(&[&name], watcher)?.id_of(update.name.as_ref());
        Ok(match verdict {
            Verdict::Made => Answer::Done,
            Verdict::Refused(words) => plan::refused(update, actual, &words),
            Verdict::Elsewhere(words) => plan::elsewhere(update, actual, words),
        })
    }
}

/// What the owner of `theirs` lacks of all that `new` leads to, but for what is ready.
pub(crate) fn lacking(
    (repo, history): (&gix::Repository, &History),
    new: &[ObjectId],
    (receiver, theirs): (Receiver, &[ObjectId]),
    Prepared { ready, made }: Prepared<'_>,
    watcher: &dyn Watcher,
) -> gix::Result<Vec<Item>> {
    let counted = &mut |objects| watcher.progress(Step::Counting { objects });
    // What is ready, and what belongs to it, is theirs when the rest comes.
    let mut theirs = theirs.to_vec();
    theirs.extend(ready.into_iter().flat_map(Ready::stretches).map(|stretch| stretch.tip));
    let limit = Limit { receiver, most: usize::MAX, found: counted };
    let mut items = walk::new_objects(repo, history, new, &theirs, made, limit)?;
    items.retain(|item| ready.is_none_or(|ready| ready.laid().find(&item.id).is_none()));
    Ok(items)
}

/// What went out, and what came back.
struct Outgoing {
    report: Report,
    messages: Vec<String>,
    objects: u64,
    bytes: u64,
}

/// Every id that the remote has, including those of repositories that it borrows objects from.
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

/// What to ask of the server for this push.
fn features(
    repo: &gix::Repository,
    line: &Line,
    updates: &[&Update],
    together: Together,
) -> Result<Features, Trouble> {
    let has = |name: &str| line.handshake.capabilities.contains(name);
    let lacking =
        |what: &str, help: &str| Err(Trouble::refused(format!("{} cannot {what}", line.called()), help));
    if together == Together::Atomic && !has("atomic") {
        return lacking("update several refs all or none", "push the refs one by one");
    }
    if updates.iter().any(|update| update.new.is_none()) && !has("delete-refs") {
        return lacking("delete refs", "have them deleted at the server");
    }
    let options = options::configured(repo)?;
    if !options.is_empty() && !has("push-options") {
        return Err(Trouble::misconfigured(
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
    wanted.extend((together == Together::Atomic).then(|| "atomic".to_owned()));
    wanted.extend((!options.is_empty()).then(|| "push-options".to_owned()));
    wanted.extend(has("object-format").then(|| "object-format=sha1".to_owned()));
    wanted.extend(has("agent").then(|| format!("agent={}", crate::agent())));
    let offsets = if has("ofs-delta") { Offsets::Understood } else { Offsets::Unknown };
    let thin = !has("no-thin");
    Ok(Features { line: format!(" {}", wanted.join(" ")), side_band, offsets, thin, options })
}

fn settled(answers: Vec<Option<Answer>>) -> Vec<Answer> {
    // Those that were sent have theirs by now.
    answers.into_iter().map(|answer| answer.unwrap_or(Answer::HeldBack)).collect()
}
