//! Defines the options that every phase has, so that they mean the same everywhere.

use std::{io::IsTerminal, time::Duration};

use camino::Utf8PathBuf;

/// Options of every phase.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Common options")]
pub struct CommonArgs {
    /// The repository [default: the document's, else the one around the current directory].
    #[arg(long, value_name = "DIR")]
    pub repo: Option<Utf8PathBuf>,

    /// Start a new run; do not read stdin.
    #[arg(long)]
    pub fresh: bool,

    /// Write the run document to stdout, even on a terminal.
    #[arg(long, conflicts_with = "human")]
    pub json: bool,

    /// Write the human-readable report to stdout instead of the run document.
    #[arg(long)]
    pub human: bool,

    /// Print nothing but errors on stderr.
    #[arg(short, long)]
    pub quiet: bool,

    /// When to use colour.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,

    /// The caller reports on the whole run: write no report, and of errors only those that the document does not
    /// contain.
    #[arg(long, hide = true, conflicts_with = "human")]
    pub reported_elsewhere: bool,
}

impl CommonArgs {
    /// Whether the run document goes to stdout. If not, nobody reads the document, and the report is the only output.
    pub fn document_to_stdout(&self) -> bool {
        self.json || (!self.human && !std::io::stdout().is_terminal())
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Lock options of the phases that make changes, used if the document carries no lock.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Lock options")]
pub struct LockArgs {
    /// How long to wait while another run holds the lock.
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = duration)]
    pub wait: Duration,

    /// How long another run's lock may show no sign of life before it counts as stale.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub stale_after: Duration,

    /// Work without a lock.
    #[arg(long)]
    pub no_lock: bool,
}

impl Default for LockArgs {
    fn default() -> Self {
        Self { wait: Duration::from_secs(120), stale_after: Duration::from_secs(600), no_lock: false }
    }
}

/// Parses a duration: a number followed by `ms`, `s`, `m` or `h`; a bare number is in seconds.
///
/// # Errors
/// A message for the command line if the text is not a duration, or one that is too long to represent.
pub fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(NOT_A_TIME.into()),
    };
    let number: u64 = number.parse().map_err(|_| NOT_A_TIME)?;
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(|| NOT_A_TIME.into())
}

const NOT_A_TIME: &str = "a length of time is a whole number and ms, s, m or h, such as 30s or 10m";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_unit_and_a_bare_number_is_seconds() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("120s"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("120"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for text in ["", "s", "-1s", "1.5s", "10 m", "10d", "99999999999999999999h", "18446744073709551615h"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
