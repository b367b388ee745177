//! Converts between a file in the working tree and the content that git stores for it, in both directions.
//!
//! Without the conversions of line endings, encodings, `$Id$` and filter programs, the run would commit other bytes
//! than git does, and check out files that count as modified from the start. gix's parts are used where they do what
//! git does; the order, `$Id$` and the encodings are implemented here, since gix differs there (for example, it writes
//! UTF-16 as UTF-8). See <https://git-scm.com/docs/gitattributes>, and `convert.c` in git.

mod attributes;
pub(crate) mod encoding;
mod iconv;
mod ident;

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek as _};

use anyhow::Context as _;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::filter::plumbing::driver::apply::Context;
use gix::filter::plumbing::driver::{Operation, State};
use gix::filter::plumbing::eol;
use gix::filter::plumbing::pipeline::{CrlfRoundTripCheck, Options};
use gix::index::Entry;
use gix::index::entry::Mode;
use gix::objs::{Find as _, Kind};
use gix::worktree::stack::state::attributes::Source;
use phase::Fault;

use attributes::Asked;

pub use encoding::EncodingFailed;

/// The failure of a required filter program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterFailed {
    /// Its name in `filter.<name>.*`.
    pub driver: BString,
    /// What happened to it.
    pub words: String,
}

impl std::fmt::Display for FilterFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the filter {} failed: {}", self.driver, self.words)
    }
}

impl std::error::Error for FilterFailed {}

/// The conversions that the attributes of each path ask for.
pub struct Conversions<'repo> {
    repo: &'repo gix::Repository,
    programs: State,
    settings: Settings,
}

/// The settings of conversions. They may be moved to another thread, and be used there with that thread's own
/// repository.
#[derive(Clone)]
pub struct Settings {
    attributes: gix::worktree::Stack,
    options: Options,
}

impl Settings {
    /// Reads the settings; attributes come from `source`, whose index is `index`.
    ///
    /// # Errors
    /// The configuration of filters or attributes is wrong.
    pub fn of(repo: &gix::Repository, index: &gix::index::State, source: Source) -> anyhow::Result<Self> {
        Ok(Settings {
            attributes: repo.attributes_only(&with_plain_attributes(index), source)?.detach(),
            options: gix::filter::Pipeline::options(repo)?,
        })
    }
}

/// What git stores for a file.
pub enum ToGit {
    /// The file as it is.
    Unchanged(File),
    /// These bytes.
    Bytes(Vec<u8>),
}

impl<'repo> Conversions<'repo> {
    /// Creates the conversions for files of `repo`; attributes come from `source`, whose index is `index`.
    ///
    /// # Errors
    /// The configuration of filters or attributes is wrong.
    pub fn new(
        repo: &'repo gix::Repository,
        index: &gix::index::State,
        source: Source,
    ) -> anyhow::Result<Self> {
        Self::with(repo, Settings::of(repo, index, source)?)
    }

    /// Creates the conversions for files of `repo` that use `settings`.
    ///
    /// # Errors
    /// The configuration of filters is wrong.
    pub fn with(repo: &'repo gix::Repository, settings: Settings) -> anyhow::Result<Self> {
        Ok(Conversions { repo, programs: State::new(repo.command_context()?), settings })
    }

    /// The settings in use.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Converts `file` to what git stores. `index` tells which line endings were stored so far.
    ///
    /// # Errors
    /// A conversion or a required filter failed.
    pub fn to_git(
        &mut self,
        mut file: File,
        path: &BStr,
        index: &gix::index::State,
    ) -> anyhow::Result<ToGit> {
        let asked = self.asked(path)?;
        let filtered = self.run(&asked, Operation::Clean, &mut file, path)?;
        if filtered.is_none()
            && !asked.ident
            && asked.encoding.is_none()
            && asked.line_ends == eol::AttributesDigest::Binary
        {
            return Ok(ToGit::Unchanged(file));
        }
        let mut bytes = match filtered {
            Some(bytes) => bytes,
            None => {
                file.rewind()?;
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                bytes
            }
        };
        if let Some(label) = asked.encoding.as_ref().filter(|_| !bytes.is_empty()) {
            bytes = encoding::to_utf8(&bytes, label, &self.settings.options.encodings_with_roundtrip_check)?;
        }
        bytes = self.line_feeds(bytes, asked.line_ends, path, index)?;
        if asked.ident {
            bytes = ident::collapse(&bytes);
        }
        Ok(ToGit::Bytes(bytes))
    }

