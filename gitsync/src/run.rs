//! Runs the phase: syncs the main repository, then the vault, each with its own lock, section and failures.

use std::cell::Cell;

use camino::Utf8Path;
use contract::{Exit, GitsyncSection};
use phase::{Done, Fault, Guard, LockUse, Looked, Page, Phase, Run, Turn, Unlocked};
use scan::Ahead;
use store::History;

use crate::args::Args;
use crate::context::SyncContext;
use crate::ident::People;
use crate::policy::Policy;
use crate::signing::Signing;
use crate::sync::{Synced, sync};
use crate::vault::Whereabouts;
use crate::{dry_run, report, vault};

impl Phase for Args {
    type Section = GitsyncSection;

    fn common(&self) -> &phase::CommonArgs {
        &self.common
    }

    fn holding(&self) -> LockUse<'_> {
        LockUse::Takes(&self.lock)
    }

    fn look_ahead(&self, repo: &gix::Repository, turn: Option<Turn>) -> Looked {
        if let Some(turn) = turn {
            self.foresight.begin(self, repo, turn);
        }
        Looked::AtObjects
    }

    fn work(&self, run: &Run<'_>) -> anyhow::Result<Done<GitsyncSection>> {
        let mut main = main(self, run);
        // If the lock was taken over, the run that took it over syncs the vault as well.
        let lock_is_lost = main.fault.as_ref().is_some_and(|fault| fault.exit() == Exit::Deferred);
        let vault = if lock_is_lost { None } else { the_vault(self, run) }.unwrap_or_default();
        main.leavings.extend(vault.leavings);
        self.leavings.take_over(main.leavings);
        let section =
            GitsyncSection { main: main.section, vault: vault.section, ..GitsyncSection::default() };
        let vault_fault = vault.fault.map(of_the_vault);
        Ok(match main.fault.or(vault_fault) {
            Some(fault) => Done::fault(section, fault),
            None => Done::ok(section),
        })
    }

    fn report(&self, section: &GitsyncSection, page: &mut Page) {
        // A dry run has printed its plan instead.
        if !self.dry_run {
            report::report(section, page);
        }
    }
}

fn main(args: &Args, run: &Run<'_>) -> Synced {
    let policy = run
        .worktree()
        .map_err(anyhow::Error::from)
        .and_then(|root| args.policy(run.repo(), root.as_std_path()));
    match policy {
        Ok(policy) => {
            let ahead = args.foresight.take().filter(|_| run.was_expected());
            one(args, run, run.repo(), run.guard(), &policy, "repository", ahead)
        }
        Err(error) => Synced::refused(error),
    }
}

/// Syncs the vault; returns `None` if there is no vault.
fn the_vault(args: &Args, run: &Run<'_>) -> Option<Synced> {
    let Whereabouts { said, path } = whereabouts(args, run)?;
    let synced = match path.and_then(|path| open_vault(&path, args, run)) {
        Ok(vault) => one(args, run, &vault.repo, &*vault.guard, &args.vault_policy(), "vault", None),
        Err(fault) => Synced::refused(fault),
    };
    let section = match (synced.section, &synced.fault) {
        (None, Some(fault)) => Some(vault::unopened(&said, fault)),
        (section, _) => section,
    };
    Some(Synced { section, ..synced })
}

/// Returns the configured location of the vault, or `None` if there is no vault.
fn whereabouts(args: &Args, run: &Run<'_>) -> Option<Whereabouts> {
    match &args.vault {
        _ if args.no_vault => None,
        Some(path) => Some(Whereabouts::known(path)),
        None => {
            // Without a working tree there is no identity file either, and that error has been reported already.
            let worktree = run.worktree().ok()?;
            Whereabouts::of(run.identity_file(), worktree)
        }
    }
}

/// The vault and its own lock.
struct Vault {
    repo: gix::Repository,
    guard: Box<dyn Guard>,
}

fn open_vault(path: &Utf8Path, args: &Args, run: &Run<'_>) -> Result<Vault, Fault> {
    let repo = vault::open(path, run.document().repo.as_ref())?;
    if args.lock.no_lock {
        return Ok(Vault { repo, guard: Box::new(Unlocked) });
    }
    let common_dir = phase::place(&repo)?.common_dir;
    let guard = run.keeper().take(Utf8Path::new(&common_dir), &args.lock)?;
    Ok(Vault { repo, guard })
}

fn one(
    args: &Args,
    run: &Run<'_>,
    repo: &gix::Repository,
    guard: &dyn Guard,
    policy: &Policy,
    name: &str,
    ahead: Option<Ahead>,
) -> Synced {
    let signing = match Signing::of(repo) {
        Ok(signing) => signing,
        Err(error) => return Synced::refused(error),
    };
    let people = People::of(repo);
    let host = &run.identity().host;
    let (progress, asked) = (run.progress(), Cell::default());
    let (history, signing) = (History::of(repo), &signing);
    let place = SyncContext { repo, history, guard, progress, host, people: &people, signing, asked };
    if !args.dry_run {
        return sync(&place, policy, ahead);
    }
    match dry_run::plan(&place, policy) {
        Ok(planned) => {
            let mut page = run.page();
            planned.show(name, &mut page);
            match run.say(&page) {
                Ok(()) => {
                    Synced { section: Some(planned.section), fault: planned.fault, ..Synced::default() }
                }
                Err(error) => Synced::refused(anyhow::Error::from(error)),
            }
        }
        Err(error) => Synced::refused(error),
    }
}

/// Turns a failure of the vault into one that never ends the run. In particular, losing the vault's lock does not
/// mean that the run's lock is lost.
fn of_the_vault(fault: Fault) -> Fault {
    let message = if fault.message().contains("vault") {
        fault.message().to_owned()
    } else {
        format!("vault: {}", fault.message())
    };
    let exit = fault.exit();
    let told = Fault::new(exit, message).leaving_the_rest_to_run();
    match fault.remedy() {
        Some(help) => told.help(help),
        None => told,
    }
}
