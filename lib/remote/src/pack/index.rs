//! Writes pack indexes of version 2.
//!
//! See <https://git-scm.com/docs/gitformat-pack#_version_2_pack_idx_files_support_packs_larger_than_4_gib_and>.
//!
//! gix creates one by reading the pack again, unpacking and hashing every object once more. The writer of the pack
//! already knows the ids.

use gix::ObjectId;

/// The location of an object in its pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Located {
    pub id: ObjectId,
    pub offset: u64,
    /// The CRC-32 of the pack entry, including its header.
    pub crc32: u32,
}

/// Offsets from this one on are in the table of 8-byte offsets.
const LARGE: u64 = 0x8000_0000;

/// Returns the index of a pack with these objects and this checksum.
pub(super) fn encode(mut objects: Vec<Located>, pack: ObjectId) -> gix::Result<Vec<u8>> {
    // Many of them are often in order already, of which a stable sort takes advantage.
    objects.sort_by_key(|object| object.id);
    objects.dedup_by_key(|object| object.id);
    let id = pack.kind().len_in_bytes();
    let mut index = Vec::with_capacity(8 + 256 * 4 + objects.len() * (id + 8) + 2 * id);
    index.extend_from_slice(b"\xfftOc");
    index.extend_from_slice(&2u32.to_be_bytes());
    for byte in 0..=u8::MAX {
        let up_to = objects.partition_point(|object| object.id.first_byte() <= byte);
        index.extend_from_slice(&(up_to as u32).to_be_bytes());
    }
    for object in &objects {
        index.extend_from_slice(object.id.as_slice());
    }
    for object in &objects {
        index.extend_from_slice(&object.crc32.to_be_bytes());
    }
    let mut large = Vec::new();
    for object in &objects {
        let offset = match u32::try_from(object.offset) {
            Ok(offset) if object.offset < LARGE => offset,
            _ => {
                large.push(object.offset);
                LARGE as u32 | (large.len() - 1) as u32
            }
        };
        index.extend_from_slice(&offset.to_be_bytes());
    }
    for offset in large {
        index.extend_from_slice(&offset.to_be_bytes());
    }
    index.extend_from_slice(pack.as_slice());
    let mut hash = gix::hash::hasher(pack.kind());
    hash.update(&index);
    index.extend_from_slice(hash.try_finalize()?.as_slice());
    Ok(index)
}
