//! Connects through `ssh`, started as git starts it.
//!
//! `core.sshCommand`, `GIT_SSH_COMMAND`, `GIT_SSH` and `ssh.variant` determine the program, and without a terminal
//! ssh is run so that it does not prompt.

use std::{ffi::OsStr, process::Command, sync::Arc};

use gix::url::ArgumentSafety;
use gix_transport::{
    Protocol,
    client::blocking_io::{Transport, ssh::ProgramKind},
};

use super::{
    child::{self, Process},
    endpoint::Endpoint,
    local,
    wire::Traffic,
};
use crate::{RemoteError, remote::unusable, terminal::Terminal};

/// Starts ssh to `place`.
pub(super) fn open(
    repo: &gix::Repository,
    place: &Endpoint,
    wire: &Arc<Traffic>,
    terminal: Terminal,
) -> Result<(Box<dyn Transport + Send>, Process), RemoteError> {
    let options = repo.ssh_connect_options().map_err(|error| unusable(&place.name, &error))?;
    let program = options.ssh_command().to_owned();
    let shell = if options.disallow_shell { Shell::Never } else { Shell::WhereNeeded };
    let host = host(place)?;
    let kind = options.kind.unwrap_or_else(|| kind_of(&program, &host, shell, wire, terminal));
    let command = command(place, &program, shell, kind, &host, terminal)?;
    let (from, to, process) = child::spawn(command, wire, terminal).map_err(|error| {
        RemoteError::unreachable(
            format!("{}: cannot start {}: {error}", place.called, program.to_string_lossy()),
            "install ssh, or name it in core.sshCommand",
        )
    })?;
    Ok((Box::new(local::talk(place, from, to)), process))
}

/// Whether the program may be a command line for the shell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shell {
    WhereNeeded,
    Never,
}

/// Returns `user@host`, unless a malicious URL turns it or the path into an option.
fn host(place: &Endpoint) -> Result<String, RemoteError> {
    let suspicious = |what: &str| {
        RemoteError::misconfigured(
            format!("{}: its {what} could be taken for an option of ssh", place.called),
            "correct the URL: `git remote -v` shows it",
        )
    };
    // The path is quoted for the remote shell, but would still be an option there.
    if place.url.path.starts_with(b"-") {
        return Err(suspicious("path"));
    }
    match (place.url.user_as_argument(), place.url.host_as_argument()) {
        (_, ArgumentSafety::Absent) => Err(suspicious("missing host")),
        (ArgumentSafety::Dangerous(_), _) => Err(suspicious("user")),
        (ArgumentSafety::Usable(user), ArgumentSafety::Usable(host) | ArgumentSafety::Dangerous(host)) => {
            Ok(format!("{user}@{host}"))
        }
        (ArgumentSafety::Absent, ArgumentSafety::Usable(host)) => Ok(host.to_owned()),
        (ArgumentSafety::Absent, ArgumentSafety::Dangerous(_)) => Err(suspicious("host")),
    }
}

/// Determines which options a program takes: from its name, or else by asking it, as git does.
fn kind_of(program: &OsStr, host: &str, shell: Shell, wire: &Traffic, terminal: Terminal) -> ProgramKind {
    let line = program.to_string_lossy();
    // The program may be a whole command line; its first word is the name.
    let first = match shell {
        Shell::WhereNeeded => line.split_whitespace().next().unwrap_or_default().trim_matches(['"', '\'']),
        Shell::Never => &line,
    };
    match ProgramKind::from(OsStr::new(first)) {
        ProgramKind::Simple if takes_options(program, host, shell, wire, terminal) => ProgramKind::Ssh,
        kind => kind,
    }
}

/// Whether `program` understands OpenSSH's `-G`, which prints the settings without connecting.
fn takes_options(program: &OsStr, host: &str, shell: Shell, wire: &Traffic, terminal: Terminal) -> bool {
    let mut prepare = gix::command::prepare(program).command_may_be_shell_script().arg("-G").arg(host);
    prepare.use_shell &= shell == Shell::WhereNeeded;
    let Ok(command) = Command::try_from(prepare) else { return false };
    // Its output does not matter, but it must not take for ever.
    let unheard = Arc::new(Traffic::new(wire.limit, 0));
    let Ok((from, to, process)) = child::spawn(command, &unheard, terminal) else { return false };
    drop((from, to));
    process.see_off().is_some_and(|status| status.success())
}

fn command(
    place: &Endpoint,
    program: &OsStr,
    shell: Shell,
    kind: ProgramKind,
    host: &str,
    terminal: Terminal,
) -> Result<Command, RemoteError> {
    let mut prepare = gix::command::prepare(program).command_may_be_shell_script();
    prepare.use_shell &= shell == Shell::WhereNeeded;
    let port = place.url.port.map(|port| port.to_string());
    let silent = terminal == Terminal::Absent;
    prepare = match (kind, port) {
        (ProgramKind::Ssh, port) => {
            if silent {
                prepare = prepare.args(["-o", "BatchMode=yes"]);
            }
            if place.protocol == Protocol::V2 {
                prepare = prepare.args(["-o", "SendEnv=GIT_PROTOCOL"]).env("GIT_PROTOCOL", "version=2");
            }
            port.into_iter().fold(prepare, |prepare, port| prepare.args(["-p", &port]))
        }
        (ProgramKind::Plink | ProgramKind::Putty | ProgramKind::TortoisePlink, port) => {
            if silent || kind == ProgramKind::TortoisePlink {
                prepare = prepare.arg("-batch");
            }
            port.into_iter().fold(prepare, |prepare, port| prepare.args(["-P", &port]))
        }
        (ProgramKind::Simple, None) => prepare,
        (ProgramKind::Simple, Some(_)) => {
            return Err(RemoteError::misconfigured(
                format!("{}: {} cannot be told a port", place.called, program.to_string_lossy()),
                "set ssh.variant to `ssh` if it takes ssh's options",
            ));
        }
    };
    let path = gix::url::expand_path::for_shell(place.url.path.clone());
    let at_the_other_end = place.program.clone().unwrap_or_else(|| place.service.as_str().into());
    let quoted = gix::quote::single(path.as_ref());
    let mut line = at_the_other_end;
    line.push(" ");
    let quoted = gix::path::from_bstring(quoted).map_err(|error| unusable(&place.name, &error))?;
    line.push(quoted);
    prepare
        .arg(host)
        .arg(line)
        // ssh's messages decide between "unreachable" and "not allowed", so they have to be in English.
        .env("LC_ALL", "C")
        .env("LANG", "C")
        .try_into()
        .map_err(|error: gix::Error| unusable(&place.name, &error))
}
