//! Checks whether session logs would be found.

use crate::doctor::{
    check::Check,
    facts::{Facts, Logs},
};

/// Returns the checks.
pub fn judge(facts: &Facts) -> Vec<Check> {
    match &facts.logs {
        Logs::Broken(told) => {
            let help = told.help.as_deref().unwrap_or("see `git config --get-all lockstep.sessionLogs`");
            vec![Check::bad("session logs", &told.message, help)]
        }
        Logs::Found { configured, tracked, ignored } => {
            let mut checks: Vec<Check> = ignored.iter().map(|folder| ignored_in(folder)).collect();
            if *configured && *tracked == 0 {
                checks.push(Check::warn(
                    "session logs",
                    "no tracked file matches lockstep.sessionLogs",
                    "see `git config --show-origin --get-all lockstep.sessionLogs`; they are regular expressions for \
                     paths, such as '(^|/)journal/.*\\.md$'",
                ));
            }
            if checks.is_empty() {
                checks.push(Check::ok("session logs", format!("{tracked} tracked")));
            }
            checks
        }
    }
}

fn ignored_in(folder: &str) -> Check {
    Check::warn(
        "session logs",
        format!("new ones in {folder} are ignored by git, and reach nobody"),
        format!(
            "see which line of which file says so: git check-ignore --verbose {}",
            sanitize::quoted(&format!("{folder}a-new-log.md"))
        ),
    )
}
