//! Notes of others, cut into records and merged.

use notes_sync::records::{merge, parse};

/// Three versions of a note, with `0xff` between them. A merge in which one side did nothing is the other side, and
/// cutting a note loses no byte of a record.
pub fn body(bytes: &[u8]) {
    let mut versions = bytes.split(|byte| *byte == 0xff).chain(std::iter::repeat(&b""[..]));
    let mut next = || versions.next().unwrap_or_default();
    let (base, local, remote) = (next(), next(), next());
    for note in [base, local, remote] {
        for record in parse(note).records {
            let whole =
                record.bytes.is_empty() || note.windows(record.bytes.len()).any(|at| at == &*record.bytes);
            assert!(whole, "a record that the note does not hold: {}", record.bytes.escape_ascii());
        }
    }
    assert_eq!(merge(base, local, base), local, "the remote side did nothing");
    assert_eq!(merge(base, base, remote), remote, "the local side did nothing");
    assert_eq!(merge(base, local, local), local, "both sides did the same");
    let merged = merge(base, local, remote);
    assert_eq!(merge(base, &merged, &merged), merged);
}
