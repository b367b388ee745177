//! What to ask for: the remote's refs matched with the refspecs, and the tags that come along.

use gix::{
    ObjectId,
    bstr::{BString, ByteSlice},
    protocol::{
        fetch::{
            RefMap, Tags,
            refmap::{Mapping, Source, SpecIndex, init::Context},
        },
        handshake::Ref,
    },
    refs::FullName,
    refspec::RefSpec,
};

use super::{Configured, Fetch};
use crate::{Remote, Trouble};

/// The refspecs of one fetch.
pub(super) struct Specs {
    /// Those that are matched.
    pub all: Vec<RefSpec>,
    /// How many of them, from the start, are the remote's own: only these are pruned by.
    pub configured: usize,
    /// Which tags come along.
    pub tags: Tags,
}

/// What to ask for, and where it goes.
pub(super) struct Want {
    /// What is negotiated about.
    pub map: RefMap,
    /// Tags that are taken if the server sends them, as they are of something that is fetched.
    pub if_sent: Vec<Target>,
}

/// A local ref and the value that the remote has for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub local: FullName,
    pub theirs: ObjectId,
    pub force: Force,
}

/// Whether a refspec begins with `+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Force {
    Allowed,
    Forbidden,
}

impl Specs {
    pub fn of(remote: &Remote<'_>, what: &Fetch) -> Self {
        let (mut all, mut tags) = match what.configured {
            Configured::Used => {
                (remote.inner.refspecs(gix::remote::Direction::Fetch).to_vec(), remote.inner.fetch_tags())
            }
            Configured::LeftOut => (Vec::new(), Tags::None),
        };
        if all.is_empty() {
            tags = Tags::None;
        }
        let configured = all.len();
        all.extend(what.extra.iter().cloned());
        if let (Tags::All, Some(spec)) = (tags, tags.to_refspec()) {
            all.push(spec.to_owned());
        }
        Self { all, configured, tags }
    }

    /// What names at the remote can begin with, to be of interest.
    pub fn prefixes(&self) -> Vec<BString> {
        let mut prefixes = Vec::new();
        for spec in &self.all {
            spec.to_ref().expand_prefixes(&mut prefixes);
        }
        if self.tags == Tags::Included {
            prefixes.push("refs/tags/".into());
        }
        prefixes.sort();
        prefixes.dedup();
        prefixes
    }

    /// The remote's own refspecs.
    pub fn configured(&self) -> &[RefSpec] {
        &self.all[..self.configured]
    }
}

impl Want {
    /// Matches `refs` with `specs`.
    pub fn of(
        repo: &gix::Repository,
        called: &str,
        specs: &Specs,
        refs: Vec<Ref>,
        capabilities: &gix_transport::client::Capabilities,
    ) -> Result<Self, Trouble> {
        let context = Context { fetch_refspecs: specs.all.clone(), extra_refspecs: Vec::new() };
        let mut map = RefMap::from_refs(refs, capabilities, context).map_err(|error| {
            Trouble::misconfigured(
                format!("{called}: its refspecs contradict each other: {}", words::error(&error)),
                "`git config --get-all remote.<name>.fetch` shows them",
            )
        })?;
        map.mappings.retain(|mapping| mapping.remote.as_id().is_some());
        let if_sent = if specs.tags == Tags::Included { follow_tags(repo, &mut map)? } else { Vec::new() };
        Ok(Self { map, if_sent })
    }

    /// What is asked for and not here.
    pub fn missing(&self, repo: &gix::Repository) -> Vec<ObjectId> {
        use gix::objs::Exists;
        self.ids().into_iter().filter(|id| !repo.objects.exists(id)).collect()
    }

    /// The tags that come along with what they are of.
    pub fn tags(&self) -> Vec<ObjectId> {
        self.if_sent.iter().map(|tag| tag.theirs).collect()
    }

    /// All that is asked for.
    pub fn ids(&self) -> Vec<ObjectId> {
        let ids = self.map.mappings.iter().filter_map(|mapping| mapping.remote.as_id());
        let mut ids: Vec<_> = ids.map(ToOwned::to_owned).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Every local ref that has a value at the remote now; tags that did not come are left out.
    pub fn targets(&self, repo: &gix::Repository) -> Vec<Target> {
        use gix::objs::Exists;
        let mapped = self.map.mappings.iter().filter_map(|mapping| {
            let spec = mapping.spec_index.get(&self.map.refspecs, &self.map.extra_refspecs);
            let force = spec.is_some_and(RefSpec::allow_non_fast_forward);
            Some(Target {
                local: FullName::try_from(mapping.local.as_ref()?.as_bstr()).ok()?,
                theirs: mapping.remote.as_id()?.to_owned(),
                force: if force { Force::Allowed } else { Force::Forbidden },
            })
        });
        let sent = self.if_sent.iter().filter(|tag| repo.objects.exists(&tag.theirs)).cloned();
        let mut targets: Vec<_> = mapped.chain(sent).collect();
        targets.sort_by(|a, b| a.local.cmp(&b.local));
        targets.dedup_by(|a, b| a.local == b.local);
        targets
    }
}

/// Tags that are new here come along if what they are of is here, or about to be: the former are asked for, the
/// latter a server sends unasked. See `git help fetch` on auto-following.
fn follow_tags(repo: &gix::Repository, map: &mut RefMap) -> Result<Vec<Target>, Trouble> {
    use gix::objs::Exists;
    // A tag that is not here is no reason to look for new packs each time.
    let mut objects = repo.objects.clone();
    objects.refresh = gix::odb::store::RefreshMode::Never;
    let mut if_sent = Vec::new();
    for tag in &map.remote_refs {
        let (name, Some(id), peeled) = tag.unpack() else { continue };
        if !name.starts_with(b"refs/tags/")
            || map.mappings.iter().any(|mapping| mapping.remote.as_name() == Some(name))
        {
            continue;
        }
        let Ok(local) = FullName::try_from(name) else { continue };
        let existing =
            repo.try_find_reference(&local).map_err(|error| Trouble::local("reading a tag", error))?;
        if existing.is_some() {
            continue;
        }
        if objects.exists(peeled.unwrap_or(id)) {
            map.mappings.push(Mapping {
                remote: Source::Ref(tag.clone()),
                local: Some(name.to_owned()),
                spec_index: SpecIndex::Implicit(0),
            });
        } else {
            if_sent.push(Target { local, theirs: id.to_owned(), force: Force::Forbidden });
        }
    }
    Ok(if_sent)
}
