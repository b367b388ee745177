//! Runs the command line: the phase, and the commands `merge` and `append`.

use std::{io::Read, process::ExitCode};

use anyhow::{Context, Result};
use contract::{Exit, NotesSyncSection};
use gix::{ObjectId, Repository};
use phase::{CommonArgs, Done, Fault, LockManager, LockUse, Looked, Page, Phase, Run, Turn};
use remote::Remote;

use crate::{
    advertised::Advertised,
    append,
    args::{AppendArgs, Args, Command, MergeArgs, SyncArgs},
    commits, dry_run,
    exchange::{Exchange, Follower},
    hazards, look, merge_here,
    names::NotesRef,
    report,
    settings::{self, Strategies},
    sync::{Direction, Policy, Sync},
    tree::layout::Annotated,
};

/// Runs what the command line asks for, and returns the exit code.
pub fn main(keeper: &dyn LockManager) -> ExitCode {
    let args = match phase::parse::<Args>() {
        Ok(args) => args,
        Err(code) => return code,
    };
    match &args.command {
        None => phase::drive(&args.sync, keeper),
        Some(Command::Merge(merge)) => {
            phase::tool(merge.tool.color, merge.tool.quiet, |_, page| run_merge(merge, page))
        }
        Some(Command::Append(append)) => {
            phase::tool(append.tool.color, append.tool.quiet, |_, page| run_append(append, page))
        }
    }
}

impl Phase for SyncArgs {
    type Section = NotesSyncSection;

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn holding(&self) -> LockUse<'_> {
        if self.dry_run { LockUse::Joins } else { LockUse::Takes(&self.lock) }
    }

    fn look_ahead(&self, repo: &Repository, _: Option<Turn>) -> Looked {
        self.foresight.begin(self, repo);
        Looked::AtObjects
    }

    fn work(&self, run: &Run<'_>) -> Result<Done<NotesSyncSection>> {
        let repo = run.repo();
        let policy = self.policy(repo)?;
        let name = settings::remote(repo, self.remote.as_deref())?;
        let remote = Remote::named(repo, &name).map_err(crate::exchange::fault)?;
        let local = look::local_refs(repo, &policy.globs)?;
        if policy.direction == Direction::Both {
            remote.check_push().map_err(crate::exchange::fault)?;
            for name in local.iter().map(|name| name.full().as_ref()) {
                remote.check_destination(name, name).map_err(crate::exchange::fault)?;
            }
        }
        let mut warnings = hazards::of_refspecs(&name, remote.prunes(), remote.fetch_refspecs());
        let follower = Follower { guard: run.guard(), progress: run.progress() };
        if self.dry_run {
            return self.show_plan(run, &remote, &policy, local, &follower, warnings);
        }
        let begun = self.foresight.take().filter(|_| run.was_expected());
        let remote = match &begun {
            Some(ahead) => remote.with_history(ahead.history().clone()),
            None => remote,
        };
        let exchange = Exchange::new(repo, remote, follower);
        let mut sync = Sync::new(repo, name.clone(), policy, follower).with(begun);
        let heard = Advertised::of(run.document(), &name);
        let ran = sync.run(local, &Strategies::of(repo, self.strategy), &exchange, heard);
        let fault = match ran {
            Ok(()) => sync.fault(),
            Err(error) => Some(Fault::from(error)),
        };
        // If the configuration is wrong before any ref was tried, there is nothing to report about any ref.
        let is_untried = || sync.refs.values().all(|progress| progress.attempts == 0);
        if let Some(fault) = &fault
            && fault.exit() == Exit::Misconfigured
            && is_untried()
        {
            return Err(fault.clone().into());
        }
        // The process is about to exit, and the system frees all cached objects at once.
        std::mem::forget(exchange);
        warnings.extend(sync.refs.iter().flat_map(|(name, progress)| progress.warnings(name)));
        let section = NotesSyncSection {
            remote: Some(name.to_string()),
            refs: sync.refs.iter().map(|(name, progress)| progress.section(name)).collect(),
            warnings,
            ..NotesSyncSection::default()
        };
        Ok(match fault {
            None => Done::ok(section),
            Some(fault) => Done::fault(section, fault),
        })
    }

    fn report(&self, section: &NotesSyncSection, page: &mut Page) {
        // A dry run has printed its plan already.
        if !self.dry_run {
            report::report(section, page);
        }
    }
}

