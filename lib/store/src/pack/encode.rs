//! Encodes objects as pack entries, one after the other.

use std::collections::VecDeque;

use gix::{ObjectId, object::Kind};

use super::{
    Item, Known,
    compress::Compressor,
    delta::Base,
    delta_bases::{Limits, Plan, PlannedEntry},
    write::Options,
};
use crate::objects::Reader;

/// An encoded object.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub id: ObjectId,
    pub form: Form,
    /// The size before compression, of the object or of the delta.
    pub size: u64,
    /// The compressed data; `None` if the object is to be streamed.
    pub deflated: Option<Vec<u8>>,
}

/// What a pack entry contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Whole(Kind),
    Delta(ObjectId),
}

/// Encodes a run of objects; those that are planned that way are compared with their neighbours in the run.
pub(crate) struct Encoder<'a> {
    reader: Reader,
    items: &'a [Item],
    limits: Limits,
    compressor: Compressor,
    window: VecDeque<Neighbour>,
    /// A buffer for the object that is being encoded.
    object: Vec<u8>,
}

/// An object that was just encoded, and may become the delta base of the next ones.
struct Neighbour {
    id: ObjectId,
    kind: Kind,
    depth: u32,
    base: Base,
}

/// The number of neighbours that are tried, which is git's default (`pack.window`).
const WINDOW: usize = 10;

/// Larger neighbours are not kept: for each core there are ten of them in memory.
const LARGEST_NEIGHBOUR: u64 = 8 * 1024 * 1024;

impl<'a> Encoder<'a> {
    /// Creates an encoder for some of `items`.
    pub fn new(repo: gix::Repository, items: &'a [Item], options: Options) -> Self {
        let compressor = Compressor::new(options.receiver, options.level, repo.object_hash());
        let (limits, window) = (options.limits, VecDeque::new());
        let reader = Reader::new(repo).with(options.receiver);
        Self { reader, items, limits, compressor, window, object: Vec::new() }
    }

    /// Encodes `run` in order.
    pub fn run(&mut self, run: &[PlannedEntry]) -> gix::Result<Vec<Encoded>> {
        self.window.clear();
        run.iter().map(|placed| self.one(placed)).collect()
    }

    fn one(&mut self, placed: &PlannedEntry) -> gix::Result<Encoded> {
        if placed.plan == Plan::Streamed {
            let form = Form::Whole(placed.kind);
            return Ok(Encoded { id: placed.id, form, size: placed.size, deflated: None });
        }
        let item = &self.items[placed.item];
        match (placed.plan, &item.known) {
            (Plan::DeltaOf(base), Some(Known::Delta(delta))) if item.before == Some(base) => {
                return self.encoded(item.id, item.kind, Form::Delta(base), delta);
            }
            (Plan::Whole, Some(Known::Whole(content))) => {
                return self.encoded(item.id, item.kind, Form::Whole(item.kind), content);
            }
            _ => {}
        }
        let mut data = std::mem::take(&mut self.object);
        match &item.known {
            Some(Known::Whole(content)) => data.clone_from(content),
            Some(Known::Delta(_)) | None => _ = self.reader.read(placed.id, &mut data)?,
        }
        let delta = match placed.plan {
            Plan::Streamed | Plan::Whole => None,
            Plan::DeltaOf(base) => self.delta_of(base, placed.kind, &data)?.map(|delta| (base, delta)),
            Plan::DeltaOfNeighbour => self.delta_of_neighbour(placed, &data),
        };
        let encoded = match &delta {
            Some((base, delta)) => self.encoded(placed.id, placed.kind, Form::Delta(*base), delta),
            None => self.encoded(placed.id, placed.kind, Form::Whole(placed.kind), &data),
        };
        self.object = data;
        encoded
    }

    fn encoded(&mut self, id: ObjectId, kind: Kind, form: Form, bytes: &[u8]) -> gix::Result<Encoded> {
        let mut deflated = Vec::new();
        match form {
            Form::Whole(_) => self.compressor.object(kind, bytes, &mut deflated)?,
            Form::Delta(_) => self.compressor.delta(kind, bytes, &mut deflated)?,
        }
        Ok(Encoded { id, form, size: bytes.len() as u64, deflated: Some(deflated) })
    }

    /// Returns a delta against `base` if it is less than half as long as the object.
    fn delta_of(&mut self, base: ObjectId, kind: Kind, data: &[u8]) -> gix::Result<Option<Vec<u8>>> {
        let mut found = Vec::new();
        if self.reader.read(base, &mut found).ok() != Some(kind) {
            return Ok(None);
        }
        Ok(Base::new(found).and_then(|base| base.delta(data, data.len() / 2)))
    }

    fn delta_of_neighbour(&mut self, placed: &PlannedEntry, data: &[u8]) -> Option<(ObjectId, Vec<u8>)> {
        let mut best: Option<(usize, Vec<u8>)> = None;
        for (at, neighbour) in self.window.iter().enumerate().rev() {
            if neighbour.kind != placed.kind || neighbour.depth >= self.limits.depth {
                continue;
            }
            let most = best.as_ref().map_or(data.len() / 2, |(_, delta)| delta.len());
            // What the neighbour lacks in length has to be inserted literally.
            let surplus = data.len().saturating_sub(neighbour.base.len());
            if surplus < most
                && data.len() >= neighbour.base.len() / 32
                && let Some(delta) = neighbour.base.delta(data, most)
            {
                best = Some((at, delta));
            }
        }
        let depth = best.as_ref().map_or(0, |(at, _)| self.window[*at].depth + 1);
        let found = best.map(|(at, delta)| (self.window[at].id, delta));
        if placed.size <= LARGEST_NEIGHBOUR
            && let Some(base) = Base::new(data.to_vec())
        {
            if self.window.len() == WINDOW {
                self.window.pop_front();
            }
            self.window.push_back(Neighbour { id: placed.id, kind: placed.kind, depth, base });
        }
        found
    }
}
