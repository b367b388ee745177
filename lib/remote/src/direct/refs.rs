//! The refs of a remote, as a server would list them.

use std::collections::BTreeMap;

use gix::{
    ObjectId, Repository,
    bstr::{BStr, BString, ByteSlice},
    object::Kind,
    odb::store::RefreshMode,
    protocol::handshake::Ref,
    refs::Target,
};

use super::{Direct, left_to_others};
use crate::local_ref;

impl Direct {
    /// Its `HEAD`, and the refs whose names begin with one of `prefixes`; all of them if there are none.
    pub fn refs(&self, prefixes: &[BString]) -> gix::Result<Vec<Ref>> {
        let mut objects = self.repo.clone();
        objects.objects.refresh = RefreshMode::Never;
        let mut listed = BTreeMap::new();
        let everything = [BString::from("refs/")];
        for prefix in if prefixes.is_empty() { &everything } else { prefixes } {
            // Whole folders are read, as what a name begins with is not always a name.
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

/// A ref that names another one; none if there is no such ref.
fn symbolic(repo: &Repository, full_ref_name: BString, target: BString) -> gix::Result<Option<Ref>> {
    let Some(mut found) = repo.try_find_reference(target.as_bstr())? else { return Ok(None) };
    let id = found.follow_to_object()?.detach();
    let object = peeled(repo, id)?;
    Ok(Some(Ref::Symbolic { full_ref_name, target, tag: (object != id).then_some(id), object }))
}

/// What a tag is of; anything else itself. What is not there is for git to judge.
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
