//! Quotes a word as each of the formats that hooks are written in requires.
//!
//! Without it, a path with a space, a percent sign or an ampersand would become another path, or make the file
//! invalid.

/// Quotes a word for `sh`.
pub fn sh(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=+:,@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    sanitize::quoted(word)
}

/// Quotes the command of a crontab, where an unescaped `%` ends the line (crontab(5)).
pub fn cron(line: &str) -> String {
    line.replace('%', r"\%")
}

/// Quotes a word for `ExecStart=` (systemd.service(5), "Command lines").
pub fn systemd(word: &str) -> String {
    let word = word.replace('\\', r"\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    format!("\"{word}\"")
}

/// Quotes a value of a unit file, where `%` begins a specifier (systemd.unit(5)).
pub fn systemd_text(text: &str) -> String {
    text.replace('%', "%%")
}

/// Quotes the text of an XML element.
pub fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Quotes the text of an XML comment, which may not contain two consecutive dashes.
pub fn xml_comment(text: &str) -> String {
    text.replace("--", "-&#45;")
}

/// Quotes a word for a Windows command line, which each program splits itself; no path contains a quotation mark
/// there.
pub fn windows(word: &str) -> String {
    if !word.is_empty() && !word.contains([' ', '\t']) {
        return word.to_owned();
    }
    // Backslashes before the closing quotation mark would escape it.
    let slashes = word.len() - word.trim_end_matches('\\').len();
    format!("\"{word}{}\"", "\\".repeat(slashes))
}

/// Quotes the inside of a JSON string.
pub fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_needs_it_is_quoted() {
        assert_eq!(sh("/home/mike/tools"), "/home/mike/tools");
        assert_eq!(windows(r"C:\tools"), r"C:\tools");
    }

    #[test]
    fn odd_paths_stay_what_they_are() {
        assert_eq!(sh("/home/mike's tools"), r"'/home/mike'\''s tools'");
        assert_eq!(cron("'/a%b'"), r"'/a\%b'");
        assert_eq!(systemd(r#"/a b/100%/$x"\"#), r#""/a b/100%%/$$x\"\\""#);
        assert_eq!(xml("a & b <c>"), "a &amp; b &lt;c&gt;");
        assert_eq!(xml_comment("/a--b---c"), "/a-&#45;b-&#45;-c");
        assert_eq!(windows(r"C:\my tools\"), r#""C:\my tools\\""#);
        assert_eq!(json("a\"\\b"), r#"a\"\\b"#);
    }
}
