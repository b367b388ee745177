//! Which process owns a lock, told so exactly that a later one cannot be mistaken for it.
//!
//! A process number alone means nothing: it is given out again, means another process in another container, and
//! another still on another machine.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::platform::{self, Found};

/// A process, told from every other that ever was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it started, in the platform's own units; null where the platform does not say.
    pub start: Option<u64>,
    /// The boot of the machine that it runs on; null where the platform has no name for it.
    pub boot: Option<String>,
    /// The space in which its number means something: on Linux, the process-number namespace.
    pub pid_space: Option<String>,
}

/// Whether a process still lives, as far as can be told from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Life {
    /// It lives.
    Alive,
    /// It does not.
    Dead,
    /// It is, or was, of another machine, another boot or another container: who looks from here cannot tell.
    Unknown,
}

impl Process {
    /// This process.
    pub fn current() -> Self {
        let pid = std::process::id();
        Self::running(pid).unwrap_or_else(|| Self::numbered(pid, None))
    }

    /// The process with this number; `None` where none lives.
    pub fn running(pid: u32) -> Option<Self> {
        match platform::find(pid) {
            Found::Nothing => None,
            Found::Running { start } => Some(Self::numbered(pid, start)),
        }
    }

    fn numbered(pid: u32, start: Option<u64>) -> Self {
        let Here { boot, pid_space } = here().clone();
        Self { pid, start, boot, pid_space }
    }

    /// Whether it still lives.
    pub fn life(&self) -> Life {
        if !self.is_of_here() {
            return Life::Unknown;
        }
        match (platform::find(self.pid), self.start) {
            (Found::Nothing, _) => Life::Dead,
            (Found::Running { start: Some(now) }, Some(then)) if now != then => Life::Dead,
            (Found::Running { .. }, _) => Life::Alive,
        }
    }

    /// Whether its number means here what it meant there.
    fn is_of_here(&self) -> bool {
        let here = here();
        let same_boot = match (&self.boot, &here.boot) {
            (Some(theirs), Some(ours)) => platform::same_boot(theirs, ours),
            _ => false,
        };
        same_boot && self.pid_space.is_some() && self.pid_space == here.pid_space
    }
}

/// Where this process runs, as far as process numbers go.
#[derive(Debug, Clone)]
struct Here {
    boot: Option<String>,
    pid_space: Option<String>,
}

/// Finds out where this process runs, for whoever is to judge another one soon.
pub(crate) fn look_around() {
    here();
}

/// It never changes, and who waits asks for it ten times a second.
fn here() -> &'static Here {
    static HERE: OnceLock<Here> = OnceLock::new();
    HERE.get_or_init(|| Here { boot: platform::boot_id(), pid_space: platform::pid_space() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives() {
        assert_eq!(Process::current().life(), Life::Alive);
    }

    #[test]
    fn a_reused_number_is_not_mistaken_for_its_earlier_owner() {
        let me = Process::current();
        let earlier = Process { start: me.start.map(|start| start - 1), ..me };
        assert_eq!(earlier.life(), Life::Dead);
    }

    #[test]
    fn a_process_of_another_boot_machine_or_container_cannot_be_judged() {
        let me = Process::current();
        assert_eq!(Process { boot: Some("another".into()), ..me.clone() }.life(), Life::Unknown);
        assert_eq!(Process { boot: None, ..me.clone() }.life(), Life::Unknown);
        assert_eq!(Process { pid_space: Some("pid:[1]".into()), ..me.clone() }.life(), Life::Unknown);
        assert_eq!(Process { pid_space: None, ..me }.life(), Life::Unknown);
    }

    #[test]
    fn a_process_of_another_user_lives() {
        // The first process belongs to the superuser, and nobody else may signal it.
        assert_ne!(platform::find(1), Found::Nothing);
    }
}
