//! Puts programs with the names of git's first on `PATH` that record how they are called.
//!
//! No phase starts git to do its work, and this is how tests check that: git's own helpers (`git-upload-pack` and
//! what it starts) find the real git through their own directory and are not recorded, but a call of `git …` is.
//! Whether those helpers are started is recorded in the same way, if a test is about that.

use camino::{Utf8Path, Utf8PathBuf};

/// The directory of the recording programs, and their log.
#[derive(Debug)]
pub struct Recorder {
    folder: Utf8PathBuf,
}

impl Recorder {
    #[cfg(unix)]
    pub(crate) fn new(folder: &Utf8Path, programs: &[&str]) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let real = which("git").expect("git is on PATH");
        std::fs::create_dir_all(folder).expect("the recorder's folder");
        for program in programs {
            let stub = folder.join(program);
            // `git upload-pack` starts `git-upload-pack`, wherever that is.
            let command = program.strip_prefix("git-").unwrap_or_default();
            let script = format!(
                "#!/bin/sh\necho \"{program} $*\" >>'{folder}/calls'\nexec '{real}' {command} \"$@\"\n"
            );
            std::fs::write(&stub, script).expect("the recorder's program");
            std::fs::set_permissions(&stub, std::fs::Permissions::from_mode(0o755))
                .expect("the recorder's mode");
        }
        Self { folder: folder.to_owned() }
    }

    /// Returns the calls so far, one line each.
    pub fn calls(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.folder.join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    /// Returns `PATH` with the recorder's directory first.
    pub(crate) fn path_variable(&self) -> String {
        format!("{}:{}", self.folder, std::env::var("PATH").unwrap_or_default())
    }
}

#[cfg(unix)]
fn which(name: &str) -> Option<Utf8PathBuf> {
    let path = std::env::var("PATH").ok()?;
    path.split(':').map(|folder| Utf8Path::new(folder).join(name)).find(|candidate| candidate.is_file())
}
