//! Makes commits readable that end after their headers, without a message and the blank line before it.
//!
//! Git takes the message of such a commit to be empty, and `git fsck --strict` accepts it. gix's parser needs the line.

use std::borrow::Cow;

use gix::bstr::ByteSlice as _;

/// Returns `commit`, with a blank line appended if it ends after its headers.
pub fn with_message(commit: &[u8]) -> Cow<'_, [u8]> {
    match commit.contains_str("\n\n") {
        true => Cow::Borrowed(commit),
        false => Cow::Owned([commit, b"\n"].concat()),
    }
}
