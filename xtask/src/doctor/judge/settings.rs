//! Checks for unknown keys in git's configuration, and for invalid values.

use phase::amount;

use crate::doctor::{
    check::Check,
    facts::{Facts, Key},
};

/// The keys that are read.
const KNOWN: [&str; 4] = ["notesRef", "notesStrategy", "saveCommand", "sessionLogs"];

/// The strategies for merging notes here.
const STRATEGIES: [&str; 5] = ["cat_sort_uniq", "ours", "records", "theirs", "union"];

/// Git's strategies (git-notes(1)), except `manual`, which waits for a person.
const OF_GIT: [&str; 4] = ["cat_sort_uniq", "ours", "theirs", "union"];

/// Returns the checks.
pub fn judge(facts: &Facts) -> Vec<Check> {
    let mut checks: Vec<Check> = facts.keys.iter().filter_map(of_key).collect();
    let ours = facts.keys.iter().filter(|key| key.section == "lockstep").count();
    if checks.is_empty() && ours > 0 {
        checks.push(Check::ok("configuration", format!("{} under lockstep", amount::of(ours as u64, "key"))));
    }
    checks
}

fn of_key(key: &Key) -> Option<Check> {
    let name = full_name(key);
    let unset = format!(
        "git config --file {} --unset-all {}",
        sanitize::quoted(&key.origin),
        sanitize::quoted(&name)
    );
    if key.section == "notes" {
        return of_strategy(key, &name, &OF_GIT);
    }
    let Some(known) = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(&key.name)) else {
        let help = match nearest(&key.name) {
            Some(known) => format!("did you mean lockstep.{known}? else: {unset}"),
            None => unset,
        };
        return Some(Check::warn("configuration", format!("nobody reads {name} of {}", key.origin), help));
    };
    match (*known, &key.subsection) {
        ("notesStrategy", _) => of_strategy(key, &name, &STRATEGIES),
        (known, Some(_)) => Some(Check::warn(
            "configuration",
            format!("nobody reads {name} of {}: it cannot be said for a part", key.origin),
            format!("git config lockstep.{known} {}, then: {unset}", sanitize::quoted(&key.value)),
        )),
        ("notesRef", None) if !is_glob(&key.value) => Some(Check::bad(
            "configuration",
            format!("{name} is `{}`, which can match no notes ref", key.value),
            "a pattern looks like refs/notes/mem/* or mem/*",
        )),
        ("saveCommand", None) if key.value.trim().is_empty() => {
            Some(Check::warn("configuration", format!("{name} is empty: `--on-found save` fails"), unset))
        }
        (_, None) => None,
    }
}

fn of_strategy(key: &Key, name: &str, known: &[&str]) -> Option<Check> {
    if known.contains(&key.value.as_str()) {
        return None;
    }
    let help = match (key.section.as_str(), key.value.as_str()) {
        ("notes", "records") => {
            let ours = match &key.subsection {
                Some(notes) => format!("lockstep.{notes}.notesStrategy"),
                None => "lockstep.notesStrategy".into(),
            };
            format!("git does not know it: git config '{ours}' records && git config --unset-all '{name}'")
        }
        _ => format!("one of {}", known.join(", ")),
    };
    Some(Check::bad("configuration", format!("{name} is `{}`, and no way to merge notes", key.value), help))
}

fn full_name(key: &Key) -> String {
    match &key.subsection {
        Some(subsection) => format!("{}.{subsection}.{}", key.section, key.name),
        None => format!("{}.{}", key.section, key.name),
    }
}

/// Whether a pattern can match a notes ref. An empty value is valid: it discards those before it.
fn is_glob(value: &str) -> bool {
    let below = value.strip_prefix("refs/notes/").unwrap_or(value);
    value.is_empty()
        || !(below.is_empty() || below.starts_with("refs/") || below.contains([' ', '~', '^', ':', '\\']))
}

/// Returns a known key that differs by up to three letters.
fn nearest(name: &str) -> Option<&'static str> {
    let near = KNOWN.into_iter().map(|known| (distance(&known.to_lowercase(), &name.to_lowercase()), known));
    near.min().filter(|(distance, _)| *distance <= 3).map(|(_, known)| known)
}

/// Returns the edit distance: how many letters to add, remove or replace.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, its) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *its);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::check::State;

    fn state(section: &str, subsection: Option<&str>, name: &str, value: &str) -> Option<State> {
        let key = Key {
            section: section.into(),
            subsection: subsection.map(str::to_owned),
            name: name.into(),
            value: value.into(),
            origin: ".git/config".into(),
        };
        of_key(&key).map(|check| check.state)
    }

    #[test]
    fn keys_that_are_read_are_fine_in_any_case() {
        assert_eq!(state("lockstep", None, "sessionlogs", "x"), None);
        assert_eq!(state("lockstep", Some("mem/*"), "notesStrategy", "records"), None);
        assert_eq!(state("notes", Some("commits"), "mergeStrategy", "union"), None);
        assert_eq!(state("lockstep", None, "notesRef", "mem/*"), None);
    }

    #[test]
    fn keys_that_nobody_reads_are_told_with_the_one_that_was_meant() {
        assert_eq!(state("lockstep", None, "sessionLog", "x"), Some(State::Warn));
        assert_eq!(state("lockstep", Some("mem/*"), "sessionLogs", "x"), Some(State::Warn));
        assert_eq!(nearest("sessionLog"), Some("sessionLogs"));
        assert_eq!(nearest("savecomand"), Some("saveCommand"));
        assert_eq!(nearest("colour"), None);
    }

    #[test]
    fn values_that_nobody_understands_are_bad() {
        assert_eq!(state("notes", None, "mergeStrategy", "records"), Some(State::Bad));
        assert_eq!(state("notes", None, "mergeStrategy", "manual"), Some(State::Bad));
        assert_eq!(state("lockstep", None, "notesStrategy", "best"), Some(State::Bad));
        assert_eq!(state("lockstep", None, "notesRef", "refs/heads/*"), Some(State::Bad));
        assert_eq!(state("lockstep", None, "saveCommand", " "), Some(State::Warn));
    }
}
