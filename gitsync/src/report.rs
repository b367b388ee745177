//! Prints the section for people: what was pulled, what was pushed, and what to do about whatever stopped the sync.

use contract::{Commit, GitsyncSection, RepoSync, SyncState, Wiki, WikiPage, WikiStatus};
use owo_colors::OwoColorize as _;
use phase::{Page, Progress, amount, escape};
use remote::Step;

/// How many commits are listed before the rest is only counted.
const LISTED: usize = 10;

/// Writes the section.
pub fn report(section: &GitsyncSection, page: &mut Page) {
    for (name, sync) in [("repository", &section.main), ("vault", &section.vault)] {
        if let Some(sync) = sync {
            page.gap();
            repository(name, sync, page);
        }
    }
    // If the main repository failed as well, the phase's own error is about that one.
    let main_failed = section.main.as_ref().is_none_or(|main| main.error.is_some());
    let vault = section.vault.as_ref().filter(|_| main_failed);
    if let Some(error) = vault.and_then(|vault| vault.error.as_ref()) {
        page.error(&format!("besides, the vault: {}", error.message), error.help.as_deref());
    }
}

/// Shows the current step of an exchange with the remote.
pub fn step(step: Step, line: &Progress) {
    match step {
        Step::Connecting => line.set(|| "connecting".into()),
        Step::MayAsk => line.hold("connecting"),
        Step::Answered => line.release(),
        Step::Listed { refs } => {
            line.flow_ended();
            line.set(|| format!("the remote has {}", amount::of(refs as u64, "ref")));
        }
        Step::Receiving { bytes } => {
            line.flow(bytes, |rate| format!("{} received{rate}", amount::bytes(bytes)));
        }
        Step::Indexing => line.set(|| "indexing what came in".into()),
        Step::Counting { objects } => {
            line.flow_ended();
            line.set(|| format!("counting, {}", amount::of(objects as u64, "object")));
        }
        Step::Sending { objects, of, bytes } => line.flow(bytes, |rate| {
            let (sent, all) = (amount::count(objects as u64), amount::of(of as u64, "object"));
            format!("{sent} of {all} sent, {}{rate}", amount::bytes(bytes))
        }),
        Step::Awaiting => line.set(|| "the remote is at work".into()),
    }
}

fn repository(name: &str, sync: &RepoSync, page: &mut Page) {
    let styles = page.styles;
    let at = sync.head.as_deref().map_or("-", short);
    let state = state(sync.state);
    let coloured = match sync.state {
        SyncState::Conflict | SyncState::Failed => state.style(styles.error).to_string(),
        SyncState::Offline => state.style(styles.warning).to_string(),
        SyncState::Clean
        | SyncState::Committed
        | SyncState::Pulled
        | SyncState::Pushed
        | SyncState::PulledPushed => state.style(styles.good).to_string(),
    };
    let branch = escape::line(&sync.branch);
    if sync.branch.is_empty() {
        // The repository could not be opened, and nothing more is known of it.
        let place = if sync.worktree.is_empty() { "nobody knows where" } else { &sync.worktree };
        let title = format!("{name}: {}", escape::line(place));
        page.line(format_args!("{}, {coloured}", title.style(styles.heading)));
        return;
    }
    let title = format!("{name}: {branch} at ");
    page.line(format_args!("{}{}, {coloured}", title.style(styles.heading), at.style(styles.id)));
    if let Some(committed) = &sync.committed {
        let id = short(&committed.id);
        page.line(format_args!(
            "  committed {}: {} added, {} modified, {} deleted",
            id.style(styles.id),
            committed.added,
            committed.modified,
            committed.deleted
        ));
    }
    if let Some(pulled) = &sync.pulled {
        let authors = pulled.authors.iter().map(|author| escape::line(author)).collect::<Vec<_>>().join(", ");
        page.line(format_args!("  {} came in, by {}", commits(pulled.count), authors.style(styles.person)));
        list(&pulled.commits, page);
    }
    wiki(&sync.wiki, page);
    if let Some(pushed) = &sync.pushed {
        let to = escape::line(&sync.remote);
        let what = match pushed.count {
            0 => "the branch, which is new there,".into(),
            count => commits(count),
        };
        page.line(format_args!("  {what} went out to {to}"));
        list(&pushed.commits, page);
    }
    for warning in &sync.warnings {
        page.warning(warning);
    }
    for path in &sync.conflicts {
        page.line(format_args!("  {} {}", "conflict:".style(styles.error), escape::line(path)));
    }
}

