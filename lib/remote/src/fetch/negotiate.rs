//! Negotiates with the server what is missing here. gix drives the steps; this is the state that they work on.

use gix::{
    ObjectId,
    bstr::BStr,
    negotiate::Negotiator,
    odb::store::RefreshMode,
    protocol::{
        Handshake,
        fetch::{Arguments, Negotiate, RefMap, Response, Shallow, negotiate},
    },
};
use gix_transport::Protocol;

use super::Trust;

/// The state of a negotiation.
pub(super) struct Negotiation<'a, 'graph, 'cache> {
    repo: &'a gix::Repository,
    map: &'a RefMap,
    graph: &'a mut gix::negotiate::Graph<'graph, 'cache>,
    negotiator: Box<dyn Negotiator>,
    trust: Trust,
    silence: Silence,
}

/// Whether the server can be asked not to send progress. Nobody is shown it, and the server would pause to report
/// every percent of each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    Understood,
    Unknown,
}

impl Silence {
    /// Returns what the server understands: in version 2 of the protocol, each understands it.
    pub fn of(handshake: &Handshake) -> Self {
        let understood = match handshake.server_protocol_version {
            Protocol::V2 => true,
            Protocol::V0 | Protocol::V1 => handshake.capabilities.contains(NO_PROGRESS),
        };
        if understood { Self::Understood } else { Self::Unknown }
    }
}

/// How many haves in a row the server may not know before the negotiation ends, and everything not known to be common
/// is fetched. Git gives up after 256, as gix does: a clone with more commits of its own than that receives
/// everything that both have once more.
const PATIENCE: usize = 8 * 1024;

/// How many tracking refs are sent as haves first.
const MOST_FOLLOWERS: usize = 64;

/// See <https://git-scm.com/docs/protocol-capabilities#_no_progress>.
const NO_PROGRESS: &str = "no-progress";

impl<'a, 'graph, 'cache> Negotiation<'a, 'graph, 'cache> {
    pub fn new(
        repo: &'a gix::Repository,
        map: &'a RefMap,
        graph: &'a mut gix::negotiate::Graph<'graph, 'cache>,
        trust: Trust,
        silence: Silence,
    ) -> Self {
        Self { repo, map, graph, negotiator: negotiator(repo), trust, silence }
    }

    /// Returns a handle for walking: an object that only the server has must not trigger a search for new packs each
    /// time.
    pub fn walker(repo: &gix::Repository) -> gix::Repository {
        let mut walker = repo.clone();
        walker.objects.refresh = RefreshMode::Never;
        walker.objects.unset_object_cache();
        walker
    }
}

fn negotiator(repo: &gix::Repository) -> Box<dyn Negotiator> {
    use gix::remote::fetch::negotiate::Algorithm;
    let word = repo.config_snapshot().string("fetch.negotiationAlgorithm");
    let algorithm = match word.as_ref().map(|word| word.to_ascii_lowercase()).as_deref() {
        Some(b"skipping") => Algorithm::Skipping,
        Some(b"noop") => Algorithm::Noop,
        _ => Algorithm::Consecutive,
    };
    algorithm.into_negotiator()
}

impl Negotiation<'_, '_, '_> {
    fn mark(&mut self) -> gix::Result<negotiate::Action> {
        let alternates = self.repo.objects.store_ref().alternate_db_paths()?;
        let opened = alternates
            .into_iter()
            .filter_map(|objects| gix::open(objects.parent()?).ok())
            .map(|repo| (repo.refs, repo.objects));
        negotiate::mark_complete_and_common_ref(
            &self.repo.objects,
            &self.repo.refs,
            || Ok(opened),
            &mut *self.negotiator,
            self.graph,
            self.map,
            &Shallow::NoChange,
            |_mapping| false,
        )
    }

    /// Makes new packs visible, and starts over.
    fn start_over(&mut self) {
        let mut repo = self.repo.clone();
        repo.objects.refresh = RefreshMode::AfterAllIndicesLoaded;
        // Looking up an object that does not exist loads the indexes of all packs that exist by now.
        repo.has_object(ObjectId::null(repo.object_hash()));
        self.graph.clear();
        self.negotiator = negotiator(self.repo);
    }

    /// Sends the values of the tracking refs before any other haves: most often the remote still has these, and then
    /// knows at once what is missing here. Git begins with the newest commits, which are local ones that the remote
    /// has never seen.
    fn name_followers(&self, arguments: &mut Arguments, remote_ref_target_known: &[bool]) {
        let wanted = self.map.mappings.iter().zip(remote_ref_target_known).filter(|(_, known)| !**known);
        let locals = wanted.filter_map(|(mapping, _)| mapping.local.as_ref());
        for local in locals.take(MOST_FOLLOWERS) {
            // Git would not send anything either that is not a commit present here.
            let reference = self.repo.try_find_reference(BStr::new(local)).ok().flatten();
            let commit = reference.and_then(|mut reference| reference.peel_to_commit().ok());
            if let Some(commit) = commit {
                arguments.have(commit.id);
            }
        }
    }
}

impl Negotiate for Negotiation<'_, '_, '_> {
    fn mark_complete_and_common_ref(&mut self) -> gix::Result<negotiate::Action> {
        if self.trust == Trust::WhatRefsName {
            // In this case, haves are sent for tracking refs only.
            return Ok(negotiate::Action::MustNegotiate {
                remote_ref_target_known: vec![false; self.map.mappings.len()],
            });
        }
        // `git gc` may just have moved an object that a ref points to into a pack.
        self.mark().or_else(|_| {
            self.start_over();
            self.mark()
        })
    }

    fn add_wants(&mut self, arguments: &mut Arguments, remote_ref_target_known: &[bool]) -> bool {
        if self.silence == Silence::Understood {
            arguments.add_feature(NO_PROGRESS);
        }
        let has_wants = negotiate::add_wants(
            &self.repo.objects,
            arguments,
            self.map,
            remote_ref_target_known,
            &Shallow::NoChange,
            |_mapping| false,
        );
        if has_wants {
            self.name_followers(arguments, remote_ref_target_known);
        }
        has_wants
    }

    fn one_round(
        &mut self,
        state: &mut negotiate::one_round::State,
        arguments: &mut Arguments,
        previous_response: Option<&Response>,
    ) -> gix::Result<(negotiate::Round, bool)> {
        let (round, is_done) =
            negotiate::one_round(&mut *self.negotiator, self.graph, state, arguments, previous_response)?;
        let has_more = round.haves_sent == round.haves_to_send;
        Ok((round, is_done && !(has_more && round.in_vain < PATIENCE)))
    }
}
