//! Creates the playground for `full-run --demo`: a small team's repositories, made with git as a team would.
//!
//! The playground is synced by an ordinary run. Only the repositories are made up, and a home directory, so that the
//! user's own files stay as they are.

mod git;
mod story;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use owo_colors::OwoColorize as _;
use phase::Page;

use crate::{
    binaries::Binaries,
    full_run::{FullRun, Surroundings},
};

/// A temporary directory with a team's repositories, which is kept so that the user can look around.
#[derive(Debug)]
pub struct Playground {
    root: Utf8PathBuf,
}

/// Creates a playground.
pub fn prepare() -> anyhow::Result<Playground> {
    let root = tempfile::Builder::new()
        .prefix("lockstep-demo-")
        .tempdir()
        .context("no temporary folder could be made")?
        .keep();
    // The report will name the real path.
    let root = phase::real_path(root).context("the playground cannot be found")?;
    let playground = Playground { root };
    story::tell(&playground)?;
    Ok(playground)
}

impl Playground {
    /// Returns the options of a run on the playground's own clone.
    pub fn options(&self, args: &FullRun) -> FullRun {
        FullRun { repo: Some(self.mine()), demo: false, ..args.clone() }
    }

    /// Returns an environment with the playground's home directory and git configuration instead of the user's.
    pub fn surroundings(&self) -> Surroundings {
        let home = self.home();
        Surroundings {
            set: vec![
                ("HOME", home.clone().into()),
                ("USERPROFILE", home.clone().into()),
                ("XDG_CONFIG_HOME", home.join(".config").into()),
                ("GIT_CONFIG_GLOBAL", home.join(".gitconfig").into()),
                ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ],
            without_git: true,
        }
    }

    /// Prints what is where, and what to try next.
    pub fn say_where_to_look(&self, binaries: &Binaries, page: &mut Page) {
        let root = &self.root;
        let faint = page.styles.faint;
        page.gap();
        page.heading(format_args!("The playground is in {root}"));
        for (path, what) in [
            ("mike", "the clone that was synced just now"),
            ("howard", "a colleague's clone, which has not seen it yet"),
            ("vault", "mike's vault, synced in the same run"),
            ("origin.git, vault.git", "the remotes"),
            ("home", "stands for the home directory; yours was not touched"),
        ] {
            page.line(format_args!("  {path:<22} {}", what.style(faint)));
        }
        page.gap();
        page.heading("Try");
        // Cargo may just have replaced this program's file by another one.
        let lockstep = binaries.path("lockstep");
        for line in [
            format!("git -C {root}/mike log --oneline --graph"),
            format!("git -C {root}/mike notes --ref mem/decisions list"),
            format!("cat {root}/home/.claude/commands/sync.md"),
            format!("HOME={root}/home {lockstep} full-run --repo {root}/howard"),
            format!("HOME={root}/home {lockstep} full-run --repo {root}/mike --json"),
            format!("rm -rf {root}"),
        ] {
            page.line(format_args!("  {line}"));
        }
    }

    fn home(&self) -> Utf8PathBuf {
        self.root.join("home")
    }

    /// Returns the clone that the run syncs.
    fn mine(&self) -> Utf8PathBuf {
        self.root.join("mike")
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        self.root.join(name)
    }

    fn root(&self) -> &Utf8Path {
        &self.root
    }
}
