//! A ref of this repository that cannot be read, told as what it is.
//!
//! Who talks with a remote goes through all refs here to say what is there already. One that holds no id makes the whole
//! talk fail, and looks like a failure of the remote.

use super::Failed;

/// The first ref that cannot be read, if there is one.
pub(crate) fn find(repo: &gix::Repository) -> Option<Failed> {
    let refs = match repo.references() {
        Ok(refs) => refs,
        Err(error) => return Some(Failed::Broken { words: words::error(&error) }),
    };
    let mut all = match refs.all() {
        Ok(all) => all,
        Err(error) => return Some(Failed::Broken { words: words::error(&error) }),
    };
    let error = all.find_map(Result::err)?;
    Some(Failed::Broken { words: words::error(&error) })
}
