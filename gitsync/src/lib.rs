//! .
pub mod durable;
pub mod index;
pub mod path;
pub mod stage;
pub mod tree;
pub mod watch;
pub mod worktree;
