//! Converts errors of exchanges with the remote and of ref updates into faults that the user is shown.

use phase::Fault;
use remote::{Notice, RemoteError, local_ref};

/// Converts an error of an exchange with the remote. An error that was raised on this side, in particular a lost
/// lock, is passed on unchanged.
pub fn of_remote(trouble: RemoteError) -> anyhow::Error {
    trouble.notice().map_or_else(|reason| reason, |notice| told(notice).into())
}

/// Converts the error of a ref that could not be written.
pub fn of_ref(failed: local_ref::RefError) -> Fault {
    told(failed.into())
}

fn told(Notice { code, message, help }: Notice) -> Fault {
    Fault::coded(code, message, help)
}
