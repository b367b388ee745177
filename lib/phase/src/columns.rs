//! How many columns a text takes on a terminal.
//!
//! Letters of some scripts take two columns and combining marks none: a line that is cut or aligned by counting letters
//! breaks where somebody writes Japanese.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The columns that a line takes.
pub fn of(line: &str) -> usize {
    line.width()
}

/// Cuts a line to so many columns, with an ellipsis where something is missing.
pub fn cut(line: &str, room: usize) -> Cow<'_, str> {
    if of(line) <= room {
        return Cow::Borrowed(line);
    }
    let mut taken = 0;
    let fits = |c: &char| {
        taken += c.width().unwrap_or(0);
        taken < room
    };
    let mut cut: String = line.chars().take_while(fits).collect();
    cut.push('…');
    Cow::Owned(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_measured_by_what_it_takes_on_the_screen() {
        assert_eq!(of("mike"), 4);
        assert_eq!(of("世界"), 4);
        assert_eq!(of("e\u{301}"), 1);
    }

    #[test]
    fn a_line_that_is_cut_fits() {
        assert_eq!(cut("mike", 4), "mike");
        assert_eq!(cut("mikes", 4), "mik…");
        assert_eq!(cut("世界世界", 6), "世界…");
        for room in 1..12 {
            assert!(of(&cut("Grüße, 世界 und alle", room)) <= room, "{room}");
        }
    }
}
