//! Real servers on loopback, for tests of what only a network shows: sshd, nginx with git's http-backend, `git
//! daemon`, dulwich, and servers that misbehave.
//!
//! Everything they need is in a folder of the test's world, and they end with the value that started them. Where a
//! program is missing the test fails and says what to install: a test that skips itself has never been seen to fail.

mod daemon;
mod dulwich;
mod misbehaving;
mod process;
mod relay;
mod scripted;
mod sshd;
mod web;

pub use daemon::Daemon;
pub use dulwich::Dulwich;
pub use misbehaving::{Manner, Misbehaving};
pub use relay::{Mishap, Passed, Relay, Sender};
pub use scripted::Scripted;
pub use sshd::Sshd;
pub use web::Web;
