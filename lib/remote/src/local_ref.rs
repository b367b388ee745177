//! Reading and writing refs of this repository, always by compare-and-swap.

use gix::{
    ObjectId,
    refs::{
        FullName, FullNameRef, Target,
        transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog},
    },
};

use crate::durable;

/// What a local ref is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    Absent,
    Object(ObjectId),
    /// It only points to another ref, like `refs/remotes/origin/HEAD`.
    Symbolic,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Done,
    /// The ref had another value than was expected, and was left alone.
    Moved,
}

/// The value of `name` now.
pub(crate) fn read(repo: &gix::Repository, name: &FullNameRef) -> gix::Result<Value> {
    Ok(match repo.try_find_reference(name)? {
        None => Value::Absent,
        Some(found) => found.target().try_id().map_or(Value::Symbolic, |id| Value::Object(id.to_owned())),
    })
}

/// Writes `new` to ref `name` if it still has the value `old`; deletes it for `None`.
pub(crate) fn write(
    repo: &gix::Repository,
    name: &FullName,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
    message: &str,
) -> gix::Result<Written> {
    let expected = match old {
        Some(id) => PreviousValue::MustExistAndMatch(Target::Object(id)),
        None => PreviousValue::MustNotExist,
    };
    let change = match new {
        Some(id) => Change::Update {
            log: LogChange {
                mode: RefLog::AndReference,
                force_create_reflog: false,
                message: message.into(),
            },
            expected,
            new: Target::Object(id),
        },
        None => Change::Delete { expected, log: RefLog::AndReference },
    };
    let edit = RefEdit { change, name: name.clone(), deref: false };
    let signature;
    let committer = match repo.committer() {
        Some(committer) => committer?,
        // git makes a name up where none is configured; a fetch is no reason to ask for one.
        None => {
            signature = gix::date::Time::now_local_or_utc().to_string();
            gix::actor::SignatureRef {
                name: "unknown".into(),
                email: "unknown@localhost".into(),
                time: &signature,
            }
        }
    };
    match repo.edit_references_as([edit], Some(committer)) {
        Ok(_) => {
            durable::sync_ref(repo, name.as_ref()).map_err(gix::Error::from_error)?;
            Ok(Written::Done)
        }
        Err(error) => {
            let now = match read(repo, name.as_ref())? {
                Value::Object(id) => Some(id),
                Value::Absent | Value::Symbolic => None,
            };
            // Somebody else may have written the very same.
            if now == new {
                Ok(Written::Done)
            } else if now != old {
                Ok(Written::Moved)
            } else {
                Err(error)
            }
        }
    }
}
