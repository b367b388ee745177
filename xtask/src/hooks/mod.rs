//! `lockstep hooks`: configures what starts runs automatically, and removes it again.
//!
//! A sync that someone has to remember does not happen. When a timer or an agent's hook is set up by hand, a wrong
//! path or quotation mark is noticed weeks later; when a program does it, the user wants to see first what it
//! changes, and to get back exactly what was there.

mod agent;
mod crontab;
mod diff;
mod json_text;
mod kind;
mod place;
mod plan;
pub mod quote;
mod render;
mod template;
mod texts;

use std::{
    io::{BufRead as _, IsTerminal as _},
    time::Duration,
};

use camino::Utf8PathBuf;
use owo_colors::OwoColorize as _;
use phase::{Console, Fault, Page};

use crate::cargo::Workspace;
use kind::{Kind, Target};
use place::Place;
use plan::Change;

/// Start runs automatically: from an agent's hooks, systemd, launchd, cron or the Windows Task Scheduler.
///
/// The absolute paths of the binaries and of the repository are written, so the hooks work from any directory. Each
/// run keeps messages from other people for an interactive run.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Hooks {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Write hooks to stdout, to be installed by hand.
    Print(What),
    /// Install hooks: show what would change, and change it with --yes, or once you agree.
    Install(Alter),
    /// Remove exactly what `install` has added; show first what would change.
    Uninstall(Alter),
}

/// Which hooks.
#[derive(Debug, Clone, clap::Args)]
struct What {
    /// The kinds of hooks [default: all; for `install`, agent].
    #[arg(value_enum, value_name = "KIND")]
    kinds: Vec<Kind>,

    /// The repository to sync.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: Utf8PathBuf,

    /// How often timers start a run.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = phase::duration)]
    every: Duration,

    /// What runs do if they find session logs [default: stop for an agent's, proceed for timers].
    #[arg(long, value_enum, value_name = "WHAT")]
    on_found: Option<OnFound>,

    /// The agent's settings [default: ~/.claude/settings.json].
    #[arg(long, value_name = "FILE")]
    settings: Option<Utf8PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Alter {
    #[command(flatten)]
    what: What,

    /// Make the changes without asking.
    #[arg(long)]
    yes: bool,
}

/// What an unattended run does with session logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OnFound {
    /// Sync nothing until they are saved.
    Stop,
    /// Let the automatic commit include them.
    Proceed,
    /// Save them with the command of git config lockstep.saveCommand.
    Save,
}

