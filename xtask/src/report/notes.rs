//! Reports what happened to the notes refs.

use contract::{NoteCounts, NotesResult, NotesSyncSection, SyncedRef};
use owo_colors::OwoColorize as _;
use phase::{Page, escape};

use super::prose;

/// Draws the refs that changed or were rejected, and counts the unchanged ones.
pub fn draw(section: &NotesSyncSection, page: &mut Page) {
    let (unchanged, moved): (Vec<_>, Vec<_>) =
        section.refs.iter().partition(|synced| synced.result == NotesResult::Unchanged);
    if moved.is_empty() && section.warnings.is_empty() {
        return;
    }
    page.heading("Notes");
    for synced in moved {
        line(synced, page);
    }
    if !unchanged.is_empty() {
        let rest = format!("  {} unchanged", prose::count(unchanged.len() as u64, "ref"));
        page.line(rest.style(page.styles.faint));
    }
    for warning in &section.warnings {
        page.warning(warning);
    }
    page.gap();
}

fn line(synced: &SyncedRef, page: &mut Page) {
    let name = synced.name.strip_prefix("refs/notes/").unwrap_or(&synced.name);
    let what = match synced.result {
        NotesResult::Unchanged => "unchanged".into(),
        NotesResult::Fetched => format!("fetched{}", counts(synced.notes)),
        NotesResult::Pushed => "pushed".into(),
        NotesResult::Merged => format!("merged{} ({})", counts(synced.notes), escape::line(&synced.strategy)),
        NotesResult::Rejected => {
            format!(
                "rejected: {}",
                escape::line(synced.message.as_deref().unwrap_or("the remote gave no reason"))
            )
        }
    };
    let style = match synced.result {
        NotesResult::Rejected => page.styles.error,
        NotesResult::Unchanged | NotesResult::Fetched | NotesResult::Pushed | NotesResult::Merged => {
            page.styles.id
        }
    };
    page.line(format_args!("  {}  {what}", escape::line(name).style(style)));
    if !synced.rescued.is_empty() {
        let tips = prose::count(synced.rescued.len() as u64, "lost tip");
        page.line(format_args!("    {tips} merged back in").style(page.styles.warning));
    }
}

fn counts(notes: NoteCounts) -> String {
    let kinds = [
        ("added", notes.added),
        ("changed", notes.changed),
        ("removed", notes.removed),
        ("combined", notes.combined),
    ];
    let told: Vec<String> = kinds
        .iter()
        .filter(|(_, number)| *number > 0)
        .map(|(kind, number)| format!("{number} {kind}"))
        .collect();
    if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) }
}
