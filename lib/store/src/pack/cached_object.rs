//! An object of a small pack in memory, whole or as a delta.
//!
//! A tree of notes has as many versions as there are commits, and each is nearly the same as the one before. A
//! thousand such trees would fill the memory with the same data over and over, so only some of them are stored whole,
//! and the others as deltas.

use std::sync::Arc;

use gix::{ObjectId, object::Kind};

use super::{apply::apply, resolve::Object};

/// An object, whole or as a delta.
#[derive(Debug, Clone)]
pub struct CachedObject {
    /// Its id.
    pub id: ObjectId,
    /// Its type.
    pub kind: Kind,
    /// The size of the whole object in bytes.
    pub size: usize,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Whole(Arc<[u8]>),
    /// A delta against `base`; after `steps` deltas the chain reaches an object that is whole.
    Delta {
        base: ObjectId,
        delta: Arc<[u8]>,
        steps: u8,
    },
}

/// The maximum length of a delta chain. Each delta costs another copy when the object is read.
const FAR: u8 = 3;

impl From<Object> for CachedObject {
    fn from(Object { id, kind, data }: Object) -> Self {
        Self { id, kind, size: data.len(), form: Form::Whole(data) }
    }
}

impl CachedObject {
    /// Stores an object that results from applying `delta` to `base`, which is stored as well.
    pub fn made(id: ObjectId, data: &[u8], base: &Self, delta: &Arc<[u8]>) -> Self {
        let (kind, size, steps) = (base.kind, data.len(), base.steps() + 1);
        // Commits are small, and requested again and again.
        let saves = matches!(kind, Kind::Tree | Kind::Blob) && delta.len() * 2 < size;
        let form = if saves && steps <= FAR {
            Form::Delta { base: base.id, delta: Arc::clone(delta), steps }
        } else {
            Form::Whole(data.into())
        };
        Self { id, kind, size, form }
    }

    /// The length of the delta chain.
    pub fn steps(&self) -> u8 {
        match self.form {
            Form::Whole(_) => 0,
            Form::Delta { steps, .. } => steps,
        }
    }

    /// Returns the whole object. `find` finds the delta bases.
    pub fn data<'a>(&'a self, find: impl Fn(&ObjectId) -> Option<&'a Self>) -> Option<Arc<[u8]>> {
        let (mut deltas, mut at) = (Vec::new(), self);
        loop {
            match &at.form {
                Form::Whole(whole) if deltas.is_empty() => return Some(Arc::clone(whole)),
                Form::Whole(whole) => return applied(whole, &deltas).map(Arc::from),
                Form::Delta { base, delta, .. } => {
                    deltas.push((delta, at.size));
                    at = find(base)?;
                }
            }
        }
    }
}

/// Applies deltas to `whole`, the last one first. Each has been applied successfully before.
fn applied(whole: &[u8], deltas: &[(&Arc<[u8]>, usize)]) -> Option<Vec<u8>> {
    let mut made = None;
    for (delta, size) in deltas.iter().rev() {
        made = Some(apply(made.as_deref().unwrap_or(whole), delta, *size)?);
    }
    made
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use gix::{hash::Kind::Sha1, hashtable::HashMap, objs::compute_hash};

    use super::{super::delta::Base, *};

    #[test]
    fn of_many_versions_few_are_whole_and_all_can_be_had() {
        for (kind, saves) in
            [(Kind::Tree, true), (Kind::Blob, true), (Kind::Commit, false), (Kind::Tag, false)]
        {
            let mut data: Vec<u8> = (0..5_000_u32).flat_map(u32::to_be_bytes).collect();
            let id = |data: &[u8]| compute_hash(Sha1, kind, data).unwrap();
            let first = Object { id: id(&data), kind, data: data.clone().into() };
            let (mut kept, mut versions) = (vec![CachedObject::from(first)], vec![data.clone()]);
            for version in 1..20 {
                data[version * 7] ^= 0xff;
                let old = versions.last().unwrap();
                let delta = Base::new(old.clone()).unwrap().delta(&data, usize::MAX).unwrap();
                kept.push(CachedObject::made(id(&data), &data, kept.last().unwrap(), &delta.into()));
                versions.push(data.clone());
            }
            let by_id: HashMap<ObjectId, &CachedObject> = kept.iter().map(|one| (one.id, one)).collect();
            for (one, version) in kept.iter().zip(&versions) {
                assert_eq!(*one.data(|id| by_id.get(id).copied()).unwrap(), **version);
                assert_eq!((one.kind, one.size), (kind, version.len()));
            }
            let whole = kept.iter().filter(|one| one.steps() == 0).count();
            assert_eq!(whole, if saves { 20 / (usize::from(FAR) + 1) } else { 20 }, "{kind}");
        }
    }
}
