//! Reports what was pulled into a repository and what was pushed from it.

use contract::{Commit, Committed, RepoSync, SyncState};
use owo_colors::OwoColorize as _;
use phase::{Page, columns, escape};

use super::{
    prose::{self, FOLD},
    wiki,
};

/// Which of a run's repositories is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The run's own; its state is given at the end of the report.
    Main,
    /// The vault.
    Vault,
}

/// Draws what was pulled and pushed, or nothing if nothing was.
pub fn draw(sync: &RepoSync, which: Which, page: &mut Page) {
    if let Some(pulled) = &sync.pulled {
        let people = if pulled.authors.is_empty() {
            String::new()
        } else {
            format!(" by {}", authors(&pulled.authors))
        };
        let (verb, rest) = match sync.state {
            SyncState::Conflict => {
                (Verb::Fetched, format!(", not taken into {}", escape::line(&sync.branch)))
            }
            SyncState::Clean
            | SyncState::Committed
            | SyncState::Pulled
            | SyncState::Pushed
            | SyncState::PulledPushed
            | SyncState::Offline
            | SyncState::Failed => (Verb::Pulled, String::new()),
        };
        which.heading(verb, &format!(" {}{people}{rest}", prose::count(pulled.count, "commit")), page);
        commits(&pulled.commits, pulled.count, Shown::WithAuthors, page);
        page.gap();
    }
    wiki::draw(&sync.wiki, page);
    if let Some(pushed) = &sync.pushed {
        let what = match pushed.count {
            0 => format!("{}, a new branch", escape::line(&sync.branch)),
            count => prose::count(count, "commit"),
        };
        which.heading(Verb::Pushed, &format!(" {what}"), page);
        commits(&pushed.commits, pushed.count, Shown::WithoutAuthors, page);
        page.gap();
    } else if let Some(committed) = &sync.committed {
        which.heading(Verb::Committed, ", not pushed", page);
        let id = prose::short(&committed.id);
        page.line(format_args!("  {}  {}", id.style(page.styles.id), files(committed)));
        page.gap();
    }
    if !sync.warnings.is_empty() {
        for warning in &sync.warnings {
            page.warning(warning);
        }
        page.gap();
    }
    if which == Which::Vault {
        page.heading(format_args!("Vault: {}", standing(sync)));
        page.gap();
    }
}

impl Which {
    /// Writes a heading that says which repository it is about.
    fn heading(self, verb: Verb, rest: &str, page: &mut Page) {
        let (capital, small) = match verb {
            Verb::Pulled => ("Pulled", "pulled"),
            Verb::Fetched => ("Fetched", "fetched"),
            Verb::Pushed => ("Pushed", "pushed"),
            Verb::Committed => ("Committed", "committed"),
        };
        match self {
            Self::Main => page.heading(format_args!("{capital}{rest}")),
            Self::Vault => page.heading(format_args!("Vault: {small}{rest}")),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Verb {
    Pulled,
    Fetched,
    Pushed,
    Committed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    WithAuthors,
    WithoutAuthors,
}

/// Draws one line per commit, up to ten, and counts the rest.
fn commits(commits: &[Commit], count: u64, shown: Shown, page: &mut Page) {
    let shown_commits = commits.iter().take(FOLD);
    let widest =
        shown_commits.clone().map(|commit| columns::of(&escape::line(&commit.author))).max().unwrap_or(0);
    for commit in shown_commits {
        let id = prose::short(&commit.id);
        let author = match shown {
            Shown::WithAuthors => {
                let author = escape::line(&commit.author);
                let padding = " ".repeat(widest - columns::of(&author));
                format!("{author}{padding}  ")
            }
            Shown::WithoutAuthors => String::new(),
        };
        let indent = 2 + id.len() + 2 + columns::of(&author);
        let summary = page.fit(&commit.summary, indent);
        let styles = page.styles;
        page.line(format_args!("  {}  {}{summary}", id.style(styles.id), author.style(styles.person)));
    }
    let hidden = count.saturating_sub(commits.len().min(FOLD) as u64);
    if hidden > 0 {
        page.line(format_args!("  and {hidden} more").style(page.styles.faint));
    }
}

fn authors(authors: &[String]) -> String {
    let shown: Vec<String> = authors.iter().map(|author| escape::line(author).into_owned()).collect();
    match shown.split_at_checked(FOLD) {
        Some((first, rest)) if !rest.is_empty() => format!("{} and {} others", first.join(", "), rest.len()),
        _ => prose::names(&shown),
    }
}

fn files(committed: &Committed) -> String {
    let kinds =
        [("added", committed.added), ("modified", committed.modified), ("deleted", committed.deleted)];
    let told: Vec<String> = kinds
        .iter()
        .filter(|(_, number)| *number > 0)
        .map(|(kind, number)| format!("{number} {kind}"))
        .collect();
    if told.is_empty() { "no files".into() } else { format!("files: {}", told.join(", ")) }
}

/// Returns the state of a repository in one line.
pub fn standing(sync: &RepoSync) -> String {
    if sync.worktree.is_empty() {
        return "where it is could not be found out".into();
    }
    if sync.branch.is_empty() {
        return format!("{} could not be opened", escape::line(&sync.worktree));
    }
    let branch = escape::line(&sync.branch);
    let place = match &sync.head {
        Some(head) => format!("{branch} is at {}", prose::short(head)),
        None => format!("{branch} has no commit"),
    };
    let theirs = match &sync.upstream {
        Some(upstream) => {
            escape::line(upstream.strip_prefix("refs/remotes/").unwrap_or(upstream)).into_owned()
        }
        None => escape::line(&sync.remote).into_owned(),
    };
    let state = match sync.state {
        SyncState::Clean => format!("in step with {theirs}; nothing to do"),
        SyncState::Pulled | SyncState::Pushed | SyncState::PulledPushed => format!("in step with {theirs}"),
        SyncState::Committed => format!("committed here, not pushed to {theirs}"),
        SyncState::Conflict => format!("not in step with {theirs}: changes of both sides are in conflict"),
        SyncState::Offline => format!("{theirs} was not reached; local changes are committed here"),
        SyncState::Failed => format!("not in step with {theirs}"),
    };
    format!("{place}, {state}")
}
