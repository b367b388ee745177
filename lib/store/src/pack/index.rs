//! Writes pack indexes of version 2.
//!
//! See <https://git-scm.com/docs/gitformat-pack#_version_2_pack_idx_files_support_packs_larger_than_4_gib_and>.
//!
//! gix creates one by reading the pack again, unpacking and hashing every object once more. The writer of the pack
//! already knows the ids.

use std::io;

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
    if let Some(twice) = objects.windows(2).find(|two| two[0].id == two[1].id) {
        // Git refuses an index of fewer objects than its pack says it has.
        let message = format!("object {} is twice in the pack", twice[0].id);
        return Err(gix::Error::from_error(io::Error::other(message)));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_is_twice_in_a_pack_is_an_error_as_it_is_for_git() {
        let located =
            |byte: u8, offset| Located { id: ObjectId::from_bytes_or_panic(&[byte; 20]), offset, crc32: 0 };
        let pack = ObjectId::null(gix::hash::Kind::Sha1);
        assert!(encode(vec![located(2, 12), located(1, 40)], pack).is_ok());
        let error = encode(vec![located(2, 12), located(1, 40), located(2, 60)], pack).unwrap_err();
        assert!(error.to_string().contains("twice in the pack"), "{error}");
    }
}
