//! Reads the facts that git's configuration contains.

use gix::bstr::{BStr, ByteSlice as _};

use crate::doctor::facts::{Head, Key, Upstream};

/// Returns the branch's upstream, as configured.
pub fn upstream(repo: &gix::Repository, head: &Head) -> Upstream {
    let (Head::Branch(branch) | Head::Unborn(branch)) = head else { return Upstream::default() };
    let config = repo.config_snapshot();
    let section = Some(BStr::new(branch.as_bytes()));
    let merges = config.plumbing().strings_by("branch", section, "merge").unwrap_or_default();
    Upstream {
        remote: config.plumbing().string_by("branch", section, "remote").map(|remote| remote.to_string()),
        merges: merges.iter().map(ToString::to_string).collect(),
    }
}

/// Returns everything under `lockstep`, and the keys that say how notes are merged.
pub fn keys(repo: &gix::Repository) -> Vec<Key> {
    let config = repo.config_snapshot();
    let mut keys = Vec::new();
    for section in config.plumbing().sections() {
        let name = section.header().name().to_str_lossy().to_lowercase();
        if !["lockstep", "notes"].contains(&name.as_str()) {
            continue;
        }
        let origin = match &section.meta().path {
            Some(path) => path.display().to_string(),
            None => "the environment or the command line".into(),
        };
        let mut names: Vec<String> = section.value_names().collect();
        names.dedup_by_key(|name| name.to_lowercase());
        for key in names {
            for value in section.values(&key) {
                keys.push(Key {
                    section: name.clone(),
                    subsection: section.header().subsection_name().map(ToString::to_string),
                    name: key.clone(),
                    value: value.to_string(),
                    origin: origin.clone(),
                });
            }
        }
    }
    keys.retain(|key| key.section == "lockstep" || key.name.eq_ignore_ascii_case("mergeStrategy"));
    keys
}
