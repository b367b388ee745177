//! Real servers on loopback, for tests of what only a network shows: sshd, nginx with git's http-backend, `git
//! daemon`, and servers that misbehave.
//!
//! Everything they need is in a folder of the test's world, and they end with the value that started them. Where a
//! program is missing the test fails and says what to install: a test that skips itself has never been seen to fail.

mod daemon;
mod misbehaving;
mod process;
mod sshd;
mod web;

pub use daemon::Daemon;
pub use misbehaving::{Manner, Misbehaving};
pub use sshd::Sshd;
pub use web::Web;
