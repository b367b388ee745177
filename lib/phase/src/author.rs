//! Reads the author and the date of a commit, as far as its header can be parsed.
//!
//! Old tools and imports wrote invalid dates and time zones. Such commits stay in the history for good: they must
//! still be displayed somehow, and must never stop a run.

use gix::actor::{Signature, SignatureRef};
use gix::bstr::BStr;
use gix::date::Time;
use gix::objs::CommitRef;

use crate::commit::with_message;

/// The largest time zone offset that is written into a commit here: 99 hours.
const LONGEST: i32 = 99 * 60 * 60;

/// Returns the author of `commit`.
///
/// # Errors
/// If it is not a commit.
pub fn author(commit: &gix::Commit<'_>) -> anyhow::Result<Signature> {
    let data = with_message(&commit.data);
    Ok(signature(CommitRef::from_bytes(&data, commit.id.kind())?.author))
}

/// Parses an ident line of a commit header. Without an email address the whole line is the name; with an invalid time
/// zone the time is in UTC.
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