    /// Converts `blob` to the content of the file at `path`.
    ///
    /// # Errors
    /// A conversion or a required filter failed.
    pub fn to_worktree(&mut self, blob: Vec<u8>, path: &BStr) -> anyhow::Result<Vec<u8>> {
        let asked = self.asked(path)?;
        let mut bytes = blob;
        if asked.ident {
            bytes = ident::expand(bytes, self.repo.object_hash())?;
        }
        let mut converted = Vec::new();
        if eol::convert_to_worktree(
            &bytes,
            asked.line_ends,
            &mut converted,
            self.settings.options.eol_config,
        )? {
            bytes = converted;
        }
        if let Some(label) = asked.encoding.as_ref().filter(|_| !bytes.is_empty()) {
            let encoded = encoding::from_utf8(&bytes, label)
                .map_err(|failed| Fault::failed(failed.to_string()).help(failed.help()))?;
            // As in git, content that the encoding cannot represent is checked out as it is.
            bytes = encoded.unwrap_or(bytes);
        }
        let filtered = self.run(&asked, Operation::Smudge, &mut bytes.as_slice(), path)?;
        Ok(filtered.unwrap_or(bytes))
    }

    fn asked(&mut self, path: &BStr) -> anyhow::Result<Asked> {
        Asked::at(&mut self.settings.attributes, path, &self.repo.objects, self.settings.options.eol_config)
            .with_context(|| format!("cannot tell the attributes of {path}"))
    }

    /// Returns the output of the path's filter program; `None` if there is no program, or if one that is not required
    /// failed.
    fn run(
        &mut self,
        asked: &Asked,
        operation: Operation,
        input: &mut impl Read,
        path: &BStr,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        let named = |name: &BString| self.settings.options.drivers.iter().find(|driver| driver.name == *name);
        let Some(driver) = asked.filter.as_ref().and_then(named) else { return Ok(None) };
        let context = Context { rela_path: path, ref_name: None, treeish: None, blob: None };
        let mut apply = || -> anyhow::Result<Option<Vec<u8>>> {
            let Some(mut output) = self.programs.apply(driver, input, operation, context)? else {
                return Ok(None);
            };
            let mut bytes = Vec::new();
            output.read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        };
        match apply() {
            Ok(None) if driver.required => {
                let words = "it must not be missing, and is".to_owned();
                Err(FilterFailed { driver: driver.name.clone(), words }.into())
            }
            Err(error) if driver.required => {
                Err(FilterFailed { driver: driver.name.clone(), words: format!("{error:#}") }.into())
            }
            Ok(output) => Ok(output),
            // As in git, a filter that fails but is not required is ignored.
            Err(_) => Ok(None),
        }
    }

    fn line_feeds(
        &self,
        bytes: Vec<u8>,
        line_ends: eol::AttributesDigest,
        path: &BStr,
        index: &gix::index::State,
    ) -> anyhow::Result<Vec<u8>> {
        let native = gix::path::from_bstr(path)?;
        let round_trip_check = match self.settings.options.crlf_roundtrip_check {
            CrlfRoundTripCheck::Fail => {
                Some(eol::convert_to_git::RoundTripCheck::Fail { rela_path: &native })
            }
            CrlfRoundTripCheck::Warn => {
                Some(eol::convert_to_git::RoundTripCheck::Warn { rela_path: &native })
            }
            CrlfRoundTripCheck::Skip => None,
        };
        let options =
            eol::convert_to_git::Options { round_trip_check, config: self.settings.options.eol_config };
        let mut converted = Vec::new();
        let mut in_index = |buffer: &mut Vec<u8>| {
            let Some(entry) = index.entry_by_path(path) else { return Ok(None) };
            let found = self.repo.objects.try_find(&entry.id, buffer)?;
            Ok(found.filter(|object| object.kind == Kind::Blob).map(|_| ()))
        };
        let changed = eol::convert_to_git(&bytes, line_ends, &mut converted, &mut in_index, options)?;
        Ok(if changed { converted } else { bytes })
    }
}

/// Whether the file is an attribute file by its name. Case is ignored, since some file systems ignore it.
pub fn is_of_attributes(path: &BStr) -> bool {
    let name = path.rsplit_once_str("/").map_or(path.as_bytes(), |(_, name)| name);
    name.eq_ignore_ascii_case(b".gitattributes")
}

/// Returns the index with executable attribute files marked as plain ones: gix ignores executable ones, git does not.
fn with_plain_attributes(index: &gix::index::State) -> Cow<'_, gix::index::State> {
    let is_odd = |entry: &Entry, path: &BStr| {
        entry.mode == Mode::FILE_EXECUTABLE
            && (path == ".gitattributes" || path.ends_with(b"/.gitattributes"))
    };
    if !index.entries().iter().any(|entry| is_odd(entry, entry.path(index))) {
        return Cow::Borrowed(index);
    }
    let mut plain = index.clone();
    for (entry, path) in plain.entries_mut_with_paths() {
        if is_odd(entry, path) {
            entry.mode = Mode::FILE;
        }
    }
    Cow::Owned(plain)
}
