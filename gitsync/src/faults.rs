//! What can go wrong on the way, in the terms of the contract: which exit code, which words.

use contract::Exit;
use phase::Fault;
use remote::Trouble;

/// A trouble with the remote. What stopped the talk on this side, the lost lock above all, goes up as it is.
pub fn of_remote(trouble: Trouble) -> anyhow::Error {
    let exit = match &trouble {
        Trouble::Unreachable(_) | Trouble::Refused(_) => Exit::Unreachable,
        Trouble::NotAllowed(_) => Exit::NotAllowed,
        Trouble::Misconfigured(_) => Exit::Misconfigured,
        Trouble::Local(_) | Trouble::Stopped(_) => Exit::Failed,
    };
    let (message, help) = (trouble.to_string(), trouble.help().map(str::to_owned));
    match (trouble, help) {
        (Trouble::Stopped(reason), _) => reason,
        (_, Some(help)) => Fault::new(exit, message).help(help).into(),
        (_, None) => Fault::new(exit, message).into(),
    }
}
