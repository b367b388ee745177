//! Decides what to do with one notes ref, from facts alone.

use gix::ObjectId;

use crate::{
    clobbered::{Clobbered, Repair},
    rescue::{Fate, Lost},
};

/// What is known about one ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The local commit; `None` if the ref does not exist.
    pub local: Option<ObjectId>,
    /// The remote's commit; `None` if the ref does not exist there, or is not known.
    pub theirs: Option<ObjectId>,
    /// Tips that are missing from the local history, the oldest first.
    pub lost: Vec<Lost>,
    /// Commits that undid other writers' notes, each after those that its `parent_lacks` and `read_lacks` list.
    pub undone: Vec<Clobbered>,
}

/// The steps that bring notes into the local ref. They are made one after the other in memory, and the ref is updated
/// once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Merge a tip back in that a racing writer dropped.
    Rescue(ObjectId),
    /// Compute the tree that a commit should have had which unknowingly undid something, and put back what is missing
    /// if the repair is due.
    Restore(Clobbered),
    /// Merge the remote's commit, or fast-forward to it.
    Join(ObjectId),
}

/// Decides the steps. A lost tip may itself be based on a commit that undid something, so those are repaired after
/// all lost tips are merged; the remote's commit comes last, so that its merge sees all local notes.
pub fn plan(facts: &Facts) -> Plan {
    let mut steps = Vec::new();
    if facts.local.is_some() {
        steps.extend(facts.lost.iter().filter_map(|lost| match lost.fate {
            Fate::Rescue => Some(Step::Rescue(lost.commit)),
            Fate::Report => None,
        }));
        if facts.undone.iter().any(|undone| undone.repair == Repair::Due) {
            steps.extend(facts.undone.iter().cloned().map(Step::Restore));
        }
    }
    if let Some(theirs) = facts.theirs.filter(|_| facts.theirs != facts.local) {
        steps.push(Step::Join(theirs));
    }
    Plan { steps }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ObjectId {
        ObjectId::try_from([number; 20].as_slice()).expect("20 bytes")
    }

    fn facts(local: Option<u8>, theirs: Option<u8>) -> Facts {
        Facts { local: local.map(id), theirs: theirs.map(id), lost: Vec::new(), undone: Vec::new() }
    }

    #[test]
    fn the_same_on_both_sides_is_nothing_to_do() {
        assert_eq!(plan(&facts(Some(1), Some(1))), Plan::default());
        assert_eq!(plan(&facts(Some(1), None)), Plan::default());
        assert_eq!(plan(&facts(None, None)), Plan::default());
    }

    #[test]
    fn what_was_lost_is_merged_before_what_the_remote_has() {
        let lost = [(7, Fate::Rescue), (8, Fate::Report)];
        let lost = lost.map(|(number, fate)| Lost { commit: id(number), fate }).to_vec();
        let facts = Facts { lost, ..facts(Some(1), Some(2)) };
        assert_eq!(plan(&facts).steps, [Step::Rescue(id(7)), Step::Join(id(2))]);
    }

    #[test]
    fn a_ref_that_is_only_at_the_remote_is_taken() {
        assert_eq!(plan(&facts(None, Some(2))).steps, [Step::Join(id(2))]);
    }
}
