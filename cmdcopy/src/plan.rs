//! Decides what to do about each command, from facts alone.

use std::collections::BTreeMap;

use camino::Utf8Path;
use contract::{CopiedFile, CopyResult};
use gix::ObjectId;

use crate::{
    look::{Command, Content, Target},
    record::Copied,
};

/// What to do about one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write it where there is nothing.
    Add(Content),
    /// Replace the existing file.
    Replace {
        /// The new content.
        content: Content,
        /// The object id of the existing content.
        there: ObjectId,
        /// Who wrote the existing content.
        whose: Whose,
    },
    /// Do nothing: the file is up to date.
    Leave,
    /// Leave the target alone, for this reason.
    Keep(&'static str),
    /// Remove it: it was copied before and is gone from the repository.
    Remove {
        /// The object id of the existing content.
        there: ObjectId,
    },
    /// Forget it: it was copied before and is gone from both sides.
    Forget,
}

/// Who wrote the content of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// It was copied before, and not changed since.
    Ours,
    /// The user wrote or changed it.
    Users,
}

/// What to do with commands that are gone from the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone<'a> {
    /// Leave them.
    Stay,
    /// Remove those that were copied from this directory and are provably copies.
    Go(&'a Utf8Path),
}

/// Decides what to do about each command.
pub(crate) fn plan(
    commands: BTreeMap<String, Command>,
    targets: &BTreeMap<String, Target>,
    copied: &Copied,
    gone: Gone<'_>,
) -> BTreeMap<String, Step> {
    let target = |name: &str| targets.get(name).unwrap_or(&Target::Absent);
    let was_copied = |name: &str, id: &ObjectId| {
        copied.commands.get(name).is_some_and(|ids| ids.contains(&id.to_string()))
    };
    let mut steps = BTreeMap::new();
    if let Gone::Go(from) = gone {
        for name in copied.from(from).filter(|name| !commands.contains_key(*name)) {
            let step = match target(name) {
                Target::Absent => Step::Forget,
                Target::Link => Step::Keep(A_LINK),
                Target::NoFile => Step::Keep(NO_FILE),
                Target::Unreadable => Step::Keep(UNREADABLE),
                Target::File { id, .. } if !was_copied(name, id) => {
                    Step::Keep("gone from the repository, but edited since it was copied")
                }
                Target::File { is_read_only: true, .. } => Step::Keep(READ_ONLY),
                Target::File { id, is_read_only: false } => Step::Remove { there: *id },
            };
            steps.insert(name.clone(), step);
        }
    }
    for (name, command) in commands {
        let step = match (command, target(&name)) {
            (Command::Left(why), _) => Step::Keep(why),
            (_, Target::Link) => Step::Keep(A_LINK),
            (_, Target::NoFile) => Step::Keep(NO_FILE),
            (_, Target::Unreadable) => Step::Keep(UNREADABLE),
            (Command::File(content), Target::Absent) => Step::Add(content),
            (Command::File(content), Target::File { id, .. }) if content.id == *id => Step::Leave,
            (_, Target::File { is_read_only: true, .. }) => Step::Keep(READ_ONLY),
            (Command::File(content), Target::File { id, is_read_only: false }) => {
                let whose = if was_copied(&name, id) { Whose::Ours } else { Whose::Users };
                Step::Replace { content, there: *id, whose }
            }
        };
        steps.insert(name, step);
    }
    steps
}

const A_LINK: &str = "the target is a link, which is the user's own business";
const NO_FILE: &str = "there is something else than a file in its place";
const UNREADABLE: &str = "the target cannot be read, so nobody knows whether it is a copy";
const READ_ONLY: &str = "the target is read-only; make it writable with chmod u+w to have it updated";

impl Step {
    /// Returns how the command's file is reported once the step is done; `None` if there is nothing to report.
    pub(crate) fn outcome(&self, name: &str) -> Option<CopiedFile> {
        let (result, reason) = match self {
            Self::Add(_) => (CopyResult::Added, None),
            Self::Replace { .. } => (CopyResult::Updated, None),
            Self::Leave => (CopyResult::Unchanged, None),
            Self::Keep(why) => (CopyResult::Kept, Some((*why).into())),
            Self::Remove { .. } => (CopyResult::Removed, None),
            Self::Forget => return None,
        };
        Some(CopiedFile { name: name.into(), result, backup: None, reason })
    }

