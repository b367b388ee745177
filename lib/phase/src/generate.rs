//! Man pages and completions, from the very options that a binary parses.
//!
//! Only the binary itself knows its options: were they described a second time elsewhere, the two would drift apart. So
//! each binary writes its own pages when asked with a hidden option, and `cargo xtask man` just asks them all.

use std::{ffi::OsStr, path::Path, process::ExitCode};

use anyhow::Context as _;
use clap_complete::{Shell, generate_to};

/// The hidden option. It stands alone on the command line, with a folder behind it.
pub const OPTION: &str = "--generate-into";

/// Parses the command line, or writes the man pages and completions of the binary where those were asked for. It is the
/// first thing that a binary does: what git's variables say of a repository is taken out of the environment by it, and
/// what its caller may have said of signals.
///
/// # Errors
/// What to exit with, where there is nothing further to do.
pub fn parse<C: clap::Parser>() -> Result<C, ExitCode> {
    crate::environment::take();
    crate::programs::will_be_waited_for();
    let mut args = std::env::args_os().skip(1);
    match (args.next(), args.next(), args.next()) {
        (Some(option), Some(folder), None) if option == OPTION => {
            Err(crate::tool(crate::Color::Auto, false, |_, _| write::<C>(&folder).map(|()| 0)))
        }
        _ => Ok(C::parse()),
    }
}

/// Below `prefix`, everything stands where man and the shells look for it.
fn write<C: clap::Parser>(prefix: &OsStr) -> anyhow::Result<()> {
    // Pages about the help itself, one for each subcommand, would bury the others.
    let mut command = C::command().disable_help_subcommand(true);
    let name = command.get_name().to_owned();
    let folder = |path: &str| {
        let folder = Path::new(prefix).join(path);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("{} could not be made", folder.display()))?;
        anyhow::Ok(folder)
    };
    let written = |error| format!("{error} of {name} could not be written");

    for (shell, path) in [
        (Shell::Bash, "share/bash-completion/completions"),
        (Shell::Zsh, "share/zsh/site-functions"),
        (Shell::Fish, "share/fish/vendor_completions.d"),
    ] {
        let file = generate_to(shell, &mut command, &name, folder(path)?)
            .with_context(|| written("the completions"))?;
        if shell == Shell::Bash {
            // Bash's loader looks for the command's bare name.
            std::fs::rename(&file, file.with_file_name(&name)).with_context(|| written("the completions"))?;
        }
    }
    clap_mangen::generate_to(command, folder("share/man/man1")?).with_context(|| written("the man page"))
}
