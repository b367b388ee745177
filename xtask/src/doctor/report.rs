//! Prints the checks, as text or as JSON.

use owo_colors::OwoColorize as _;
use phase::{Page, escape};

use super::check::{Check, State};

/// Draws a line for each check, and below those that are not ok what to do.
pub fn draw(checks: &[Check], page: &mut Page) {
    let names = checks.iter().map(|check| check.check.len()).max().unwrap_or(0);
    for check in checks {
        let (word, style) = match check.state {
            State::Ok => ("ok  ", page.styles.good),
            State::Warn => ("warn", page.styles.warning),
            State::Bad => ("bad ", page.styles.error),
        };
        page.line(format_args!(
            "{}  {:<names$}  {}",
            word.style(style),
            check.check,
            escape::line(&check.message)
        ));
        if let Some(help) = &check.help {
            page.line(format_args!("      {:<names$}  help: {}", "", escape::line(help)));
        }
    }
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    page.gap();
    page.line(match (count(State::Bad), count(State::Warn)) {
        (0, 0) => "all is well".to_owned(),
        (0, warnings) => format!("runs go through; to be looked at: {warnings}"),
        (bad, 0) => format!("bad: {bad}"),
        (bad, warnings) => format!("bad: {bad}; to be looked at: {warnings}"),
    });
}

/// Returns the checks as one line of JSON; `state` is the worst of them.
pub fn json(checks: &[Check]) -> String {
    let worst = checks.iter().map(|check| check.state).max().unwrap_or(State::Ok);
    serde_json::json!({"state": worst, "checks": checks}).to_string()
}
