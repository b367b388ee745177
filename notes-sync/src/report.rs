//! Writes the phase's report for people.

use contract::{NoteCounts, NotesResult, NotesSyncSection, SyncedRef};
use owo_colors::OwoColorize;
use phase::{Page, escape};

/// Writes the result of each ref.
pub fn report(section: &NotesSyncSection, page: &mut Page) {
    let remote = section.remote.as_deref().unwrap_or("no remote");
    let styles = page.styles;
    if section.refs.is_empty() {
        page.line(format_args!(
            "{}",
            format!("Notes: none, here or at {}", escape::line(remote)).style(styles.faint)
        ));
    } else {
        page.heading(format_args!("Notes ({})", escape::line(remote)));
    }
    for synced in &section.refs {
        let style = match synced.result {
            NotesResult::Unchanged => styles.faint,
            NotesResult::Fetched | NotesResult::Pushed | NotesResult::Merged => styles.good,
            NotesResult::Rejected => styles.error,
        };
        let line = format!("  {}: {}", escape::line(&synced.name), words(synced));
        page.line(line.style(style));
        if let Some(message) = &synced.message {
            page.line(format_args!("    {}", escape::line(message)));
        }
    }
    for warning in &section.warnings {
        page.warning(warning);
    }
}

fn words(synced: &SyncedRef) -> String {
    let mut words = match synced.result {
        NotesResult::Unchanged => "unchanged".to_owned(),
        NotesResult::Fetched => "fetched".to_owned(),
        NotesResult::Pushed => "pushed".to_owned(),
        NotesResult::Merged => format!("merged ({})", synced.strategy),
        NotesResult::Rejected => "rejected".to_owned(),
    };
    let NoteCounts { added, changed, removed, combined } = synced.notes;
    for (count, what) in
        [(added, "added"), (changed, "changed"), (removed, "removed"), (combined, "combined")]
    {
        if count > 0 {
            words.push_str(&format!(", {count} {what}"));
        }
    }
    match synced.rescued.len() {
        0 => {}
        1 => words.push_str(", a lost tip rescued"),
        count => words.push_str(&format!(", {count} lost tips rescued")),
    }
    if synced.attempts > 1 {
        words.push_str(&format!(", {} attempts", synced.attempts));
    }
    words
}
