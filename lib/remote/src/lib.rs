//! Talks to a git remote in process: lists its refs, fetches from it and pushes to it.
//!
//! It connects over local paths, `ssh`, `git` and `http(s)`. What comes in is written to the repository, and what goes
//! out is read from it, by the crate `store`.
//!
//! Without this crate, each phase would either start `git` or implement its own half of the protocol, and each would
//! forget something else: the stall limit, the prompt that must not appear, the password in the error message.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use remote::{Fetch, Remote, RemoteName, Unwatched};
//!
//! let repo = gix::open(".")?;
//! let origin = Remote::named(&repo, &RemoteName::parse("origin")?)?;
//! for moved in origin.fetch(&Fetch::configured(), &Unwatched)?.moved {
//!     // `moved.local` went from `moved.old` to `moved.new`.
//! #   let _ = moved;
//! }
//! # Ok(())
//! # }
//! ```

mod backoff;
mod bracketed;
mod checked_out;
mod credentials;
mod direct;
mod error;
mod fetch;
mod heartbeat;
mod list;
mod name;
mod push;
mod remote;
mod shown;
mod terminal;
mod transport;
mod turns;
mod unsupported;
mod watch;

pub use backoff::Backoff;
pub use checked_out::other_worktree_on;
pub use error::{Notice, RemoteError, UserMessage};
pub use fetch::{Fetch, Fetched, Moved, Rejected, Why};
pub use list::{AdvertisedRef, RefAdvertisement};
pub use name::RemoteName;
pub use push::{Atomicity, Prepared, Push, Pushed, Update, UpdateStatus};
pub use remote::{Direction, Remote};
pub use turns::PushTurn;
pub use watch::{Change, Step, Unwatched, Watcher};

/// Returns the agent string by which this program identifies itself to servers.
fn agent() -> String {
    gix::protocol::agent(concat!("lockstep/", env!("CARGO_PKG_VERSION")))
}
