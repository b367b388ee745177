//! The witness: a file that only one can make, inside the section.
//!
//! It comes into being with its content, by a link: who finds it in the way knows whose it is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use lock::{Life, Process, Token};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Maker {
    token: Token,
    process: Process,
}

/// What there was to see when the section was entered.
pub enum Entry {
    /// Nobody was inside.
    Alone,
    /// A process had been inside that was killed there.
    OverTheDead,
    /// A living process was inside; it must have been overtaken.
    OverTheLiving(Token),
}

/// The witness in this folder.
pub struct Witness {
    path: PathBuf,
    mine: PathBuf,
}

impl Witness {
    pub fn new(directory: &Path) -> Self {
        let mine = directory.join(format!("witness-{}", std::process::id()));
        Self { path: directory.join("witness"), mine }
    }

    /// Enters the section.
    pub fn enter(&self, token: &Token) -> io::Result<Entry> {
        let maker = Maker { token: token.clone(), process: Process::current() };
        // The last one may still be the witness, of a lock that was lost: written to, it would speak of this one.
        let _ = fs::remove_file(&self.mine);
        fs::write(&self.mine, serde_json::to_string(&maker)?)?;
        let mut entry = Entry::Alone;
        while let Err(error) = fs::hard_link(&self.mine, &self.path) {
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(error);
            }
            let other: Maker = serde_json::from_str(&fs::read_to_string(&self.path)?)?;
            entry = match other.process.life() {
                Life::Dead => Entry::OverTheDead,
                Life::Alive | Life::Unknown => Entry::OverTheLiving(other.token),
            };
            fs::remove_file(&self.path)?;
        }
        Ok(entry)
    }

    /// Leaves the section; says whether it was still this one's.
    pub fn leave(&self, token: &Token) -> io::Result<bool> {
        let maker: Maker = serde_json::from_str(&fs::read_to_string(&self.path)?)?;
        fs::remove_file(&self.path)?;
        Ok(maker.token == *token)
    }
}
