//! The ids of objects of which each is nearly the one before it, as the trees of a history are.
//!
//! A hash goes from the first byte to the last. So where two objects begin alike, the second one is hashed from where
//! they part: what came before that is the state that the hash of the first one had there.

use gix::{
    ObjectId,
    hash::Hasher,
    object::Kind,
    objs::{compute_hash, encode::loose_header},
};

use crate::pack::delta::common;

/// Hashes one object after the other.
#[derive(Default)]
pub(crate) struct Versions {
    /// Those that were hashed last, the last one first, of different lengths.
    last: Vec<Version>,
}

/// An object that was hashed.
struct Version {
    kind: Kind,
    bytes: Vec<u8>,
    /// The hash before its first byte, and after as many steps of bytes each as there are.
    states: Vec<Hasher>,
}

/// The folders of a history have as many lengths as there are levels, and a few more.
const MOST: usize = 4;
/// How many bytes lie between two states that are kept, which take a fifth of that.
const STEP: usize = 512;
/// Others are hashed by themselves.
const SIZES: std::ops::RangeInclusive<usize> = 2 * STEP..=64 * STEP;

impl Versions {
    /// The id of an object.
    ///
    /// # Errors
    ///
    /// It was made to have the id of another one.
    pub fn id(&mut self, hash: gix::hash::Kind, kind: Kind, object: &[u8]) -> gix::Result<ObjectId> {
        if !SIZES.contains(&object.len()) {
            return compute_hash(hash, kind, object);
        }
        let is_like = |version: &Version| version.kind == kind && version.bytes.len() == object.len();
        let mut version = match self.last.iter().position(is_like) {
            Some(at) => self.last.remove(at),
            // What an object begins with says how long it is.
            None => Version { kind, bytes: Vec::new(), states: vec![begun(hash, kind, object.len())] },
        };
        version.states.truncate(1 + common(&version.bytes, object) / STEP);
        let known = (version.states.len() - 1) * STEP;
        let mut hasher = version.states.last().map_or_else(|| begun(hash, kind, object.len()), Clone::clone);
        let (steps, rest) = object[known..].as_chunks::<STEP>();
        for step in steps {
            hasher.update(step);
            version.states.push(hasher.clone());
        }
        hasher.update(rest);
        version.bytes.clear();
        version.bytes.extend_from_slice(object);
        self.last.truncate(MOST - 1);
        self.last.insert(0, version);
        hasher.try_finalize()
    }
}

/// A hash that knows of an object what git hashes before its content.
fn begun(hash: gix::hash::Kind, kind: Kind, size: usize) -> Hasher {
    let mut hasher = gix::hash::hasher(hash);
    hasher.update(&loose_header(kind, size as u64));
    hasher
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use super::*;

    #[test]
    fn every_object_has_its_own_id_whatever_came_before() {
        let hash = gix::hash::Kind::Sha1;
        let mut versions = Versions::default();
        let mut random = 1_u64;
        let mut below = |end: usize| {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (random >> 33) as usize % end
        };
        let lengths =
            [0, 1, *SIZES.start() - 1, *SIZES.start(), 3 * STEP + 7, *SIZES.end(), *SIZES.end() + 1];
        let mut objects = lengths.map(|length| (0..length).map(|at| at as u8).collect::<Vec<u8>>());
        for _ in 0..2_000 {
            let object = &mut objects[below(lengths.len())];
            match below(4) {
                0 if !object.is_empty() => _ = object.pop(),
                1 => object.push(b'x'),
                _ if !object.is_empty() => {
                    let at = below(object.len());
                    object[at] ^= 1;
                }
                _ => {}
            }
            let kind = [Kind::Tree, Kind::Blob][below(8) / 7];
            assert_eq!(versions.id(hash, kind, object).unwrap(), compute_hash(hash, kind, object).unwrap());
        }
    }
}
