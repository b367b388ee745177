//! Shows a line diff of two texts, before any of the user's files is changed.

use owo_colors::OwoColorize as _;
use phase::{Page, escape};

/// The number of context lines.
const AROUND: usize = 2;

/// A line of a diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Both(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// Draws the differences, with a few lines of context.
pub fn draw(before: &str, after: &str, page: &mut Page) {
    let lines = lines(before, after);
    let near = |index: usize| {
        let around = index.saturating_sub(AROUND)..lines.len().min(index + AROUND + 1);
        lines.get(around).unwrap_or_default().iter().any(|line| !matches!(line, Line::Both(_)))
    };
    let mut skipped = false;
    for (index, line) in lines.iter().enumerate() {
        if !near(index) {
            skipped = true;
            continue;
        }
        if std::mem::take(&mut skipped) {
            page.line("    …".style(page.styles.faint));
        }
        match line {
            Line::Both(text) => page.line(format_args!("    {}", escape::line(text))),
            Line::Gone(text) => {
                page.line(format_args!("  - {}", escape::line(text)).style(page.styles.error))
            }
            Line::New(text) => page.line(format_args!("  + {}", escape::line(text)).style(page.styles.good)),
        }
    }
}

/// Returns the lines that stay, go and come. The common beginning and end, usually most of the text, are split off
/// first.
fn lines<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let shorter = old.len().min(new.len());
    let head = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let alike_at_end = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let tail = alike_at_end.min(shorter - head);
    let both = |lines: &[&'a str]| lines.iter().map(|line| Line::Both(line)).collect::<Vec<_>>();
    let mut all = both(&old[..head]);
    all.extend(middle(&old[head..old.len() - tail], &new[head..new.len() - tail]));
    all.extend(both(&old[old.len() - tail..]));
    all
}

/// Computes the diff by the longest common subsequence.
fn middle<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for (i, old_line) in old.iter().enumerate().rev() {
        for (j, new_line) in new.iter().enumerate().rev() {
            common[i * width + j] = if old_line == new_line {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    loop {
        match (old.get(i), new.get(j)) {
            (None, None) => return lines,
            (Some(line), Some(same)) if line == same => {
                lines.push(Line::Both(line));
                (i, j) = (i + 1, j + 1);
            }
            (Some(line), None) => {
                lines.push(Line::Gone(line));
                i += 1;
            }
            (Some(line), Some(_)) if common[(i + 1) * width + j] >= common[i * width + j + 1] => {
                lines.push(Line::Gone(line));
                i += 1;
            }
            (_, Some(line)) => {
                lines.push(Line::New(line));
                j += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use phase::Styles;

    fn drawn(before: &str, after: &str) -> String {
        let mut page = Page::new(Styles::default(), None);
        draw(before, after, &mut page);
        page.take()
    }

    #[test]
    fn only_what_changes_is_shown_and_a_little_around_it() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n";
        let after = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n";
        assert_eq!(
            drawn(before, after),
            "    …\n    3\n    4\n  - 5\n  + five\n    6\n    7\n    8\n  + 9\n"
        );
    }

    #[test]
    fn what_is_new_or_gone_as_a_whole_is_shown_as_a_whole() {
        assert_eq!(drawn("", "a\nb\n"), "  + a\n  + b\n");
        assert_eq!(drawn("a\na\n", "a\n"), "    a\n  - a\n");
        assert_eq!(drawn("a\n", ""), "  - a\n");
    }
}
