//! Lists the refs of a remote on this machine, as a server would advertise them.

use std::collections::BTreeMap;

use gix::{
    ObjectId, Repository,
    bstr::{BStr, BString, ByteSlice},
    object::Kind,
    odb::store::RefreshMode,
    protocol::handshake::Ref,
    refs::Target,
};
use store::local_ref;

use super::{LocalRepo, left_to_others};

impl LocalRepo {
    /// Returns `HEAD`, and the refs whose names begin with one of `prefixes`; all refs if there are no prefixes.
    pub fn refs(&self, prefixes: &[BString]) -> gix::Result<Vec<Ref>> {
        let mut objects = self.repo.clone();
        objects.objects.refresh = RefreshMode::Never;
        let mut listed = BTreeMap::new();
        let everything = [BString::from("refs/")];
        for prefix in if prefixes.is_empty() { &everything } else { prefixes } {
            // Lists the whole directory of a prefix, since a prefix may end in the middle of a name.
            let Some(end) = prefix.rfind_byte(b'/').filter(|_| prefix.starts_with(b"refs/")) else {
                continue;
            };
            for found in local_ref::list(&self.repo, BStr::new(&prefix[..=end]))? {
                let name = found.name.as_bstr().to_owned();
                if name.starts_with(prefix) && !listed.contains_key(&name) {
                    let one = match found.target {
                        Target::Object(id) => Some(direct(&objects, name.clone(), id)?),
                        Target::Symbolic(target) => symbolic(&objects, name.clone(), target.into())?,
                    };
                    listed.insert(name, one);
                }
            }
        }
        let head = self.repo.head()?;
        let head = match head.kind {
            gix::head::Kind::Symbolic(reference) => {
                symbolic(&objects, "HEAD".into(), reference.name.as_bstr().to_owned())?
            }
            gix::head::Kind::Unborn(name) => {
                Some(Ref::Unborn { full_ref_name: "HEAD".into(), target: name.as_bstr().to_owned() })
            }
            gix::head::Kind::Detached { target, .. } => Some(direct(&objects, "HEAD".into(), target)?),
        };
        Ok(head.into_iter().chain(listed.into_values().flatten()).collect())
    }
}

fn direct(repo: &Repository, full_ref_name: BString, id: ObjectId) -> gix::Result<Ref> {
    Ok(match peeled(repo, id)? {
        object if object == id => Ref::Direct { full_ref_name, object },
        object => Ref::Peeled { full_ref_name, tag: id, object },
    })
}

/// A symbolic ref, or `None` if its target does not exist.
fn symbolic(repo: &Repository, full_ref_name: BString, target: BString) -> gix::Result<Option<Ref>> {
    let Some(mut found) = repo.try_find_reference(target.as_bstr())? else { return Ok(None) };
    let id = found.follow_to_object()?.detach();
    let object = peeled(repo, id)?;
    Ok(Some(Ref::Symbolic { full_ref_name, target, tag: (object != id).then_some(id), object }))
}

/// Peels a tag; returns the id of any other object unchanged. A missing object is an error, and so left to git.
fn peeled(repo: &Repository, mut id: ObjectId) -> gix::Result<ObjectId> {
    const DEEPEST: usize = 16;
    for _ in 0..DEEPEST {
        if repo.find_header(id)?.kind() != Kind::Tag {
            return Ok(id);
        }
        id = repo.find_tag(id)?.target_id()?.detach();
    }
    Err(left_to_others("tags of tags without end"))
}
