//! Identifies the machine whose kernel manages the locks of a file.
//!
//! On a file system that several machines share, a lock taken on one machine may be unknown to the kernel of another.

use std::sync::OnceLock;

/// Identifies this machine for [`is_ours`]: the boot id of its kernel and its name, a line each.
pub(super) fn here() -> String {
    format!("{}\n{}\n", boot(), name())
}

/// Whether `written` was [written](here) on this machine, perhaps before it was rebooted. Containers on one machine
/// have different names, but the same kernel.
///
/// An empty text was left by a process that was killed before it could take any lock, and counts as ours.
pub(super) fn is_ours(written: &str) -> bool {
    let mut lines = written.lines();
    let (Some(boot_then), Some(name_then)) = (lines.next(), lines.next()) else { return true };
    (!boot_then.is_empty() && boot_then == boot()) || (!name_then.is_empty() && name_then == name())
}

/// Returns the same identification in a form suitable for file names.
pub(crate) fn mark() -> String {
    static MARK: OnceLock<String> = OnceLock::new();
    MARK.get_or_init(|| format!("{}-{}", short(&boot()), short(&name()))).clone()
}

/// Whether `mark` was [made](mark) on this machine, in the sense of [`is_ours`].
pub(crate) fn is_our_mark(mark: &str) -> bool {
    let ours = self::mark();
    let parts = mark.split_once('-').zip(ours.split_once('-'));
    parts.is_some_and(|(theirs, ours)| {
        let same = |theirs: &str, ours: &str| !ours.is_empty() && theirs == ours;
        same(theirs.0, ours.0) || same(theirs.1, ours.1)
    })
}

/// Returns eight hex digits that represent a text; for an empty text, an empty string.
fn short(text: &str) -> String {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(text.as_bytes());
    let id = hasher.try_finalize().ok().filter(|_| !text.is_empty());
    id.map(|id| id.to_hex_with_len(8).to_string()).unwrap_or_default()
}

/// Returns the boot id, which differs after each boot; empty if it is not known.
fn boot() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

#[cfg(unix)]
fn name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_machine_wrote_is_not_ours_to_judge() {
        assert!(is_ours(&here()));
        assert!(is_ours(""), "killed before any lock was taken");
        assert!(is_ours(&format!("another-boot\n{}\n", name())), "the machine was started anew");
        assert!(!is_ours("another-boot\nanother-name\n"));
        assert!(is_our_mark(&mark()));
        assert!(is_our_mark(&format!("00000000-{}", short(&name()))), "the machine was started anew");
        for another in ["", "-", "00000000-00000000"] {
            assert!(!is_our_mark(another), "{another}");
        }
    }
}
