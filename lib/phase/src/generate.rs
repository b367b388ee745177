//! Generates man pages and shell completions from the options that a binary parses.
//!
//! Only the binary knows its own options; a second description elsewhere would get out of date. So each binary writes
//! its own pages when called with a hidden option, and `cargo xtask man` just calls them all.

use std::{ffi::OsStr, path::Path, process::ExitCode};

use anyhow::Context as _;
use clap_complete::{Shell, generate_to};

/// The hidden option. It must be the only option, followed by a directory.
pub const OPTION: &str = "--generate-into";

/// Parses the command line, or writes the man pages and completions of the binary if they were requested. Every
/// binary calls this first: it also removes git's repository variables from the environment and resets an inherited
/// signal disposition.
///
/// # Errors
/// The exit code, if there is nothing further to do.
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

/// Writes the files below `prefix`, where man and the shells look for them.
fn write<C: clap::Parser>(prefix: &OsStr) -> anyhow::Result<()> {
    // Pages about the `help` subcommand, one for each subcommand, would bury the others.
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
            // Bash's completion loader looks for a file with the bare name of the command.
            std::fs::rename(&file, file.with_file_name(&name)).with_context(|| written("the completions"))?;
        }
    }
    clap_mangen::generate_to(command, folder("share/man/man1")?).with_context(|| written("the man page"))
}
