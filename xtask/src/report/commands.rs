//! Reports the commands that were copied to the user's own directory.

use contract::{CmdcopySection, CopiedFile, CopyResult};
use owo_colors::OwoColorize as _;
use phase::{Page, escape};

use super::prose;

/// Draws the files that were changed or kept.
pub fn draw(section: &CmdcopySection, page: &mut Page) {
    if section.files.iter().all(|file| file.result == CopyResult::Unchanged) {
        return;
    }
    page.heading(format_args!("Commands in {}", escape::line(&section.to)));
    for (result, word) in
        [(CopyResult::Added, "added"), (CopyResult::Updated, "updated"), (CopyResult::Removed, "removed")]
    {
        let names: Vec<String> = of(section, result).map(|file| file.name.clone()).collect();
        if !names.is_empty() {
            prose::list(page, &format!("  {word:<8}  "), names);
        }
    }
    for file in of(section, CopyResult::Kept) {
        let reason = file.reason.as_deref().unwrap_or("left alone");
        page.line(format_args!("  kept      {}: {}", escape::line(&file.name), escape::line(reason)));
    }
    for file in &section.files {
        if let Some(backup) = &file.backup {
            let said =
                format!("  what you had in {} is in {}", escape::line(&file.name), escape::line(backup));
            page.line(said.style(page.styles.warning));
        }
    }
    page.gap();
}

fn of(section: &CmdcopySection, result: CopyResult) -> impl Iterator<Item = &CopiedFile> {
    section.files.iter().filter(move |file| file.result == result)
}
