//! Signals that ask a run to end, and handing them on to its steps.
//!
//! A run that just died would leave its steps behind, working on under a lock whose owner is dead. So it catches what
//! asks it to end, ends its steps, gives the lock back and only then goes.

use std::{process::Child, sync::mpsc::Sender};

use super::ended::Signal;

/// How a step is asked, or made, to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// It may clean up first.
    Ask,
    /// It is gone at once.
    Make,
}

#[cfg(unix)]
pub use unix::{Group, Watch};

#[cfg(unix)]
mod unix {
    use std::os::unix::process::CommandExt as _;

    use rustix::process::{Pid, Signal as Number, kill_process, kill_process_group};
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::{Handle, Signals},
    };

    use super::{Child, Force, Sender, Signal};

    /// Signals are caught for as long as this lives.
    #[derive(Debug)]
    pub struct Watch(Handle);

    impl Watch {
        /// Sends every signal that asks the run to end to `events`.
        pub fn start<E: From<Signal> + Send + 'static>(events: Sender<E>) -> std::io::Result<Self> {
            let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
            let handle = signals.handle();
            std::thread::spawn(move || {
                for signal in signals.forever() {
                    if events.send(Signal(signal).into()).is_err() {
                        break;
                    }
                }
            });
            Ok(Self(handle))
        }
    }

    impl Drop for Watch {
        fn drop(&mut self) {
            self.0.close();
        }
    }

    /// The steps' process group.
    ///
    /// Where there is no terminal they get a group of their own, so that what they have started (ssh, a hook) ends with
    /// them. On a terminal they stay in the run's: only that group may ask its user something, and Ctrl-C reaches all
    /// of it.
    #[derive(Debug)]
    pub enum Group {
        /// The run's own.
        Shared,
        /// One of their own, led by the first step; `None` until that one was started.
        Own(Option<Pid>),
    }

    impl Group {
        /// The group for the steps of a run that begins now.
        pub fn choose() -> Self {
            match std::fs::File::open("/dev/tty") {
                Ok(_) => Self::Shared,
                Err(_) => Self::Own(None),
            }
        }

        /// Lets the next step start in the group.
        pub fn admit(&self, command: &mut std::process::Command) {
            if let Self::Own(leader) = self {
                command.process_group(leader.map_or(0, |leader| leader.as_raw_nonzero().get()));
            }
        }

        /// Notes that a step was started.
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
                // The leader was not waited for yet, so that the group's number cannot be somebody else's.
                Self::Own(Some(leader)) => {
                    // A group whose processes have all ended needs no ending.
                    let _ = kill_process_group(*leader, number);
                }
                Self::Own(None) => {}
                Self::Shared => {
                    for step in steps {
                        if matches!(step.try_wait(), Ok(None)) {
                            // It may have ended in this very moment, which is what was wanted.
                            let _ = kill_process(Pid::from_child(step), number);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(not(unix))]
pub use elsewhere::{Group, Watch};

#[cfg(not(unix))]
mod elsewhere {
    use super::{Child, Force, Sender, Signal};

    /// Where there are no signals, Ctrl-C ends the console's processes all at once, and the next run reclaims the lock.
    #[derive(Debug)]
    pub struct Watch;

    impl Watch {
        /// Nothing is sent.
        pub fn start<E: From<Signal> + Send + 'static>(_: Sender<E>) -> std::io::Result<Self> {
            Ok(Self)
        }
    }

    /// The steps, which end one by one.
    #[derive(Debug)]
    pub struct Group;

    impl Group {
        /// There is but one kind.
        pub fn choose() -> Self {
            Self
        }

        /// Nothing to be done.
        pub fn admit(&self, _: &mut std::process::Command) {}

        /// Nothing to be noted.
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