impl OnFound {
    fn word(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Proceed => "proceed",
            Self::Save => "save",
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  lockstep hooks print systemd                     what would be written
  lockstep hooks install agent --repo ~/tools      shows the change, and asks
  lockstep hooks install cron --every 30m --yes    two lines in your crontab
  lockstep hooks uninstall                         all of this repository's";

/// Runs the subcommand and returns the exit code.
pub fn run(args: &Hooks, console: &Console) -> anyhow::Result<u8> {
    let mut page = console.page();
    match &args.action {
        Action::Print(what) => print(what, &mut page)?,
        Action::Install(alter) => return install(alter, console),
        Action::Uninstall(alter) => return uninstall(alter, console),
    }
    console.say(&page)?;
    Ok(0)
}

fn print(what: &What, page: &mut Page) -> anyhow::Result<()> {
    let place = Place::look(&what.repo, what.settings.as_deref())?;
    let kinds = if what.kinds.is_empty() { Kind::ALL.to_vec() } else { what.kinds.clone() };
    for kind in &kinds {
        let contents = render::render(*kind, &place, what)?;
        let targets = kind.targets(&place);
        // A single text is printed without a title, so that it can be redirected to a file.
        let titled = kinds.len() > 1 || targets.len() > 1;
        for (target, content) in targets.iter().zip(contents) {
            if titled {
                page.gap();
                page.heading(format_args!("# {target}"));
            }
            page.line(content.text().trim_end_matches('\n'));
        }
        if titled && !kind.to_activate(&place).is_empty() {
            page.gap();
            to_type(&kind.to_activate(&place), page);
        }
    }
    Ok(())
}

fn install(alter: &Alter, console: &Console) -> anyhow::Result<u8> {
    if Workspace::of_cargo_run().is_some() {
        return Err(Fault::failed(
            "hooks that start what cargo has just built would break at the next `cargo clean`",
        )
        .help("install the binaries first: `cargo xtask install`, then `lockstep hooks install`")
        .into());
    }
    let what = &alter.what;
    let place = Place::look(&what.repo, what.settings.as_deref())?;
    let kinds = if what.kinds.is_empty() { vec![Kind::Agent] } else { what.kinds.clone() };
    let mut changes = Vec::new();
    for kind in kinds {
        let contents = render::render(kind, &place, what)?;
        let found = kind.targets(&place).iter().map(texts::read).collect::<Result<_, _>>()?;
        changes.push((kind, plan::install(kind, &place, contents, found)?));
    }
    alter.go_through(&changes, |kind| kind.to_activate(&place), console)
}

fn uninstall(alter: &Alter, console: &Console) -> anyhow::Result<u8> {
    let what = &alter.what;
    let place = Place::look(&what.repo, what.settings.as_deref())?;
    let asked = !what.kinds.is_empty();
    let kinds = if asked { what.kinds.clone() } else { Kind::ALL.to_vec() };
    let mut changes = Vec::new();
    let mut unread = None;
    for kind in kinds {
        let found: anyhow::Result<Vec<_>> = kind.targets(&place).iter().map(texts::read).collect();
        match found {
            Ok(found) => changes.push((kind, plan::uninstall(kind, &place, found)?)),
            // Without cron there are no hooks in a crontab.
            Err(_) if kind == Kind::Cron && !asked && !texts::has_cron() => {}
            Err(error) if kind == Kind::Cron && !asked => {
                let fault = Fault::from(error);
                console.error(fault.message(), fault.remedy());
                unread = Some(fault.exit().code());
            }
            Err(error) => return Err(error),
        }
    }
    let code = alter.go_through(&changes, |kind| kind.to_deactivate(&place), console)?;
    Ok(unread.unwrap_or(code))
}

impl Alter {
    /// Shows the changes, and makes them if the user wants them.
    fn go_through(
        &self,
        changes: &[(Kind, Vec<Change>)],
        to_type_for: impl Fn(Kind) -> Vec<String>,
        console: &Console,
    ) -> anyhow::Result<u8> {
        let mut page = console.page();
        let real: Vec<&Change> =
            changes.iter().flat_map(|(_, changes)| changes).filter(|change| !change.is_empty()).collect();
        if real.is_empty() {
            page.line("nothing to change: everything is as it should be");
            console.say(&page)?;
            return Ok(0);
        }
        real.iter().for_each(|change| show(change, &mut page));
        console.say(&page)?;
        let mut page = console.page();
        if !self.may_change(console)? {
            page.line("nothing was changed; --yes changes it");
            console.say(&page)?;
            return Ok(0);
        }
        for change in real {
            texts::apply(change)?;
            let done = if change.after.is_some() { "changed" } else { "removed" };
            page.line(format_args!("{} {}", done.style(page.styles.good), change.target));
            if let (plan::Backup::Make, Target::File(path)) = (change.backup, &change.target) {
                page.line(format_args!("  as it was: {}", texts::backup_of(path)));
            }
        }
        let moved = changes.iter().filter(|(_, changes)| changes.iter().any(|change| !change.is_empty()));
        let commands: Vec<String> = moved.flat_map(|(kind, _)| to_type_for(*kind)).collect();
        to_type(&commands, &mut page);
        console.say(&page)?;
        Ok(0)
    }

    /// Whether the changes may be made; on a terminal the user is asked.
    fn may_change(&self, console: &Console) -> anyhow::Result<bool> {
        if self.yes || !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            return Ok(self.yes);
        }
        let mut page = console.page();
        page.line("Change this? [y/N]");
        console.say(&page)?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
    }
}

fn show(change: &Change, page: &mut Page) {
    let what = match (&change.before, &change.after) {
        (None, _) => "new: ",
        (Some(_), None) => "to be removed: ",
        (Some(_), Some(_)) => "",
    };
    page.heading(format_args!("{what}{}", change.target));
    diff::draw(
        change.before.as_deref().unwrap_or_default(),
        change.after.as_deref().unwrap_or_default(),
        page,
    );
    page.gap();
}

/// Prints the commands that are left to the user, because those programs belong to the system.
fn to_type(commands: &[String], page: &mut Page) {
    if commands.is_empty() {
        return;
    }
    page.line("then type:");
    for command in commands {
        page.line(format_args!("  {command}"));
    }
}

#[cfg(test)]
impl Default for What {
    fn default() -> Self {
        Self {
            kinds: Vec::new(),
            repo: ".".into(),
            every: Duration::from_secs(600),
            on_found: None,
            settings: None,
        }
    }
}
