//! Writes the phase's report for people.

use contract::{CmdcopySection, CopiedFile, CopyResult};
use owo_colors::OwoColorize as _;
use phase::{Page, Styles, escape};

/// Whether the report is about what was done or about what would be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tense {
    /// It was done.
    Past,
    /// It would be done.
    Conditional,
}

/// Writes the counts in one line, and a line for each file that was not up to date already.
pub(crate) fn files(section: &CmdcopySection, tense: Tense, page: &mut Page) {
    let counts = [
        (CopyResult::Added, "added"),
        (CopyResult::Updated, "updated"),
        (CopyResult::Removed, "removed"),
        (CopyResult::Kept, "left alone"),
        (CopyResult::Unchanged, "unchanged"),
    ];
    let told = counts
        .map(|(result, word)| (section.files.iter().filter(|file| file.result == result).count(), word));
    let told: Vec<_> =
        told.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let would = match tense {
        Tense::Past => "",
        Tense::Conditional => " (dry run: nothing was changed)",
    };
    if told.is_empty() {
        page.line(format_args!("cmdcopy: no commands in {}{would}", escape::line(&section.from)));
    } else {
        page.line(format_args!("cmdcopy: {} in {}{would}", told.join(", "), escape::line(&section.to)));
    }
    for file in section.files.iter().filter(|file| file.result != CopyResult::Unchanged) {
        page.line(format_args!("  {}", line(file, page.styles)));
    }
}

fn line(file: &CopiedFile, styles: Styles) -> String {
    let (word, style) = match file.result {
        CopyResult::Added => ("added", styles.good),
        CopyResult::Updated => ("updated", styles.good),
        CopyResult::Unchanged => ("unchanged", styles.faint),
        CopyResult::Kept => ("left alone", styles.warning),
        CopyResult::Removed => ("removed", styles.good),
    };
    let word = format!("{word:<10}");
    let mut line = format!("{}  {}", word.style(style), escape::line(&file.name));
    if let Some(backup) = &file.backup {
        line.push_str(&format!(" (yours is kept as {})", escape::line(backup)));
    }
    if let Some(reason) = &file.reason {
        line.push_str(&format!(": {}", escape::line(reason)));
    }
    line
}
