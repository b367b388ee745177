//! The Linux implementation: finds processes in `/proc` and waits with inotify.

use std::{fs, io::Read as _, mem::MaybeUninit, path::Path, time::Duration};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fd::OwnedFd,
    fs::inotify,
    io::Errno,
};

use super::{Found, unix};

/// Looks up a process. A zombie counts as nothing: it still has its pid, but does no more work.
pub fn find(pid: u32) -> Found {
    // The signal comes first: it shows that a process exists even if `/proc` hides other users' processes
    // (`hidepid`).
    if !unix::exists(pid) {
        return Found::Nothing;
    }
    match read_stat(pid).as_deref().and_then(parse_stat) {
        Some(Stat { state: 'Z' | 'X' | 'x', .. }) => Found::Nothing,
        Some(Stat { start, .. }) => Found::Running { start: Some(start) },
        None => Found::Running { start: None },
    }
}

/// Reads `/proc/<pid>/stat`, which the kernel returns whole at the first read.
fn read_stat(pid: u32) -> Option<String> {
    let mut stat = [0; 2048];
    let length = fs::File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut stat).ok()?;
    Some(String::from_utf8_lossy(&stat[..length]).into_owned())
}

struct Stat {
    state: char,
    /// Clock ticks between the machine's start and the process's.
    start: u64,
}

/// Parses the fields of `/proc/<pid>/stat`, numbered as in proc(5): the third is the state, the 22nd the start time.
/// The second is the program's name in parentheses, which may itself contain spaces and parentheses.
fn parse_stat(stat: &str) -> Option<Stat> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let start = fields.nth(18)?.parse().ok()?;
    Some(Stat { state, start })
}

/// Returns the id of the current boot of this machine.
pub fn boot_id() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

/// Whether two boot ids are of the same boot.
pub fn same_boot(one: &str, other: &str) -> bool {
    one == other
}

/// Returns the pid namespace, which differs between containers on the same machine.
pub fn pid_space() -> Option<String> {
    Some(fs::read_link("/proc/self/ns/pid").ok()?.to_str()?.to_owned())
}

/// Returns how many threads want a processor right now, including this one: the fourth field of `/proc/loadavg`,
/// before the slash (proc_loadavg(5)).
pub fn runnable() -> Option<u32> {
    let load = fs::read_to_string("/proc/loadavg").ok()?;
    load.split_ascii_whitespace().nth(3)?.split_once('/')?.0.parse().ok()
}

/// Sleeps until something in a directory may have changed.
#[derive(Debug)]
pub struct Watch {
    inotify: Option<OwnedFd>,
}

impl Watch {
    /// Watches `directory` for names that are removed or moved away. If no inotify watch can be had, it polls.
    pub fn new(directory: &Path) -> Self {
        let watch = || {
            let inotify = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
            let gone = inotify::WatchFlags::DELETE | inotify::WatchFlags::MOVED_FROM;
            inotify::add_watch(&inotify, directory, gone)?;
            Ok::<_, Errno>(inotify)
        };
        Self { inotify: watch().ok() }
    }

    /// Sleeps for `at_most` or until something changed, and no longer than 10 ms if no event would end the sleep.
    pub fn wait(&self, at_most: Duration) {
        let Some(inotify) = &self.inotify else {
            return std::thread::sleep(at_most.min(Duration::from_millis(10)));
        };
        let timeout = Timespec::try_from(at_most).ok();
        // A signal or an error ends the sleep early; the caller checks again in any case.
        let _ = poll(&mut [PollFd::new(inotify, PollFlags::IN)], timeout.as_ref());
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(inotify, &mut buffer);
        while events.next().is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_name_cannot_pose_as_its_state() {
        let stat = "4242 (a) Z 1 (b) R 1 4242 4242 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 987654 0 0";
        let stat = parse_stat(stat).unwrap();
        assert_eq!((stat.state, stat.start), ('R', 987_654));
    }

    #[test]
    fn who_asks_how_many_are_running_is_running() {
        assert!(runnable().is_some_and(|count| count >= 1));
    }

    #[test]
    fn this_process_is_found_and_an_ended_child_is_not() {
        assert!(matches!(find(std::process::id()), Found::Running { start: Some(_) }));
        #[allow(clippy::disallowed_methods, reason = "a test needs a process that ends")]
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        // A child that is not waited for stays a zombie.
        while find(pid) != Found::Nothing {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert_eq!(find(pid), Found::Nothing);
    }
}
