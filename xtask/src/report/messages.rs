//! What other people wrote to this user: first of all, and in full.

use contract::NotesurfaceSection;
use phase::{Page, message};

/// Draws all messages.
pub fn draw(section: &NotesurfaceSection, page: &mut Page) {
    for note in &section.notes {
        message::draw(note, page);
        page.gap();
    }
}
