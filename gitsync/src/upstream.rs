//! Determines where a branch is pulled from and pushed to.

use anyhow::Context as _;
use gix::bstr::{BString, ByteSlice as _};
use gix::refs::{FullName, FullNameRef};
use phase::Fault;
use remote::RemoteName;

use crate::faults;

/// The upstream of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The remote.
    pub remote: RemoteName,
    /// The branch's name at the remote, which may differ from the local one.
    pub at_remote: FullName,
    /// The tracking ref, or `None` if none of the remote's refspecs matches the branch.
    pub tracking: Option<FullName>,
    /// What determines the upstream.
    pub said_by: SaidBy,
}

impl Upstream {
    /// Returns its name as shown to people: `origin/main`.
    pub fn shown(&self) -> String {
        format!("{}/{}", self.remote, self.at_remote.shorten())
    }
}

/// What determines the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaidBy {
    /// `branch.<name>.remote` and `branch.<name>.merge`.
    Configuration,
    /// No configuration: it is the branch of the same name. The first push makes it the upstream, as `git push -u`
    /// does.
    Custom,
}

/// Returns the upstream of `branch`.
///
/// # Errors
/// A fault with exit 78 if there is no remote, or if the configuration asks for something unsupported.
pub fn of(repo: &gix::Repository, branch: &FullNameRef) -> anyhow::Result<Upstream> {
    let short = branch.shorten();
    let config = repo.config_snapshot();
    let value = |name: &str| config.plumbing().string_by("branch", Some(short), name);
    let merges = config.plumbing().strings_by("branch", Some(short), "merge").unwrap_or_default();
    let (name, at_remote, said_by) = match (value("remote"), merges.as_slice()) {
        (_, [_, _, ..]) => return Err(several(short).into()),
        (Some(remote), [merge]) => (remote, full_name(merge)?, SaidBy::Configuration),
        (remote, _) => (remote.map_or_else(|| usual_remote(repo), Ok)?, branch.to_owned(), SaidBy::Custom),
    };
    if name == "." {
        return Err(Fault::misconfigured(format!(
            "the upstream of {short} is a local branch, and no remote's"
        ))
        .help(
            "`git branch --unset-upstream` lets the next run push it as a branch of its own, and follow that",
        )
        .into());
    }
    let push_to = value("pushRemote").or_else(|| config.string("remote.pushDefault"));
    if let Some(push_to) = push_to.filter(|push_to| *push_to != name) {
        return Err(Fault::misconfigured(format!(
            "{short} is pulled from {name} and pushed to {push_to}, which is not supported"
        ))
        .help("let branch.<name>.pushRemote and remote.pushDefault name the remote that is pulled from")
        .into());
    }
    let text = name.to_str().context("the name of the remote is not UTF-8")?;
    let remote = RemoteName::parse(text).map_err(faults::of_remote)?;
    let tracking =
        remote::Remote::named(repo, &remote).map_err(faults::of_remote)?.tracking(at_remote.as_ref());
    Ok(Upstream { remote, at_remote, tracking, said_by })
}

/// Returns the remote of a branch for which none is configured: `remote.pushDefault`, the only remote, or `origin`.
fn usual_remote(repo: &gix::Repository) -> Result<BString, Fault> {
    if let Some(default) = repo.config_snapshot().string("remote.pushDefault") {
        return Ok(default);
    }
    let names: Vec<String> = repo.remote_names().iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [] => Err(Fault::misconfigured("this repository has no remote to sync with")
            .help("add one: `git remote add origin URL`")),
        [only] => Ok(only.as_str().into()),
        several if several.iter().any(|name| name == "origin") => Ok("origin".into()),
        several => Err(Fault::misconfigured(format!(
            "the branch has no upstream, and there are several remotes: {}",
            several.join(", ")
        ))
        .help("choose one: `git push -u REMOTE HEAD`")),
    }
}

fn full_name(merge: &BString) -> Result<FullName, Fault> {
    let name =
        FullName::try_from(merge.as_bstr()).ok().filter(|name| name.as_bstr().starts_with(b"refs/heads/"));
    name.ok_or_else(|| {
        Fault::misconfigured(format!("branch.*.merge is '{merge}', which is no branch")).help(
            "it is a full name such as refs/heads/main; `git branch --set-upstream-to=origin/main` sets it",
        )
    })
}

/// Returns the fault for a branch with several upstreams. The help does not advise `git branch --set-upstream-to`,
/// which would add another one.
fn several(branch: &gix::bstr::BStr) -> Fault {
    Fault::misconfigured(format!("{branch} has several upstreams, which is not supported"))
        .help(format!("keep one: `git config --replace-all branch.{branch}.merge refs/heads/{branch}`"))
}
