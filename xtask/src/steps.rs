//! Prints what a chore is doing, while it does it.

use phase::Console;

/// Prints what comes next.
pub fn begin(console: &Console, what: &str) -> anyhow::Result<()> {
    let mut page = console.page();
    page.heading(format_args!("== {what}"));
    console.say(&page)?;
    Ok(())
}

/// Prints what was done.
pub fn done(console: &Console, what: &str) -> anyhow::Result<()> {
    let mut page = console.page();
    page.line(what);
    console.say(&page)?;
    Ok(())
}
