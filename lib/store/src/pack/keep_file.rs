//! Keeps new packs from being removed by `git repack -a -d`, by means of git's `.keep` files.
//!
//! `git repack -a -d` removes the packs that existed when it began, with all objects in them that are not reachable
//! from any ref. A pack that has just been received or written has no ref yet, but is about to get one. A `.keep`
//! file beside it protects it, as the one that git's own `index-pack --keep` leaves until `fetch` and `receive-pack`
//! have updated their refs. See
//! <https://git-scm.com/docs/git-index-pack#Documentation/git-index-pack.txt---keepltmsggt>.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use gix::ObjectId;

use crate::{
    local_ref::machine,
    temporary::{self, Temporary},
};

/// The extension of these files.
const KEEP: &str = "keep";
/// What our files contain, followed by the mark of the machine on which they were made.
const OURS: &str = "lockstep ";
/// How often a file is tried that another process is about to remove, with a millisecond in between.
const ATTEMPTS: usize = 100;

/// Protects a pack until it is dropped, which should be after a ref points to its objects.
#[derive(Debug, Default)]
#[must_use]
pub struct PackKeep {
    _keeping: Option<Keeping>,
}

#[derive(Debug)]
struct Keeping {
    path: PathBuf,
    /// Locked by the kernel for as long as it is open; together with others that hold the same pack.
    file: File,
}

impl PackKeep {
    /// Protects the pack with this `checksum` in the directory `home`; the pack need not be there yet. If another
    /// program already protects it, the `.keep` file is left to that program.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(super) fn take(home: &Path, checksum: ObjectId) -> io::Result<Self> {
        let path = home.join(format!("pack-{checksum}.{KEEP}"));
        for _ in 0..ATTEMPTS {
            let is_new = make(home, &path)?;
            if !is_new && !is_ours(&path) && path.exists() {
                break;
            }
            let file = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => file?,
            };
            match file.try_lock_shared() {
                Ok(()) if temporary::is_at(&file, &path) => {
                    return Ok(Self { _keeping: Some(Keeping { path, file }) });
                }
                Ok(()) => {}
                // Another process takes it for stale, and removes it.
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
                // The file system has no locks, so nobody removes files of others.
                Err(TryLockError::Error(_)) if is_new => {
                    return Ok(Self { _keeping: Some(Keeping { path, file }) });
                }
                Err(TryLockError::Error(_)) => break,
            }
        }
        Ok(Self::default())
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        // The last process that protects the pack removes the file. If that fails, a later run does.
        let _ = self.file.unlock();
        let is_held = matches!(self.file.try_lock(), Err(TryLockError::WouldBlock));
        if !is_held && temporary::is_at(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Creates the file at `path`, unless it exists. It gets its name only once its content is complete: if it were
/// empty, as after a kill or on a full disk, it would be taken for one that a person made.
fn make(home: &Path, path: &Path) -> io::Result<bool> {
    let text = format!("{OURS}{}", machine::mark());
    let draft = Temporary::create(home, KEEP)?;
    draft.file().write_all(text.as_bytes())?;
    match fs::hard_link(draft.path(), path) {
        // The file system has no hard links.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) =>
        {
            drop(draft);
            make_in_place(path, &text)
        }
        made => unless_there(made),
    }
}

fn make_in_place(path: &Path, text: &str) -> io::Result<bool> {
    let made = File::create_new(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).inspect_err(|_| _ = fs::remove_file(path)));
    unless_there(made)
}

fn unless_there(made: io::Result<()>) -> io::Result<bool> {
    match made {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether `path` is a `.keep` file that this program made on this machine. An empty one is not ours: users create
/// such files by hand for packs that are to be kept permanently.
pub(crate) fn is_ours(path: &Path) -> bool {
    let is_keep = path.extension().is_some_and(|extension| extension == KEEP);
    let says = || fs::read_to_string(path).ok();
    is_keep && says().is_some_and(|text| text.strip_prefix(OURS).is_some_and(machine::is_our_mark))
}
