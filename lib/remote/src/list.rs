//! Lists the refs of a remote, like `git ls-remote`.

use gix::{
    ObjectId,
    bstr::{BString, ByteSlice},
    protocol::{LsRefsCommand, handshake::Ref, ls_refs::RefPrefixes},
    refs::{FullName, FullNameRef},
};

use crate::{Direction, Remote, RemoteError, Step, Watcher, transport::Connection};

/// The refs of a remote at one moment, in the remote's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefAdvertisement {
    /// The refs, without `HEAD`.
    pub refs: Vec<AdvertisedRef>,
    /// The branch that the remote's `HEAD` points to, if known; it need not exist (an empty repository).
    pub head: Option<FullName>,
}

/// One ref of a remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvertisedRef {
    /// The ref's name at the remote.
    pub name: FullName,
    /// The object that it points to.
    pub id: ObjectId,
    /// For an annotated tag: the object that the tag points to.
    pub peeled: Option<ObjectId>,
}

impl RefAdvertisement {
    /// Returns the value of ref `name` at the remote; `None` if there is no such ref.
    #[must_use]
    pub fn id_of(&self, name: &FullNameRef) -> Option<ObjectId> {
        self.refs.iter().find(|listed| listed.name.as_ref() == name).map(|listed| listed.id)
    }
}

impl Remote<'_> {
    /// Asks the remote for its refs whose names begin with one of `prefixes`; all refs if there are no prefixes.
    ///
    /// # Errors
    ///
    /// Every [`RemoteError`] of a connection.
    pub fn list(&self, prefixes: &[&str], watcher: &dyn Watcher) -> Result<RefAdvertisement, RemoteError> {
        let prefixes: Vec<BString> = prefixes.iter().map(|prefix| (*prefix).into()).collect();
        let direct = self.direct(Direction::Fetch)?;
        if let Some(refs) = direct.and_then(|direct| direct.refs(&prefixes).ok()) {
            let listing = RefAdvertisement::of(&refs, &prefixes);
            watcher.progress(Step::Listed { refs: listing.refs.len() });
            return Ok(listing);
        }
        let mut line = Connection::open(self, Direction::Fetch, watcher)?;
        match ask(&mut line, &prefixes) {
            Ok(refs) => {
                line.close();
                let listing = RefAdvertisement::of(&refs, &prefixes);
                watcher.progress(Step::Listed { refs: listing.refs.len() });
                Ok(listing)
            }
            Err(error) => Err(line.trouble(&error)),
        }
    }
}

/// Asks for the refs below `prefixes` over an open connection. A server with an older protocol version has sent all
/// of its refs already.
pub(crate) fn ask(line: &mut Connection, prefixes: &[BString]) -> gix::Result<Vec<Ref>> {
    if let Some(refs) = line.handshake.refs.take() {
        return Ok(refs);
    }
    let wanted = (!prefixes.is_empty()).then(|| {
        let mut wanted = RefPrefixes::new();
        wanted.extend(prefixes.iter().cloned());
        wanted.extend([BString::from("HEAD")]);
        wanted
    });
    LsRefsCommand::new(wanted, &line.handshake.capabilities, ("agent", Some(crate::agent()))).invoke_blocking(
        &mut *line.transport,
        &mut gix::progress::Discard,
        false,
    )
}

impl RefAdvertisement {
    /// Selects the refs that match `prefixes`. Invalid ref names are dropped: only a malicious server sends them.
    pub(crate) fn of(refs: &[Ref], prefixes: &[BString]) -> Self {
        let mut listing = Self::default();
        for found in refs {
            let (name, target, peeled) = found.unpack();
            if name == "HEAD" {
                listing.head = head(found, refs);
                continue;
            }
            let wanted = prefixes.is_empty() || prefixes.iter().any(|prefix| name.starts_with(prefix));
            if let (true, Some(id), Ok(name)) = (wanted, target, FullName::try_from(name)) {
                listing.refs.push(AdvertisedRef {
                    name,
                    id: id.to_owned(),
                    peeled: peeled.map(ToOwned::to_owned),
                });
            }
        }
        listing
    }
}

fn head(head: &Ref, refs: &[Ref]) -> Option<FullName> {
    match head {
        Ref::Symbolic { target, .. } | Ref::Unborn { target, .. } => {
            FullName::try_from(target.as_bstr()).ok()
        }
        // Old servers do not advertise what HEAD points to. Like git, take `main` or `master` if it has the same
        // value, otherwise any branch that has it.
        Ref::Direct { object, .. } | Ref::Peeled { object, .. } => {
            let mut same: Vec<FullName> = refs
                .iter()
                .filter(|one| one.unpack().1.is_some_and(|id| id == *object))
                .filter_map(|one| FullName::try_from(one.unpack().0).ok())
                .filter(|name| name.category() == Some(gix::refs::Category::LocalBranch))
                .collect();
            same.sort_by_key(|name| match name.shorten().to_str() {
                Ok("main") => 0,
                Ok("master") => 1,
                _ => 2,
            });
            same.into_iter().next()
        }
    }
}
