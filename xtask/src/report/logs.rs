//! Reports uncommitted session logs, whatever was decided about them.

use contract::{Decision, LogcheckSection};
use owo_colors::OwoColorize as _;
use phase::{Page, escape};

use super::prose::FOLD;

/// Draws the logs that were found, and what to do if the run stopped because of them.
pub fn draw(section: &LogcheckSection, page: &mut Page) {
    let count = section.found.len();
    if count == 0 {
        return;
    }
    let style = page.styles.warning;
    page.line(format_args!("{} Found {count} uncommitted session log(s):", "[WARNING]".style(style)));
    for log in section.found.iter().take(FOLD) {
        page.line(format_args!("  - {}", escape::line(&log.path)));
    }
    if count > FOLD {
        page.line(format_args!("  and {} more", count - FOLD));
    }
    page.gap();
    let what = match section.decision {
        Decision::None | Decision::Stop => {
            "Save them first (/save in a session), or sync all the same with `--on-found proceed`."
        }
        Decision::Proceed => "They go into the automatic commit.",
        Decision::Saved => "The save command has saved them.",
    };
    page.line(what);
    page.gap();
}
