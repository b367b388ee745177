//! Which real servers this machine has for the tests that talk to some.
//!
//! A test that cannot run is left out aloud, or insisted upon; it never passes without having run.

use std::path::Path;

use phase::Fault;

/// The module in which every test stands that needs a server.
pub const TESTS: &str = "real_servers::";

/// A program that the servers consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Program {
    name: &'static str,
    /// The Debian package that brings it.
    package: &'static str,
}

const PROGRAMS: [Program; 5] = [
    Program { name: "sshd", package: "openssh-server" },
    Program { name: "ssh-keygen", package: "openssh-client" },
    Program { name: "nginx", package: "nginx" },
    Program { name: "fcgiwrap", package: "fcgiwrap" },
    Program { name: "openssl", package: "openssl" },
];

/// The Debian packages whose programs are missing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(Vec<&'static str>);

impl Missing {
    /// Looks for the programs where a user and where root would have them.
    pub fn look() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<_> = std::env::split_paths(&path).collect();
        folders.extend(["/usr/sbin".into(), "/sbin".into()]);
        let is_here = |name: &str| folders.iter().any(|folder| is_file(&folder.join(name)));
        Self::among(&PROGRAMS, is_here)
    }

    fn among(programs: &[Program], is_here: impl Fn(&str) -> bool) -> Self {
        Self(
            programs.iter().filter(|program| !is_here(program.name)).map(|program| program.package).collect(),
        )
    }

    /// Whether all of them are here.
    pub fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    /// How to install what is missing.
    pub fn remedy(&self) -> String {
        format!("apt-get install {}", self.0.join(" "))
    }

    /// The fault of a run that insists on the servers.
    pub fn to_fault(&self) -> Fault {
        Fault::failed("the tests against real servers cannot run: some of the servers are missing")
            .help(self.remedy())
    }
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_by_the_package_that_brings_it() {
        let missing = Missing::among(&PROGRAMS, |name| name != "sshd" && name != "nginx");
        assert!(!missing.is_nothing());
        assert_eq!(missing.remedy(), "apt-get install openssh-server nginx");
        assert!(Missing::among(&PROGRAMS, |_| true).is_nothing());
    }
}
