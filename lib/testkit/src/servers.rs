//! Starts real servers on loopback, for tests of network behaviour.
//!
//! They are sshd, nginx with git's http-backend, `git daemon`, dulwich, and servers that misbehave. Their files are
//! in a directory of the test's world, and they end when the value that started them is dropped. If a program is
//! missing, the test fails and says what to install; it does not return early, because it would then pass without
//! having run.

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
