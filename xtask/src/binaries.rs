//! Finds the phases' binaries, in the directory of this one.
//!
//! They are searched for nowhere else. A `lock` somewhere on `PATH` may be another program altogether, and a binary
//! of another version might not understand the document.

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use phase::Fault;

use crate::cargo::{Profile, Workspace};

/// The names of the phases' binaries, and of this one.
pub const ALL: [&str; 7] =
    ["lock", "logcheck", "gitsync", "notes-sync", "notesurface", "cmdcopy", "lockstep"];

/// A directory that holds all binaries.
#[derive(Debug)]
pub struct Binaries {
    folder: Utf8PathBuf,
}

impl Binaries {
    /// Returns the directory of this program. If cargo has started the program, the others are built first, because
    /// cargo builds only the binary that it runs.
    pub fn beside_this() -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let program = Utf8PathBuf::try_from(program).context("this program's path is not UTF-8")?;
        let folder = program.parent().context("this program has no folder")?;
        if let Some(workspace) = Workspace::of_cargo_run() {
            let profile = if folder.ends_with("release") { Profile::Release } else { Profile::Dev };
            workspace.build_binaries(profile)?;
        }
        Self::in_folder(folder)
    }

    /// Returns `folder`, after checking that it holds all binaries.
    pub fn in_folder(folder: &Utf8Path) -> anyhow::Result<Self> {
        let binaries = Self { folder: folder.to_owned() };
        match ALL.into_iter().find(|name| !binaries.path(name).is_file()) {
            None => Ok(binaries),
            Some(missing) => Err(Fault::failed(format!("`{missing}` is not in {folder}, beside `lockstep`"))
                .help("install all binaries together: `cargo xtask install`")
                .into()),
        }
    }

    /// Returns the path of a binary.
    pub fn path(&self, name: &str) -> Utf8PathBuf {
        self.folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}
