//! Parses `.netrc`: logins by host, as curl reads them for git.
//!
//! See <https://everything.curl.dev/usingcurl/netrc.html>.

/// A login for one host.
#[derive(PartialEq, Eq)]
pub(super) struct Login {
    pub user: String,
    pub password: String,
}

/// Returns the login for `host` in the text of a netrc file: that of the first entry that names the host, or is the
/// default entry, and has both a user and a password.
pub(super) fn find(text: &str, host: &str) -> Option<Login> {
    let mut words = words(text).into_iter().peekable();
    while let Some(word) = words.next() {
        let matches = match word.as_str() {
            "machine" => words.next().is_some_and(|name| name.eq_ignore_ascii_case(host)),
            "default" => true,
            _ => continue,
        };
        let (mut user, mut password) = (None, None);
        while let Some(word) =
            words.next_if(|word| !matches!(word.as_str(), "machine" | "default" | "macdef"))
        {
            match word.as_str() {
                "login" => user = words.next(),
                "password" => password = words.next(),
                "account" => {
                    words.next();
                }
                _ => {}
            }
        }
        if matches && let (Some(user), Some(password)) = (user, password) {
            return Some(Login { user, password });
        }
    }
    None
}

/// Splits the text into words; quoted ones stay whole, comments and macros are left out.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut in_macro = false;
    for line in text.lines() {
        if in_macro {
            in_macro = !line.trim().is_empty();
            continue;
        }
        let mut chars = line.chars().peekable();
        while let Some(first) = chars.next() {
            if first.is_whitespace() {
                continue;
            }
            if first == '#' {
                break;
            }
            let mut word = String::new();
            if first == '"' {
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' => word.extend(chars.next()),
                        c => word.push(c),
                    }
                }
            } else {
                word.push(first);
                while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
                    word.push(c);
                }
            }
            in_macro |= word == "macdef";
            words.push(word);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# servers
machine git.example.com login mike password \"pass word\"
machine other
  login o
  password secret # never shown
macdef init
  machine git.trap login x password y

default login anonymous password guest
";

    fn found(host: &str) -> Option<(String, String)> {
        find(FILE, host).map(|login| (login.user, login.password))
    }

    #[test]
    fn the_entry_of_the_host_is_found_else_the_default() {
        assert_eq!(found("git.example.com"), Some(("mike".into(), "pass word".into())));
        assert_eq!(found("OTHER"), Some(("o".into(), "secret".into())));
        assert_eq!(found("git.trap"), Some(("anonymous".into(), "guest".into())));
    }

    #[test]
    fn an_entry_without_a_password_is_none() {
        assert!(find("machine a login b", "a").is_none());
        assert!(find("", "a").is_none());
    }
}
