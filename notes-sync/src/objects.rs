//! New objects on their way to the disk.
//!
//! A merge makes thousands of small objects, and may have to be made again before any of them counts. So they are kept
//! in memory until the merge stands, and then written together: a few as files of their own, many as one pack. They are
//! on the disk before a ref names them, as after a power cut a ref that names nothing is a lost ref.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use anyhow::{Context, Result};
use gix::{
    ObjectId, Repository,
    objs::{Kind, Write as _},
    odb::pack,
    zlib::{Compression, stream::deflate},
};
use remote::durable;

/// From how many objects on a pack is cheaper than a file and a flush for each.
const PACK_FROM: usize = 16;

/// How much of what was read is kept, so that the trees of both sides need not be unpacked twice.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// A handle of a repository whose new objects nobody else sees yet.
pub struct Drafts {
    drafts: Repository,
    target: Repository,
}

/// Keeps a new pack from being repacked away until a ref names what is in it; to be dropped then.
#[must_use]
#[derive(Debug, Default)]
pub struct Kept {
    keep_file: Option<PathBuf>,
}

impl Drafts {
    /// A handle for new objects of `repo`.
    pub fn of(repo: &Repository) -> Self {
        let mut drafts = repo.clone().with_object_memory();
        drafts.object_cache_size_if_unset(CACHE_BYTES);
        Self { drafts, target: repo.clone() }
    }

    /// The repository with the new objects in it.
    pub fn repo(&self) -> &Repository {
        &self.drafts
    }

    /// Writes the new objects to the repository, durably unless `core.fsync` is `none`.
    ///
    /// # Errors
    /// Where they cannot be written; some may have been, and do no harm.
    pub fn keep(mut self) -> Result<Kept> {
        let memory = self.drafts.objects.take_object_memory().unwrap_or_default();
        let missing: Vec<(&ObjectId, &(Kind, Vec<u8>))> =
            memory.iter().filter(|(id, _)| !self.target.objects.exists_without_refresh(id)).collect();
        if missing.len() < PACK_FROM {
            self.write_loose(&missing)?;
            return Ok(Kept::default());
        }
        self.write_pack(&missing).context("cannot write a pack of new notes")
    }

    fn write_loose(&self, objects: &[(&ObjectId, &(Kind, Vec<u8>))]) -> Result<()> {
        for (id, (kind, data)) in objects {
            self.target
                .objects
                .write_buf_with_known_id(*kind, data, **id)
                .with_context(|| format!("cannot write the object {id}"))?;
            if self.flushes() {
                let hex = id.to_hex().to_string();
                let (folder, file) = hex.split_at(2);
                let folder = self.objects_folder().join(folder);
                durable::sync_file(&folder.join(file)).context("cannot flush an object to the disk")?;
                durable::sync_dir(&folder).context("cannot flush a folder of objects to the disk")?;
            }
        }
        Ok(())
    }

    fn write_pack(&self, objects: &[(&ObjectId, &(Kind, Vec<u8>))]) -> Result<Kept> {
        let stream = encode(objects, self.target.object_hash())?;
        let folder = self.objects_folder().join("pack");
        std::fs::create_dir_all(&folder)?;
        let written = pack::Bundle::write_to_directory(
            &mut io::BufReader::new(stream.as_slice()),
            Some(&folder),
            &mut gix::progress::Discard,
            &AtomicBool::new(false),
            None::<Repository>,
            self.target.object_hash(),
            pack::bundle::write::Options::default(),
        )?;
        let kept = Kept { keep_file: written.keep_path };
        if self.flushes() {
            for file in [&written.data_path, &written.index_path].into_iter().flatten() {
                durable::sync_file(file)?;
            }
            durable::sync_dir(&folder)?;
        }
        Ok(kept)
    }

    fn objects_folder(&self) -> &Path {
        self.target.objects.store_ref().path()
    }

    fn flushes(&self) -> bool {
        self.target.config_snapshot().string("core.fsync").is_none_or(|parts| parts != "none")
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(file) = self.keep_file.take() {
            // One that stays costs nothing but that its pack is never repacked.
            let _ = std::fs::remove_file(file);
        }
    }
}

/// The objects as a pack without deltas, see <https://git-scm.com/docs/gitformat-pack>.
fn encode(objects: &[(&ObjectId, &(Kind, Vec<u8>))], hash: gix::hash::Kind) -> Result<Vec<u8>> {
    let count = u32::try_from(objects.len()).context("more objects than a pack can hold")?;
    let mut stream = Vec::new();
    stream.extend_from_slice(b"PACK\0\0\0\x02");
    stream.extend_from_slice(&count.to_be_bytes());
    for (_, (kind, data)) in objects {
        write_header(&mut stream, *kind, data.len());
        let mut deflated = deflate::Write::new(stream, Compression::BEST_SPEED);
        deflated.write_all(data)?;
        deflated.flush()?;
        stream = deflated.into_inner();
    }
    let mut hasher = gix::hash::hasher(hash);
    hasher.update(&stream);
    stream.extend_from_slice(hasher.try_finalize()?.as_bytes());
    Ok(stream)
}

/// The type and size of an object: four bits of the size in the first byte, seven in each that follows.
fn write_header(stream: &mut Vec<u8>, kind: Kind, size: usize) {
    let kind = match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    };
    let low = |bits: usize, mask: usize| u8::try_from(bits & mask).unwrap_or_default();
    let (mut byte, mut rest) = ((kind << 4) | low(size, 0x0f), size >> 4);
    while rest > 0 {
        stream.push(byte | 0x80);
        byte = low(rest, 0x7f);
        rest >>= 7;
    }
    stream.push(byte);
}
