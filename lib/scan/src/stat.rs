//! Converts stat data of the system into those of the index.

use gix::index::entry::{Stat, stat::Time};

/// Returns the low 32 bits of each field, as in [the format](https://git-scm.com/docs/gitformat-index#_index_entry).
#[allow(clippy::unnecessary_cast, reason = "the fields' types differ between systems")]
pub fn in_index(stat: &rustix::fs::Stat) -> Stat {
    Stat {
        mtime: time(stat.st_mtime as i64, stat.st_mtime_nsec as u32),
        ctime: time(stat.st_ctime as i64, stat.st_ctime_nsec as u32),
        dev: stat.st_dev as u32,
        ino: stat.st_ino as u32,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: stat.st_size as u32,
    }
}

/// A time before 1970 becomes zero, as in the code that writes the index.
fn time(secs: i64, nsecs: u32) -> Time {
    if secs < 0 { Time::default() } else { Time { secs: secs as u32, nsecs } }
}
