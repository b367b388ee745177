//! Defines the options of `lockstep bench`.

use camino::Utf8PathBuf;

/// Measure whole runs, and single phases, against a shell script and git that do the same work, and save the results.
///
/// Creates repositories in a temporary directory. Both sides alternate; every run begins with the same state, and the
/// benchmark stops if a run did not do its work.
#[derive(Debug, Clone, clap::Args)]
pub struct Bench {
    /// What to measure; comma-separated [default: all but `scale`].
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',', ignore_case = true)]
    pub scenario: Vec<What>,

    /// How many files the repositories have; comma-separated.
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [20_000, 100_000])]
    pub files: Vec<usize>,

    /// How many pairs of runs to make; a third of them for slow measurements.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub runs: usize,

    /// Only check that the benchmark works: tiny repositories, one pair of runs each.
    #[arg(long, conflicts_with = "files")]
    pub quick: bool,

    /// Measure in DIR, on a disk or in memory, instead of the default temporary directory.
    #[arg(long = "in", value_name = "DIR")]
    pub place: Option<Utf8PathBuf>,

    /// The script to compare with [default: $LOCKSTEP_BASELINE, else bench/sync.sh].
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<Utf8PathBuf>,

    /// Measure the binaries in DIR instead of a release build.
    #[arg(long, value_name = "DIR")]
    pub binaries: Option<Utf8PathBuf>,

    /// Where to write the tables and the plots [default: docs/bench, nowhere with `--quick`].
    #[arg(long, value_name = "DIR")]
    pub out: Option<Utf8PathBuf>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// Nothing to do.
    S1,
    /// One file changed.
    S2,
    /// 50 commits, 1,000 files to pull.
    S3,
    /// 100 local against 100 remote commits.
    S4,
    /// 20,000 notes, 500 changed on each side.
    S5,
    /// 32 clones of one remote, each with a change, all concurrently until all agree.
    S6,
    /// Single phases against the equivalent git commands.
    Steps,
    /// The merge of notes by itself against git's, of up to 120,000 notes.
    Merge,
    /// Nothing to do, and one file changed, over ssh and http to servers on this machine.
    Wire,
    /// The start of each binary, and its size.
    Start,
    /// Nothing to do, on 1,000 to 500,000 files.
    Scale,
}

impl Bench {
    /// Whether `what` is to be measured.
    pub fn wants(&self, what: What) -> bool {
        if self.scenario.is_empty() {
            what != What::Scale || self.quick
        } else {
            self.scenario.contains(&what)
        }
    }

    /// Returns the sizes of repositories.
    pub fn sizes(&self) -> Vec<usize> {
        if self.quick { vec![50] } else { self.files.clone() }
    }

    /// Returns the sizes of repositories for `scale`.
    pub fn scales(&self) -> &'static [usize] {
        if self.quick { &[50] } else { &[1_000, 10_000, 100_000, 500_000] }
    }

    /// Returns how many pairs of runs to make.
    pub fn pairs(&self) -> usize {
        if self.quick { 1 } else { self.runs.max(1) }
    }

    /// Returns how many pairs to make in slow measurements.
    pub fn few_pairs(&self) -> usize {
        self.pairs().div_ceil(3)
    }
}
