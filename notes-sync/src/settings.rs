//! Reads the git configuration for notes.

use gix::bstr::{BStr, ByteSlice};
use phase::Fault;
use remote::RemoteName;
use store::local_ref;

use crate::{
    exchange,
    globs::{self, BadGlob, Globs},
    names::{self, NotesRef},
    strategy::Strategy,
};

/// Selects the strategy of each ref.
pub struct Strategies<'repo> {
    config: gix::config::Snapshot<'repo>,
    flag: Option<Strategy>,
}

impl<'repo> Strategies<'repo> {
    /// Reads the configuration; a `flag` overrides it for all refs.
    pub fn of(repo: &'repo gix::Repository, flag: Option<Strategy>) -> Self {
        Self { config: repo.config_snapshot(), flag }
    }

    /// Returns the strategy for a ref: the option, else the first that is set of `lockstep.<glob>.notesStrategy`,
    /// `notes.<name>.mergeStrategy`, `lockstep.notesStrategy` and `notes.mergeStrategy`, else `cat_sort_uniq`. Keys
    /// for this ref precede keys for all, and our own precede git's.
    ///
    /// # Errors
    /// A fault with exit 78 if the configuration names an unknown strategy.
    pub fn for_ref(&self, name: &NotesRef) -> Result<Strategy, Fault> {
        if let Some(flag) = self.flag {
            return Ok(flag);
        }
        let short = name.short();
        let notes_key = |subsection: Option<&str>| {
            let subsection = subsection.map(|name| BStr::new(name.as_bytes()));
            let value = self.config.plumbing().string_by("notes", subsection, "mergeStrategy")?;
            let name = subsection.map(|name| format!("{name}.")).unwrap_or_default();
            Some((format!("notes.{name}mergeStrategy"), value.to_string()))
        };
        let own_key = || {
            let value = self.config.string("lockstep.notesStrategy")?;
            Some(("lockstep.notesStrategy".to_owned(), value.to_string()))
        };
        let configured = self
            .of_glob(name)
            .or_else(|| notes_key(Some(&short)))
            .or_else(own_key)
            .or_else(|| notes_key(None));
        match configured {
            None => Ok(Strategy::default()),
            Some((key, value)) => value.parse().map_err(|unknown: crate::strategy::UnknownStrategy| {
                Fault::misconfigured(format!("git config {key}: {unknown}"))
                    .help("change it, or choose for this run with --strategy")
            }),
        }
    }

    /// Returns the key and value of `lockstep.<glob>.notesStrategy`; if several match, the last one wins, as usual in
    /// git's configuration.
    fn of_glob(&self, name: &NotesRef) -> Option<(String, String)> {
        let sections = self.config.plumbing().sections_by_name("lockstep")?;
        let mut found = None;
        for section in sections {
            let Some(glob) = section.header().subsection_name() else { continue };
            let Some(value) = section.value("notesStrategy") else { continue };
            if globs::matches(&names::expand(&glob.to_str_lossy()), name.full().as_bstr()) {
                found = Some((format!("lockstep.{glob}.notesStrategy"), value.to_string()));
            }
        }
        found
    }
}

/// Returns the globs for the refs to sync: the options, else `lockstep.notesRef`, else the default. An empty value of
/// `lockstep.notesRef` discards those before it, as in git's own lists.
///
/// # Errors
/// A fault with exit 78 if a pattern cannot match any local notes ref.
pub fn globs(repo: &gix::Repository, flags: &[String]) -> Result<Globs, Fault> {
    let config = repo.config_snapshot();
    let (configured, origin) = if flags.is_empty() {
        let values = config.plumbing().strings("lockstep.notesRef").unwrap_or_default();
        let valid = values.rsplit(|value| value.is_empty()).next().unwrap_or_default();
        (valid.iter().map(|value| value.to_string()).collect(), "git config lockstep.notesRef: ")
    } else {
        (flags.to_vec(), "")
    };
    Globs::parse(configured.iter().map(String::as_str), remotes(repo)).map_err(|bad| {
        let fault = Fault::misconfigured(format!("{origin}{bad}"));
        match bad {
            BadGlob::NoName { .. } => fault.help("a pattern looks like refs/notes/mem/* or mem/*"),
            BadGlob::Followers { remote, .. } => fault.help(instead_of_followers(&remote)),
        }
    })
}

/// Returns the remedy if somebody named tracking refs of `remote` as local notes.
pub fn instead_of_followers(remote: &RemoteName) -> String {
    format!("name local notes with --ref, or rename the remote: `git remote rename {remote} NAME`")
}

/// Returns all remotes whose names can be part of a tracking ref's name.
pub fn remotes(repo: &gix::Repository) -> Vec<RemoteName> {
    repo.remote_names().iter().filter_map(|name| RemoteName::parse(&name.to_str_lossy()).ok()).collect()
}

/// Returns the remote to exchange notes with: the option, else the one of the current branch, else `origin`, else
/// that of
/// `remote.pushDefault`, else the only one.
///
/// # Errors
/// A fault with exit 78 if there is none, or if nothing says which.
pub fn remote(repo: &gix::Repository, flag: Option<&str>) -> Result<RemoteName, Fault> {
    if let Some(name) = flag {
        return RemoteName::parse(name).map_err(|trouble| exchange::fault(trouble).into());
    }
    let all = remotes(repo);
    let config = repo.config_snapshot();
    let named = |name: &BStr| all.iter().find(|remote| name == remote.as_str()).cloned();
    let of_branch = local_ref::head(repo).ok().flatten().and_then(|branch| {
        let section = branch.shorten().to_owned();
        named(config.plumbing().string_by("branch", Some(section.as_bstr()), "remote")?.as_bstr())
    });
    let origin = || named("origin".into());
    let default = || named(config.string("remote.pushDefault")?.as_bstr());
    let only = || all.first().filter(|_| all.len() == 1).cloned();
    of_branch.or_else(origin).or_else(default).or_else(only).ok_or_else(|| none_to_choose(&all))
}

fn none_to_choose(all: &[RemoteName]) -> Fault {
    if all.is_empty() {
        return Fault::misconfigured("there is no remote to exchange notes with")
            .help("add one with `git remote add origin URL`, or name one with --remote NAME");
    }
    let names: Vec<_> = all.iter().map(RemoteName::as_str).collect();
    Fault::misconfigured(format!(
        "the branch has no upstream, and there are several remotes to exchange notes with: {}",
        names.join(", ")
    ))
    .help("name one with --remote NAME, or choose one for the branch: `git push -u REMOTE HEAD`")
}
