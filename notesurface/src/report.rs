//! What `notesurface` tells people.

use contract::{NotesurfaceSection, SurfacedNote};
use owo_colors::OwoColorize as _;
use phase::{Page, plain};

/// The line above and below a note.
const BAR: &str = "============================================================";

/// The notes, in the words of the contract, before anything else.
pub(crate) fn notes(section: &NotesurfaceSection, page: &mut Page) {
    for note in &section.notes {
        page.gap();
        message(note, page);
    }
    page.gap();
    let whom = section.user.as_deref().unwrap_or("everybody");
    let count = match section.notes.len() {
        0 => "no new messages".into(),
        1 => "1 message".into(),
        count => format!("{count} messages"),
    };
    page.line(format_args!("notesurface: {count} for {}", plain::line(whom)));
}

/// Everything counts as shown.
pub(crate) fn acknowledged(page: &mut Page) {
    page.line("notesurface: everything that came in counts as shown");
}

fn message(note: &SurfacedNote, page: &mut Page) {
    let (heading, person) = (page.styles.heading, page.styles.person);
    let author = plain::line(&note.author).into_owned();
    page.line(BAR.style(heading));
    page.line(format_args!("MESSAGE FROM {} ({})", author.style(person), plain::line(&note.date)));
    page.line(BAR.style(heading));
    page.line(format_args!("## {}", plain::line(&note.heading)));
    if !note.body.is_empty() {
        // Windows' line ends are line ends, and no control characters to be shown.
        page.line(plain::text(&note.body.replace("\r\n", "\n")));
    }
    page.line(BAR.style(heading));
}
