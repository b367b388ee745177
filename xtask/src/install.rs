//! `lockstep install`: installs binaries, man pages and completions under a prefix.

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use phase::{Console, Fault};

use crate::{
    binaries::{self, Binaries},
    cargo::{Profile, Workspace},
    generate::{self, Pages},
    steps,
};

/// Build with optimisations, and install the binaries, man pages and completions.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Install {
    /// The prefix to install under: binaries go to DIR/bin [default: ~/.local].
    #[arg(long, value_name = "DIR")]
    pub root: Option<Utf8PathBuf>,

    /// Install the binaries that this directory already contains instead of building them.
    #[arg(long, value_name = "DIR")]
    pub from: Option<Utf8PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask install                                  below ~/.local
  cargo xtask install --root /usr/local
  lockstep install --from target/release --root pkg    what is built already";

/// Builds, unless `--from` names built binaries, and installs.
pub fn run(args: &Install, console: &Console) -> anyhow::Result<u8> {
    let root = match &args.root {
        Some(root) => root.clone(),
        None => home()?.join(".local"),
    };
    let built = match &args.from {
        Some(folder) => folder.clone(),
        None => {
            let workspace = Workspace::find()?;
            workspace.build_binaries(Profile::Release)?;
            workspace.target(Profile::Release)
        }
    };
    let built = Binaries::in_folder(&built)?;

    let bin = root.join("bin");
    std::fs::create_dir_all(&bin).map_err(|error| unwritable(&bin, &error))?;
    for name in binaries::ALL {
        let path = built.path(name);
        replace(&path, &bin.join(path.file_name().unwrap_or(name)))?;
    }
    generate::pages(&built, &root, Pages::All)?;

    steps::done(console, &format!("installed under {root}: {}", binaries::ALL.join(", ")))?;
    if !is_on_path(&bin) {
        steps::done(
            console,
            &format!("{bin} is not on your PATH: add it, then try `lockstep full-run --demo`"),
        )?;
    }
    Ok(0)
}

/// Replaces a file by a rename: a running binary cannot be written to, and someone could start a half-written one.
fn replace(from: &Utf8Path, to: &Utf8Path) -> anyhow::Result<()> {
    let fresh = Utf8PathBuf::from(format!("{to}.new"));
    std::fs::copy(from, &fresh).map_err(|error| unwritable(&fresh, &error))?;
    std::fs::rename(&fresh, to).with_context(|| format!("{to} could not be replaced"))
}

fn unwritable(path: &Utf8Path, error: &std::io::Error) -> Fault {
    Fault::failed(format!("{path} could not be written: {error}"))
        .help("name a folder that you may write to with --root DIR")
}

fn home() -> anyhow::Result<Utf8PathBuf> {
    let home = std::env::home_dir().context("there is no home directory: name a folder with --root DIR")?;
    Utf8PathBuf::try_from(home).context("the home directory's path is not UTF-8")
}

fn is_on_path(folder: &Utf8Path) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|entry| entry == folder.as_std_path())
}
