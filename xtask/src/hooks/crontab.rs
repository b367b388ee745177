//! Adds our two lines to the user's crontab, and removes them again; the first line is our mark.

use std::time::Duration;

/// What identifies our lines in a crontab.
#[derive(Debug)]
pub struct Ours {
    /// The line that is our mark.
    pub mark: String,
    /// What the command in the next line contains, regardless of when and with which options it was installed.
    pub command: String,
}

/// Returns the crontab with our lines at its end.
pub fn put(crontab: Option<&str>, lines: &str, ours: &Ours) -> String {
    let mut text = crontab.map(|crontab| take(crontab, ours)).unwrap_or_default();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text + lines
}

/// Returns the crontab without our lines. The line after the mark may meanwhile be the user's own, which stays.
pub fn take(crontab: &str, ours: &Ours) -> String {
    let mut lines = crontab.split_inclusive('\n').peekable();
    let mut left = String::new();
    while let Some(line) = lines.next() {
        if line.trim_end() == ours.mark {
            lines.next_if(|below| below.contains(&ours.command));
        } else {
            left.push_str(line);
        }
    }
    left
}

/// Returns the interval as the five fields of crontab(5); `None` if they cannot express it.
pub fn schedule(every: Duration) -> Option<String> {
    let (minutes, seconds) = (every.as_secs() / 60, every.as_secs() % 60);
    match (minutes, seconds) {
        (1, 0) => Some("* * * * *".into()),
        (2..60, 0) if 60 % minutes == 0 => Some(format!("*/{minutes} * * * *")),
        (60, 0) => Some("0 * * * *".into()),
        (1440, 0) => Some("0 0 * * *".into()),
        (61..1440, 0) if minutes % 60 == 0 && 24 % (minutes / 60) == 0 => {
            Some(format!("0 */{} * * *", minutes / 60))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &str = "# lockstep hooks for /tools";

    fn ours() -> Ours {
        Ours { mark: MARK.into(), command: "full-run --repo /tools ".into() }
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        for crontab in
            ["", "MAILTO=mike\n\n5 4 * * *  backup\n", "# lockstep hooks for /other\n* * * * * x\n"]
        {
            let lines = format!("{MARK}\n*/10 * * * * lockstep full-run --repo /tools --quiet\n");
            let with = put(Some(crontab), &lines, &ours());
            assert_eq!(with, format!("{crontab}{lines}"));
            assert_eq!(put(Some(&with), &lines, &ours()), with);
            assert_eq!(take(&with, &ours()), crontab);
        }
    }

    #[test]
    fn a_line_that_came_below_our_mark_since_stays() {
        let backup = "5 4 * * *  backup\n";
        assert_eq!(take(&format!("{MARK}\n{backup}"), &ours()), backup);
        let moved = "*/10 * * * * /old/lockstep full-run --repo /tools --on-found stop\n";
        assert_eq!(take(&format!("{MARK}\n{moved}{backup}"), &ours()), backup);
    }

    #[test]
    fn only_what_cron_can_say_is_said() {
        let minutes = |minutes: u64| schedule(Duration::from_secs(60 * minutes));
        assert_eq!(minutes(10).as_deref(), Some("*/10 * * * *"));
        assert_eq!(minutes(1).as_deref(), Some("* * * * *"));
        assert_eq!(minutes(60).as_deref(), Some("0 * * * *"));
        assert_eq!(minutes(180).as_deref(), Some("0 */3 * * *"));
        assert_eq!(minutes(1440).as_deref(), Some("0 0 * * *"));
        for odd in [0, 7, 90, 300, 2000] {
            assert_eq!(minutes(odd), None, "{odd}");
        }
        assert_eq!(schedule(Duration::from_secs(90)), None);
    }
}
