//! Fetches from a server: negotiates what is here already, and receives a pack of the rest.

use std::{io, sync::atomic::AtomicBool};

use gix::{bstr::BString, protocol};
use store::{
    commit_graph,
    local_ref::{self, RefError},
    pack::incoming::IncomingPack,
};

use super::{
    Connectivity, Incoming, Received, Trust,
    negotiate::{Negotiation, Silence},
    shallow::ShallowCopy,
    want::{Specs, Want},
};
use crate::{
    Direction, RefAdvertisement, Remote, RemoteError, Step, Watcher,
    heartbeat::{self, Ticks},
    list,
    transport::Connection,
};

impl Remote<'_> {
    /// Asks a server for what is missing.
    pub(super) fn receive_over_a_line(
        &self,
        specs: &Specs,
        prefixes: &[BString],
        watcher: &dyn Watcher,
    ) -> Result<Received, RemoteError> {
        let mut line = Connection::open(self, Direction::Fetch, watcher)?;
        let refs = match list::ask(&mut line, prefixes) {
            Ok(refs) => refs,
            Err(error) => return Err(line.trouble(&error)),
        };
        let listing = RefAdvertisement::of(&refs, &[]);
        watcher.progress(Step::Listed { refs: listing.refs.len() });
        let want = Want::of(self.repo, line.called(), specs, refs, &line.handshake.capabilities)?;
        let called = line.called().to_owned();
        let trust = self.trust(&want, watcher);
        let incoming = self.receive(line, &want, trust, specs, watcher)?;
        Ok(Received { called, listing, want, incoming, soundness: Connectivity::Unknown })
    }

    /// Negotiates, and receives the pack if there is one.
    fn receive(
        &self,
        mut line: Connection,
        want: &Want,
        trust: Trust,
        specs: &Specs,
        watcher: &dyn Watcher,
    ) -> Result<Incoming, RemoteError> {
        let mut arrival = Arrival { repo: self.repo, watcher, pack: None, disk: None };
        let interrupt = AtomicBool::new(false);
        let walker = Negotiation::walker(self.repo);
        let commit_graph = commit_graph(&walker);
        let mut graph = self.history.graph(&walker, commit_graph.as_ref());
        let silence = Silence::of(&line.handshake);
        let mut negotiation = Negotiation::new(&walker, &want.map, &mut graph, trust, silence);
        let shallow = ShallowCopy::of(self.repo)
            .map_err(|error| RemoteError::local("copying the shallow file", error))?;
        let ticks = Ticks::default();
        let wire = line.wire();
        let talk = || {
            protocol::fetch(
                &mut negotiation,
                |stream, progress, interrupt| arrival.keep(stream, progress, interrupt),
                ticks.clone(),
                &interrupt,
                protocol::fetch::Context {
                    handshake: &mut line.handshake,
                    transport: &mut line.transport,
                    user_agent: ("agent", Some(crate::agent())),
                    trace_packetlines: false,
                },
                protocol::fetch::Options {
                    shallow_file: shallow.path(),
                    shallow: &protocol::fetch::Shallow::NoChange,
                    tags: specs.tags,
                    reject_shallow_remote: false,
                },
            )
        };
        let outcome = heartbeat::during(watcher, Step::Indexing, &|| ticks.count() + wire.received(), talk);
        let Arrival { pack, disk, .. } = arrival;
        match (outcome, disk) {
            (_, Some(error)) => {
                line.hang_up();
                Err(RemoteError::local("writing the received pack", error))
            }
            (Err(error), None) => Err(self.end_of_talk(line, &error)),
            (Ok(outcome), None) => {
                let bytes = line.received();
                line.close();
                let objects = pack.as_ref().map_or(0, |pack| pack.objects);
                let said = outcome.as_ref().map(|outcome| outcome.last_response.shallow_updates());
                let ends = shallow.ends(said.unwrap_or_default());
                Ok(Incoming { objects, bytes, packs: pack.into_iter().collect(), ends })
            }
        }
    }

    /// Returns why a negotiation failed. It reads all local refs to tell what is here already, so an unreadable ref
    /// ends it too, and looks like a failure of the remote.
    fn end_of_talk(&self, line: Connection, error: &gix::Error) -> RemoteError {
        match local_ref::list(self.repo, "refs/".into()) {
            Ok(_) => line.trouble(error),
            Err(broken) => {
                line.hang_up();
                let failed = RefError::Broken { words: sanitize::error(&broken) };
                RemoteError::local("finding out what is here already", failed)
            }
        }
    }
}

/// The destination of the pack that is received.
struct Arrival<'a> {
    repo: &'a gix::Repository,
    watcher: &'a dyn Watcher,
    pack: Option<IncomingPack>,
    /// Why the pack could not be written here.
    disk: Option<gix::Error>,
}

impl Arrival<'_> {
    /// Reads the pack. Returns `true`, so that gix skips the rest of the stream.
    fn keep(
        &mut self,
        stream: &mut dyn io::BufRead,
        progress: &mut dyn gix::DynNestedProgress,
        interrupt: &AtomicBool,
    ) -> gix::Result<bool> {
        let mut watched = Watched { stream, bytes: 0, failed: false, watcher: self.watcher };
        match IncomingPack::read(self.repo, &mut watched, progress, interrupt) {
            Ok(arriving) => {
                self.pack = Some(arriving);
                Ok(true)
            }
            // If the stream was fine and the operating system reported the error, our side failed. The check is
            // needed because a damaged pack is reported as an `io::Error`, too.
            Err(error) if !watched.failed && error.iter_errors().any(is_of_the_system) => {
                self.disk = Some(error);
                Err(gix::Error::from_error(io::Error::other("the pack was not kept")))
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether the operating system reported the error, rather than the code that parses the pack.
fn is_of_the_system(error: &(dyn std::error::Error + 'static)) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    let of_content = |error: &io::Error| {
        error.raw_os_error().is_none()
            && matches!(error.kind(), InvalidData | InvalidInput | Other | UnexpectedEof)
    };
    error.downcast_ref::<io::Error>().is_some_and(|error| !of_content(error))
}

/// A pack's stream that reports progress, and remembers whether it failed itself.
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
