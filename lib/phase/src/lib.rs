//! What all phases share: reading the document, finding the repository, holding the lock, reporting and exiting.
//!
//! A phase says what it does to a repository and does not touch the streams. If each phase handled them itself,
//! sooner or later one would print into the document, take an empty pipe for "no document" or invent an exit code.

mod args;
mod begin;
mod blocking_io;
mod ceiling;
mod closed;
mod config_parameters;
mod configuration;
mod console;
mod current_dir;
mod environment;
mod fault;
mod generate;
mod guard;
mod guess;
mod hooks;
mod host;
mod identity;
mod input;
mod operation;
mod page;
mod phase;
mod progress;
mod realpath;
mod repository;
mod run;
mod runner;
mod session_logs;
mod settings;
mod tool;
mod turn;

pub mod alternates;
pub mod amount;
pub mod author;
pub mod child;
pub mod clock;
pub mod columns;
pub mod commit;
pub mod escape;
pub mod message;
pub mod programs;

pub use args::{Color, CommonArgs, LockArgs, duration};
pub use console::Console;
pub use current_dir::{from_here, is_there as current_directory_is_there};
pub use environment::taken as taken_from_environment;
pub use fault::{Done, Fault, Verdict};
pub use generate::{OPTION as GENERATE, parse};
pub use guard::{Guard, LockManager, Unlocked};
pub use hooks::{Call, Hooks, OutgoingRef};
pub use host::host_name;
pub use identity::IdentityFile;
pub use operation::Operation;
pub use page::{Page, Styles};
pub use phase::{LockUse, Looked, Phase};
pub use progress::{Held, Progress};
pub use realpath::real_path;
pub use repository::{Named, common_dir, discover, discover_named, place};
pub use run::Run;
pub use runner::{drive, main};
pub use session_logs::SessionLogs;
pub use tool::tool;
pub use turn::{PIPELINE_VARIABLE, Turn};
