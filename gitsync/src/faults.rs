//! Converts errors of exchanges with the remote and of ref updates into faults that the user is shown.

use phase::Fault;
use remote::{Notice, RemoteError};
use store::local_ref;

/// Converts an error of an exchange with the remote. An error that was raised on this side, in particular a lost
/// lock, is passed on unchanged.
pub fn of_remote(trouble: RemoteError) -> anyhow::Error {
    let told = |Notice { code, message, help }| Fault::coded(code, message, help).into();
    trouble.notice().map_or_else(|reason| reason, told)
}

/// Converts the error of a ref that could not be written.
pub fn of_ref(failed: local_ref::RefError) -> Fault {
    Fault::coded(1, failed.to_string(), failed.help())
}
