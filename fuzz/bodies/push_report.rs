//! What a server says of a push: first what it has, then its report, with the words of its hooks beside it.

use remote::UpdateStatus;

use crate::talk::{Talk, printable};

/// A first byte that is even stands for a server that begins as it should; the rest is its report. Else the bytes are
/// all that it says.
pub fn body(talk: &Talk, bytes: &[u8]) {
    let Some((how, said)) = bytes.split_first() else { return };
    let features = match how % 4 {
        0 => Some("report-status side-band-64k"),
        2 => Some("report-status-v2"),
        _ => None,
    };
    let said = match features {
        Some(features) => [advertisement(features).as_slice(), said].concat(),
        None => said.to_vec(),
    };
    let Ok(pushed) = talk.push(&said) else { return };
    assert_eq!(pushed.answers.len(), 1, "one update, one answer");
    pushed.remote_lines.iter().for_each(|line| printable(line));
    if let UpdateStatus::Rejected { words } = &pushed.answers[0] {
        printable(words);
    }
}

/// A server that has one branch, and not the one that is pushed to.
fn advertisement(features: &str) -> Vec<u8> {
    let line = format!("{} refs/heads/other\0{features}\n", "1".repeat(40));
    format!("{:04x}{line}0000", line.len() + 4).into_bytes()
}
