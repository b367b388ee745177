//! Describes the machine that the figures depend on, without naming it or its owner.

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::sandbox::Sandbox;

/// A machine, and how busy it was.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The number of processors.
    pub cores: usize,
    /// The kernel's name and version.
    pub kernel: String,
    /// Git's version.
    pub git: String,
    /// The load (processes that run or wait for a processor, over the last minute) when the last measurement began.
    pub load: Option<f64>,
}

impl Machine {
    /// Describes this machine.
    pub fn look(lab: &Sandbox) -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let git = lab.git(lab.root(), &["--version"])?;
        Ok(Self {
            cores,
            kernel: kernel(),
            git: git.trim_start_matches("git version ").to_owned(),
            load: load(),
        })
    }

    /// Whether the figures of both belong in one table; the load may differ.
    pub fn is_same(&self, other: &Self) -> bool {
        let without_load = |machine: &Self| Self { load: None, ..machine.clone() };
        without_load(self) == without_load(other)
    }

    /// Whether other processes competed for the processors.
    pub fn was_busy(&self) -> bool {
        self.load.is_some_and(|load| load > self.cores as f64 / 2.0)
    }
}

#[cfg(unix)]
fn kernel() -> String {
    let name = rustix::system::uname();
    // What follows the version identifies the build.
    let release = name.release().to_string_lossy();
    let version = release.split('-').next().unwrap_or_default();
    format!("{} {version}", name.sysname().to_string_lossy())
}

#[cfg(not(unix))]
fn kernel() -> String {
    std::env::consts::OS.to_owned()
}

/// Drops a program from the page cache, so that it is read from disk when it runs next. What a compiler or a copy has
/// just written stays in memory in larger pieces, which add up to a megabyte to the resident set of a process.
#[cfg(target_os = "linux")]
pub fn read_anew(program: &Utf8Path) -> std::io::Result<()> {
    let file = std::fs::File::open(program)?;
    file.sync_all()?;
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub fn read_anew(_program: &Utf8Path) -> std::io::Result<()> {
    Ok(())
}

/// Returns the type of the file system that contains `path`: that of the longest mount point above it.
pub fn file_system(path: &Utf8Path) -> String {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mount_type(&mounts, path).unwrap_or_else(|| "unknown".to_owned())
}

fn mount_type(mounts: &str, path: &Utf8Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (_, point, kind) = (words.next()?, words.next()?, words.next()?);
        path.starts_with(point).then_some((point.len(), kind))
    });
    // Of several mounts at one place, the last one hides the others.
    mounts.max_by_key(|(length, _)| *length).map(|(_, kind)| kind.to_owned())
}

fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_system_is_that_of_the_nearest_mount() {
        let mounts = "/dev/sda1 / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\nproc /proc proc rw 0 0\n";
        assert_eq!(mount_type(mounts, "/tmp/lab".into()).as_deref(), Some("tmpfs"));
        assert_eq!(mount_type(mounts, "/tmpfoo".into()).as_deref(), Some("ext4"));
    }
}
