//! Looks up which conversions the attributes of a path ask for.

use anyhow::bail;
use gix::attrs::StateRef;
use gix::bstr::{BStr, BString};
use gix::filter::plumbing::eol::{AttributesDigest, Configuration};

/// The attributes that affect conversions, in this order.
const NAMES: [&str; 6] = ["crlf", "ident", "filter", "eol", "text", "working-tree-encoding"];

/// The conversions for a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The name of a filter, configured or not.
    pub filter: Option<BString>,
    /// The name of the file's encoding, if it is not UTF-8.
    pub encoding: Option<String>,
    /// How line endings are converted.
    pub line_ends: AttributesDigest,
    /// Whether `$Id$` is expanded.
    pub ident: bool,
}

impl Asked {
    /// Looks up the conversions for `path`.
    ///
    /// # Errors
    /// An attribute file cannot be read, or has an invalid value.
    pub fn at(
        attributes: &mut gix::worktree::Stack,
        path: &BStr,
        objects: &dyn gix::objs::Find,
        config: Configuration,
    ) -> anyhow::Result<Self> {
        let mut found = attributes.selected_attribute_matches(NAMES);
        attributes.at_path(path, None, objects)?.matching_attributes(&mut found);
        let states: Vec<_> = found.iter_selected().map(|found| found.assignment.state.to_owned()).collect();
        let [crlf, ident, filter, eol, text, encoding] = states.as_slice() else {
            bail!("as many attributes as were asked for are answered")
        };
        Ok(Asked {
            filter: filter.as_ref().as_bstr().map(ToOwned::to_owned),
            encoding: encoding_name(encoding.as_ref())?,
            line_ends: line_ends(crlf.as_ref(), text.as_ref(), eol.as_ref(), config),
            ident: ident.as_ref().is_set(),
        })
    }
}

fn encoding_name(state: StateRef<'_>) -> anyhow::Result<Option<String>> {
    match state {
        StateRef::Set | StateRef::Unset => bail!("true and false are no working-tree-encodings"),
        StateRef::Unspecified => Ok(None),
        StateRef::Value(name) => {
            let name = name.as_bstr().to_string();
            let is_utf8 = matches!(name.to_ascii_lowercase().as_str(), "" | "utf-8" | "utf8");
            Ok((!is_utf8).then_some(name))
        }
    }
}

/// Git's `convert_attrs`: `text` takes precedence over `crlf`, `eol` refines it, and the configuration applies if
/// neither says anything.
fn line_ends(
    crlf: StateRef<'_>,
    text: StateRef<'_>,
    eol: StateRef<'_>,
    config: Configuration,
) -> AttributesDigest {
    use AttributesDigest as Digest;
    let digest = of_text(text).or_else(|| of_text(crlf));
    let eol = match eol {
        StateRef::Value(value) => value.as_bstr().to_owned(),
        _ => BString::default(),
    };
    let digest = match (digest, eol.as_slice()) {
        (Some(Digest::Binary), _) => Some(Digest::Binary),
        (Some(Digest::TextAuto), b"lf") => Some(Digest::TextAutoInput),
        (Some(Digest::TextAuto), b"crlf") => Some(Digest::TextAutoCrlf),
        (_, b"lf") => Some(Digest::TextInput),
        (_, b"crlf") => Some(Digest::TextCrlf),
        (digest, _) => digest,
    };
    match digest {
        None => config.auto_crlf.into(),
        Some(Digest::Text) => config.to_eol().into(),
        Some(digest) => digest,
    }
}

fn of_text(state: StateRef<'_>) -> Option<AttributesDigest> {
    match state {
        StateRef::Set => Some(AttributesDigest::Text),
        StateRef::Unset => Some(AttributesDigest::Binary),
        StateRef::Value(value) if value.as_bstr() == "input" => Some(AttributesDigest::TextInput),
        StateRef::Value(value) if value.as_bstr() == "auto" => Some(AttributesDigest::TextAuto),
        StateRef::Value(_) | StateRef::Unspecified => None,
    }
}
