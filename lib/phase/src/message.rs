//! A note from somebody else, as it is drawn for the user wherever it is shown.

use contract::SurfacedNote;
use owo_colors::OwoColorize as _;

use crate::{Page, plain};

/// The line above and below a note.
const RULE: &str = "============================================================";

/// Draws a note: who wrote it and when, and the whole of it.
pub fn draw(note: &SurfacedNote, page: &mut Page) {
    let (heading, person) = (page.styles.heading, page.styles.person);
    let author = plain::line(&note.author).into_owned();
    page.line(RULE.style(heading));
    page.line(format_args!("MESSAGE FROM {} ({})", author.style(person), plain::line(&note.date)));
    page.line(RULE.style(heading));
    page.line(format_args!("## {}", plain::line(&note.heading)));
    if !note.body.is_empty() {
        // Windows' line ends are line ends, and no control characters to be shown.
        page.line(plain::text(&note.body.replace("\r\n", "\n")));
    }
    page.line(RULE.style(heading));
}
