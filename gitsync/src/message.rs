//! Cleans up commit messages as `git commit -m` does.

use gix::bstr::{BStr, BString, ByteSlice as _};

/// How a message is cleaned up, as `commit.cleanup` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cleanup {
    /// Not at all.
    Verbatim,
    /// White space at the ends of lines and superfluous empty lines are removed.
    Whitespace,
    /// Lines that begin with this comment string are removed as well.
    Strip(BString),
}

impl Cleanup {
    /// Returns the configured mode; the default is `whitespace`, as in git when no editor is used.
    pub fn of(repo: &gix::Repository) -> Self {
        let config = repo.config_snapshot();
        let mark = || {
            // Two names of one setting. `auto` lets an editor's template choose; where none is used, it means `#`.
            let configured =
                config.string("core.commentString").or_else(|| config.string("core.commentChar"));
            configured
                .filter(|mark| !mark.is_empty() && mark.as_slice() != b"auto")
                .unwrap_or_else(|| "#".into())
        };
        match config.string("commit.cleanup").as_deref().map(|value| value.as_slice()) {
            Some(b"verbatim") => Self::Verbatim,
            Some(b"strip") => Self::Strip(mark()),
            _ => Self::Whitespace,
        }
    }

    /// Cleans up a message, as `git stripspace` does.
    pub fn apply(&self, message: &BStr) -> BString {
        if *self == Self::Verbatim {
            return message.to_owned();
        }
        let mut tidy = BString::default();
        let mut gap = false;
        for line in message.lines() {
            if matches!(self, Self::Strip(mark) if line.starts_with(mark)) {
                continue;
            }
            // What git counts as white space; a form feed is none.
            let line = line.trim_end_with(|character| matches!(character, ' ' | '\t' | '\r'));
            if line.is_empty() {
                gap = !tidy.is_empty();
                continue;
            }
            if gap {
                tidy.push(b'\n');
                gap = false;
            }
            tidy.extend_from_slice(line);
            tidy.push(b'\n');
        }
        tidy
    }
}

/// Returns the default message of an automatic commit.
pub fn usual(host: &str, time: &str) -> String {
    format!("sync: auto-sync from {host} at {time}")
}

/// Returns the first line of a message, for a reflog.
pub fn subject(message: &BStr) -> &BStr {
    message.lines().next().unwrap_or_default().as_bstr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_that_says_nothing_goes() {
        let tidy = Cleanup::Whitespace.apply("\n\n  subject \t\n\n\n\nbody  \r\n# kept\n\x0c\n\n".into());
        assert_eq!(tidy, "  subject\n\nbody\n# kept\n\x0c\n");
    }

    #[test]
    fn comments_go_where_the_configuration_says_so() {
        assert_eq!(Cleanup::Strip(";".into()).apply("a\n; gone\nb".into()), "a\nb\n");
        assert_eq!(Cleanup::Strip("//".into()).apply("a\n// gone\n/ b".into()), "a\n/ b\n");
    }

    #[test]
    fn verbatim_means_every_byte() {
        assert_eq!(Cleanup::Verbatim.apply("a  \n\n\n".into()), "a  \n\n\n");
    }

    #[test]
    fn a_message_of_nothing_is_empty() {
        assert_eq!(Cleanup::Whitespace.apply(" \n\t\n".into()), "");
    }
}
