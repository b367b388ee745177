//! `lockstep schema`: the JSON Schema of the run document, written from the contract's types.

use anyhow::Context as _;
use phase::{Console, Fault};

use crate::{cargo::Workspace, steps};

/// Where the schema is kept.
const PATH: &str = "schema/run-document.schema.json";

/// Write the run document's JSON Schema from the contract's types.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Schema {
    /// Only say whether the schema is up to date.
    #[arg(long)]
    pub check: bool,
}

/// Writes the schema, or holds it against the types.
pub fn run(args: Schema, console: &Console) -> anyhow::Result<u8> {
    let path = Workspace::find()?.root().join(PATH);
    let fresh = format!("{:#}\n", contract::schema());
    if std::fs::read_to_string(&path).is_ok_and(|kept| kept == fresh) {
        steps::done(console, &format!("{PATH} is up to date"))?;
    } else if args.check {
        return Err(Fault::failed(format!("{PATH} is not what the contract's types say"))
            .help("run `cargo xtask schema` and commit the change")
            .into());
    } else {
        std::fs::write(&path, fresh).with_context(|| format!("{path} could not be written"))?;
        steps::done(console, &format!("{PATH} written"))?;
    }
    Ok(0)
}
