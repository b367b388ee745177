//! Who wrote a commit, and when, as far as its header can be read.
//!
//! Old tools and imports wrote dates and zones that are none, and such commits are in histories for good: they have to
//! be shown somehow, and must never keep a run from its work.

use gix::actor::{Signature, SignatureRef};
use gix::bstr::BStr;
use gix::date::Time;
use gix::objs::CommitRef;

use crate::commit::with_message;

/// The longest offset that there is in a commit which is written here: 99 hours.
const LONGEST: i32 = 99 * 60 * 60;

/// The author of `commit`.
///
/// # Errors
/// It is no commit.
pub fn author(commit: &gix::Commit<'_>) -> anyhow::Result<Signature> {
    let data = with_message(&commit.data);
    Ok(signature(CommitRef::from_bytes(&data, commit.id.kind())?.author))
}

/// What a line of a commit's header says: all of it is the name where it has no address, and the time is that of
/// Greenwich where the zone is none.
pub fn signature(line: &BStr) -> Signature {
    let Ok(read) = SignatureRef::from_bytes(line) else {
        return Signature { name: line.to_owned(), email: Default::default(), time: Time::default() };
    };
    let read = read.trim();
    let time = read.time().ok().filter(|time| time.offset.abs() <= LONGEST);
    let time = time.unwrap_or_else(|| Time { seconds: read.seconds(), offset: 0 });
    Signature { name: read.name.to_owned(), email: read.email.to_owned(), time }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(line: &str) -> (i64, i32) {
        let read = signature(line.into());
        (read.time.seconds, read.time.offset)
    }

    #[test]
    fn what_is_no_zone_leaves_the_time() {
        assert_eq!(time("Mike <m@example.com> 100 +0200"), (100, 7200));
        assert_eq!(time("Mike <m@example.com> 100 +9999"), (100, 0));
        assert_eq!(time("Mike <m@example.com> 100 home"), (100, 0));
        assert_eq!(time("Mike <m@example.com>"), (0, 0));
        assert_eq!(time("Mike <m@example.com> 99999999999999999999 +0000"), (0, 0));
    }

    #[test]
    fn who_has_no_address_has_a_name() {
        assert_eq!(signature("Mike".into()).name, "Mike");
        assert_eq!(signature("".into()).name, "");
    }
}
