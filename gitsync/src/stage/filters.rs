//! The conversions between a file and what git keeps of it, in both directions, and the programs that take part.
//!
//! A filter program that fails is a failure only where `filter.<name>.required` says so; else git goes on as if there
//! were none. gix knows that for programs that are run for each file, not for those that keep running.
//! See <https://git-scm.com/docs/gitattributes#_filter>.

use std::fs::File;

use gix::bstr::BStr;
use gix::filter::plumbing::Pipeline;
use gix::filter::plumbing::driver::apply::Delay;
use gix::filter::plumbing::pipeline::convert::{ToGitOutcome, ToWorktreeOutcome, to_worktree};
use gix::objs::{Find as _, Kind};
use gix::worktree::stack::state::attributes::Source;

/// Whether filter programs take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Programs {
    /// As configured.
    Run,
    /// Line ends, encodings and `$Id$` only.
    Leave,
}

/// Conversions as the attributes of each path ask for them.
pub struct Filters<'repo> {
    repo: &'repo gix::Repository,
    attributes: gix::worktree::Stack,
    with: Pipeline,
    without: Pipeline,
}

impl<'repo> Filters<'repo> {
    /// Attributes come from where `source` says, `index` being the index that it means.
    ///
    /// # Errors
    /// The configuration of filters or attributes is wrong.
    pub fn new(repo: &'repo gix::Repository, index: &gix::index::State, source: Source) -> anyhow::Result<Self> {
        let attributes = repo.attributes_only(index, source)?.detach();
        let options = gix::filter::Pipeline::options(repo)?;
        let mut plain = gix::filter::Pipeline::options(repo)?;
        plain.drivers.clear();
        Ok(Filters {
            repo,
            attributes,
            with: Pipeline::new(repo.command_context()?, repo.object_hash(), options),
            without: Pipeline::new(repo.command_context()?, repo.object_hash(), plain),
        })
    }

    /// What git keeps of `file`. `index` tells how its line ends were kept so far.
    ///
    /// # Errors
    /// A conversion or a program failed.
    pub fn to_git(
        &mut self,
        programs: Programs,
        file: File,
        path: &BStr,
        index: &gix::index::State,
    ) -> anyhow::Result<ToGitOutcome<'_, File>> {
        let platform = self.attributes.at_path(path, None, &self.repo.objects)?;
        let pipeline = match programs {
            Programs::Run => &mut self.with,
            Programs::Leave => &mut self.without,
        };
        let native = gix::path::from_bstr(path)?;
        let outcome = pipeline.convert_to_git(
            file,
            &native,
            &mut |_, found| {
                platform.matching_attributes(found);
            },
            &mut |buffer| {
                let Some(entry) = index.entry_by_path(path) else { return Ok(None) };
                let found = self.repo.objects.try_find(&entry.id, buffer)?;
                Ok(found.filter(|object| object.kind == Kind::Blob).map(|_| ()))
            },
        )?;
        Ok(outcome)
    }

    /// What the file at `path` holds when git keeps `blob` of it.
    ///
    /// # Errors
    /// A conversion or a program failed.
    pub fn to_worktree<'a>(
        &'a mut self,
        programs: Programs,
        blob: &'a [u8],
        path: &BStr,
    ) -> anyhow::Result<ToWorktreeOutcome<'a, 'a>> {
        let platform = self.attributes.at_path(path, None, &self.repo.objects)?;
        let pipeline = match programs {
            Programs::Run => &mut self.with,
            Programs::Leave => &mut self.without,
        };
        let options = to_worktree::Options {
            can_delay: Delay::Forbid,
            unknown_encoding: to_worktree::UnknownEncoding::Ignore,
        };
        let outcome = pipeline.convert_to_worktree(
            blob,
            path,
            &mut |_, found| {
                platform.matching_attributes(found);
            },
            options,
        )?;
        Ok(outcome)
    }

    /// Whether the filter of `path` must not fail; where there is none, nothing may.
    ///
    /// # Errors
    /// The attributes cannot be read.
    pub fn is_required(&mut self, path: &BStr) -> anyhow::Result<bool> {
        let mut found = self.attributes.selected_attribute_matches(["filter"]);
        let platform = self.attributes.at_path(path, None, &self.repo.objects)?;
        if !platform.matching_attributes(&mut found) {
            return Ok(true);
        }
        let drivers = &self.with.options_mut().drivers;
        let driver = found.iter_selected().next().and_then(|found| {
            let name = found.assignment.state.as_bstr()?;
            drivers.iter().find(|driver| driver.name == name)
        });
        Ok(driver.is_none_or(|driver| driver.required))
    }
}
