//! Getting what the remote has: `git fetch`.

mod negotiate;
mod refs;
mod want;

use std::{io, sync::atomic::AtomicBool};

use gix::{
    ObjectId,
    bstr::{BStr, BString},
    protocol,
    refs::FullName,
    refspec::RefSpec,
};
use gix_transport::client::Capabilities;

pub(crate) use self::refs::tips;
use self::{
    negotiate::{Negotiation, Silence},
    want::{Specs, Want},
};
use crate::{
    Change, Direction, Listing, Recent, Remote, Step, Trouble, Watcher,
    direct::{Ask, Direct},
    list,
    local_ref::{self, Value},
    pack::{
        sound::{self, Missing},
        store::Arriving,
    },
    pulse::{self, Ticks},
    transport::Line,
};

/// What to fetch.
#[derive(Debug, Clone)]
pub struct Fetch {
    configured: Configured,
    extra: Vec<RefSpec>,
    listed: Vec<BString>,
    action: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Configured {
    Used,
    LeftOut,
}

impl Fetch {
    /// What the remote's configuration says: `remote.<name>.fetch`, tags as `remote.<name>.tagOpt` says, refs
    /// that are gone pruned as `remote.<name>.prune` and `fetch.prune` say.
    #[must_use]
    pub fn configured() -> Self {
        Self { configured: Configured::Used, extra: Vec::new(), listed: Vec::new(), action: "fetch".into() }
    }

    /// Only what is then [added](Self::and): no configured refspec, no tags, no pruning.
    #[must_use]
    pub fn only() -> Self {
        Self { configured: Configured::LeftOut, ..Self::configured() }
    }

    /// Fetches `refspec` too, over the same connection. It need not match anything at the remote.
    ///
    /// # Errors
    ///
    /// [`Trouble::Local`], if that is no refspec: what users write is looked at where they are told of it.
    pub fn and(mut self, refspec: &str) -> Result<Self, Trouble> {
        let spec = gix::refspec::parse(BStr::new(refspec), gix::refspec::parse::Operation::Fetch)
            .map_err(|error| Trouble::local("reading a refspec", error))?;
        self.extra.push(spec.to_owned());
        Ok(self)
    }

    /// Lists the remote's refs whose names begin with `prefix` too, without fetching them.
    #[must_use]
    pub fn listing(mut self, prefix: &str) -> Self {
        self.listed.push(prefix.into());
        self
    }

    /// The first word of the reflog messages; `fetch` unless said otherwise.
    #[must_use]
    pub fn logged_as(mut self, action: &str) -> Self {
        self.action = action.to_owned();
        self
    }
}

/// What a fetch brought.
#[derive(Debug, Clone, Default)]
pub struct Fetched {
    /// What the remote listed: at least everything that a refspec matches or that was to be [listed](Fetch::listing).
    pub listing: Listing,
    /// The local refs that were written or pruned, in the order of their names.
    pub moved: Vec<Moved>,
    /// Updates that were not made, as they would have lost something.
    pub rejected: Vec<Rejected>,
    /// Objects received.
    pub objects: u64,
    /// Bytes that came over the wire.
    pub bytes: u64,
    /// What is in the pack that came, if it was small.
    pub recent: Recent,
}

/// A local ref that a fetch changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The local ref, usually below `refs/remotes/`.
    pub local: FullName,
    /// What it was; `None` if it is new.
    pub old: Option<ObjectId>,
    /// What it is now; `None` if it was pruned.
    pub new: Option<ObjectId>,
}

/// A local ref that a fetch left as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The local ref.
    pub local: FullName,
    /// What the remote has.
    pub theirs: ObjectId,
    /// Why it was not taken.
    pub why: Why,
}

/// Why a fetched value was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The local ref has commits that the remote's does not, and the refspec has no `+`.
    NotFastForward,
    /// A tag of that name is there and is another one.
    TagExists,
    /// Another ref's name is in the way, as a file is in the way of a folder of the same name.
    NameTaken,
    /// A work tree has that branch checked out.
    CheckedOut,
    /// Somebody else wrote the ref meanwhile.
    MovedMeanwhile,
}

