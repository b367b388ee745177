//! Formats times: RFC 3339 with offset for the document, and local time for commit messages.

use std::{fs, sync::OnceLock};

use jiff::{Timestamp, Zoned, tz::TimeZone};

/// Returns the current time in the local time zone, in RFC 3339 format with offset and whole seconds.
pub fn now() -> String {
    rfc3339(&Timestamp::now().to_zoned(local()))
}

/// Returns the current local time as automatic commit messages have it: `YYYY-MM-DD HH:MM:SS`.
pub fn now_for_people() -> String {
    Timestamp::now().to_zoned(local()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Formats a git time in RFC 3339, with the offset that it was recorded with.
///
/// Git stores an offset in seconds and the seconds since 1970; a time that cannot be represented as a date is shown
/// as that of 1970-01-01.
pub fn git_time(time: gix::date::Time) -> String {
    rfc3339(&zoned(time))
}

/// Formats the day of a git time as `YYYY-MM-DD`, at the offset that it was recorded with.
pub fn git_day(time: gix::date::Time) -> String {
    zoned(time).strftime("%Y-%m-%d").to_string()
}

/// Formats a time of the system clock in the local time zone, in RFC 3339 format with offset and whole seconds.
pub fn system_time(time: std::time::SystemTime) -> String {
    let timestamp = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    rfc3339(&timestamp.to_zoned(local()))
}

/// Returns the local time zone. Unless `TZ` is set, this is what `/etc/localtime` says (localtime(5)).
/// `TimeZone::system` also determines the zone's name, for which it reads the whole time zone directory at every
/// start.
fn local() -> TimeZone {
    static LOCAL: OnceLock<TimeZone> = OnceLock::new();
    let from_file = || {
        if std::env::var_os("TZ").is_some() {
            return None;
        }
        TimeZone::tzif("local", &fs::read("/etc/localtime").ok()?).ok()
    };
    LOCAL.get_or_init(|| from_file().unwrap_or_else(TimeZone::system)).clone()
}

fn zoned(time: gix::date::Time) -> Zoned {
    let timestamp = Timestamp::from_second(time.seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    let offset = jiff::tz::Offset::from_seconds(time.offset).unwrap_or(jiff::tz::Offset::UTC);
    timestamp.to_zoned(TimeZone::fixed(offset))
}

fn rfc3339(time: &Zoned) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_zone_is_the_systems() {
        let time = Timestamp::UNIX_EPOCH;
        assert_eq!(
            rfc3339(&time.to_zoned(local())),
            rfc3339(&time.to_zoned(TimeZone::system())),
            "however it was found"
        );
    }

    #[test]
    fn a_time_of_git_keeps_its_offset() {
        let time = gix::date::Time { seconds: 1_780_710_652, offset: -7 * 3600 };
        assert_eq!(git_time(time), "2026-06-05T18:50:52-07:00");
        assert_eq!(git_day(time), "2026-06-05");
    }
}
