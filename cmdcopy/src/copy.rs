//! Carries out the whole plan, and records it.
//!
//! The record is updated before and after, so that a run that is killed leaves neither copies that are not recognised
//! as such nor permanent temporary files.

#[cfg(test)]
mod meanwhile;

use std::collections::BTreeMap;

use anyhow::Context as _;
use camino::Utf8Path;
use contract::{CopiedFile, CopyResult, Exit};
use phase::{Fault, Guard};

use crate::{
    apply::{Undone, Writer},
    plan::Step,
    record::{Copied, Record},
};

/// What was done, and the first error.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The files, by name.
    pub(crate) files: Vec<CopiedFile>,
    /// The first error.
    pub(crate) fault: Option<Fault>,
}

/// Carries out the plan, with commands that come from the directory `from`; `mark` marks this run's temporary files.
///
/// # Errors
/// If the record cannot be written.
pub(crate) fn copy(
    folder: &Utf8Path,
    mark: &str,
    from: &Utf8Path,
    steps: &BTreeMap<String, Step>,
    record: &mut Record,
    guard: &dyn Guard,
) -> anyhow::Result<Report> {
    let writer = Writer { folder, mark, guard };
    let mut copied = record.copied();
    let mut report = Report::default();
    if let Some(mark) = copied.unfinished.take()
        && let Err(undone) = writer.clean_up_after(&mark)
    {
        report.fault = Some(fault(undone, folder));
        return Ok(report);
    }
    if steps.values().any(Step::is_change) {
        guard.check()?;
        record.write(about_to_be(&copied, from, steps, mark))?;
    }
    for (name, step) in steps {
        match writer.apply(name, step) {
            Ok(file) => {
                note(&mut copied, from, name, step, file.as_ref());
                report.files.extend(file);
            }
            Err(undone @ Undone::Fenced(_)) => {
                report.fault = Some(fault(undone, folder));
                return Ok(report);
            }
            Err(undone @ Undone::Failed(_)) => {
                let fault = fault(undone, &folder.join(name));
                let reason = Some(fault.message().to_owned());
                report.files.push(CopiedFile {
                    name: name.clone(),
                    result: CopyResult::Kept,
                    backup: None,
                    reason,
                });
                report.fault.get_or_insert(fault);
            }
        }
    }
    if copied == record.copied() {
        return Ok(report);
    }
    match guard.check() {
        Ok(()) => record.write(copied).context("the commands were copied")?,
        Err(fault) => report.fault = Some(fault),
    }
    Ok(report)
}

/// Returns the record for the time of the copying: each command may have its old or its new content.
fn about_to_be(copied: &Copied, from: &Utf8Path, steps: &BTreeMap<String, Step>, mark: &str) -> Copied {
    let mut both = Copied { unfinished: Some(mark.into()), ..copied.clone() };
    for (name, step) in steps {
        if let Some(content) = step.writes() {
            both.note(name, from).insert(content.id.to_string());
        }
    }
    both
}

/// Updates the record after a step.
fn note(copied: &mut Copied, from: &Utf8Path, name: &str, step: &Step, file: Option<&CopiedFile>) {
    match (file.map(|file| file.result), step.writes()) {
        (Some(CopyResult::Added | CopyResult::Updated), Some(content)) => {
            *copied.note(name, from) = [content.id.to_string()].into();
        }
        (Some(CopyResult::Removed) | None, _) => {
            copied.forget(name);
        }
        (Some(_), _) => {}
    }
}

/// Returns the fault for a file that could not be written.
fn fault(undone: Undone, path: &Utf8Path) -> Fault {
    let error = match undone {
        Undone::Fenced(fault) => return fault,
        Undone::Failed(error) => error,
    };
    let kind = error.root_cause().downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    let message = format!("{path} cannot be written: {error:#}");
    match kind {
        Some(std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem) => {
            Fault::new(Exit::NotAllowed, message)
                .help("make the folder writable for yourself, or copy to another with --to DIR")
        }
        _ => Fault::failed(message).help("see what is at that path, or copy to another folder with --to DIR"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_only_folder_is_explained() {
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let fault = fault(denied.into(), Utf8Path::new("/home/mike/.claude/commands/sync.md"));
        assert_eq!(fault.exit(), Exit::NotAllowed);
        assert!(fault.message().starts_with("/home/mike/.claude/commands/sync.md cannot be written: "));
        assert!(fault.remedy().is_some_and(|help| help.contains("writable")));
    }
}
