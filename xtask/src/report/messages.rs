//! What other people wrote to this user: first of all, and in full.

use contract::{NotesurfaceSection, SurfacedNote};
use owo_colors::OwoColorize as _;
use phase::{Page, plain};

const RULE: &str = "============================================================";

/// Draws all messages.
pub fn draw(section: &NotesurfaceSection, page: &mut Page) {
    for note in &section.notes {
        message(note, page);
        page.gap();
    }
}

fn message(note: &SurfacedNote, page: &mut Page) {
    let title = format!("MESSAGE FROM {} ({})", plain::line(&note.author), plain::line(&note.date));
    page.line(RULE);
    page.line(title.style(page.styles.warning));
    page.line(RULE);
    page.line(format_args!("## {}", plain::line(&note.heading)));
    if !note.body.is_empty() {
        // Windows' line ends are line ends, and no control characters to be shown.
        page.line(plain::text(&note.body.replace("\r\n", "\n")));
    }
    page.line(RULE);
}
