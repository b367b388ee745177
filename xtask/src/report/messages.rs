//! Shows the messages that other people wrote to this user, in full and ahead of the report.

use contract::NotesurfaceSection;
use owo_colors::OwoColorize as _;
use phase::{Page, message};

use super::prose;

/// Draws all messages.
pub fn draw(section: &NotesurfaceSection, page: &mut Page) {
    for note in &section.notes {
        message::draw(note, page);
        page.gap();
    }
}

/// Draws how many messages wait for an interactive run.
pub fn kept(section: &NotesurfaceSection, page: &mut Page) {
    let count = section.notes.len();
    if count > 0 {
        let (messages, wait) =
            (prose::count(count as u64, "message"), if count == 1 { "waits" } else { "wait" });
        page.line(format_args!("{messages} {wait} for you: type `notesurface`").style(page.styles.warning));
        page.gap();
    }
}
