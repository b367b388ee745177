//! Connects to a repository on this machine through git's own server program, started as git itself starts it.

use std::{
    io::{BufWriter, Write},
    process::Command,
    sync::Arc,
};

use gix_transport::{
    Protocol, Service,
    client::{
        blocking_io::Transport,
        git::{ConnectMode, blocking_io::Connection},
    },
};

use super::{
    child::{self, Process},
    endpoint::Endpoint,
    whole::Whole,
    wire::{Traffic, gathered},
};
use crate::{RemoteError, remote::unusable, terminal::Terminal};

/// Starts the server program for `place`.
pub(super) fn open(
    place: &Endpoint,
    wire: &Arc<Traffic>,
    terminal: Terminal,
) -> Result<(Box<dyn Transport + Send>, Process), RemoteError> {
    let path = place.local.as_deref().unwrap_or(std::path::Path::new(""));
    look(place, path)?;
    let program = program(place);
    let prepared = gix::command::prepare(&program).command_may_be_shell_script().arg(path);
    let mut command = Command::try_from(prepared).map_err(|error| unusable(&place.name, &error))?;
    for variable in OF_THIS_REPOSITORY {
        command.env_remove(variable);
    }
    match place.protocol {
        Protocol::V0 | Protocol::V1 => command.env_remove("GIT_PROTOCOL"),
        Protocol::V2 => command.env("GIT_PROTOCOL", "version=2"),
    };
    let (from, to, process) = child::spawn(command, wire, terminal).map_err(|error| {
        RemoteError::unreachable(
            format!("{}: cannot start {}: {error}", place.called, program.to_string_lossy()),
            "a remote on this machine needs git's server programs on PATH: install git",
        )
    })?;
    let transport: Box<dyn Transport + Send> = match (place.service, place.protocol) {
        (Service::UploadPack, Protocol::V2) => Box::new(talk(place, from, Whole::new(to))),
        _ => Box::new(talk(place, from, to)),
    };
    Ok((transport, process))
}

/// Returns a connection over a child's pipes.
pub(super) fn talk<W: Write>(
    place: &Endpoint,
    from: child::FromChild,
    to: W,
) -> Connection<child::FromChild, BufWriter<W>> {
    let nowhere = None::<(String, Option<u16>)>;
    Connection::new(
        from,
        gathered(to),
        place.protocol,
        place.url.path.clone(),
        nowhere,
        ConnectMode::Process,
        false,
    )
    .custom_url(Some(place.url.to_bstring()))
}

/// Checks that the repository exists, since a server program would report that in the user's language.
fn look(place: &Endpoint, path: &std::path::Path) -> Result<(), RemoteError> {
    // The paths that git tries, in its order.
    let with_suffix = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        std::path::PathBuf::from(name)
    };
    let candidates = [with_suffix("/.git"), path.to_owned(), with_suffix(".git/.git"), with_suffix(".git")];
    let found = candidates.iter().find(|candidate| {
        // A `.git` file points to the repository of a linked worktree or submodule.
        candidate.is_file() || gix::discover::is_git(candidate).is_ok()
    });
    if found.is_some() {
        return Ok(());
    }
    // A directory without search permission looks empty, so a file in it is queried.
    let closed = candidates.iter().find_map(|candidate| {
        let error = std::fs::metadata(candidate.join("HEAD")).err()?;
        (error.kind() == std::io::ErrorKind::PermissionDenied).then_some(error)
    });
    match closed {
        Some(error) => Err(RemoteError::not_allowed(
            format!("{}: {error}", place.called),
            "ask the folder's owner for access",
        )),
        None => Err(RemoteError::unreachable(
            format!("{}: there is no git repository", place.called),
            "check the path, and that its disk is there; `git remote -v` shows what is configured",
        )),
    }
}

fn program(place: &Endpoint) -> std::ffi::OsString {
    if let Some(program) = &place.program {
        return program.clone();
    }
    let usual = place.service.as_str();
    let on_path = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(usual).is_file()));
    // If only `git` is on PATH, its server programs are in its exec path.
    let elsewhere = (!on_path).then(|| gix::path::env::core_dir_program(usual)).flatten();
    elsewhere.map_or_else(|| usual.into(), Into::into)
}

/// Variables that describe *this* repository, as `git rev-parse --local-env-vars` lists them; the server program,
/// which serves another one, must not see them.
const OF_THIS_REPOSITORY: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];
