//! Decides which updates are sent, and which are answered from the remote's ref advertisement alone.
//!
//! Pure: it only compares ids.

use std::collections::HashMap;

use gix::{ObjectId, bstr::BString};

use super::{Atomicity, Update, UpdateStatus};

/// What to do about each update.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// For each update: its answer, if it need not be sent.
    pub answers: Vec<Option<UpdateStatus>>,
    /// The indexes of the updates to send.
    pub send: Vec<usize>,
}

/// Compares `updates` with the remote's refs.
pub(super) fn plan(updates: &[Update], remote: &HashMap<BString, ObjectId>, together: Atomicity) -> Plan {
    let mut answers: Vec<_> = updates
        .iter()
        .map(|update| {
            let actual = remote.get(update.name.as_bstr()).copied();
            if actual == update.new {
                Some(UpdateStatus::UpToDate)
            } else if actual == update.expected {
                None
            } else {
                Some(UpdateStatus::Stale { actual })
            }
        })
        .collect();
    let stale = answers.iter().any(|answer| matches!(answer, Some(UpdateStatus::Stale { .. })));
    if stale && together == Atomicity::Atomic {
        for answer in &mut answers {
            answer.get_or_insert(UpdateStatus::NotAttempted);
        }
    }
    let send = answers.iter().enumerate().filter(|(_, answer)| answer.is_none()).map(|(at, _)| at).collect();
    Plan { answers, send }
}

/// Returns the answer for `update` after the server's `ng`, if the remote's value is now `actual`.
pub(super) fn refused(update: &Update, actual: Option<ObjectId>, words: &str) -> UpdateStatus {
    if actual == update.new {
        UpdateStatus::UpToDate
    } else if actual == update.expected {
        UpdateStatus::Rejected { words: words.to_owned() }
    } else {
        UpdateStatus::Stale { actual }
    }
}

/// Returns the answer for `update` after the server did something else instead, if the remote's value is now
/// `actual`: whatever that is, a retry would end in the same way.
pub(super) fn elsewhere(update: &Update, actual: Option<ObjectId>, words: String) -> UpdateStatus {
    if actual == update.new { UpdateStatus::UpToDate } else { UpdateStatus::Rejected { words } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[number; 20])
    }

    fn update(name: &str, expected: Option<u8>, new: Option<u8>) -> Update {
        Update { name: name.try_into().unwrap(), expected: expected.map(id), new: new.map(id) }
    }

    fn remote() -> HashMap<BString, ObjectId> {
        HashMap::from([("refs/heads/main".into(), id(2)), ("refs/heads/old".into(), id(5))])
    }

    #[test]
    fn an_update_goes_out_only_from_the_value_that_it_expects() {
        let updates = [
            update("refs/heads/main", Some(2), Some(3)),
            update("refs/heads/main", Some(1), Some(3)),
            update("refs/heads/main", None, Some(3)),
            update("refs/heads/new", None, Some(3)),
            update("refs/heads/new", Some(1), None),
        ];
        let plan = plan(&updates, &remote(), Atomicity::Independent);
        let stale = Some(UpdateStatus::Stale { actual: Some(id(2)) });
        assert_eq!(plan.answers, [None, stale.clone(), stale, None, Some(UpdateStatus::UpToDate)]);
        assert_eq!(plan.send, [0, 3]);
    }

    #[test]
    fn what_is_there_already_is_not_sent_whatever_was_expected() {
        let plan = plan(&[update("refs/heads/main", Some(1), Some(2))], &remote(), Atomicity::Independent);
        assert_eq!(plan.answers, [Some(UpdateStatus::UpToDate)]);
    }

    #[test]
    fn an_atomic_push_with_one_stale_update_sends_none() {
        let updates = [update("refs/heads/main", Some(1), Some(3)), update("refs/heads/old", Some(5), None)];
        let plan = plan(&updates, &remote(), Atomicity::Atomic);
        assert_eq!(
            plan.answers,
            [Some(UpdateStatus::Stale { actual: Some(id(2)) }), Some(UpdateStatus::NotAttempted)]
        );
        assert!(plan.send.is_empty());
    }

    #[test]
    fn a_refusal_is_a_lost_race_only_if_the_remote_has_moved() {
        let wanted = update("refs/heads/main", Some(1), Some(3));
        assert_eq!(
            refused(&wanted, Some(id(2)), "failed to update ref"),
            UpdateStatus::Stale { actual: Some(id(2)) }
        );
        assert_eq!(refused(&wanted, Some(id(1)), "no"), UpdateStatus::Rejected { words: "no".into() });
        assert_eq!(refused(&wanted, Some(id(3)), "no"), UpdateStatus::UpToDate);
    }

    #[test]
    fn what_went_elsewhere_is_no_lost_race_whatever_the_remote_has() {
        let wanted = update("refs/heads/main", Some(1), Some(3));
        let rejected = UpdateStatus::Rejected { words: "elsewhere".into() };
        assert_eq!(elsewhere(&wanted, Some(id(1)), "elsewhere".into()), rejected);
        assert_eq!(elsewhere(&wanted, Some(id(2)), "elsewhere".into()), rejected);
        assert_eq!(elsewhere(&wanted, Some(id(3)), "elsewhere".into()), UpdateStatus::UpToDate);
    }
}
