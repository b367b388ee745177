//! Measures, cuts and wraps text by the columns that it takes on a terminal.
//!
//! Characters of some scripts take two columns and combining marks take none, so a line that is cut or aligned by
//! counting characters breaks with Japanese text, for example.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Returns the number of columns that a line takes.
pub fn of(line: &str) -> usize {
    line.width()
}

/// Cuts a line to at most `room` columns, ending it with an ellipsis if something was cut.
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

/// Wraps a line that is wider than `width` between words. `begun` columns are already used on the first line, and the
/// following lines are indented by `indent`. A single word that is too wide, such as a path, is not broken, nor is
/// text in backticks, so that a command can be copied.
pub fn wrap(line: &str, width: usize, begun: usize, indent: usize) -> Cow<'_, str> {
    if begun + of(line) <= width {
        return Cow::Borrowed(line);
    }
    let mut wrapped = String::with_capacity(line.len() + 16);
    let mut column = begun;
    for (number, word) in words(line).enumerate() {
        let wide = of(word);
        match number {
            0 => column += wide,
            _ if column + 1 + wide > width && column > indent => {
                wrapped.push('\n');
                wrapped.extend(std::iter::repeat_n(' ', indent));
                column = indent + wide;
            }
            _ => {
                wrapped.push(' ');
                column += 1 + wide;
            }
        }
        wrapped.push_str(word);
    }
    Cow::Owned(wrapped)
}

/// Splits a line into words; text in backticks counts as one word.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut is_command = false;
    line.split(move |c| {
        is_command ^= c == '`';
        c == ' ' && !is_command
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_broken_fits_and_loses_no_word() {
        assert_eq!(wrap("all of it fits", 20, 6, 2), "all of it fits");
        assert_eq!(wrap("not all of it fits", 20, 6, 2), "not all of it\n  fits");
        assert_eq!(
            wrap("at /a/path/that/is/too/wide it ends", 12, 4, 2),
            "at\n  /a/path/that/is/too/wide\n  it ends"
        );
        assert_eq!(
            wrap("see what `git status` says there", 20, 0, 2),
            "see what\n  `git status` says\n  there"
        );
        let text = "Grüße, 世界 und alle anderen, die dort sind";
        for width in 12..40 {
            let wrapped = wrap(text, width, 3, 3);
            assert!(wrapped.lines().skip(1).all(|line| of(line) <= width), "{wrapped}");
            assert_eq!(wrapped.split_whitespace().collect::<Vec<_>>().join(" "), text);
        }
    }

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
