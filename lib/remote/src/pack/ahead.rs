//! Trees that are read in a thread of their own, before they are asked for.
//!
//! Half of the work of a walk through a long history is unpacking the top folder of each commit, and which these are is
//! known beforehand.

use std::{
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    thread::Scope,
};

use gix::{ObjectId, object::Kind};
use threads::Place;

use super::trees::not_a_tree;
use crate::objects::Reader;

/// Trees in the order in which they were ordered.
pub(super) struct Ahead {
    read: Receiver<gix::Result<Vec<u8>>>,
    /// Of whoever asks for them.
    place: Arc<Place>,
}

/// How many trees may wait to be asked for.
const WAITING: usize = 16;

impl Ahead {
    /// Starts to read `trees`; it ends with them, or when nobody asks any more.
    pub fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        repo: &gix::Repository,
        trees: Vec<ObjectId>,
    ) -> Self {
        let (give, take) = mpsc::sync_channel(WAITING);
        let shared = repo.clone().into_sync();
        let place = Arc::new(Place::default());
        place.here();
        let asking = Arc::clone(&place);
        threads::spawn(scope, move || {
            let mut reader = Reader::new(shared.to_thread_local());
            for id in trees {
                asking.avoid();
                let mut tree = Vec::new();
                let read = match reader.read(id, &mut tree) {
                    Ok(Kind::Tree) => Ok(tree),
                    Ok(kind) => Err(not_a_tree(id, kind)),
                    Err(error) => Err(error),
                };
                if give.send(read).is_err() {
                    return;
                }
            }
        });
        Self { read: take, place }
    }

    /// The next tree; `None` after the last one.
    pub fn next(&self) -> Option<gix::Result<Vec<u8>>> {
        self.place.here();
        self.read.recv().ok()
    }
}
