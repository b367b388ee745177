//! Formats numbers, names, times and lists for people.

use std::time::Duration;

use phase::{Page, columns};

/// How many lines of a kind are shown before the rest is only counted.
pub const FOLD: usize = 10;

/// The width of a list if stdout is not a terminal.
const WIDTH: usize = 100;

/// Formats a number with its noun: `1 commit`, `2 commits`.
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Joins names: `Ann, Bob and Cid`.
pub fn names(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

/// Abbreviates an object id to its first nine digits.
pub fn short(id: &str) -> &str {
    id.get(..9).unwrap_or(id)
}

/// Formats a duration: `0.4 s`, `12 s`, `3 min 5 s`.
pub fn time(took: Duration) -> String {
    match took.as_secs() {
        0..10 => format!("{:.1} s", took.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Writes a list after a label, wrapped between items at the page's width; continuation lines are indented to the
/// label's width.
pub fn list(page: &mut Page, label: &str, items: impl IntoIterator<Item = String>) {
    let width = page.width.unwrap_or(WIDTH);
    let indent = columns::of(label);
    let mut line = label.to_owned();
    let mut column = indent;
    let mut items = items.into_iter().peekable();
    while let Some(item) = items.next() {
        let item = phase::escape::line(&item) + if items.peek().is_some() { "," } else { "" };
        let length = columns::of(&item);
        if column > indent && column + 1 + length > width {
            page.line(&line);
            line = " ".repeat(indent);
            column = indent;
        }
        if column > indent {
            line.push(' ');
            column += 1;
        }
        line.push_str(&item);
        column += length;
    }
    page.line(line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use phase::Styles;

    #[test]
    fn numbers_agree_with_their_nouns() {
        assert_eq!(count(0, "commit"), "0 commits");
        assert_eq!(count(1, "commit"), "1 commit");
        assert_eq!(count(2, "commit"), "2 commits");
    }

    #[test]
    fn people_are_listed_as_in_a_sentence() {
        let list = |names_: &[&str]| names(&names_.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(list(&["Ann"]), "Ann");
        assert_eq!(list(&["Ann", "Bob"]), "Ann and Bob");
        assert_eq!(list(&["Ann", "Bob", "Cid"]), "Ann, Bob and Cid");
    }

    #[test]
    fn times_are_as_exact_as_they_matter() {
        assert_eq!(time(Duration::from_millis(420)), "0.4 s");
        assert_eq!(time(Duration::from_millis(12_900)), "12 s");
        assert_eq!(time(Duration::from_secs(185)), "3 min 5 s");
    }

    #[test]
    fn a_list_breaks_between_items_and_keeps_its_column() {
        let mut page = Page::new(Styles::default(), Some(20));
        list(&mut page, "  new  ", ["acme.md", "beta.md", "corp.md"].map(str::to_owned));
        assert_eq!(page.as_str(), "  new  acme.md,\n       beta.md,\n       corp.md\n");
    }
}
