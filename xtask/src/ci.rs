//! `lockstep ci`: checks everything that must hold before a change lands, with commands that anyone can run.
//!
//! Generated files are only compared with their sources here; other commands write them. Nothing is changed.

use phase::Console;

use crate::{
    cargo::{self, Workspace},
    checks,
    schema::{self, Schema},
    steps,
    test::{self, Test},
    windows,
};

/// Runs one check after the other, the quick ones first, and stops at the first that fails.
pub fn run(console: &Console) -> anyhow::Result<u8> {
    let workspace = Workspace::find()?;

    steps::begin(console, "format")?;
    cargo::run(&mut workspace.cargo(["fmt", "--all", "--check"]))?;

    steps::begin(console, "ARCHITECTURE.md and README.md name what is there")?;
    checks::documents(workspace.root())?;

    steps::begin(console, "lints")?;
    cargo::run(&mut workspace.cargo(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;

    steps::begin(console, "what is for Windows")?;
    windows::check(&workspace, console)?;

    steps::begin(console, "the schema and the reference are what the types say")?;
    schema::run(Schema { check: true }, console)?;

    steps::begin(console, "dependencies")?;
    if workspace.has("deny") {
        cargo::run(&mut workspace.cargo(["deny", "check", "bans", "licenses", "sources"]))?;
    } else {
        steps::done(
            console,
            "cargo-deny is not installed, so licences and sources were not checked: cargo install cargo-deny",
        )?;
    }

    steps::begin(console, "tests")?;
    test::run(&Test { servers: true, ..Test::default() }, console)
}
