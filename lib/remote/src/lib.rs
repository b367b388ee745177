//! Talks to a git remote in process: lists its refs, fetches from it and pushes to it.
//!
//! It connects over local paths, `ssh`, `git` and `http(s)`. It also writes the refs of this repository, see
//! [`local_ref`], since a fetch updates many of them.
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
pub mod durable;
mod error;
mod fetch;
mod freshen;
mod heartbeat;
mod history;
mod list;
pub mod local_ref;
mod name;
pub mod object_file;
mod objects;
mod pack;
pub mod permissions;
mod push;
mod recent;
mod remote;
mod shown;
pub mod temporary;
mod terminal;
mod transport;
mod turns;
mod unsupported;
mod view;
mod watch;

pub use backoff::Backoff;
pub use checked_out::other_worktree_on;
pub use error::{Notice, RemoteError, UserMessage};
pub use fetch::{Fetch, Fetched, Moved, Rejected, Why};
pub use freshen::Freshener;
pub use history::{CachedObjects, Commit, History, commit_graph, has_replace_refs};
pub use list::{AdvertisedRef, RefAdvertisement};
pub use name::RemoteName;
pub use objects::Loose;
pub use pack::{
    Receiver,
    keep_file::PackKeep,
    prepared::{CommitRange, ObjectWalk, PreparedPack, VisitedCommit, WalkedObjects},
    single_change::Replaced,
    store::store,
};
pub use push::{Atomicity, Prepared, Push, Pushed, Update, UpdateStatus};
pub use recent::RecentObjects;
pub use remote::{Direction, Remote};
pub use temporary::remove_stale_packs;
pub use turns::PushTurn;
pub use view::clone_view;
pub use watch::{Change, Step, Unwatched, Watcher};

/// Returns the agent string by which this program identifies itself to servers.
fn agent() -> String {
    gix::protocol::agent(concat!("lockstep/", env!("CARGO_PKG_VERSION")))
}
