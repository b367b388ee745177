//! `gitsync`: commits everything, fetches, rebases, updates the working tree and pushes; then the same for the vault.
//!
//! It handles work that exists nowhere else. It therefore inspects everything before it changes anything, decides
//! from those facts alone, and orders its changes so that the next run can finish or undo a run that died at any
//! point: objects first, then the working tree and the index with a journal of what they replace, then the branch.
//!
//! [`sync`](sync::sync) contains the whole sequence. [`look`], [`refuse`], [`upstream`] and [`relate`] gather the
//! facts; [`plan`] decides; [`commit`], [`exchange`], [`rebase`] and [`update`] act; [`ledger`] records what to
//! report. Below them, [`stage`] is `git add -A`, [`worktree`] takes the working tree from one tree to another, and
//! [`index`] reads and writes the index.

pub mod args;
pub mod branch;
mod changed_logs;
pub mod changes;
pub mod commit;
pub mod commit_template;
pub mod configured;
pub mod context;
pub mod convert;
pub mod dry_run;
pub mod exchange;
pub mod failpoint;
pub mod faults;
pub mod history;
pub mod ident;
pub mod index;
pub mod ledger;
pub mod look;
pub mod message;
pub mod path;
pub mod patience;
pub mod plan;
pub mod policy;
pub mod prefetch;
pub mod rebase;
pub mod refuse;
pub mod relate;
pub mod report;
pub mod rewrite_notes;
mod run;
pub mod signing;
pub mod stage;
pub mod stale_refs;
pub mod submodules;
pub mod sync;
pub mod tracking;
pub mod tree;
mod unpushed_submodules;
pub mod update;
pub mod upstream;
pub mod vault;
pub mod watch;
pub mod wiki;
pub mod worktree;

pub use args::Args as Gitsync;