impl Remote<'_> {
    /// Fetches. The remote's objects arrive as one pack, or as some from a folder of this machine, and are on disk
    /// before a ref names them.
    ///
    /// # Errors
    ///
    /// Every [`Trouble`] of a connection. No ref is changed then, except with [`Trouble::Stopped`] and
    /// [`Trouble::Local`], which may come between two refs.
    pub fn fetch(&self, what: &Fetch, watcher: &dyn Watcher) -> Result<Fetched, Trouble> {
        let specs = Specs::of(self, what);
        let mut prefixes = specs.prefixes();
        if !prefixes.is_empty() {
            // Without any, everything is listed.
            prefixes.extend(what.listed.iter().cloned());
        }
        let direct = self.direct(Direction::Fetch)?;
        let directly = direct.map(|direct| self.receive_directly(&direct, &specs, &prefixes, watcher));
        let received = match directly.transpose() {
            Ok(Some(received)) => received,
            Ok(None) => self.receive_over_a_line(&specs, &prefixes, watcher)?,
            Err(_) => {
                // What was looked at and not kept must not be taken for what is here.
                self.history.forget();
                self.receive_over_a_line(&specs, &prefixes, watcher)?
            }
        };
        let Received { called, listing, want, incoming, soundness } = received;
        let mut fetched =
            Fetched { listing, objects: incoming.objects, bytes: incoming.bytes, ..Fetched::default() };
        fetched.recent = incoming.recent();
        // What cannot be held in memory has to be kept first to be looked at.
        let is_at_hand = incoming.packs.iter().all(|pack| !pack.recent.is_empty());
        let check =
            || self.check(&fetched.recent, &want, watcher).map_err(|missing| unsound(&called, missing));
        if soundness == Soundness::Unknown && is_at_hand {
            check()?;
        }
        if !incoming.packs.is_empty() {
            watcher.may_change(Change::Objects).map_err(Trouble::Stopped)?;
            for pack in incoming.packs {
                pack.keep(self.repo).map_err(|error| Trouble::local("keeping the received pack", error))?;
            }
        }
        if soundness == Soundness::Unknown && !is_at_hand {
            check()?;
        }
        let listing = fetched.listing.clone();
        refs::prune(self, specs.configured(), &listing, watcher, &mut fetched)?;
        refs::update(self, want.targets(self.repo), &what.action, watcher, &mut fetched)?;
        fetched.moved.sort_by(|a, b| a.local.cmp(&b.local));
        Ok(fetched)
    }

    /// Makes sure that all is here that belongs to what refs are to name: a server that leaves an object out would give
    /// us a branch that cannot be checked out, and that we would then build on. It need not have been left out just
    /// now.
    fn check(&self, recent: &Recent, want: &Want, watcher: &dyn Watcher) -> Result<(), Missing> {
        let mut new = Vec::new();
        for target in want.targets(self.repo) {
            if local_ref::read(self.repo, target.local.as_ref())? != Value::Object(target.theirs) {
                new.push(target.theirs);
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let looked_at = &mut |_| watcher.progress(Step::Indexing);
        sound::check(self.repo, recent, &self.history, &new, &refs::tips(self.repo)?, looked_at)
    }

    /// Takes what is missing from the remote's own repository.
    fn receive_directly(
        &self,
        direct: &Direct,
        specs: &Specs,
        prefixes: &[BString],
        watcher: &dyn Watcher,
    ) -> gix::Result<Received> {
        let refs = direct.refs(prefixes)?;
        let listing = Listing::of(&refs, &[]);
        watcher.progress(Step::Listed { refs: listing.refs.len() });
        let want = Want::of(self.repo, &direct.called, specs, refs, &Capabilities::default())
            .map_err(|trouble| gix::Error::from_error(trouble))?;
        let (mut wanted, tags) = want.missing(self.repo);
        if wanted.is_empty() && self.check(&Recent::default(), &want, watcher).is_err() {
            // They are here, and not all that belongs to them.
            wanted = want.ids();
        }
        let mut incoming = Incoming::default();
        if !wanted.is_empty() {
            let ask = Ask { ours: self.repo, history: &self.history, wanted: &wanted, tags: &tags };
            let common = direct.common(&ask)?;
            let packs = direct.whole_packs(&ask, &common, watcher)?;
            let is_tried = packs.is_some();
            let whole = packs.and_then(|packs| self.arrive(&packs, &want, watcher).ok());
            incoming = match whole.filter(|whole| direct.is_no_more(&whole.recent(), &ask, &common)) {
                Some(whole) => whole,
                None => {
                    if is_tried {
                        // Something that belongs to it is elsewhere, or something else is in it.
                        self.history.forget();
                    }
                    self.arrive(&[direct.pack(&ask, &common, watcher)?], &want, watcher)?
                }
            };
        }
        let called = direct.called.clone();
        Ok(Received { called, listing, want, incoming, soundness: Soundness::Known })
    }

    /// Takes packs apart, and makes sure that nothing is missing.
    fn arrive(&self, packs: &[Vec<u8>], want: &Want, watcher: &dyn Watcher) -> gix::Result<Incoming> {
        watcher.progress(Step::Indexing);
        let mut incoming = Incoming::default();
        for pack in packs {
            let arriving = Arriving::of_bytes(self.repo, pack)?;
            incoming.objects += arriving.objects;
            incoming.bytes += pack.len() as u64;
            incoming.packs.push(arriving);
        }
        self.check(&incoming.recent(), want, watcher).map_err(Missing::into_error)?;
        Ok(incoming)
    }

    /// Asks a server for what is missing.
    fn receive_over_a_line(
        &self,
        specs: &Specs,
        prefixes: &[BString],
        watcher: &dyn Watcher,
    ) -> Result<Received, Trouble> {
        let mut line = Line::open(self, Direction::Fetch, watcher)?;
        let refs = match list::ask(&mut line, prefixes) {
            Ok(refs) => refs,
            Err(error) => return Err(line.trouble(&error)),
        };
        let listing = Listing::of(&refs, &[]);
        watcher.progress(Step::Listed { refs: listing.refs.len() });
        let want = Want::of(self.repo, line.called(), specs, refs, &line.handshake.capabilities)?;
        let called = line.called().to_owned();
        let incoming = self.receive(line, &want, specs, watcher)?;
        Ok(Received { called, listing, want, incoming, soundness: Soundness::Unknown })
    }

    /// Negotiates, and reads the pack if there is to be one.
    fn receive(
        &self,
        mut line: Line,
        want: &Want,
        specs: &Specs,
        watcher: &dyn Watcher,
    ) -> Result<Incoming, Trouble> {
        let mut pack: Option<Arriving> = None;
        let mut disk: Option<gix::Error> = None;
        let interrupt = AtomicBool::new(false);
        let walker = Negotiation::walker(self.repo);
        let commit_graph = walker.commit_graph_if_enabled().ok().flatten();
        let mut graph = self.history.graph(&walker, commit_graph.as_ref());
        let silence = Silence::of(&line.handshake);
        let mut negotiation = Negotiation::new(&walker, &want.map, &mut graph, silence);
        let shallow_file =
            self.repo.shallow_file().map_err(|error| Trouble::local("looking for a shallow file", error))?;
        let ticks = Ticks::default();
        let wire = line.wire();
        let talk = || {
            protocol::fetch(
                &mut negotiation,
                |stream, progress, interrupt| {
                    let mut watched = Watched { stream, bytes: 0, failed: false, watcher };
                    match Arriving::read(self.repo, &mut watched, progress, interrupt) {
                        Ok(arriving) => {
                            pack = Some(arriving);
                            Ok(true)
                        }
                        Err(error) => {
                            // Where the stream was fine, it is our side that failed.
                            if !watched.failed && error.iter_errors().any(|cause| cause.is::<io::Error>()) {
                                disk = Some(error);
                                return Err(gix::Error::from_error(io::Error::other(
                                    "the pack was not kept",
                                )));
                            }
                            Err(error)
                        }
                    }
                },
                ticks.clone(),
                &interrupt,
                protocol::fetch::Context {
                    handshake: &mut line.handshake,
                    transport: &mut line.transport,
                    user_agent: ("agent", Some(crate::agent())),
                    trace_packetlines: false,
                },
                protocol::fetch::Options {
                    shallow_file,
                    shallow: &protocol::fetch::Shallow::NoChange,
                    tags: specs.tags,
                    reject_shallow_remote: false,
                },
            )
        };
        let outcome = pulse::beside(watcher, Step::Indexing, &|| ticks.count() + wire.received(), talk);
        match (outcome, disk) {
            (_, Some(error)) => {
                line.hang_up();
                Err(Trouble::local("writing the received pack", error))
            }
            (Err(error), None) => match local_ref::broken(self.repo) {
                Some(failed) => {
                    line.hang_up();
                    Err(Trouble::local("finding out what is here already", failed))
                }
                None => Err(line.trouble(&error)),
            },
            (Ok(_), None) => {
                let bytes = line.received();
                line.close();
                let objects = pack.as_ref().map_or(0, |pack| pack.objects);
                Ok(Incoming { objects, bytes, packs: pack.into_iter().collect() })
            }
        }
    }
}

/// What the remote has, and what came of it.
struct Received {
    /// How the remote is called in messages.
    called: String,
    listing: Listing,
    want: Want,
    incoming: Incoming,
    soundness: Soundness,
}

/// Whether all that belongs to what came is known to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Soundness {
    Known,
    Unknown,
}

