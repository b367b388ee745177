//! Draws the report of a whole run: one screen, read from top to bottom.
//!
//! It renders the same document that `--json` writes; besides that it uses only how the processes ended and how long
//! they took. What matters most to the user comes first: the messages from others, then what was pulled, what was
//! pushed, and at the end the resulting state.

mod commands;
mod ending;
mod logs;
mod messages;
mod notes;
mod prose;
mod repository;
mod wiki;

use std::time::Duration;

use contract::Outcome;
use phase::Page;

use crate::full_run::Ended;
use repository::Which;

/// What a report is drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// How the pipeline ended.
    pub ended: &'a Ended,
    /// How long it took.
    pub took: Duration,
    /// Whether to report only messages and errors.
    pub quiet: bool,
    /// Whether messages were not shown, so that a later run will show them.
    pub kept_messages: bool,
}

pub use messages::draw as messages;

/// Draws the report without the messages, which are shown before it.
pub fn draw(facts: &Facts<'_>, page: &mut Page) {
    let Some(envelope) = &facts.ended.envelope else {
        ending::without_a_document(facts, page);
        return;
    };
    let document = envelope.document();
    let phases = &document.phases;
    if let Some(section) =
        phases.logcheck.as_ref().filter(|_| !facts.quiet || document.outcome == Outcome::Unsaved)
    {
        logs::draw(section, page);
    }
    if !facts.quiet {
        if let Some(section) = phases.notesurface.as_ref().filter(|_| facts.kept_messages) {
            messages::kept(section, page);
        }
        if let Some(main) = phases.gitsync.as_ref().and_then(|section| section.main.as_ref()) {
            repository::draw(main, Which::Main, page);
        }
        if let Some(vault) = phases.gitsync.as_ref().and_then(|section| section.vault.as_ref()) {
            repository::draw(vault, Which::Vault, page);
        }
        if let Some(section) = &phases.notes_sync {
            notes::draw(section, page);
        }
        if let Some(section) = &phases.cmdcopy {
            commands::draw(section, page);
        }
    }
    ending::draw(facts, document, page);
}
