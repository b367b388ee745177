//! Names in the trees of others.

use gitsync::path::{Leaf, check};

/// What passes stays inside of the work tree and out of `.git`, by a second opinion that is stricter than any file
/// system.
pub fn body(path: &[u8]) {
    for leaf in [Leaf::Link, Leaf::Other] {
        if check(path.into(), leaf).is_err() {
            continue;
        }
        for name in path.split(|byte| *byte == b'/') {
            assert!(!matches!(name, b"" | b"." | b".."), "{}", path.escape_ascii());
            assert!(!name.contains(&0), "{}", path.escape_ascii());
            // On Windows `\` separates folders, too.
            for part in name.split(|byte| *byte == b'\\') {
                assert!(!is_dot_git(part), "{}", path.escape_ascii());
            }
        }
        assert!(path.len() < 4096);
    }
}

/// Whether some file system takes `name` for `.git`: it ignores case, letters without a shape (HFS+), trailing dots and
/// spaces, streams, and knows short names (NTFS).
fn is_dot_git(name: &[u8]) -> bool {
    let text = String::from_utf8_lossy(name);
    let without_shape = |c: &char| !matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let on_hfs: String = text.chars().filter(without_shape).collect::<String>().to_ascii_lowercase();
    let on_ntfs = text.to_ascii_lowercase();
    let on_ntfs = on_ntfs.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    on_hfs == ".git" || on_ntfs == ".git" || on_ntfs == "git~1"
}
