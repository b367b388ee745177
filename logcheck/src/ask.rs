//! Asks the user, directly on the terminal: stdin and stdout are pipes of the run.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, IsTerminal, Write},
};

use anyhow::Context as _;

/// What the user wants done about the session logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Save them.
    Save,
    /// Sync anyway.
    Proceed,
    /// No answer: the terminal was closed, or no valid answer was given.
    Nothing,
}

/// How many answers to read until one is valid.
const PATIENCE: usize = 3;

/// Whether the user can be asked: there must be a terminal, and stderr must be one too, since the warning is printed
/// there. A background process of the terminal cannot ask: reading would stop it, while it holds the run's lock.
pub(crate) fn is_possible() -> bool {
    std::io::stderr().is_terminal() && terminal().is_ok_and(|(terminal, _)| is_in_foreground(&terminal))
}

/// Asks until there is an answer.
///
/// # Errors
/// If the terminal cannot be written to or read from.
pub(crate) fn ask() -> anyhow::Result<Answer> {
    let (input, mut output) = terminal().context("the terminal could not be opened")?;
    dialogue(&mut BufReader::new(input), &mut output).context("the terminal could not be asked")
}

fn dialogue(input: &mut impl BufRead, output: &mut impl Write) -> std::io::Result<Answer> {
    for _ in 0..PATIENCE {
        write!(output, "[S]ave or [p]roceed? ")?;
        output.flush()?;
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 {
            writeln!(output)?;
            return Ok(Answer::Nothing);
        }
        if let Some(answer) = understand(&String::from_utf8_lossy(&line)) {
            return Ok(answer);
        }
        writeln!(output, "Enter, s or y saves; p or n proceeds.")?;
    }
    Ok(Answer::Nothing)
}

fn understand(line: &str) -> Option<Answer> {
    match line.trim().to_ascii_lowercase().as_str() {
        "" | "s" | "save" | "/save" | "y" | "yes" => Some(Answer::Save),
        "p" | "proceed" | "n" | "no" => Some(Answer::Proceed),
        _ => None,
    }
}

#[cfg(unix)]
fn terminal() -> std::io::Result<(File, File)> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    Ok((terminal.try_clone()?, terminal))
}

#[cfg(unix)]
fn is_in_foreground(terminal: &File) -> bool {
    rustix::termios::tcgetpgrp(terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// Other systems do not stop a background process that reads from its terminal.
#[cfg(not(unix))]
fn is_in_foreground(_: &File) -> bool {
    true
}

#[cfg(not(unix))]
fn terminal() -> std::io::Result<(File, File)> {
    let input = OpenOptions::new().read(true).write(true).open("CONIN$")?;
    let output = OpenOptions::new().read(true).write(true).open("CONOUT$")?;
    Ok((input, output))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(typed: &str) -> Answer {
        dialogue(&mut typed.as_bytes(), &mut Vec::new()).expect("a vector can be written to")
    }

    #[test]
    fn enter_means_save() {
        assert_eq!(answer("\n"), Answer::Save);
    }

    #[test]
    fn the_first_letter_will_do_in_either_case() {
        for typed in ["s\n", "S\r\n", "y\n", "yes\n", "/save\n"] {
            assert_eq!(answer(typed), Answer::Save, "{typed:?}");
        }
        for typed in ["p\n", "N\n", "no\n", " proceed \n"] {
            assert_eq!(answer(typed), Answer::Proceed, "{typed:?}");
        }
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_asked_for_again_but_not_for_ever() {
        assert_eq!(answer("what?\np\n"), Answer::Proceed);
        assert_eq!(answer("a\nb\nc\np\n"), Answer::Nothing);
    }

    #[test]
    fn a_terminal_that_is_closed_gives_no_answer() {
        assert_eq!(answer(""), Answer::Nothing);
    }
}
