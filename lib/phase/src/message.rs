//! Draws a note from another person, in the same way wherever it is shown.

use contract::SurfacedNote;
use owo_colors::OwoColorize as _;

use crate::{Page, escape};

/// The line above and below a note.
const RULE: &str = "============================================================";

/// Draws a note: its author, its date and its whole text.
pub fn draw(note: &SurfacedNote, page: &mut Page) {
    let (heading, person) = (page.styles.heading, page.styles.person);
    let author = escape::line(&note.author).into_owned();
    page.line(RULE.style(heading));
    page.line(format_args!("MESSAGE FROM {} ({})", author.style(person), escape::line(&note.date)));
    page.line(RULE.style(heading));
    page.line(format_args!("## {}", escape::line(&note.heading)));
    if !note.body.is_empty() {
        // Windows line endings are line endings, not control characters to be made visible.
        page.line(escape::text(&note.body.replace("\r\n", "\n")));
    }
    page.line(RULE.style(heading));
}
