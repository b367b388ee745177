//! `lockstep schema`: writes the JSON Schema of the run document and its reference from the contract's types.

use anyhow::Context as _;
use camino::Utf8Path;
use phase::{Console, Fault};

use crate::{cargo::Workspace, reference, steps};

/// The path of the schema.
const SCHEMA: &str = "schema/run-document.schema.json";

/// The path of the reference.
const REFERENCE: &str = "docs/reference.md";

/// Write the run document's JSON Schema and its reference from the contract's types.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Schema {
    /// Only check whether both are up to date.
    #[arg(long)]
    pub check: bool,
}

/// Writes the files, or compares them with the types.
pub fn run(args: Schema, console: &Console) -> anyhow::Result<u8> {
    let workspace = Workspace::find()?;
    let schema = contract::schema();
    let files = [(SCHEMA, format!("{schema:#}\n")), (REFERENCE, reference::page(&schema))];
    for (name, fresh) in files {
        keep(args, &workspace.root().join(name), name, fresh, console)?;
    }
    Ok(0)
}

fn keep(args: Schema, path: &Utf8Path, name: &str, fresh: String, console: &Console) -> anyhow::Result<()> {
    if std::fs::read_to_string(path).is_ok_and(|kept| kept == fresh) {
        steps::done(console, &format!("{name} is up to date"))
    } else if args.check {
        Err(Fault::failed(format!("{name} is not what the contract's types say"))
            .help("run `cargo xtask schema` and commit the change")
            .into())
    } else {
        std::fs::write(path, fresh).with_context(|| format!("{path} could not be written"))?;
        steps::done(console, &format!("{name} written"))
    }
}