    /// Returns how the step is reported by a dry run, which adds what would become of the user's own content.
    pub(crate) fn prospect(&self, name: &str) -> Option<CopiedFile> {
        let outcome = self.outcome(name)?;
        let reason = match self {
            Self::Replace { whose: Whose::Users, .. } => Some("yours would be kept as a backup".into()),
            _ => outcome.reason,
        };
        Some(CopiedFile { reason, ..outcome })
    }

    /// Returns what the step writes.
    pub(crate) fn writes(&self) -> Option<&Content> {
        match self {
            Self::Add(content) | Self::Replace { content, .. } => Some(content),
            Self::Leave | Self::Keep(_) | Self::Remove { .. } | Self::Forget => None,
        }
    }

    /// Whether the step changes anything in the target directory.
    pub(crate) fn is_change(&self) -> bool {
        self.writes().is_some() || matches!(self, Self::Remove { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go() -> Gone<'static> {
        Gone::Go(Utf8Path::new(".claude/commands"))
    }

    fn content(text: &str) -> Content {
        Content::of(text.into()).expect("a hash")
    }

    fn command(text: &str) -> BTreeMap<String, Command> {
        [("sync.md".into(), Command::File(content(text)))].into()
    }

    fn file(text: &str) -> Target {
        Target::File { id: content(text).id, is_read_only: false }
    }

    fn read_only(text: &str) -> Target {
        Target::File { id: content(text).id, is_read_only: true }
    }

    fn copied(text: &str) -> Copied {
        let id = content(text).id.to_string();
        Copied { commands: [("sync.md".into(), [id].into())].into(), ..Copied::default() }
    }

    fn step(
        commands: BTreeMap<String, Command>,
        target: Target,
        copied: &Copied,
        gone: Gone<'_>,
    ) -> Option<Step> {
        plan(commands, &[("sync.md".into(), target)].into(), copied, gone).remove("sync.md")
    }

    fn copying(target: Target, copied: &Copied) -> Option<Step> {
        step(command("new"), target, copied, Gone::Stay)
    }

    #[test]
    fn what_is_absent_is_added_and_what_is_the_same_is_left() {
        let nothing = Copied::default();
        assert_eq!(copying(Target::Absent, &nothing), Some(Step::Add(content("new"))));
        assert_eq!(copying(file("new"), &nothing), Some(Step::Leave));
        assert_eq!(copying(read_only("new"), &nothing), Some(Step::Leave));
    }

    #[test]
    fn a_copy_is_replaced_and_the_users_own_is_backed_up() {
        let replace = |there: &str, whose| {
            Some(Step::Replace { content: content("new"), there: content(there).id, whose })
        };
        assert_eq!(copying(file("old"), &copied("old")), replace("old", Whose::Ours));
        assert_eq!(copying(file("edited"), &copied("old")), replace("edited", Whose::Users));
        assert_eq!(copying(file("old"), &Copied::default()), replace("old", Whose::Users));
    }

    #[test]
    fn links_folders_and_read_only_files_are_left_alone() {
        for target in [Target::Link, Target::NoFile, read_only("old")] {
            assert!(matches!(copying(target.clone(), &copied("old")), Some(Step::Keep(_))), "{target:?}");
        }
    }

    #[test]
    fn only_unchanged_copies_are_pruned_and_only_when_asked() {
        let prune = |target| step(BTreeMap::new(), target, &copied("old"), go());
        assert_eq!(prune(file("old")), Some(Step::Remove { there: content("old").id }));
        assert_eq!(prune(Target::Absent), Some(Step::Forget));
        for target in [file("edited"), Target::Link, Target::NoFile, read_only("old")] {
            assert!(matches!(prune(target.clone()), Some(Step::Keep(_))), "{target:?}");
        }
        assert_eq!(step(BTreeMap::new(), file("old"), &copied("old"), Gone::Stay), None);
        assert_eq!(step(BTreeMap::new(), file("old"), &Copied::default(), go()), None);
    }

    #[test]
    fn what_the_repository_still_has_is_not_pruned_even_if_it_cannot_be_copied() {
        let left = [("sync.md".into(), Command::Left("a link"))].into();
        assert_eq!(step(left, file("old"), &copied("old"), go()), Some(Step::Keep("a link")));
    }
}
