//! Finds the workspace, and runs cargo in it.

use std::{
    ffi::{OsStr, OsString},
    process::Command,
};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use phase::Fault;

/// The project's own workspace.
#[derive(Debug)]
pub struct Workspace {
    root: Utf8PathBuf,
    cargo: OsString,
}

impl Workspace {
    /// Returns the workspace if cargo has started this program from it: `cargo xtask …`.
    pub fn of_cargo_run() -> Option<Self> {
        // `cargo run` passes the package's directory to the program that it runs.
        let package = Utf8PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").ok()?);
        let is_ours = std::env::var("CARGO_PKG_NAME").is_ok_and(|name| name == "xtask");
        is_ours.then(|| package.parent().map(Self::at)).flatten()
    }

    /// Returns the workspace for a chore: the one from which cargo has started this program, else the one around the
    /// current directory.
    pub fn find() -> anyhow::Result<Self> {
        if let Some(workspace) = Self::of_cargo_run() {
            return Ok(workspace);
        }
        let here = std::env::current_dir().context("the current directory is gone")?;
        let here = Utf8PathBuf::try_from(here).context("the current directory's path is not UTF-8")?;
        let root = here.ancestors().find(|folder| folder.join("xtask/Cargo.toml").is_file());
        root.map(Self::at).ok_or_else(|| {
            Fault::failed(format!("{here} is not in Lockstep's workspace"))
                .help("this is a chore of the project's own source: run `cargo xtask …` there")
                .into()
        })
    }

    fn at(root: &Utf8Path) -> Self {
        Self { root: root.to_owned(), cargo: std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()) }
    }

    /// Returns the workspace's root directory.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Returns a cargo command that runs in the workspace.
    pub fn cargo<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = phase::programs::program(&self.cargo);
        command.args(args).current_dir(&self.root);
        // The variables that cargo set about this program's package would mislead the build scripts of the next
        // cargo.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Whether cargo has a subcommand of this name.
    pub fn has(&self, subcommand: &str) -> bool {
        let output = self.cargo([subcommand, "--version"]).output();
        output.is_ok_and(|output| output.status.success())
    }

    /// Builds all binaries, which cargo does not do for a package's tests or for a run of one binary.
    pub fn build_binaries(&self, profile: Profile) -> anyhow::Result<()> {
        let mut build = self.cargo(["build", "--workspace", "--bins"]);
        if profile == Profile::Release {
            build.arg("--release");
        }
        run(&mut build)
    }

    /// Returns the directory that cargo writes its output to.
    pub fn target(&self, profile: Profile) -> Utf8PathBuf {
        let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| "target".into(), Utf8PathBuf::from);
        let folder = match profile {
            Profile::Dev => "debug",
            Profile::Release => "release",
        };
        self.root.join(target).join(folder)
    }
}

/// A cargo profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Fast to build.
    Dev,
    /// Optimised, for use.
    Release,
}

/// Runs a program that writes to the user's terminal and must succeed.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = shown(command);
    let status = command.status().with_context(|| format!("`{line}` could not be started"))?;
    if status.success() {
        return Ok(());
    }
    Err(Fault::failed(format!("`{line}` failed")).help("its own messages above say why").into())
}

fn shown(command: &Command) -> String {
    let program = Utf8Path::new(command.get_program().to_str().unwrap_or("?")).file_stem().unwrap_or("?");
    let args = command.get_args().map(|arg| arg.to_string_lossy());
    std::iter::once(program.into()).chain(args).collect::<Vec<_>>().join(" ")
}