/// What came over the wire, or from the remote's own repository.
#[derive(Default)]
struct Incoming {
    packs: Vec<Arriving>,
    objects: u64,
    bytes: u64,
}

impl Incoming {
    fn recent(&self) -> Recent {
        Recent::joined(&self.packs.iter().map(|pack| pack.recent.clone()).collect::<Vec<_>>())
    }
}

/// The remote does not have all that it says.
fn unsound(called: &str, missing: Missing) -> Trouble {
    let what = match missing {
        Missing::Blob(id) => format!("object {id} is missing"),
        Missing::Unreadable(error) => words::error(&error),
    };
    Trouble::unreachable(
        format!("{called} did not send all that belongs to its refs: {what}"),
        "the repository there is damaged: run `git fsck` in it",
    )
}

/// A pack's stream that tells of its progress, and remembers whether it was the one that failed.
struct Watched<'a> {
    stream: &'a mut dyn io::BufRead,
    bytes: u64,
    failed: bool,
    watcher: &'a dyn Watcher,
}

impl io::Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer).inspect_err(|_| self.failed = true)?;
        self.passed(read);
        Ok(read)
    }
}

impl io::BufRead for Watched<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.stream.fill_buf().inspect_err(|_| self.failed = true)
    }

    fn consume(&mut self, amount: usize) {
        self.stream.consume(amount);
        self.passed(amount);
    }
}

impl Watched<'_> {
    fn passed(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.watcher.progress(Step::Receiving { bytes: self.bytes });
    }
}
