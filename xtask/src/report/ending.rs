//! Draws the end of the report: what went wrong, the state of the repository, and what to type next.

use contract::{Decision, Document, Exit, Outcome, RepoSync};
use owo_colors::OwoColorize as _;
use phase::{Page, escape};

use super::{Facts, prose, repository};
use crate::{
    full_run::{End, StepEnd},
    hooks::quote,
};

/// Draws the end of a run that produced a document.
pub fn draw(facts: &Facts<'_>, document: &Document, page: &mut Page) {
    page.gap();
    match (facts.ended.signal, facts.ended.died(), &document.error) {
        (Some(_), _, _) => interruption(facts, page),
        (None, Some(step), _) => death(step, page),
        (None, None, Some(error)) => page.error(&error.message, error.help.as_deref()),
        (None, None, None) => {}
    }
    also_failed(document, page);
    if facts.quiet && document.outcome == Outcome::Ok && facts.ended.signal.is_none() {
        return;
    }
    let took = prose::time(facts.took);
    let (word, style) = match (facts.ended.code(), document.outcome) {
        (0, Outcome::Saved) => ("saved", page.styles.good),
        (0, _) => ("done", page.styles.good),
        (_, Outcome::Deferred) => ("not done, and not failed: the next run catches up", page.styles.warning),
        (_, Outcome::Unsaved) => ("not done: session logs are to be saved first", page.styles.warning),
        (_, Outcome::Conflict) => ("stopped at a conflict", page.styles.error),
        (_, Outcome::Failed) if failed_in_the_vault_alone(document) => {
            ("failed in the vault", page.styles.error)
        }
        (_, Outcome::Ok | Outcome::Saved | Outcome::Failed) => ("failed", page.styles.error),
    };
    page.labelled(word, style, &format!(": {}, {took}", state(document)), 2);
}

/// Whether only the vault failed: then the last line, which gives the repository's state, must not just say `failed`.
fn failed_in_the_vault_alone(document: &Document) -> bool {
    let Some(gitsync) = &document.phases.gitsync else { return false };
    let failed = |sync: &RepoSync| sync.error.is_some();
    document.error.as_ref().is_some_and(|error| error.phase == "gitsync")
        && gitsync.vault.as_ref().is_some_and(failed)
        && !gitsync.main.as_ref().is_none_or(failed)
}

/// Draws the end of a run that produced no document.
pub fn without_a_document(facts: &Facts<'_>, page: &mut Page) {
    match (facts.ended.signal, facts.ended.died()) {
        (Some(_), _) => interruption(facts, page),
        (None, Some(step)) => death(step, page),
        (None, None) => page.error(
            "the run ended without a result",
            Some("the messages above say why; the next run catches up with whatever this one left"),
        ),
    }
}

/// Draws the errors other than the run's main one: the vault's, and those of later steps.
fn also_failed(document: &Document, page: &mut Page) {
    let told = |message: &str| document.error.as_ref().is_some_and(|error| error.message.contains(message));
    let vault = document.phases.gitsync.as_ref().and_then(|section| section.vault.as_ref());
    if let Some(error) = vault.and_then(|vault| vault.error.as_ref()).filter(|error| !told(&error.message)) {
        page.error(&format!("besides, the vault: {}", error.message), error.help.as_deref());
    }
    let phases = &document.phases;
    let later = [
        ("notes-sync", phases.notes_sync.as_ref().map(|section| section.outcome)),
        ("notesurface", phases.notesurface.as_ref().map(|section| section.outcome)),
        ("cmdcopy", phases.cmdcopy.as_ref().map(|section| section.outcome)),
    ];
    // The command names the repository, so that it can be typed in any directory.
    let place = document.repo.as_ref().map(|repo| repo.worktree.as_ref().unwrap_or(&repo.common_dir));
    let repo = place.map(|place| format!(" --repo {}", escape::line(&quote::sh(place)))).unwrap_or_default();
    for (name, outcome) in later {
        let is_told = document.error.as_ref().is_some_and(|error| error.phase == name);
        if outcome == Some(Outcome::Failed) && !is_told {
            page.line(format_args!(
                "{} failed as well: `{name} --fresh{repo}` says why",
                name.style(page.styles.error)
            ));
        }
    }
}

fn death(StepEnd { name, end }: StepEnd, page: &mut Page) {
    match end {
        End::Exited(code) => page.error(
            &format!("`{name}` ended with code {code} and without a result"),
            Some("its own message above says why"),
        ),
        End::Killed(signal) => page.error(
            &format!("`{name}` was ended by signal {signal}"),
            Some("run it again: whatever was left half-done is recognised and cleaned up"),
        ),
    }
}

fn interruption(facts: &Facts<'_>, page: &mut Page) {
    if let Some(signal) = facts.ended.signal {
        let message = format!("interrupted by signal {}", signal.0);
        page.error(&message, Some("nothing is lost and no lock is left behind; run it again to finish"));
    }
}

/// Whether a step began this document because the one before it passed none on.
fn lost_its_document(document: &Document) -> bool {
    document.error.as_ref().is_some_and(|error| error.code == Exit::BadInput.code())
}

/// Returns the state of the repository in one line.
fn state(document: &Document) -> String {
    let phases = &document.phases;
    if let Some(main) = phases.gitsync.as_ref().and_then(|section| section.main.as_ref()) {
        return repository::standing(main);
    }
    match (document.outcome, &phases.logcheck) {
        (Outcome::Unsaved, Some(logcheck)) => {
            format!("{} found, nothing was changed", prose::count(logcheck.found.len() as u64, "session log"))
        }
        (Outcome::Saved, Some(logcheck)) if logcheck.decision == Decision::Saved => {
            format!(
                "{} saved by the save command, which synced",
                prose::count(logcheck.found.len() as u64, "session log")
            )
        }
        (Outcome::Failed, _) if phases.gitsync.is_some() => "refused before anything was committed".into(),
        // A step died before it passed its document on: only the repository tells what was done by then.
        (Outcome::Failed, logcheck) if logcheck.is_some() || lost_its_document(document) => {
            "what was committed, if anything, is kept".into()
        }
        _ => match &document.repo {
            Some(repo) => format!(
                "nothing was changed in {}",
                escape::line(repo.worktree.as_deref().unwrap_or(&repo.common_dir))
            ),
            None => "nothing was changed".into(),
        },
    }
}
