//! Builds a report for people, line by line.
//!
//! A report renders the same value that goes into the document. All it knows of its surroundings is the width and the
//! styles, which are plain unless a terminal wants colour.

use std::fmt::{Display, Write as _};

use owo_colors::{OwoColorize, Style};

use crate::columns;

/// The styles of a report, by meaning; all of them are plain by default.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Styles {
    /// The title of a part of the report.
    pub heading: Style,
    /// An error.
    pub error: Style,
    /// A warning.
    pub warning: Style,
    /// A success.
    pub good: Style,
    /// An object id or a ref.
    pub id: Style,
    /// A person.
    pub person: Style,
    /// Less important text.
    pub faint: Style,
}

impl Styles {
    /// Returns the coloured styles.
    pub fn coloured() -> Self {
        Self {
            heading: Style::new().bold(),
            error: Style::new().red().bold(),
            warning: Style::new().yellow().bold(),
            good: Style::new().green(),
            id: Style::new().yellow(),
            person: Style::new().cyan(),
            faint: Style::new().dimmed(),
        }
    }
}

/// The text of a report.
#[derive(Debug)]
pub struct Page {
    text: String,
    /// The styles to write with.
    pub styles: Styles,
    /// The width in columns; `None` if the output is not a terminal.
    pub width: Option<usize>,
}

impl Page {
    /// Returns an empty page.
    pub fn new(styles: Styles, width: Option<usize>) -> Self {
        Self { text: String::new(), styles, width }
    }

    /// Writes a line unchanged. Text from other people must have been passed through [`crate::escape`] before.
    pub fn line(&mut self, line: impl Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{line}");
    }

    /// Writes an empty line, unless the page is empty or ends with one.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Writes the title of a part.
    pub fn heading(&mut self, title: impl Display) {
        let style = self.styles.heading;
        self.line(title.style(style));
    }

    /// Writes an error and its remedy.
    pub fn error(&mut self, message: &str, help: Option<&str>) {
        self.labelled("error:", self.styles.error, &format!(" {message}"), "error: ".len());
        match help {
            Some(help) if holds_a_bare_command(help) => {
                self.line(format_args!("  help: {}", crate::escape::text(help)));
            }
            Some(help) => self.labelled("  help:", Style::default(), &format!(" {help}"), "  help: ".len()),
            None => {}
        }
    }

    /// Writes a warning.
    pub fn warning(&mut self, message: &str) {
        self.labelled("warning:", self.styles.warning, &format!(" {message}"), "warning: ".len());
    }

    /// Writes a label followed by a text, which is wrapped and indented if the page is not wide enough.
    ///
    /// Credentials are removed from the text, as it may quote a URL.
    pub fn labelled(&mut self, label: &str, style: Style, text: &str, indent: usize) {
        let text = sanitize::in_text(text);
        let text = crate::escape::text(&text);
        let mut begun = columns::of(label);
        let mut lines = Vec::new();
        for line in text.split('\n') {
            lines.push(match self.width {
                Some(width) => columns::wrap(line, width, begun, indent),
                None => line.into(),
            });
            begun = 0;
        }
        self.line(format_args!("{}{}", label.style(style), lines.join("\n")));
    }

    /// Returns what was written so far.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Takes what was written so far and leaves the page empty.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// Cuts a text to the page's width less `indent` columns, ending it with an ellipsis if something was cut.
    pub fn fit(&self, text: &str, indent: usize) -> String {
        let room = self.width.map_or(usize::MAX, |width| width.saturating_sub(indent).max(16));
        columns::cut(&crate::escape::line(text), room).into_owned()
    }
}

/// Whether a remedy contains a command without backticks around it, which could not be copied if it were wrapped.
fn holds_a_bare_command(help: &str) -> bool {
    ["git config ", "rm '", "git -C "].iter().any(|command| {
        help.match_indices(command).any(|(at, _)| help[..at].matches('`').count().is_multiple_of(2))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_is_broken_between_words_and_a_command_is_not() {
        let told = |help: &str| {
            let mut page = Page::new(Styles::default(), Some(30));
            page.error("no", Some(help));
            page.take()
        };
        let sentence = told("check the network and the URL (`git remote -v` shows it)");
        assert_eq!(
            sentence,
            "error: no\n  help: check the network and\n        the URL\n        (`git remote -v` shows\n        it)\n"
        );
        let command =
            told("git config --global user.name 'Your Name' && git config --global user.email you@x");
        assert_eq!(command.lines().count(), 2, "{command}");
        assert_eq!(told("if no git is running here, it was left behind: rm '/a b'").lines().count(), 2);
    }
}
