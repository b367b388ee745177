//! Assigns the server's output during a push to the refs that it is about.
//!
//! The output is one stream for all refs, and git's own reason names no more than the hook that declined. If each ref
//! were reported with all of the output, the reason for one would be taken for that of another.

/// Returns for each of `names` the lines about it. A hook prints its reason before git names the declined ref, so
/// lines belong to the ref that is named next. Lines after the last name are about all refs, and go to the first.
pub fn shared_out(lines: &[String], names: &[String]) -> Vec<Vec<String>> {
    let mut of_each = vec![Vec::new(); names.len()];
    let mut unnamed = Vec::new();
    for line in lines {
        unnamed.push(line.clone());
        if let Some(at) = names.iter().position(|name| mentions(line, name)) {
            of_each[at].append(&mut unnamed);
        }
    }
    if let Some(first) = of_each.first_mut() {
        first.append(&mut unnamed);
    }
    of_each
}

/// Whether `name` is in the line, and not as the beginning of a longer name.
fn mentions(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let next = line[at + name.len()..].chars().next();
        !next.is_some_and(|c| c.is_alphanumeric() || "/-_".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(lines: &[&str], names: &[&str]) -> Vec<Vec<String>> {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        shared_out(&owned(lines), &owned(names))
    }

    #[test]
    fn what_a_hook_says_belongs_to_the_ref_that_git_names_next() {
        let lines = [
            "no x",
            "error: hook declined to update refs/notes/x",
            "no xy",
            "error: hook declined to update refs/notes/xy",
        ];
        let [x, xy] = [lines[..2].to_vec(), lines[2..].to_vec()];
        assert_eq!(shared(&lines, &["refs/notes/x", "refs/notes/xy"]), [x.clone(), xy.clone()]);
        assert_eq!(shared(&lines, &["refs/notes/xy", "refs/notes/x"]), [xy, x]);
    }

    #[test]
    fn what_is_about_all_refs_is_told_once() {
        assert_eq!(
            shared(&["closed today"], &["refs/notes/x", "refs/notes/y"]),
            [vec!["closed today"], vec![]]
        );
        assert_eq!(shared(&["closed today"], &["refs/notes/x"]), [vec!["closed today"]]);
        assert_eq!(shared(&["closed today"], &[]), Vec::<Vec<String>>::new());
    }
}
