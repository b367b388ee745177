//! What can go wrong beside the talks with the remote and the writing of refs, as the user is told.

use phase::Fault;
use remote::{Notice, Trouble, local_ref};

/// A trouble with the remote. What stopped the talk on this side, the lost lock above all, goes up as it is.
pub fn of_remote(trouble: Trouble) -> anyhow::Error {
    trouble.notice().map_or_else(|reason| reason, |notice| told(notice).into())
}

/// A ref that could not be written.
pub fn of_ref(failed: local_ref::Failed) -> Fault {
    told(failed.into())
}

fn told(Notice { code, message, help }: Notice) -> Fault {
    Fault::coded(code, message, help)
}
