//! Fills in templates, which are separate files below `xtask/templates`, so that a reader sees what will be written.

/// Fills the gaps of a template: `{{name}}` is replaced by the value of that name.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, gap, after)) = rest
        .split_once("{{")
        .and_then(|(before, rest)| rest.split_once("}}").map(|(gap, after)| (before, gap, after)))
    {
        filled.push_str(before);
        // Values are not searched for gaps: a path may contain braces.
        if let Some((_, value)) = values.iter().find(|(name, _)| *name == gap) {
            filled.push_str(value);
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_filled_and_what_fills_them_is_no_template() {
        let values = [("repo", "/a/{{name}}"), ("name", "mike")];
        assert_eq!(fill("sync {{repo}} of {{name}}.\n", &values), "sync /a/{{name}} of mike.\n");
        assert_eq!(fill("as it is", &values), "as it is");
    }
}
