//! How far up a repository is looked for, and what ends the search.
//!
//! What is found too far up is another repository, perhaps that of somebody's home directory: a run would commit and push
//! what nobody meant. So it is looked for no further than git does.

use gix::discover::upwards::Options;

/// Up to `GIT_CEILING_DIRECTORIES`, also where it names none of the folders on the way.
pub fn as_far_as_git() -> Options<'static> {
    Options { match_ceiling_dir_or_error: false, ..Options::default() }.apply_environment()
}
