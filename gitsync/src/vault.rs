//! Finds and opens the vault, and reports why it cannot be used.

use camino::{Utf8Path, Utf8PathBuf};
use contract::{Repo, RepoSync, SyncState, Wiki};
use phase::{Fault, IdentityFile, Named};

/// The configured location of the vault.
#[derive(Debug)]
pub struct Whereabouts {
    /// Its path for the document: as written in the configuration if it cannot be expanded, empty if it is unknown.
    pub said: Utf8PathBuf,
    /// Its path, or a fault with exit 78 if the path cannot be determined.
    pub path: Result<Utf8PathBuf, Fault>,
}

impl Whereabouts {
    /// Returns the location for a path that needs no expansion.
    pub fn known(path: &Utf8Path) -> Self {
        Self { said: path.to_owned(), path: Ok(path.to_owned()) }
    }

    /// Returns the location that the identity file names, or `None` if it names no vault.
    pub fn of(identity: Result<IdentityFile, Fault>, worktree: &Utf8Path) -> Option<Self> {
        match identity.map(|identity| identity.vault_path) {
            Ok(None) => None,
            Ok(Some(written)) => {
                let path = expand(&written, worktree, home().as_deref());
                Some(Self { said: path.as_ref().cloned().unwrap_or(written), path })
            }
            Err(fault) => Some(Self { said: Utf8PathBuf::new(), path: Err(fault) }),
        }
    }
}

/// Opens the vault at `path`; `main` is the main repository.
///
/// # Errors
/// A fault with exit 78 if it does not exist, is not the root of a repository, or is the main repository; 77 if it
/// belongs to another user.
pub fn open(path: &Utf8Path, main: Option<&Repo>) -> Result<gix::Repository, Fault> {
    if !path.exists() {
        return Err(Fault::misconfigured(format!("the vault is missing: there is no {path}")).help(HELP));
    }
    let found = phase::discover_named(path, Named::Otherwise(HELP))
        .and_then(|repo| phase::place(&repo).map(|place| (repo, place)));
    let (repo, place) = found.map_err(|fault| {
        let help = fault.remedy().unwrap_or(HELP).to_owned();
        Fault::new(fault.exit(), format!("the vault: {}", fault.message())).help(help)
    })?;
    if let Some(main) = main.filter(|main| main.common_dir == place.common_dir) {
        return Err(Fault::misconfigured(if place.worktree == main.worktree {
            format!("the vault at {path} is the main repository itself")
        } else {
            format!("the vault at {path} is another work tree of the main repository")
        })
        .help(HELP));
    }
    let is_root = match (&place.worktree, phase::real_path(path)) {
        (Some(root), Ok(path)) => Utf8Path::new(root) == path,
        // A bare repository has no root; it is refused with its own message later on.
        (None, _) => true,
        (Some(_), Err(_)) => false,
    };
    if !is_root {
        let around = place.worktree.unwrap_or(place.common_dir);
        return Err(Fault::misconfigured(format!(
            "the vault at {path} is no repository of its own, but a folder of the one at {around}"
        ))
        .help(HELP));
    }
    Ok(repo)
}

/// Returns what the document says of a vault that could not be opened, `said` to be there. If the main repository
/// fails as well, the run's error is about that one, and this is the only mention of the vault.
pub fn unopened(said: &Utf8Path, fault: &Fault) -> RepoSync {
    RepoSync {
        worktree: said.to_string(),
        branch: String::new(),
        remote: String::new(),
        upstream: None,
        state: SyncState::Failed,
        committed: None,
        pulled: None,
        wiki: Wiki::default(),
        pushed: None,
        conflicts: Vec::new(),
        warnings: Vec::new(),
        attempts: 0,
        head: None,
        notes_at_remote: None,
        error: Some(fault.to_failure("gitsync")),
    }
}

const HELP: &str =
    "vault_path in .claude/identity.json, or --vault, names the root of a clone; --no-vault leaves it out";

/// Expands `~` to the home directory; a relative path is relative to the root of the working tree.
fn expand(path: &Utf8Path, worktree: &Utf8Path, home: Option<&Utf8Path>) -> Result<Utf8PathBuf, Fault> {
    let Ok(below_home) = path.strip_prefix("~") else { return Ok(worktree.join(path)) };
    let home = home.ok_or_else(|| {
        Fault::misconfigured(format!("the vault is at {path}, and HOME says nothing of a home directory"))
            .help(HELP)
    })?;
    Ok(home.join(below_home))
}

fn home() -> Option<Utf8PathBuf> {
    std::env::home_dir().and_then(|home| Utf8PathBuf::from_path_buf(home).ok()).filter(|home| home != "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(path: &str) -> String {
        expand(path.into(), "/srv/tools".into(), Some("/home/mike".into())).expect("there is a home").into()
    }

    #[test]
    fn a_tilde_is_the_home_and_a_relative_path_starts_at_the_work_tree() {
        assert_eq!(expanded("~/vault"), "/home/mike/vault");
        assert_eq!(expanded("../vault"), "/srv/tools/../vault");
        assert_eq!(expanded("/srv/vault"), "/srv/vault");
        assert_eq!(expanded("~vault"), "/srv/tools/~vault");
    }

    #[test]
    fn a_vault_that_cannot_be_found_out_is_not_taken_for_none() {
        let broken = || Err(Fault::misconfigured("it is broken"));
        let of = |identity| Whereabouts::of(identity, "/srv/tools".into());
        assert!(of(Ok(IdentityFile::default())).is_none());
        assert!(of(broken()).is_some_and(|vault| vault.said == "" && vault.path.is_err()));
    }

    #[test]
    fn without_a_home_a_tilde_is_wrong_configuration() {
        assert!(expand("~/vault".into(), "/w".into(), None).is_err());
    }
}
