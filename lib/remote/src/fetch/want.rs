//! Determines what to ask for: matches the remote's refs with the refspecs, and selects the tags to follow.

use std::collections::HashSet;

use gix::{
    ObjectId,
    bstr::{BString, ByteSlice},
    odb::store::RefreshMode,
    protocol::{
        fetch::{
            RefMap, Tags,
            refmap::{Mapping, Source, SpecIndex, init::Context},
        },
        handshake::Ref,
    },
    refs::FullName,
    refspec::{Instruction, RefSpec, RefSpecRef, instruction},
};

use super::{Configured, Fetch};
use crate::{Remote, RemoteError};

/// The refspecs of one fetch.
pub(super) struct Specs {
    /// All refspecs that refs are matched with.
    pub all: Vec<RefSpec>,
    /// How many of them, from the start, are the remote's configured ones: only these are used for pruning.
    pub configured: usize,
    /// Which tags are fetched besides.
    pub tags: Tags,
}

/// What to ask for, and which local refs it goes to.
pub(super) struct Want {
    /// The refs to negotiate about.
    pub map: RefMap,
    /// Tags that are stored if the server sends them because it sends the objects that they point to.
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
        // Git follows tags only where what it fetches is kept in a ref, see `git help fetch` on auto-following.
        if tags == Tags::Included && !all.iter().any(has_destination) || all.is_empty() {
            tags = Tags::None;
        }
        let configured = all.len();
        all.extend(what.extra.iter().cloned());
        if let (Tags::All, Some(spec)) = (tags, tags.to_refspec()) {
            all.push(spec.to_owned());
        }
        Self { all, configured, tags }
    }

    /// Returns the prefixes of all ref names that can match; none if any name can.
    pub fn prefixes(&self) -> Vec<BString> {
        let mut prefixes = Vec::new();
        for spec in self.all.iter().map(RefSpec::to_ref) {
            // A pattern that begins as `refs/*` does is taken by gix for a name, of which a server has none.
            match pattern_prefix(spec) {
                Some(prefix) if b"refs/".starts_with(prefix) => return Vec::new(),
                Some(prefix) => prefixes.push(prefix.into()),
                None => spec.expand_prefixes(&mut prefixes),
            }
        }
        if self.tags == Tags::Included {
            prefixes.push("refs/tags/".into());
        }
        prefixes.sort();
        prefixes.dedup();
        prefixes
    }

    /// Returns the remote's configured refspecs.
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
    ) -> Result<Self, RemoteError> {
        let context = Context { fetch_refspecs: specs.all.clone(), extra_refspecs: Vec::new() };
        let mut map = RefMap::from_refs(refs, capabilities, context).map_err(|error| {
            RemoteError::misconfigured(
                format!("{called}: its refspecs contradict each other: {}", sanitize::error(&error)),
                "`git config --get-all remote.<name>.fetch` shows them",
            )
        })?;
        map.mappings.retain(|mapping| mapping.remote.as_id().is_some());
        let if_sent = if specs.tags == Tags::Included { follow_tags(repo, &mut map)? } else { Vec::new() };
        Ok(Self { map, if_sent })
    }

    /// Returns the wanted objects that are not here.
    pub fn missing(&self, repo: &gix::Repository) -> Vec<ObjectId> {
        use gix::objs::Exists;
        self.ids().into_iter().filter(|id| !repo.objects.exists(id)).collect()
    }

    /// Returns the tags that are fetched only along with the objects that they point to.
    pub fn tags(&self) -> Vec<ObjectId> {
        self.if_sent.iter().map(|tag| tag.theirs).collect()
    }

    /// Returns all wanted objects.
    pub fn ids(&self) -> Vec<ObjectId> {
        let ids = self.map.mappings.iter().filter_map(|mapping| mapping.remote.as_id());
        let mut ids: Vec<_> = ids.map(ToOwned::to_owned).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Returns every local ref for which the remote has a value; tags that were not sent are left out.
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
        let mut objects = repo.objects.clone();
        let sent = self.if_sent.iter().filter(|tag| {
            let is_there = objects.exists(&tag.theirs);
            if !is_there {
                // New packs have been looked for now. There may be thousands of tags.
                objects.refresh = RefreshMode::Never;
            }
            is_there
        });
        let mut targets: Vec<_> = mapped.chain(sent.cloned()).collect();
        targets.sort_by(|a, b| a.local.cmp(&b.local));
        targets.dedup_by(|a, b| a.local == b.local);
        targets
    }
}

fn has_destination(spec: &RefSpec) -> bool {
    spec.to_ref().destination().is_some_and(|name| !name.is_empty())
}

/// Returns what all names begin with that match `spec`, if it is a pattern.
fn pattern_prefix<'a>(spec: RefSpecRef<'a>) -> Option<&'a [u8]> {
    let pattern = match spec.instruction() {
        Instruction::Fetch(instruction::Fetch::Only { src } | instruction::Fetch::AndUpdate { src, .. }) => {
            src
        }
        Instruction::Fetch(instruction::Fetch::Exclude { .. }) | Instruction::Push(_) => return None,
    };
    pattern.find_byte(b'*').map(|at| &pattern.as_bytes()[..at])
}

/// Selects tags to follow, among those that are new here. If the object that a tag points to is here, the tag is
/// asked for; if it is about to be fetched, a server sends the tag unasked. See `git help fetch` on auto-following.
fn follow_tags(repo: &gix::Repository, map: &mut RefMap) -> Result<Vec<Target>, RemoteError> {
    use gix::objs::Exists;
    // A tag whose object is absent must not trigger a search for new packs each time.
    let mut objects = repo.objects.clone();
    objects.refresh = RefreshMode::Never;
    // A tag that a refspec keeps under another name is followed all the same.
    let mapped: HashSet<BString> = map.mappings.iter().filter_map(|mapping| mapping.local.clone()).collect();
    let mut if_sent = Vec::new();
    for tag in &map.remote_refs {
        let (name, Some(id), peeled) = tag.unpack() else { continue };
        if !name.starts_with(b"refs/tags/") || mapped.contains(name) {
            continue;
        }
        let Ok(local) = FullName::try_from(name) else { continue };
        let existing =
            repo.try_find_reference(&local).map_err(|error| RemoteError::local("reading a tag", error))?;
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
