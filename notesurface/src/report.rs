//! Writes the phase's report for people.

use contract::NotesurfaceSection;
use phase::{Page, escape, message};

/// Writes the notes, in the format of the contract, and how many there are.
pub(crate) fn notes(section: &NotesurfaceSection, page: &mut Page) {
    for note in &section.notes {
        page.gap();
        message::draw(note, page);
    }
    page.gap();
    let whom = section.user.as_deref().unwrap_or("everybody");
    let count = match section.notes.len() {
        0 => "no new messages".into(),
        1 => "1 message".into(),
        count => format!("{count} messages"),
    };
    page.line(format_args!("notesurface: {count} for {}", escape::line(whom)));
}

/// Writes that all notes are marked as shown.
pub(crate) fn acknowledged(page: &mut Page) {
    page.line("notesurface: everything that came in counts as shown");
}
