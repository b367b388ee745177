//! Fetches from a repository on this machine, without a server.

use gix::bstr::BString;
use gix_transport::client::Capabilities;
use store::{connectivity::Missing, pack::incoming::IncomingPack};

use super::{
    Connectivity, Incoming, Received, Trust,
    want::{Specs, Want},
};
use crate::{
    RefAdvertisement, Remote, Step, Watcher,
    direct::{Ask, LocalRepo},
};

impl Remote<'_> {
    /// Fetches what is missing from the remote's own object database.
    pub(super) fn receive_directly(
        &self,
        direct: &LocalRepo,
        specs: &Specs,
        prefixes: &[BString],
        watcher: &dyn Watcher,
    ) -> gix::Result<Received> {
        let refs = direct.refs(prefixes)?;
        let listing = RefAdvertisement::of(&refs, &[]);
        watcher.progress(Step::Listed { refs: listing.refs.len() });
        let want = Want::of(self.repo, &direct.called, specs, refs, &Capabilities::default())
            .map_err(|trouble| gix::Error::from_error(trouble))?;
        let wanted = match self.trust(&want, watcher) {
            Trust::WhatIsHere => want.missing(self.repo),
            Trust::WhatRefsName => want.ids(),
        };
        let tags = want.tags();
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
                        // An object that belongs to the fetch is missing, or the packs hold other history as well.
                        self.history.forget();
                    }
                    self.arrive(&[direct.pack(&ask, &common, watcher)?], &want, watcher)?
                }
            };
        }
        let called = direct.called.clone();
        Ok(Received { called, listing, want, incoming, soundness: Connectivity::Known })
    }

    /// Parses packs, and runs the connectivity check.
    fn arrive(&self, packs: &[Vec<u8>], want: &Want, watcher: &dyn Watcher) -> gix::Result<Incoming> {
        watcher.progress(Step::Indexing);
        let mut incoming = Incoming::default();
        for pack in packs {
            let arriving = IncomingPack::of_bytes(self.repo, pack)?;
            incoming.objects += arriving.objects;
            incoming.bytes += pack.len() as u64;
            incoming.packs.push(arriving);
        }
        self.check(&incoming.recent(), want, watcher).map_err(Missing::into_error)?;
        Ok(incoming)
    }
}
