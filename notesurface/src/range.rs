//! Decides which range of history to examine, from facts alone.

use gix::ObjectId;

/// What is known about the repository and the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The commits up to which notes have been shown; `None` if none ever were.
    pub(crate) surfaced: Option<Vec<ObjectId>>,
    /// What this run fetched.
    pub(crate) pulled: Option<Pulled>,
    /// The commit of the branch's upstream, as last fetched.
    pub(crate) upstream: Option<ObjectId>,
    /// The commit of HEAD.
    pub(crate) head: Option<ObjectId>,
}

/// What a run fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pulled {
    /// The upstream before; `None` if there was none.
    pub(crate) from: Option<ObjectId>,
    /// The upstream after.
    pub(crate) to: ObjectId,
}

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The notes that have not been shown yet.
    New,
    /// The notes added after this commit.
    Since(ObjectId),
    /// All notes.
    All,
}

/// A range of history: what is reachable from `tip` but not from `seen`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    /// The newest commit.
    pub(crate) tip: ObjectId,
    /// The commits up to which nothing is new; if empty, everything is.
    pub(crate) seen: Vec<ObjectId>,
}

impl Facts {
    /// Returns the newest commit: that of the upstream, else HEAD's.
    pub(crate) fn newest(&self) -> Option<ObjectId> {
        self.upstream.or(self.head)
    }
}

impl Range {
    /// Returns the range to examine; `None` if there is no history.
    ///
    /// What others wrote is in the upstream, whether or not it has reached the working tree. If nothing was ever
    /// shown, what this run fetched is new, and what was there before is not.
    pub(crate) fn of(facts: &Facts, asked: Asked) -> Option<Self> {
        let tip = facts.newest();
        let range = |tip, seen| Some(Self { tip, seen });
        match (asked, &facts.surfaced, facts.pulled) {
            (Asked::All, _, _) => range(tip?, Vec::new()),
            (Asked::Since(commit), _, _) => range(tip?, vec![commit]),
            (Asked::New, Some(surfaced), _) => range(tip?, surfaced.clone()),
            (Asked::New, None, Some(Pulled { from, to })) => range(to, from.into_iter().collect()),
            (Asked::New, None, None) => range(tip?, vec![tip?]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: u8) -> ObjectId {
        ObjectId::from_hex(&[digit; 40]).expect("forty digits")
    }

    fn range(facts: &Facts, asked: Asked) -> (ObjectId, Vec<ObjectId>) {
        let Range { tip, seen } = Range::of(facts, asked).expect("there is history");
        (tip, seen)
    }

    #[test]
    fn the_pointer_goes_before_what_this_run_brought_in_so_that_nothing_is_skipped() {
        let facts = Facts {
            surfaced: Some(vec![id(b'1')]),
            pulled: Some(Pulled { from: Some(id(b'2')), to: id(b'3') }),
            upstream: Some(id(b'4')),
            head: Some(id(b'5')),
        };
        assert_eq!(range(&facts, Asked::New), (id(b'4'), vec![id(b'1')]));
        assert_eq!(range(&facts, Asked::All), (id(b'4'), vec![]));
        assert_eq!(range(&facts, Asked::Since(id(b'9'))), (id(b'4'), vec![id(b'9')]));
    }

    #[test]
    fn without_a_pointer_what_this_run_brought_in_is_new() {
        let mut facts = Facts {
            pulled: Some(Pulled { from: Some(id(b'2')), to: id(b'3') }),
            upstream: Some(id(b'4')),
            ..Default::default()
        };
        assert_eq!(range(&facts, Asked::New), (id(b'3'), vec![id(b'2')]));
        facts.pulled = Some(Pulled { from: None, to: id(b'3') });
        assert_eq!(range(&facts, Asked::New), (id(b'3'), vec![]));
    }

    #[test]
    fn without_a_pointer_and_without_news_nothing_is_new() {
        let mut facts = Facts { head: Some(id(b'5')), ..Default::default() };
        assert_eq!(range(&facts, Asked::New), (id(b'5'), vec![id(b'5')]));
        facts.upstream = Some(id(b'4'));
        assert_eq!(range(&facts, Asked::New), (id(b'4'), vec![id(b'4')]));
    }

    #[test]
    fn before_the_first_commit_there_is_nothing_to_look_at() {
        assert_eq!(Range::of(&Facts::default(), Asked::New), None);
        assert_eq!(Range::of(&Facts::default(), Asked::All), None);
    }
}
