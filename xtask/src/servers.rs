//! Finds out which of the programs that some tests need are missing: servers, git-lfs, gpg.
//!
//! If one is missing, the tests in the modules [`TESTS`] are left out with a message, or the run fails if they were
//! requested, so that none of them passes without having run. Some tests outside of these modules do: those that need
//! `strace`, `ssh-keygen` or mount namespaces return early where these are missing.

use std::path::Path;

use camino::Utf8Path;
use phase::Fault;

use crate::cargo::{Profile, Workspace};

/// The modules that contain all tests which need these programs.
pub const TESTS: [&str; 2] = ["real_servers::", "real_programs::"];

/// A program that tests need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Program {
    name: &'static str,
    /// The Debian package that contains it.
    package: &'static str,
}

const PROGRAMS: [Program; 10] = [
    Program { name: "sshd", package: "openssh-server" },
    Program { name: "ssh-keygen", package: "openssh-client" },
    Program { name: "nginx", package: "nginx" },
    Program { name: "fcgiwrap", package: "fcgiwrap" },
    Program { name: "openssl", package: "openssl" },
    Program { name: "setsid", package: "util-linux" },
    Program { name: "git-lfs", package: "git-lfs" },
    Program { name: "gpg", package: "gnupg" },
    Program { name: "gpgconf", package: "gnupg" },
    Program { name: "python3", package: "python3" },
];

/// What is missing on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Debian packages, each named once.
    packages: Vec<&'static str>,
    /// The directory to install dulwich, a git server in Python, into; `None` if it is installed.
    dulwich: Option<String>,
}

impl Missing {
    /// Looks for the programs on `PATH`, in `/usr/sbin` and in `/sbin`, and for dulwich next to cargo's build output
    /// and in Python's own path.
    pub fn look(workspace: &Workspace) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<_> = std::env::split_paths(&path).collect();
        folders.extend(["/usr/sbin".into(), "/sbin".into()]);
        let is_here = |name: &str| folders.iter().any(|folder| is_file(&folder.join(name)));
        let built = workspace.target(Profile::Dev);
        let place = built.with_file_name("python");
        let dulwich = (!has_dulwich(&place)).then(|| {
            place.strip_prefix(workspace.root()).map_or_else(|_| place.to_string(), ToString::to_string)
        });
        Self { packages: packages(&PROGRAMS, is_here), dulwich }
    }

    /// Whether nothing is missing.
    pub fn is_nothing(&self) -> bool {
        self.packages.is_empty() && self.dulwich.is_none()
    }

    /// Returns the command that installs what is missing.
    pub fn remedy(&self) -> String {
        let packages =
            (!self.packages.is_empty()).then(|| format!("apt-get install {}", self.packages.join(" ")));
        let dulwich = self
            .dulwich
            .as_ref()
            .map(|place| format!("python3 -m pip install --target '{place}' 'dulwich>=1,<2'"));
        packages.into_iter().chain(dulwich).collect::<Vec<_>>().join(" && ")
    }

    /// Returns the fault of a run that requires these programs.
    pub fn to_fault(&self) -> Fault {
        Fault::failed("the tests against real servers cannot run: some of the servers are missing")
            .help(self.remedy())
    }
}

fn packages(programs: &[Program], is_here: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let mut packages: Vec<_> =
        programs.iter().filter(|program| !is_here(program.name)).map(|program| program.package).collect();
    packages.dedup();
    packages
}

/// Whether Python finds dulwich, in `place` or in its own path.
fn has_dulwich(place: &Utf8Path) -> bool {
    let mut python = phase::programs::program("python3");
    python.args(["-c", "import dulwich"]).env("PYTHONPATH", place);
    python.output().is_ok_and(|output| output.status.success())
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_the_commands_that_bring_it() {
        let packages = packages(&PROGRAMS, |name| !["sshd", "gpg", "gpgconf"].contains(&name));
        let missing = Missing { packages, dulwich: Some("target/python".into()) };
        assert!(!missing.is_nothing());
        assert_eq!(
            missing.remedy(),
            "apt-get install openssh-server gnupg && \
             python3 -m pip install --target 'target/python' 'dulwich>=1,<2'"
        );
    }

    #[test]
    fn with_everything_here_there_is_nothing_to_install() {
        let missing = Missing { packages: packages(&PROGRAMS, |_| true), dulwich: None };
        assert!(missing.is_nothing());
        assert_eq!(missing.remedy(), "");
    }
}