fn state(state: SyncState) -> &'static str {
    match state {
        SyncState::Clean => "nothing to do",
        SyncState::Committed => "committed",
        SyncState::Pulled => "pulled",
        SyncState::Pushed => "pushed",
        SyncState::PulledPushed => "pulled and pushed",
        SyncState::Conflict => "in conflict with the remote",
        SyncState::Offline => "offline; local changes are kept here",
        SyncState::Failed => "failed",
    }
}

fn list(commits: &[Commit], page: &mut Page) {
    let styles = page.styles;
    for commit in commits.iter().take(LISTED) {
        let author = escape::line(&commit.author);
        let summary = page.fit(&commit.summary, 16 + author.chars().count());
        page.line(format_args!(
            "    {} {} {summary}",
            short(&commit.id).style(styles.id),
            author.style(styles.person)
        ));
    }
    if commits.len() > LISTED {
        let rest = format!("… and {} more", commits.len() - LISTED);
        page.line(format_args!("    {}", rest.style(styles.faint)));
    }
}

fn wiki(wiki: &Wiki, page: &mut Page) {
    let shelves = [
        ("clients", &wiki.clients),
        ("projects", &wiki.projects),
        ("systems", &wiki.systems),
        ("patterns", &wiki.patterns),
        ("meta", &wiki.meta),
    ];
    for (name, pages) in shelves.into_iter().filter(|(_, pages)| !pages.is_empty()) {
        let pages = pages.iter().map(wiki_page).collect::<Vec<_>>().join(", ");
        let line = format!("wiki, {name}: {pages}");
        page.line(format_args!("  {}", page.fit(&line, 2)));
    }
}

fn wiki_page(page: &WikiPage) -> String {
    let sign = match page.status {
        WikiStatus::Added => '+',
        WikiStatus::Modified => '~',
        WikiStatus::Deleted => '-',
    };
    let path = page.path.strip_prefix("wiki/").unwrap_or(&page.path);
    format!("{sign}{path}")
}

fn commits(count: u64) -> String {
    if count == 1 { "1 commit".into() } else { format!("{count} commits") }
}

fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use phase::Styles;

    fn commit(number: usize) -> Commit {
        Commit {
            id: format!("{number:040}"),
            author: "Howard".into(),
            time: "2026-06-05T12:00:00-07:00".into(),
            summary: format!("change {number} \u{1b}[2J"),
        }
    }

    fn sync(state: SyncState) -> RepoSync {
        RepoSync {
            worktree: "/home/mike/tools".into(),
            branch: "main".into(),
            remote: "origin".into(),
            upstream: Some("refs/remotes/origin/main".into()),
            state,
            committed: None,
            pulled: None,
            wiki: Wiki::default(),
            pushed: None,
            conflicts: Vec::new(),
            warnings: Vec::new(),
            attempts: 1,
            head: Some("0123456789abcdef0123456789abcdef01234567".into()),
            notes_at_remote: None,
            error: None,
        }
    }

    fn text(sync: RepoSync) -> String {
        let mut page = Page::new(Styles::default(), None);
        report(&GitsyncSection { main: Some(sync), ..Default::default() }, &mut page);
        page.as_str().to_owned()
    }

    #[test]
    fn nothing_to_do_is_one_line() {
        assert_eq!(text(sync(SyncState::Clean)), "repository: main at 0123456789, nothing to do\n");
    }

    #[test]
    fn what_others_wrote_is_shown_and_not_obeyed_and_many_commits_are_counted() {
        let pulled = contract::Pulled {
            from: None,
            to: String::new(),
            count: 12,
            authors: vec!["Howard".into()],
            commits: (0..12).map(commit).collect(),
            session_logs: None,
        };
        let text = text(RepoSync { pulled: Some(pulled), ..sync(SyncState::Pulled) });
        assert!(text.contains("12 commits came in, by Howard"), "{text}");
        assert!(text.contains("change 9 ^[[2J") && !text.contains("change 10"), "{text}");
        assert!(text.contains("… and 2 more"), "{text}");
    }

    #[test]
    fn a_conflict_names_each_path() {
        let conflicts = vec!["a.md".into(), "b.md".into()];
        let text = text(RepoSync { conflicts, ..sync(SyncState::Conflict) });
        assert!(text.contains("  conflict: a.md\n  conflict: b.md\n"), "{text}");
    }
}
