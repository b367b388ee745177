//! Commits that end after their headers: they have no message, nor the blank line that comes before one.
//!
//! Git reads them like any with an empty message, and so does `git fsck --strict`. The parser here wants that line.

use std::borrow::Cow;

use gix::bstr::ByteSlice as _;

/// `commit`, with the blank line after its headers where it has none.
pub fn with_message(commit: &[u8]) -> Cow<'_, [u8]> {
    match commit.contains_str("\n\n") {
        true => Cow::Borrowed(commit),
        false => Cow::Owned([commit, b"\n"].concat()),
    }
}
