//! Reads and changes the files and the crontab that contain hooks.
//!
//! A file is replaced atomically, and only while it is still as the user was shown; a symbolic link to a file stays a
//! link. The crontab is changed by the program `crontab`, which alone may do so.

use std::{
    io::{ErrorKind, Write as _},
    process::{Output, Stdio},
};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use phase::{Fault, programs::program};

use super::{
    kind::Target,
    plan::{Backup, Change, Found},
};

/// The suffix of a backup's name.
const BACKUP: &str = ".before-lockstep";

/// What `crontab -l` prints if there is no crontab: that of Vixie, cronie, dcron and macOS, that of BusyBox, and that
/// of Solaris.
const NO_CRONTAB: [&str; 3] = ["no crontab", "No such file or directory", "can't open your crontab file"];

const BY_HAND: &str = "see what `crontab -l` says, or add what `lockstep hooks print cron` shows by hand";

/// Reads a target.
///
/// # Errors
/// The target exists but cannot be read.
pub fn read(target: &Target) -> anyhow::Result<Found> {
    let (text, backup) = match target {
        Target::File(path) => (read_file(path)?, read_file(&backup_of(path))?),
        Target::Crontab => (read_crontab()?, None),
    };
    Ok(Found { target: target.clone(), text, backup })
}

/// Makes a change.
///
/// # Errors
/// The text is no longer the one that the change is based on, or cannot be written.
pub fn apply(change: &Change) -> anyhow::Result<()> {
    if read(&change.target)?.text != change.before {
        return Err(Fault::failed(format!("{} was changed meanwhile, and is left alone", change.target))
            .help("run the command again")
            .into());
    }
    let path = match &change.target {
        Target::Crontab => return write_crontab(change.after.as_deref()),
        Target::File(path) => path,
    };
    if let (Backup::Make, Some(before)) = (change.backup, &change.before) {
        write_file(&backup_of(path), before)?;
    }
    match &change.after {
        Some(after) => write_file(path, after)?,
        None => std::fs::remove_file(path).with_context(|| format!("{path} could not be removed"))?,
    }
    if change.backup == Backup::Drop {
        let backup = backup_of(path);
        std::fs::remove_file(&backup).with_context(|| format!("{backup} could not be removed"))?;
    }
    Ok(())
}

/// Returns the path of a file's backup, the copy from before our change.
pub fn backup_of(path: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{path}{BACKUP}"))
}

fn read_file(path: &Utf8Path) -> anyhow::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{path} could not be read")),
    }
}

/// Replaces a file atomically, and keeps its permissions.
fn write_file(path: &Utf8Path, text: &str) -> anyhow::Result<()> {
    let real = phase::real_path(path).unwrap_or_else(|_| path.to_owned());
    let written = || -> std::io::Result<()> {
        let folder = real.parent().unwrap_or(Utf8Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut fresh = tempfile::Builder::new().prefix(".lockstep-").tempfile_in(folder)?;
        fresh.write_all(text.as_bytes())?;
        if let Ok(metadata) = std::fs::metadata(&real) {
            fresh.as_file().set_permissions(metadata.permissions())?;
        } else {
            as_usual(fresh.as_file())?;
        }
        fresh.as_file().sync_all()?;
        fresh.persist(&real)?;
        Ok(())
    };
    written().map_err(|error| {
        Fault::failed(format!("{path} could not be written: {error}"))
            .help("see who may write there, or name another place")
            .into()
    })
}

/// Temporary files are private; configuration is not secret.
#[cfg(unix)]
fn as_usual(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn as_usual(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

/// Whether the program `crontab` exists.
pub fn has_cron() -> bool {
    crontab(&["-l"], None).is_ok()
}

fn read_crontab() -> anyhow::Result<Option<String>> {
    let output = crontab(&["-l"], None)?;
    // A crontab that cannot be read must not be taken for an empty one, nor be decoded wrongly: it is written back as
    // a whole.
    let left_alone =
        |why: &str| Fault::failed(format!("your crontab is left alone: {why}")).help(BY_HAND).into();
    if output.status.success() {
        return String::from_utf8(output.stdout).map(Some).map_err(|_| left_alone("it is not UTF-8"));
    }
    let words = String::from_utf8_lossy(&output.stderr);
    if NO_CRONTAB.iter().any(|none| words.contains(none)) {
        return Ok(None);
    }
    Err(left_alone(&format!("`crontab -l` failed: {}", words.trim())))
}

fn write_crontab(text: Option<&str>) -> anyhow::Result<()> {
    let output = match text {
        Some(text) => crontab(&["-"], Some(text))?,
        None => crontab(&["-r"], None)?,
    };
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Fault::failed(format!("`crontab` did not take it: {words}")).into())
}

fn crontab(args: &[&str], stdin: Option<&str>) -> anyhow::Result<Output> {
    let mut command = program("crontab");
    // With the messages that are known here.
    command.args(args).env("LC_ALL", "C").stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Fault::failed("there is no program `crontab` here")
                .help("install cron, or choose another kind of hooks: `lockstep hooks print`")
                .into());
        }
        Err(error) => return Err(error).context("`crontab` could not be started"),
    };
    if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
        // If it does not read everything, it reports the reason itself.
        let _ = pipe.write_all(text.as_bytes());
    }
    child.wait_with_output().context("`crontab` cannot be waited for")
}
