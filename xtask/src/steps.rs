//! Saying what a chore is doing, as it goes along.

use phase::Console;

/// Says what comes next.
pub fn begin(console: &Console, what: &str) -> anyhow::Result<()> {
    let mut page = console.page();
    page.heading(format_args!("== {what}"));
    console.say(&page)?;
    Ok(())
}

/// Says what was done.
pub fn done(console: &Console, what: &str) -> anyhow::Result<()> {
    let mut page = console.page();
    page.line(what);
    console.say(&page)?;
    Ok(())
}
