//! What happened, as the workers wrote it down, and whether it may have.

use std::{
    collections::HashSet,
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use contract::ReclaimReason;
use lock::Token;

/// One line of a worker's log.
pub enum Event {
    Acquired {
        at: SystemTime,
        reason: Option<ReclaimReason>,
    },
    Released {
        at: SystemTime,
    },
    /// The witness of a process that was killed inside was in the way.
    OverTheDead,
    /// The witness of a living process was in the way: this token's.
    Overtook(Token),
    /// The section was left, and had been this token's alone.
    Left(Token),
    /// At its end the section was another's, although the lock was this token's.
    Intruded(Token),
    /// The lock was no longer this token's.
    Lost(Token),
    LockError(String),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = |at: &SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        match self {
            Self::Acquired { at, reason: None } => write!(f, "acquired {} free", nanoseconds(at)),
            Self::Acquired { at, reason: Some(ReclaimReason::OwnerDead) } => {
                write!(f, "acquired {} dead", nanoseconds(at))
            }
            Self::Acquired { at, reason: Some(ReclaimReason::Expired) } => {
                write!(f, "acquired {} expired", nanoseconds(at))
            }
            Self::Released { at } => write!(f, "released {}", nanoseconds(at)),
            Self::OverTheDead => write!(f, "over-the-dead"),
            Self::Overtook(token) => write!(f, "overtook {token}"),
            Self::Left(token) => write!(f, "left {token}"),
            Self::Intruded(token) => write!(f, "intruded {token}"),
            Self::Lost(token) => write!(f, "lost {token}"),
            Self::LockError(trouble) => write!(f, "trouble {trouble}"),
        }
    }
}

/// What happened in one part of the hammering.
#[derive(Debug, Default)]
pub struct Account {
    pub acquisitions: u64,
    pub kills: u64,
    pub stops: u64,
    pub scripts: u64,
    owner_dead: u64,
    expired: u64,
    over_the_dead: u64,
    lost: u64,
    /// Twice inside, for certain.
    violations: Vec<String>,
    troubles: Vec<String>,
}

/// The head of the table.
pub const HEADER: &str = "\
| | acquisitions | by scripts | kill -9 | SIGSTOP | reclaimed: dead | reclaimed: expired | owners that found out | two inside |
|---|---|---|---|---|---|---|---|---|";

impl Account {
    /// Draws up the account from the workers' logs.
    pub fn of(logs: &[String]) -> Self {
        let mut account = Self::default();
        let mut overtaken = HashSet::new();
        let mut left = HashSet::new();
        for line in logs.iter().flat_map(|log| log.lines()) {
            let words: Vec<_> = line.splitn(3, ' ').collect();
            match words[..] {
                ["acquired", _, reason] => {
                    account.acquisitions += 1;
                    account.owner_dead += u64::from(reason == "dead");
                    account.expired += u64::from(reason == "expired");
                }
                ["over-the-dead"] => account.over_the_dead += 1,
                ["overtook", token] => drop(overtaken.insert(token.to_owned())),
                ["left", token] => drop(left.insert(token.to_owned())),
                ["intruded", token] => account.violations.push(format!("{token} was intruded upon")),
                ["lost", _] => account.lost += 1,
                ["trouble", ..] => account.troubles.push(line.to_owned()),
                // A killed worker's last line may be half a line.
                _ => {}
            }
        }
        let both = overtaken.intersection(&left);
        account
            .violations
            .extend(both.map(|token| format!("{token} was overtaken, and left as if it had not been")));
        account
    }

    /// Adds what somebody saw who writes no log.
    pub fn add_violations(&mut self, violations: Vec<String>) {
        self.violations.extend(violations);
    }

    /// Whether there never were two inside, and nothing else went wrong.
    pub fn is_whole(&self) -> bool {
        for line in self.violations.iter().chain(&self.troubles) {
            eprintln!("{line}");
        }
        self.violations.is_empty() && self.troubles.is_empty()
    }

    /// Its row of the table.
    pub fn row(&self, name: &str) -> String {
        let Self { acquisitions, scripts, kills, stops, owner_dead, expired, lost, violations, .. } = self;
        let violations = violations.len();
        format!(
            "| {name} | {acquisitions} | {scripts} | {kills} | {stops} | {owner_dead} | {expired} | {lost} | {violations} |"
        )
    }
}

/// The times between each release and the acquisition that followed it, in order of length.
pub fn handovers(logs: &[String]) -> Vec<Duration> {
    let mut moments = Vec::new();
    for line in logs.iter().flat_map(|log| log.lines()) {
        let words: Vec<_> = line.split(' ').collect();
        if let [what @ ("acquired" | "released"), at, ..] = words[..]
            && let Ok(at) = at.parse::<u64>()
        {
            moments.push((at, what));
        }
    }
    moments.sort_unstable();
    let mut times: Vec<_> = moments
        .windows(2)
        .filter(|pair| (pair[0].1, pair[1].1) == ("released", "acquired"))
        .map(|pair| Duration::from_nanos(pair[1].0 - pair[0].0))
        .collect();
    times.sort_unstable();
    times
}
