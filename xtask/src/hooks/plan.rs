//! Decides what would change from the existing texts, without accessing files or the environment.

use phase::Fault;

use super::{
    agent, crontab,
    kind::{Kind, Target},
    place::Place,
    render::{self, Content},
};

/// A change of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What is changed.
    pub target: Target,
    /// The existing text; `None` if there is none.
    pub before: Option<String>,
    /// The new text; `None` if it is to be removed.
    pub after: Option<String>,
    /// What is done with the backup.
    pub backup: Backup,
}

/// What is done with the backup, the copy of a user's own file before our entries were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backup {
    /// Nothing.
    Leave,
    /// It is made from the existing text.
    Make,
    /// It is removed, because the file has its contents again.
    Drop,
}

impl Change {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.before == self.after
    }
}

/// A target and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The target.
    pub target: Target,
    /// Its text; `None` if it does not exist.
    pub text: Option<String>,
    /// The text before our entries were added, if it was kept.
    pub backup: Option<String>,
}

/// Returns the changes that install hooks of a kind. `contents` are for `found`, in the same order.
///
/// # Errors
/// A fault if there is a file in the way that is not ours, or one that cannot be understood.
pub fn install(
    kind: Kind,
    place: &Place,
    contents: Vec<Content>,
    found: Vec<Found>,
) -> Result<Vec<Change>, Fault> {
    let mark = render::mark(kind, place);
    let change = |(Found { target, text, .. }, content): (Found, Content)| {
        let before = text.as_deref();
        let (after, backup) = match content {
            Content::Whole(whole) => {
                if before.is_some_and(|before| !is_ours(before, &mark)) {
                    return Err(Fault::failed(format!(
                        "{target} is there already, and was not put there by this program"
                    ))
                    .help("move it away, or keep it and leave this kind of hooks out"));
                }
                (whole, Backup::Leave)
            }
            Content::Lines(lines) => {
                (crontab::put(before, &lines, &render::in_crontab(place)), Backup::Leave)
            }
            Content::Entries(entries) => {
                let after =
                    agent::put(before, &entries, &mark).map_err(|unfit| of_settings(&target, &unfit))?;
                let is_first = before.is_some_and(|before| !agent::has_any(before));
                (after, if is_first { Backup::Make } else { Backup::Leave })
            }
        };
        Ok(Change { target, after: Some(after), backup, before: text })
    };
    found.into_iter().zip(contents).map(change).collect()
}

/// Returns the changes that remove our hooks of a kind; they are empty if there are none.
///
/// # Errors
/// A fault if a text cannot be understood.
pub fn uninstall(kind: Kind, place: &Place, found: Vec<Found>) -> Result<Vec<Change>, Fault> {
    let mark = render::mark(kind, place);
    let change = |Found { target, text, backup }: Found| {
        let Some(before) = text.as_deref() else {
            return Ok(Change { target, before: None, after: None, backup: Backup::Leave });
        };
        let (after, becomes) = match kind {
            Kind::Systemd | Kind::Launchd | Kind::Windows => {
                ((!is_ours(before, &mark)).then(|| before.to_owned()), Backup::Leave)
            }
            Kind::Cron => {
                let left = crontab::take(before, &render::in_crontab(place));
                ((!left.is_empty()).then_some(left), Backup::Leave)
            }
            Kind::Agent => {
                let after = agent::take(before, backup.as_deref(), &mark)
                    .map_err(|unfit| of_settings(&target, &unfit))?;
                let is_back = backup.is_some() && after == backup && agent::has_ours(before, &mark);
                (after, if is_back { Backup::Drop } else { Backup::Leave })
            }
        };
        Ok(Change { target, after, backup: becomes, before: text })
    };
    found.into_iter().map(change).collect()
}

fn is_ours(text: &str, mark: &str) -> bool {
    text.lines().any(|line| line.trim_start_matches("<!-- ").trim_end_matches(" -->") == mark)
}

fn of_settings(target: &Target, unfit: &agent::Unfit) -> Fault {
    Fault::misconfigured(format!("{target} is left alone: {}", unfit.0))
        .help("put it right, or add what `lockstep hooks print agent` shows by hand")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            binaries: "/opt/lockstep/bin".into(),
            repo: "/home/mike/claude tools".into(),
            home: "/home/mike".into(),
            config: "/home/mike/.config".into(),
            settings: "/home/mike/.claude/settings.json".into(),
        }
    }

    fn found(kind: Kind, text: Option<&str>) -> Vec<Found> {
        let targets = kind.targets(&place()).into_iter();
        targets.map(|target| Found { target, text: text.map(str::to_owned), backup: None }).collect()
    }

    fn contents(kind: Kind) -> Vec<Content> {
        render::render(kind, &place(), &super::super::What::default()).expect("it can be said")
    }

    #[test]
    fn whatever_is_installed_is_uninstalled_and_nothing_else() {
        for kind in Kind::ALL {
            let installed =
                install(kind, &place(), contents(kind), found(kind, None)).expect("nothing is in the way");
            assert!(installed.iter().all(|change| !change.is_empty()), "{kind:?}");
            let now = installed
                .into_iter()
                .map(|change| Found { target: change.target, text: change.after, backup: None })
                .collect::<Vec<_>>();
            let again = install(kind, &place(), contents(kind), now.clone()).expect("it is ours");
            assert!(again.iter().all(Change::is_empty), "{kind:?}");
            let gone = uninstall(kind, &place(), now).expect("it is ours");
            assert!(gone.iter().all(|change| change.after.is_none()), "{kind:?}: {gone:?}");
        }
    }

    #[test]
    fn a_part_that_is_missing_is_put_back() {
        let mut both =
            install(Kind::Systemd, &place(), contents(Kind::Systemd), found(Kind::Systemd, None)).unwrap();
        let timer = both.pop().unwrap();
        let now = vec![
            Found { target: both[0].target.clone(), text: both[0].after.clone(), backup: None },
            Found { target: timer.target, text: None, backup: None },
        ];
        let changes = install(Kind::Systemd, &place(), contents(Kind::Systemd), now).unwrap();
        assert!(changes[0].is_empty());
        assert!(!changes[1].is_empty());
    }

    #[test]
    fn files_of_somebody_else_are_in_the_way_and_stay() {
        for kind in [Kind::Systemd, Kind::Launchd, Kind::Windows] {
            assert!(install(kind, &place(), contents(kind), found(kind, Some("[Unit]\n"))).is_err());
            let left = uninstall(kind, &place(), found(kind, Some("[Unit]\n"))).unwrap();
            assert!(left.iter().all(Change::is_empty));
        }
    }

    #[test]
    fn settings_are_kept_as_they_were_before_the_first_change_of_ours() {
        let before = found(Kind::Agent, Some("{\"a\":1}"));
        let first = install(Kind::Agent, &place(), contents(Kind::Agent), before).unwrap();
        assert_eq!(first[0].backup, Backup::Make);
        let now = vec![Found {
            target: first[0].target.clone(),
            text: first[0].after.clone(),
            backup: first[0].before.clone(),
        }];
        let again = install(Kind::Agent, &place(), contents(Kind::Agent), now.clone()).unwrap();
        assert_eq!(again[0].backup, Backup::Leave);
        let gone = uninstall(Kind::Agent, &place(), now).unwrap();
        assert_eq!((gone[0].after.as_deref(), gone[0].backup), (Some("{\"a\":1}"), Backup::Drop));
    }
}
