//! Finds the paths that hooks contain: the binaries, the repository to sync, and the user's own directories.

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use phase::Fault;

use crate::binaries::Binaries;

/// The beginning of each mark of ours; the repository follows.
pub const MARK: &str = "# lockstep hooks for ";

/// The paths on this machine, for this user.
#[derive(Debug, Clone)]
pub struct Place {
    /// The directory of the binaries.
    pub binaries: Utf8PathBuf,
    /// The root of the repository's working tree.
    pub repo: Utf8PathBuf,
    /// The user's home directory.
    pub home: Utf8PathBuf,
    /// The user's configuration directory.
    pub config: Utf8PathBuf,
    /// The agent's settings.
    pub settings: Utf8PathBuf,
}

impl Place {
    /// Finds the paths.
    ///
    /// # Errors
    /// There is no such repository, no home directory, or a binary is missing next to this one.
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

    /// Returns a name for the hooks of this repository, which is different for each path. Most paths are recognisable
    /// in it; if two paths could give the same name, a hash is appended.
    pub fn name(&self) -> String {
        let path = self.repo.as_str().trim_start_matches('/');
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let name: String = path.chars().map(plain).collect();
        if path.chars().all(|c| is_plain(c) || c == '/') {
            return format!("lockstep-{name}");
        }
        // FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/: the same in every version of this program.
        let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        let hash = path.bytes().fold(0x811c_9dc5, step);
        format!("lockstep-{name}-{hash:08x}")
    }

    /// Returns the mark of what we installed for this repository.
    pub fn mark(&self) -> String {
        format!("{MARK}{}", self.repo)
    }

    /// Returns the path of a binary.
    pub fn binary(&self, name: &str) -> String {
        self.binaries.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)).into_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_path_has_a_name_of_its_own_that_every_system_takes() {
        let paths = ["/a/b", "/a-b", "/a.b", "/a b", "/A/b", "/доки", "/мир_", "/srv/ops/ledger"];
        let named = |path: &&str| Place {
            binaries: "/opt/lockstep/bin".into(),
            repo: (*path).into(),
            home: "/home/mike".into(),
            config: "/home/mike/.config".into(),
            settings: "/home/mike/.claude/settings.json".into(),
        };
        let names: BTreeSet<String> = paths.iter().map(|path| named(path).name()).collect();
        assert_eq!(names.len(), paths.len(), "{names:?}");
        assert!(names.contains("lockstep-srv-ops-ledger"), "{names:?}");
        let fits =
            |name: &String| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        assert!(names.iter().all(fits), "{names:?}");
    }
}
