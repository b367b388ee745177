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
    page.line(plain::text(note.heading.trim_end()));
    let body = note.body.trim_end();
    if !body.is_empty() {
        page.line(plain::text(body));
    }
    page.line(RULE);
}
