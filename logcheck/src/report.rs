//! Writes the phase's report for people.

use contract::{Decision, FoundLog, LogcheckSection};
use owo_colors::OwoColorize as _;
use phase::{Page, escape};

/// Writes the warning that session logs are not committed, with the exact text of the contract.
pub(crate) fn warning(found: &[FoundLog], page: &mut Page) {
    let label = "[WARNING]".style(page.styles.warning).to_string();
    page.line(format_args!("{label} Found {} uncommitted session log(s):", found.len()));
    for log in found {
        page.line(format_args!("  - {}", escape::line(&log.path)));
    }
    page.line("");
    for line in ADVICE {
        page.line(line);
    }
    page.line("");
    page.line("Run /save now, or proceed with plain sync anyway?");
}

const ADVICE: [&str; 3] = [
    "These contain work context that will be auto-committed with a generic",
    "\"sync: auto-sync\" message if you proceed. Run /save instead to capture",
    "a proper narrative summary before syncing.",
];

/// Writes the decision in one line.
pub(crate) fn decision(section: &LogcheckSection, page: &mut Page) {
    page.line(match section.decision {
        Decision::None => "logcheck: no uncommitted session logs",
        Decision::Stop => "logcheck: stop, so that they can be saved",
        Decision::Proceed => "logcheck: proceed with plain sync",
        Decision::Saved => "logcheck: saved; the save command has synced",
    });
}
