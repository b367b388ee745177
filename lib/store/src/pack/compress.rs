//! Compresses objects and deltas in the way that suits the receiver of the pack.

use gix::{object::Kind, zlib::Compression};

use super::{Receiver, deflate::Deflate, deflate_tree::TreeDeflate};

/// Compresses objects and deltas one after the other.
pub(super) struct Compressor {
    receiver: Receiver,
    /// The compression level.
    level: Compression,
    /// The length of an object id in bytes.
    id: usize,
    rows: Option<TreeDeflate>,
    /// Created on demand, since creating one costs more than compressing a small object.
    deflate: Option<Deflate>,
}

/// Data up to this size does not get smaller by compression, at least not if object ids or hex digits are half of it.
const TINY: usize = 80;
/// For a local pack, which has to be written fast, data up to this size is not worth compressing either: zlib takes
/// longer to set up than to compress it. The next `git gc` compresses it.
const SMALL: usize = 512;

impl Compressor {
    /// Creates a compressor for packs at compression `level`, of objects with ids of this hash function.
    pub fn new(receiver: Receiver, level: Compression, hash: gix::hash::Kind) -> Self {
        Self { receiver, level, id: hash.len_in_bytes(), rows: None, deflate: None }
    }

    /// Creates a compressor for an object database on this machine.
    pub fn quick(hash: gix::hash::Kind) -> Self {
        Self::new(Receiver::ObjectDatabase, Compression::BEST_SPEED, hash)
    }

    /// Compresses an object and appends it to `out`.
    pub fn object(&mut self, kind: Kind, object: &[u8], out: &mut Vec<u8>) -> gix::Result<()> {
        if self.receiver == Receiver::ObjectDatabase && kind == Kind::Tree && object.len() > SMALL {
            let rows = self.rows.get_or_insert_with(TreeDeflate::new);
            if let Some(stream) = rows.compress(object, self.id) {
                out.extend_from_slice(stream);
                return Ok(());
            }
        }
        self.bytes(object, out)
    }

    /// Compresses a delta of an object of this kind and appends it to `out`.
    pub fn delta(&mut self, kind: Kind, delta: &[u8], out: &mut Vec<u8>) -> gix::Result<()> {
        if self.receiver == Receiver::ObjectDatabase && kind == Kind::Tree && delta.len() <= LONGEST_STORED {
            // A delta of a tree consists mostly of object ids.
            stored(delta, out);
            return Ok(());
        }
        self.bytes(delta, out)
    }

    fn bytes(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> gix::Result<()> {
        let small = match self.receiver {
            Receiver::Server => TINY,
            Receiver::ObjectDatabase => SMALL,
        };
        if bytes.len() <= small {
            stored(bytes, out);
            return Ok(());
        }
        let deflate = self.deflate.get_or_insert_with(|| Deflate::new(self.level));
        out.extend_from_slice(deflate.all(bytes)?);
        Ok(())
    }
}

/// The maximum size of a stored (uncompressed) block of a deflate stream.
const LONGEST_STORED: usize = u16::MAX as usize;

/// Appends a zlib stream with `data` in one stored block, into which it must fit.
fn stored(data: &[u8], out: &mut Vec<u8>) {
    let len = data.len() as u16;
    out.reserve(data.len() + 11);
    out.extend_from_slice(&[0x78, 0x01, 0x01]);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&(!len).to_le_bytes());
    out.extend_from_slice(data);
    out.extend_from_slice(&zlib_rs::adler32::adler32(1, data).to_be_bytes());
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use gix::zlib::{Inflate, Status};

    use super::*;

    #[test]
    fn what_comes_out_is_a_zlib_stream_of_what_went_in_whoever_gets_it() {
        let text =
            |length: usize| (0..length).map(|at| b"0123456789abcdef \n"[at * at % 18]).collect::<Vec<u8>>();
        let row = |number: u32| [format!("40000 {number:02x}\0").as_bytes(), &[number as u8; 20]].concat();
        let tree = |rows: u32| (0..rows).flat_map(row).collect::<Vec<u8>>();
        for receiver in [Receiver::Server, Receiver::ObjectDatabase] {
            let mut compressor = Compressor::new(receiver, Compression::DEFAULT, gix::hash::Kind::Sha1);
            let texts = [0, 1, TINY, TINY + 1, SMALL, SMALL + 1, 70_000].map(text);
            let trees = [0, 1, 3, 17, 18, 19, 256, 3000].map(tree);
            for (kind, object) in
                texts.iter().map(|text| (Kind::Blob, text)).chain(trees.iter().map(|tree| (Kind::Tree, tree)))
            {
                let mut out = b"before".to_vec();
                compressor.object(kind, object, &mut out).unwrap();
                let middle = out.len();
                compressor.delta(kind, object, &mut out).unwrap();
                for stream in [&out[6..middle], &out[middle..]] {
                    let mut plain = vec![0; object.len() + 1];
                    let inflated = Inflate::default().once(stream, &mut plain).unwrap();
                    assert_eq!(inflated, (Status::StreamEnd, stream.len(), object.len()));
                    assert_eq!(&plain[..object.len()], object);
                }
            }
        }
    }
}
