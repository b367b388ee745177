//! The ways to combine two versions of a note that both sides changed, by the names that users give them.

use std::{fmt, str::FromStr};

/// How a note is combined that was changed differently on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Strategy {
    /// The local note stays as it is.
    Ours,
    /// The remote's note replaces the local one.
    Theirs,
    /// The local note, an empty line, and the remote's.
    Union,
    /// All lines of both, sorted, each once.
    #[default]
    CatSortUniq,
    /// A three-way merge of whole records; git does not know this one.
    Records,
}

impl Strategy {
    /// All of them, in the order in which help texts name them.
    pub const ALL: [Self; 5] = [Self::CatSortUniq, Self::Union, Self::Ours, Self::Theirs, Self::Records];

    /// The name, as git's configuration spells it.
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

/// A name that is no strategy.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UnknownStrategy {
    /// Git has it, but it leaves the conflict to a person.
    #[error("the strategy 'manual' waits for a person to resolve each conflict; choose one of {}", names())]
    Manual,
    /// Nobody has it.
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
