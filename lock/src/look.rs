//! Reads the state of the lock from disk.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
    time::{Duration, SystemTime},
};

use contract::Owner;

use crate::{
    Claim, Facts, LockPaths, Record, Verdict,
    file_stamp::Mark,
    judge,
    platform::{Dir, mark_of},
};

/// The most that is read of a file in the lock; a larger one was not written by this crate.
const LIMIT: u64 = 64 * 1024;

/// The name of the file that says who owns the lock.
pub const OWNER_FILE: &str = "owner.json";

/// The name of the file with a plain pid, for scripts.
pub const PID_FILE: &str = "pid";

/// What is at the lock's path.
#[derive(Debug)]
pub enum LockState {
    /// Nothing.
    Free,
    /// A lock.
    Taken(Box<Taken>),
    /// Something that is not a lock and must not be touched.
    Obstacle(&'static str),
}

/// An existing lock, as it was at one moment.
#[derive(Debug)]
pub struct Taken {
    /// A handle to the directory itself, whatever its path comes to name.
    pub dir: Dir,
    /// The content of the owner file, if readable.
    pub record: Option<Record>,
    /// The mark of the owner file.
    pub mark: Option<Mark>,
    /// The number in the file for scripts.
    pub pid: Option<u32>,
    /// When it last gave a sign of life.
    pub sign_of_life: SystemTime,
}

impl LockState {
    /// Reads the state of the lock.
    ///
    /// # Errors
    /// If it exists but cannot be read.
    pub fn look(place: &LockPaths) -> io::Result<Self> {
        match Dir::open(&place.lock()) {
            Ok(dir) => Ok(Self::Taken(Box::new(Taken::look(dir)?))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::Free),
            Err(error) if error.kind() == ErrorKind::NotADirectory => Ok(Self::Obstacle(kind(&place.lock()))),
            Err(error) => Err(error),
        }
    }
}

impl Taken {
    fn look(dir: Dir) -> io::Result<Self> {
        let sign_of_life = dir.modified()?;
        let owner = open(&dir, OWNER_FILE)?;
        let mark = owner.as_ref().map(mark_of).transpose()?.flatten();
        let record = owner.map(content).transpose()?.as_deref().and_then(Record::parse);
        let pid = read(&dir, PID_FILE)?.and_then(|pid| String::from_utf8(pid).ok()?.trim().parse().ok());
        Ok(Self { dir, record, mark, pid, sign_of_life })
    }

    /// Returns the facts to judge it by.
    pub fn facts(&self) -> Facts {
        let claim = match &self.record {
            None => Claim::Unreadable,
            Some(record) => match record.life() {
                None => Claim::Lease { length: record.lease() },
                Some(life) => Claim::Owned { life, term: record.term },
            },
        };
        Facts { silence: self.silence(), claim }
    }

    fn silence(&self) -> Duration {
        SystemTime::now().duration_since(self.sign_of_life).unwrap_or_default()
    }

    /// Whether a script may find it stale: because it is, or because the number for scripts is not its owner's, but
    /// that of a taker that was killed before the lock had changed hands.
    pub fn may_look_stale(&self, patience: Duration) -> bool {
        let its_number = self.record.as_ref().map(Record::pid);
        judge(&self.facts(), patience) != Verdict::Held || self.pid != its_number
    }

    /// Whether its last sign of life is in the future: some clock was wrong, and it would hardly ever become stale.
    pub fn is_ahead_of_time(&self) -> bool {
        let ahead = self.sign_of_life.duration_since(SystemTime::now()).unwrap_or_default();
        ahead > Duration::from_secs(2)
    }

    /// Returns its owner as the document has it.
    pub fn owner(&self) -> Owner {
        match &self.record {
            Some(record) => record.to_owner(),
            None => Owner {
                pid: self.pid.unwrap_or(0),
                host: None,
                since: phase::clock::system_time(self.sign_of_life),
                name: None,
            },
        }
    }
}

/// Reads a file of the lock; `None` if there is none, or none that this crate could have written.
pub fn read(dir: &Dir, name: &str) -> io::Result<Option<Vec<u8>>> {
    open(dir, name)?.map(content).transpose()
}

fn open(dir: &Dir, name: &str) -> io::Result<Option<File>> {
    let file = match dir.open_file(name) {
        Ok(file) => file,
        // The file does not exist, or the directory was removed since, or we may not read it.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    Ok(file.metadata()?.is_file().then_some(file))
}

fn content(file: File) -> io::Result<Vec<u8>> {
    // Enough capacity for what this crate writes, so that a single call reads it.
    let mut content = Vec::with_capacity(2048);
    file.take(LIMIT).read_to_end(&mut content)?;
    Ok(content)
}

fn kind(path: &Path) -> &'static str {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => "a link",
        Ok(metadata) if metadata.is_file() => "a file",
        _ => "no directory",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn place() -> (tempfile::TempDir, LockPaths) {
        let directory = tempfile::tempdir().unwrap();
        let place = LockPaths::new(directory.path());
        (directory, place)
    }

    #[test]
    fn where_there_is_nothing_the_lock_is_free() {
        assert!(matches!(LockState::look(&place().1).unwrap(), LockState::Free));
    }

    #[test]
    fn a_scripts_lock_has_its_number_and_no_readable_owner() {
        let (_keep, place) = place();
        fs::create_dir(place.lock()).unwrap();
        let LockState::Taken(bare) = LockState::look(&place).unwrap() else { panic!("it is taken") };
        assert_eq!((bare.pid, bare.facts().claim), (None, Claim::Unreadable));
        fs::write(place.lock().join(PID_FILE), "4242\n").unwrap();
        let LockState::Taken(numbered) = LockState::look(&place).unwrap() else { panic!("it is taken") };
        assert_eq!((numbered.pid, numbered.owner().pid), (Some(4242), 4242));
        assert_eq!(numbered.owner().host, None);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_and_a_link_are_obstacles_even_where_the_link_leads_to_a_directory() {
        let (keep, place) = place();
        fs::write(place.lock(), "").unwrap();
        assert!(matches!(LockState::look(&place).unwrap(), LockState::Obstacle("a file")));
        fs::remove_file(place.lock()).unwrap();
        std::os::unix::fs::symlink(keep.path(), place.lock()).unwrap();
        assert!(matches!(LockState::look(&place).unwrap(), LockState::Obstacle("a link")));
    }

    #[cfg(unix)]
    #[test]
    fn an_owner_file_that_is_a_link_is_not_followed() {
        let (keep, place) = place();
        fs::create_dir(place.lock()).unwrap();
        let elsewhere = keep.path().join("elsewhere");
        fs::write(&elsewhere, "7").unwrap();
        std::os::unix::fs::symlink(&elsewhere, place.lock().join(PID_FILE)).unwrap();
        let LockState::Taken(taken) = LockState::look(&place).unwrap() else { panic!("it is taken") };
        assert_eq!(taken.pid, None);
    }
}
