//! Reads the facts about the remote: its configuration and its answer.

use gix::refs::FullName;
use remote::{Direction, Remote, RemoteError, RemoteName, Unwatched};
use store::local_ref;

use crate::doctor::facts::{Answer, RemoteFacts, Told, Upstream};

/// Returns the remote that runs use: the branch's, else `origin`, else the only one.
pub fn remote(
    repo: &gix::Repository,
    remotes: &[String],
    upstream: &Upstream,
    ask: bool,
) -> Option<RemoteFacts> {
    let origin = || remotes.iter().find(|name| *name == "origin");
    let only = || remotes.first().filter(|_| remotes.len() == 1);
    let name = upstream.remote.as_ref().filter(|name| *name != ".").or_else(origin).or_else(only)?;
    let broken = |trouble: RemoteError| RemoteFacts {
        name: name.clone(),
        url: String::new(),
        is_ssh: false,
        refspecs: Vec::new(),
        unsupported: Vec::new(),
        answer: Answer::Trouble(told(&trouble)),
    };
    let found = RemoteName::parse(name).and_then(|name| Remote::named(repo, &name));
    Some(match found {
        Err(trouble) => broken(trouble),
        Ok(remote) => RemoteFacts {
            name: name.clone(),
            url: remote.shown_url(Direction::Fetch),
            is_ssh: is_ssh(repo, name),
            refspecs: remote.fetch_refspecs().collect(),
            unsupported: unsupported(&remote, upstream),
            answer: if ask { listed(&remote) } else { Answer::NotAsked },
        },
    })
}

/// Returns what runs would refuse before they change anything.
fn unsupported(remote: &Remote<'_>, upstream: &Upstream) -> Vec<Told> {
    let branch = local_ref::head(remote.repo()).ok().flatten();
    let destination = branch.map_or(Ok(()), |branch| {
        let merge = upstream.merges.first().and_then(|merge| FullName::try_from(merge.as_str()).ok());
        remote.check_destination(branch.as_ref(), merge.as_ref().unwrap_or(&branch).as_ref())
    });
    let checked = [remote.check_fetch(), remote.check_push(), destination];
    checked.iter().filter_map(|checked| checked.as_ref().err()).map(told).collect()
}

fn listed(remote: &Remote<'_>) -> Answer {
    match remote.list(&["refs/heads/"], &Unwatched) {
        Ok(listing) => {
            let names = listing.refs.iter().map(|listed| listed.name.as_bstr().to_string());
            Answer::Branches(names.filter(|name| name.starts_with("refs/heads/")).collect())
        }
        Err(trouble) => Answer::Trouble(told(&trouble)),
    }
}

fn is_ssh(repo: &gix::Repository, name: &str) -> bool {
    let found = repo.try_find_remote(name).and_then(Result::ok);
    let url = found.as_ref().and_then(|remote| remote.url(gix::remote::Direction::Fetch));
    url.is_some_and(|url| url.scheme == gix::url::Scheme::Ssh)
}

fn told(trouble: &RemoteError) -> Told {
    Told { message: trouble.to_string(), help: trouble.help().map(str::to_owned) }
}
