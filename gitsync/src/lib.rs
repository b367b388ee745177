//! `gitsync`: commits everything, fetches, rebases, updates the work tree and pushes; then the same for the vault.
//!
//! It touches work that exists nowhere else. So it looks before it changes anything, decides on facts alone, and
//! changes in an order in which a run that dies at any point can be finished or taken back by the next: objects first,
//! then work tree and index with a record of what they replace, then the branch.
//!
//! [`sync`](sync::sync) is the story from start to end. [`look`], [`refuse`], [`upstream`], [`relate`] find out how
//! things are; [`plan`] decides; [`commit`], [`exchange`], [`rebase`] and [`update`] do; [`ledger`] remembers what to
//! tell. Below them [`stage`] is `git add -A`, [`worktree`] goes from one tree to another, and [`index`] keeps both
//! honest.

pub mod args;
pub mod branch;
mod changed_logs;
pub mod changes;
pub mod commit;
pub mod configured;
pub mod convert;
pub mod dry_run;
pub mod early;
pub mod exchange;
pub mod failpoint;
pub mod faults;
pub mod history;
pub mod hooks;
pub mod index;
pub mod ledger;
pub mod left_behind;
pub mod look;
pub mod message;
pub mod path;
pub mod patience;
pub mod person;
pub mod place;
pub mod plan;
pub mod policy;
pub mod prepared;
pub mod rebase;
pub mod refuse;
pub mod relate;
pub mod report;
pub mod rewrite_notes;
mod run;
pub mod signing;
pub mod stage;
pub mod submodules;
pub mod sync;
pub mod tracking;
pub mod tree;
mod unpushed_submodules;
pub mod update;
pub mod upstream;
pub mod vault;
mod waiting;
pub mod watch;
pub mod wiki;
pub mod worktree;

pub use args::Args as Gitsync;
