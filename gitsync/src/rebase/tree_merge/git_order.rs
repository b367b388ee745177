//! The order in which git goes through its tables of paths.
//!
//! Where two directories are as good a choice, or two equal files could each be the new name of a file, git takes
//! what its hash table comes upon first. That has no meaning, but the same merge must not end differently here. See
//! `strhash`, `hashmap_add` and `rehash` in git's `hashmap.c`.

/// How many buckets a new table has.
const BUCKETS: usize = 64;

/// Returns the indices of `keys`, which differ and are in the order in which they were added, in the order in which
/// git's table lists them.
pub fn of<'k>(keys: impl Iterator<Item = &'k [u8]>) -> Vec<usize> {
    let mut buckets: Vec<Vec<(u32, usize)>> = vec![Vec::new(); BUCKETS];
    for (count, key) in keys.enumerate() {
        add(&mut buckets, (hash(key), count));
        if count + 1 > buckets.len() * 80 / 100 {
            let larger = vec![Vec::new(); buckets.len() * 4];
            for entry in listed(std::mem::replace(&mut buckets, larger)) {
                add(&mut buckets, entry);
            }
        }
    }
    listed(buckets).map(|(_, index)| index).collect()
}

/// The newest entry of a bucket is the first one that is listed.
fn add(buckets: &mut [Vec<(u32, usize)>], entry: (u32, usize)) {
    let at = entry.0 as usize & (buckets.len() - 1);
    buckets[at].push(entry);
}

fn listed(buckets: Vec<Vec<(u32, usize)>>) -> impl Iterator<Item = (u32, usize)> {
    buckets.into_iter().flat_map(|bucket| bucket.into_iter().rev())
}

/// The 32-bit FNV-1 hash.
fn hash(key: &[u8]) -> u32 {
    key.iter().fold(0x811c_9dc5, |hash: u32, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1() {
        assert_eq!(hash(b""), 0x811c_9dc5);
        assert_eq!(hash(b"a"), 0x050c_5d7e);
    }

    #[test]
    fn each_key_is_listed_once_however_many_there_are() {
        for count in [0, 1, 51, 52, 300, 3000] {
            let keys: Vec<String> = (0..count).map(|number| format!("folder/{number}")).collect();
            let mut order = of(keys.iter().map(String::as_bytes));
            order.sort_unstable();
            assert_eq!(order, (0..count).collect::<Vec<_>>());
        }
    }
}
