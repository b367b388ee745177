//! Catches the signals that ask a run to end, and passes them on to its steps.
//!
//! If a run just died, its steps would work on under a lock whose owner is dead. So it catches these signals, ends
//! its steps, releases the lock and only then exits.

use std::{process::Child, sync::mpsc::Sender};

use super::ended::Signal;

/// How a step is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// It may clean up first.
    Ask,
    /// It is killed.
    Make,
}

#[cfg(unix)]
pub use unix::{Group, has_ended, watch};

#[cfg(unix)]
mod unix {
    use std::os::unix::process::CommandExt as _;

    use rustix::process::{
        Pid, Signal as Number, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
    };
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
        low_level::emulate_default_handler,
    };

    use super::{Child, Force, Sender, Signal};

    /// Sends every signal that asks the run to end to `events`. Once nobody receives them, the run is over, and signals
    /// end this process as usual: what is left to do is to write the report, and its reader may not read.
    pub fn watch<E: From<Signal> + Send + 'static>(events: Sender<E>) -> std::io::Result<()> {
        let ignored = signals::ignored();
        // A signal that the caller made us ignore stays ignored, as it does for the steps: catching it would undo
        // `nohup`.
        let caught =
            [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored & (1 << (signal - 1)) == 0);
        let mut signals = Signals::new(caught)?;
        std::thread::spawn(move || {
            for signal in signals.forever() {
                if events.send(Signal(signal).into()).is_err() {
                    // If it fails, the next signal may succeed.
                    let _ = emulate_default_handler(signal);
                }
            }
        });
        Ok(())
    }

    /// Whether a step has ended. It keeps its process id, which may be its group's, until it is waited for.
    pub fn has_ended(step: &Child) -> bool {
        let looking = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        // It fails for a step that was waited for already.
        waitid(WaitId::Pid(Pid::from_child(step)), looking).map_or(true, |status| status.is_some())
    }

    /// The steps' process group.
    ///
    /// Without a terminal the steps get their own group, so that the programs they started (ssh, a hook) end with
    /// them. On a terminal they stay in the run's group: only this foreground group may prompt the user, and Ctrl-C
    /// reaches all of it.
    #[derive(Debug)]
    pub enum Group {
        /// The run's own group.
        Shared,
        /// A group of their own, led by the first step that starts; `None` until that one was started.
        Own(Option<Pid>),
    }

    impl Group {
        /// Returns the group for the steps of a run that begins now.
        pub fn choose() -> Self {
            match std::fs::File::open("/dev/tty") {
                Ok(_) => Self::Shared,
                Err(_) => Self::Own(None),
            }
        }

        /// Makes a command start in the group.
        pub fn admit(&self, command: &mut std::process::Command) {
            if let Self::Own(leader) = self {
                command.process_group(leader.map_or(0, |leader| leader.as_raw_nonzero().get()));
            }
        }

        /// Records that a step was started.
        pub fn joined(&mut self, child: &Child) {
            if let Self::Own(leader @ None) = self {
                *leader = Some(Pid::from_child(child));
            }
        }

        /// Ends the steps.
        pub fn end(&self, steps: &mut [Child], force: Force) {
            let number = match force {
                Force::Ask => Number::TERM,
                Force::Make => Number::KILL,
            };
            match self {
                // The leader has not been waited for yet, so its process id cannot have been reused.
                Self::Own(Some(leader)) => {
                    // It fails if all processes of the group have already ended.
                    let _ = kill_process_group(*leader, number);
                }
                Self::Own(None) => {}
                Self::Shared => {
                    for step in steps {
                        if matches!(step.try_wait(), Ok(None)) {
                            // The step may have ended just now, which is what was wanted.
                            let _ = kill_process(Pid::from_child(step), number);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(not(unix))]
pub use elsewhere::{Group, has_ended, watch};

#[cfg(not(unix))]
mod elsewhere {
    use super::{Child, Force, Sender, Signal};

    /// Does nothing: no events are sent. Without signals, Ctrl-C ends all processes of the console at once, and the
    /// next run reclaims the lock.
    pub fn watch<E: From<Signal> + Send + 'static>(_: Sender<E>) -> std::io::Result<()> {
        Ok(())
    }

    /// Returns true: without signals no step is asked to end.
    pub fn has_ended(_: &Child) -> bool {
        true
    }

    /// The steps, which are ended one by one.
    #[derive(Debug)]
    pub struct Group;

    impl Group {
        /// Returns the only kind of group.
        pub fn choose() -> Self {
            Self
        }

        /// Does nothing.
        pub fn admit(&self, _: &mut std::process::Command) {}

        /// Does nothing.
        pub fn joined(&mut self, _: &Child) {}

        /// Ends the steps.
        pub fn end(&self, steps: &mut [Child], _: Force) {
            for step in steps {
                // It may have ended already.
                let _ = step.kill();
            }
        }
    }
}
