//! Selects the remedy for a push that a server refuses entirely.
//!
//! A rule of the server's owner, a directory that is not writable and a full disk all arrive as the same refusal, and
//! only the server's text tells them apart. The text decides on the remedy, and on nothing else.

use crate::RemoteError;

/// The error for a push that the server `called` refused for the reason in `words`, after it had sent `messages`.
pub(super) fn refused(called: &str, words: &str, messages: &[String]) -> RemoteError {
    let said: Vec<&str> = messages.iter().map(String::as_str).chain([words]).collect();
    let said = said.join("; ");
    RemoteError::refused(format!("{called} refused the push: {said}"), help(&said))
}

fn help(said: &str) -> &'static str {
    // The last two are git's own, of a write that came to nothing without an error.
    const FULL: [&str; 5] = [
        "no space left on device",
        "disk quota exceeded",
        "file too large",
        "out of diskspace",
        "disk full?",
    ];
    const NOT_WRITABLE: [&str; 5] = [
        "read-only file system",
        "permission denied",
        "insufficient permission",
        "unable to create temporary",
        "unable to migrate objects to permanent storage",
    ];
    let said = said.to_lowercase();
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| said.contains(phrase));
    if has(&FULL) {
        "there is no room left where the remote's folder is: make some (`df -h` and `quota` there say more)"
    } else if has(&NOT_WRITABLE) {
        "the remote's folder cannot be written to: see there who may (`ls -ld objects`), whether its disk is full (`df -h`) \
         and whether it is mounted read-only"
    } else {
        "the server's owner sets such rules: change what is pushed, or ask for another limit"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_is_about_what_the_server_says() {
        for (said, remedy) in [
            ("unable to create temporary object directory", "cannot be written to"),
            ("error: insufficient permission for adding an object to repository database objects", "who may"),
            ("fatal: Unable to create 'objects/pack/tmp': Read-only file system", "mounted read-only"),
            ("fatal: write error: No space left on device; unpack-objects abnormal exit", "no room left"),
            ("unable to write file: Disk quota exceeded", "no room left"),
            ("fatal: sha1 file 'objects/pack/tmp_rev_a' write error. Out of diskspace", "no room left"),
            ("fatal: write error: disk full?", "no room left"),
            ("fatal: pack exceeds maximum allowed size (2.00 KiB)", "ask for another limit"),
        ] {
            let trouble = refused("remote 'origin' at /x", said, &[]);
            assert!(trouble.help().unwrap().contains(remedy), "{said}: {:?}", trouble.help());
        }
    }
}
