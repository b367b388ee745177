//! Decides which paths are session logs, for the phase that wants them saved and the phase that shows their notes.
//!
//! Paths and patterns are matched as bytes: a name that is not UTF-8, or that git would quote, counts like any other.

use gix::bstr::{BStr, BString, ByteSlice};
use regex::bytes::{Regex, RegexBuilder};

use crate::Fault;

/// The directory of session logs, unless configured otherwise.
const FOLDER: &[u8] = b"session-logs/";

/// The setting that replaces the default pattern.
const KEY: &str = "lockstep.sessionLogs";

/// The rule that makes a path a session log.
#[derive(Debug)]
pub enum SessionLogs {
    /// The contract's pattern: `(^|[^A-Za-z0-9_])session-logs/.*\.md$`. Nearly every repository uses it, and
    /// compiling it takes longer than matching all paths of a repository by hand.
    Default,
    /// A path is a session log if one of these patterns matches it.
    Matching(Vec<Regex>),
}

impl SessionLogs {
    /// Returns the patterns that a repository is configured with; an empty value clears those before it, as in git's
    /// own lists.
    ///
    /// # Errors
    /// A fault with exit 78 if one of them is not a valid regular expression.
    pub fn of(repo: &gix::Repository) -> Result<Self, Fault> {
        let configured = repo.config_snapshot().plumbing().strings(KEY).unwrap_or_default();
        Self::from_values(&configured)
    }

    fn from_values(values: &[BString]) -> Result<Self, Fault> {
        let valid = values.rsplit(|value| value.is_empty()).next().unwrap_or_default();
        if valid.is_empty() {
            return Ok(Self::Default);
        }
        let patterns = valid.iter().map(|value| {
            let text =
                value.to_str().map_err(|_| Fault::misconfigured(format!("{KEY} `{value}` is not UTF-8")))?;
            compile(text)
        });
        patterns.collect::<Result<_, _>>().map(Self::Matching)
    }

    /// Whether a path of the repository is a session log.
    pub fn contain(&self, path: &BStr) -> bool {
        match self {
            Self::Default => path.strip_suffix(b".md").is_some_and(is_in_folder),
            Self::Matching(patterns) => patterns.iter().any(|pattern| pattern.is_match(path)),
        }
    }

    /// Whether a session log, of whatever name, may be directly in the directory `folder`; the root is the empty
    /// path. This saves a scan from checking every file.
    pub fn may_lie_in(&self, folder: &BStr) -> bool {
        match self {
            Self::Default => folder.contains_str(FOLDER) || folder.ends_with(&FOLDER[..FOLDER.len() - 1]),
            Self::Matching(_) => true,
        }
    }
}

/// Whether a path contains [`FOLDER`] at its start or after a byte that is not part of a word.
fn is_in_folder(path: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    path.find_iter(FOLDER).any(|at| !path[..at].last().is_some_and(is_word))
}

fn compile(pattern: &str) -> Result<Regex, Fault> {
    // A file name may contain a line feed, which does not end the path.
    RegexBuilder::new(pattern).unicode(false).dot_matches_new_line(true).build().map_err(|error| {
        Fault::misconfigured(format!("{KEY} `{pattern}` is no regular expression: {}", reason(&error)))
            .help(r"give one such as '(^|/)journal/.*\.md$'; see `git config --show-origin --get-all lockstep.sessionLogs`")
    })
}

/// Returns what is wrong with a pattern, in one line; the error's own text also shows the pattern, on several lines.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().next_back().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(values: &[&str]) -> SessionLogs {
        let values: Vec<BString> = values.iter().map(|value| BString::from(*value)).collect();
        SessionLogs::from_values(&values).expect("the patterns are fine")
    }

    #[test]
    fn a_session_log_lies_under_a_folder_of_that_name_and_ends_in_md() {
        let logs = with(&[]);
        for path in [
            "session-logs/a.md",
            "session-logs/2026/06/a b.md",
            "clients/acme/session-logs/2026-06-05.md",
            "old.session-logs/a.md",
            "my-session-logs/a.md",
            "session-logs/.md",
            "session-logs/gr\u{fc}n.md",
            "session-logs/line\nfeed.md",
            "session-logs/session-logs/a.md",
        ] {
            assert!(logs.contain(path.into()), "{path}");
        }
        for path in [
            "session-logs.md",
            "session-logs/a.txt",
            "session-logs/a.md.bak",
            "session-logs/a.MD",
            "mysession-logs/a.md",
            "my_session-logs/a.md",
            "7session-logs/a.md",
            "session-logs-old/a.md",
            "a.md",
        ] {
            assert!(!logs.contain(path.into()), "{path}");
        }
    }

    #[test]
    fn the_default_is_what_the_pattern_of_the_contract_matches() {
        const PARTS: [&str; 9] = ["session-logs/", "session-logs", "/", "a", "_", "-", ".md", "\n", "\u{e9}"];
        let pattern = compile(r"(^|[^A-Za-z0-9_])session-logs/.*\.md$").unwrap();
        let mut matched = 0;
        for number in 0..PARTS.len().pow(5) {
            let digits = std::iter::successors(Some(number), |number| Some(number / PARTS.len()));
            let path: String = digits.take(5).map(|digit| PARTS[digit % PARTS.len()]).collect();
            let expected = pattern.is_match(path.as_bytes());
            matched += usize::from(expected);
            assert_eq!(SessionLogs::Default.contain(path.as_str().into()), expected, "{path:?}");
        }
        assert!(matched > 1000, "{matched}");
    }

    #[test]
    fn a_folder_is_left_out_only_where_no_log_can_lie_in_it() {
        let logs = with(&[]);
        for folder in
            ["session-logs", "a/old.session-logs", "session-logs/2026/06", "session-logs/session-logs-old"]
        {
            assert!(logs.may_lie_in(folder.into()), "{folder}");
        }
        for folder in ["", "a", "a/session-logs-old", "session-log"] {
            assert!(!logs.may_lie_in(folder.into()), "{folder}");
        }
    }

    #[test]
    fn a_name_that_is_not_utf8_counts_like_any_other() {
        assert!(with(&[]).contain(b"session-logs/\xff.md".as_bstr()));
        assert!(with(&[]).contain(b"\xffsession-logs/a.md".as_bstr()));
    }

    #[test]
    fn configured_patterns_replace_the_default_and_any_of_them_will_do() {
        let logs = with(&[r"^journal/.*\.md$", r"\.log$"]);
        assert!(logs.contain("journal/a.md".into()));
        assert!(logs.contain("x/y.log".into()));
        assert!(!logs.contain("session-logs/a.md".into()));
        assert!(logs.may_lie_in("anywhere".into()));
    }

    #[test]
    fn an_empty_value_takes_back_those_before_it() {
        let logs = with(&["^journal/", ""]);
        assert!(logs.contain("session-logs/a.md".into()));
        assert!(!logs.contain("journal/a.md".into()));
        assert!(with(&["^journal/", "", "^diary/"]).contain("diary/a.md".into()));
    }

    #[test]
    fn what_is_no_regular_expression_is_named() {
        let fault = SessionLogs::from_values(&["(".into()]).expect_err("it is broken");
        assert_eq!(fault.exit(), contract::Exit::Misconfigured);
        assert_eq!(fault.message(), "lockstep.sessionLogs `(` is no regular expression: unclosed group");
    }
}
