//! `lockstep man` and `lockstep completions`: have each binary write its own man page and completions.

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use phase::{Console, programs::program};

use crate::{
    binaries::{self, Binaries},
    cargo, steps,
};

/// Where to write to.
#[derive(Debug, Clone, clap::Args)]
pub struct Into {
    /// The prefix to write to; below it, the files go where man and the shells look for them.
    #[arg(long, value_name = "DIR", default_value = "target/pages")]
    root: Utf8PathBuf,
}

/// Writes the man pages.
pub fn man(into: &Into, console: &Console) -> anyhow::Result<u8> {
    pages(&Binaries::beside_this()?, &into.root, Pages::Man)?;
    steps::done(console, &format!("man pages written: try `man -l {}/{MAN}/gitsync.1`", into.root))?;
    Ok(0)
}

/// Writes the completions.
pub fn completions(into: &Into, console: &Console) -> anyhow::Result<u8> {
    pages(&Binaries::beside_this()?, &into.root, Pages::Completions)?;
    steps::done(console, &format!("completions for bash, zsh and fish written below {}/share", into.root))?;
    Ok(0)
}

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// Man pages.
    Man,
    /// Completions for bash, zsh and fish.
    Completions,
    /// Both.
    All,
}

/// The directory of man pages below a prefix.
const MAN: &str = "share/man/man1";

/// Has every binary write its pages, and copies the `wanted` ones below `root`.
pub fn pages(binaries: &Binaries, root: &Utf8Path, wanted: Pages) -> anyhow::Result<()> {
    let all = tempfile::tempdir().context("no temporary folder could be made")?;
    let all = Utf8Path::from_path(all.path()).context("the temporary folder's path is not UTF-8")?;
    for name in binaries::ALL {
        cargo::run(program(binaries.path(name)).arg(phase::GENERATE).arg(all))?;
    }
    let completions =
        ["share/bash-completion/completions", "share/zsh/site-functions", "share/fish/vendor_completions.d"];
    let folders: Vec<&str> = match wanted {
        Pages::Man => vec![MAN],
        Pages::Completions => completions.into(),
        Pages::All => std::iter::once(MAN).chain(completions).collect(),
    };
    folders.into_iter().try_for_each(|folder| copy(&all.join(folder), &root.join(folder)))
}

fn copy(from: &Utf8Path, to: &Utf8Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("{to} could not be made"))?;
    for entry in from.read_dir_utf8().with_context(|| format!("{from} could not be read"))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        std::fs::copy(entry.path(), &target).with_context(|| format!("{target} could not be written"))?;
    }
    Ok(())
}
