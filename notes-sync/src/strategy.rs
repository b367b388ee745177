//! Defines the strategies for combining two versions of a note that both sides changed.

use std::{fmt, str::FromStr};

/// How to combine a note that was changed differently on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Strategy {
    /// Keep the local note.
    Ours,
    /// Take the remote's note.
    Theirs,
    /// Concatenate: the local note, an empty line, and the remote's.
    Union,
    /// Take the lines of both, sorted and without duplicates.
    #[default]
    CatSortUniq,
    /// Merge whole records three-way; git does not know this strategy.
    Records,
}

impl Strategy {
    /// All strategies, in the order of the help texts.
    pub const ALL: [Self; 5] = [Self::CatSortUniq, Self::Union, Self::Ours, Self::Theirs, Self::Records];

    /// Returns the name, as spelled in git's configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Theirs => "theirs",
            Self::Union => "union",
            Self::CatSortUniq => "cat_sort_uniq",
            Self::Records => "records",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is not a usable strategy.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UnknownStrategy {
    /// Git has this strategy, but it leaves conflicts to the user.
    #[error("the strategy 'manual' waits for a person to resolve each conflict; choose one of {}", names())]
    Manual,
    /// There is no such strategy.
    #[error("there is no strategy '{name}'; choose one of {}", names())]
    Unknown {
        /// The name.
        name: String,
    },
}

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match Self::ALL.into_iter().find(|strategy| strategy.name() == name) {
            Some(strategy) => Ok(strategy),
            None if name == "manual" => Err(UnknownStrategy::Manual),
            None => Err(UnknownStrategy::Unknown { name: name.to_owned() }),
        }
    }
}

fn names() -> String {
    Strategy::ALL.map(Strategy::name).join(", ")
}
