//! Where everything is: the binaries that hooks start, the repository that they sync, and the user's own folders.

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use phase::Fault;

use crate::binaries::Binaries;

/// Plain facts about this machine and this user.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder of the binaries.
    pub binaries: Utf8PathBuf,
    /// The root of the repository's work tree.
    pub repo: Utf8PathBuf,
    /// The user's home directory.
    pub home: Utf8PathBuf,
    /// Where the user's configuration is kept.
    pub config: Utf8PathBuf,
    /// The agent's settings.
    pub settings: Utf8PathBuf,
}

impl Place {
    /// Looks around.
    ///
    /// # Errors
    /// Where there is no such repository, no home directory, or where this program has no neighbours.
    pub fn look(repo: &Utf8Path, settings: Option<&Utf8Path>) -> anyhow::Result<Self> {
        let found = phase::place(&phase::discover(repo)?)?;
        let Some(worktree) = found.worktree else {
            return Err(Fault::misconfigured(format!(
                "{repo} is a bare repository, and nothing in it to sync"
            ))
            .help("name a clone that has a work tree with --repo DIR")
            .into());
        };
        if worktree.chars().any(char::is_control) {
            return Err(Fault::misconfigured("the repository's path holds a control character")
                .help("no crontab and no unit file can hold such a path: move the repository")
                .into());
        }
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let program = Utf8PathBuf::try_from(program).context("this program's path is not UTF-8")?;
        let binaries = program.parent().context("this program has no folder")?.to_owned();
        Binaries::in_folder(&binaries)?;
        let home = std::env::home_dir().context("there is no home directory")?;
        let home = Utf8PathBuf::try_from(home).context("the home directory's path is not UTF-8")?;
        let folder =
            |name: &str| std::env::var(name).ok().filter(|path| !path.is_empty()).map(Utf8PathBuf::from);
        let config = folder(if cfg!(windows) { "LOCALAPPDATA" } else { "XDG_CONFIG_HOME" });
        let settings = match settings {
            Some(settings) => Utf8PathBuf::try_from(std::path::absolute(settings)?)?,
            None => home.join(".claude").join("settings.json"),
        };
        Ok(Self {
            binaries,
            repo: worktree.into(),
            config: config.unwrap_or_else(|| home.join(".config")),
            settings,
            home,
        })
    }

    /// What hooks of this repository are called where they need a name: one for each path.
    pub fn name(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let path: String = self.repo.as_str().trim_start_matches('/').chars().map(plain).collect();
        format!("lockstep-{path}")
    }

    /// What marks that something is ours, and for this repository.
    pub fn mark(&self) -> String {
        format!("# lockstep hooks for {}", self.repo)
    }

    /// The path of a binary.
    pub fn binary(&self, name: &str) -> String {
        self.binaries.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)).into_string()
    }
}