impl SyncArgs {
    /// Prints what would be done. The section lists no refs, since nothing was done to any.
    fn show_plan(
        &self,
        run: &Run<'_>,
        remote: &Remote<'_>,
        policy: &Policy,
        local: Vec<NotesRef>,
        follower: &Follower<'_>,
        warnings: Vec<String>,
    ) -> Result<Done<NotesSyncSection>> {
        // An unknown strategy would stop a real run as well.
        let strategies = Strategies::of(run.repo(), self.strategy);
        let planned = dry_run::look(run.repo(), remote, policy, local, follower)?;
        planned.keys().try_for_each(|name| strategies.for_ref(name).map(drop))?;
        let mut page = run.page();
        dry_run::show(remote.name(), &planned, &mut page);
        warnings.iter().for_each(|warning| page.warning(warning));
        run.say(&page)?;
        let remote = Some(remote.name().to_string());
        let section = NotesSyncSection { remote, warnings, ..NotesSyncSection::default() };
        Ok(match planned.into_values().find_map(Result::err) {
            None => Done::ok(section),
            Some(fault) => Done::fault(section, fault),
        })
    }
}

fn run_merge(args: &MergeArgs, page: &mut Page) -> Result<u8> {
    let repo = phase::discover(&args.tool.repo)?;
    let name = own_notes(&repo, &args.into)?;
    let strategy = Strategies::of(&repo, args.strategy).for_ref(&name)?;
    let applied = merge_here::merge(&repo, &name, &args.from, strategy, args.tool.wait)?;
    if !args.tool.quiet
        && let Some(tip) = applied.tip
    {
        let counts = applied.counts;
        page.line(format_args!(
            "{name} is at {}: {} added, {} changed, {} removed, {} combined",
            commits::short(tip),
            counts.added,
            counts.changed,
            counts.removed,
            counts.combined
        ));
    }
    Ok(0)
}

fn run_append(args: &AppendArgs, page: &mut Page) -> Result<u8> {
    let repo = phase::discover(&args.tool.repo)?;
    let name = own_notes(&repo, &args.name)?;
    let object = annotated(&repo, &args.object)?;
    let text = text(args)?;
    // As in git, appending nothing does not create an empty note.
    if text.trim_ascii().is_empty() {
        if !args.tool.quiet {
            page.line(format_args!("there is nothing to append: {name} is as it was"));
        }
        return Ok(0);
    }
    let commit = append::append(&repo, &name, object, &text, args.tool.wait)?;
    if !args.tool.quiet {
        page.line(format_args!("{name} is at {}", commits::short(commit)));
    }
    Ok(0)
}

/// A ref with notes of the user's own: what is written into the copy of a remote's, the next fetch overwrites.
fn own_notes(repo: &Repository, name: &str) -> Result<NotesRef, Fault> {
    let name = NotesRef::parse(name).map_err(|bad| {
        Fault::misconfigured(bad.to_string()).help("a notes ref is named like refs/notes/mem/decisions")
    })?;
    match name.followed(&settings::remotes(repo)) {
        None => Ok(name),
        Some(remote) => {
            Err(Fault::misconfigured(format!("{name} is only a copy of what the remote '{remote}' has"))
                .help(settings::instead_of_followers(remote)))
        }
    }
}

fn annotated(repo: &Repository, rev: &str) -> Result<Annotated, Fault> {
    // As in git, an object that is named by its full id need not exist here.
    match repo.rev_parse_single(rev).map(gix::Id::detach).or_else(|_| ObjectId::from_hex(rev.as_bytes())) {
        Ok(id) => Ok(Annotated(id)),
        Err(_) => Err(Fault::failed(format!("there is no object {rev} to add a note to"))
            .help("--object takes any revision; without it, HEAD is meant")),
    }
}

/// Returns the text to append, with a line feed at its end.
fn text(args: &AppendArgs) -> Result<Vec<u8>> {
    let from_stdin = args.stdin.is_some() || args.file.as_ref().is_some_and(|file| file == "-");
    let mut text = match &args.file {
        _ if from_stdin => {
            let mut text = Vec::new();
            std::io::stdin().read_to_end(&mut text).context("stdin cannot be read")?;
            text
        }
        Some(file) => std::fs::read(phase::from_here(file.as_ref())?)
            .with_context(|| format!("{file} cannot be read"))?,
        None => args.message.join("\n\n").into_bytes(),
    };
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    Ok(text)
}
