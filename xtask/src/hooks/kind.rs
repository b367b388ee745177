//! The kinds of hooks, and where each is kept.

use camino::Utf8PathBuf;

use super::place::Place;

/// What starts a run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// An agent's SessionStart and Stop hooks, in its settings.json.
    Agent,
    /// A systemd user service and its timer.
    Systemd,
    /// A launchd agent of macOS.
    Launchd,
    /// Two lines in your crontab.
    Cron,
    /// A task for the Task Scheduler of Windows.
    Windows,
}

/// Something that hooks are written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file.
    File(Utf8PathBuf),
    /// The user's crontab, which only the program `crontab` may touch.
    Crontab,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Agent, Self::Systemd, Self::Launchd, Self::Cron, Self::Windows];

    /// Where hooks of this kind are kept. Of each target there is one text, in the same order.
    pub fn targets(self, place: &Place) -> Vec<Target> {
        let name = place.name();
        let files = match self {
            Self::Agent => vec![place.settings.clone()],
            Self::Systemd => {
                let units = place.config.join("systemd/user");
                vec![units.join(format!("{name}.service")), units.join(format!("{name}.timer"))]
            }
            Self::Launchd => vec![place.home.join("Library/LaunchAgents").join(format!("{name}.plist"))],
            Self::Cron => return vec![Target::Crontab],
            Self::Windows => vec![place.config.join("lockstep").join(format!("{name}.xml"))],
        };
        files.into_iter().map(Target::File).collect()
    }

    /// What there is to type once the files are there.
    pub fn to_activate(self, place: &Place) -> Vec<String> {
        let name = place.name();
        match self {
            Self::Agent | Self::Cron => Vec::new(),
            Self::Systemd => vec![
                "systemctl --user daemon-reload".into(),
                format!("systemctl --user enable --now {name}.timer"),
            ],
            // One that is loaded already is not loaded anew, but refused.
            Self::Launchd => vec![
                format!("launchctl bootout gui/$(id -u)/{name} 2>/dev/null"),
                format!("launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/{name}.plist"),
            ],
            Self::Windows => {
                let file = place.config.join("lockstep").join(format!("{name}.xml"));
                vec![format!("schtasks /Create /F /TN {name} /XML \"{file}\"")]
            }
        }
    }

    /// What there is to type once the files are gone.
    pub fn to_deactivate(self, place: &Place) -> Vec<String> {
        let name = place.name();
        match self {
            Self::Agent | Self::Cron => Vec::new(),
            // What is gone cannot be disabled, but it can be stopped.
            Self::Systemd => vec![
                format!("systemctl --user stop {name}.timer"),
                format!(
                    "rm -f {}",
                    words::quoted(
                        place.config.join(format!("systemd/user/timers.target.wants/{name}.timer")).as_str()
                    )
                ),
                "systemctl --user daemon-reload".into(),
            ],
            Self::Launchd => vec![format!("launchctl bootout gui/$(id -u)/{name}")],
            Self::Windows => vec![format!("schtasks /Delete /TN {name} /F")],
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.write_str(path.as_str()),
            Self::Crontab => f.write_str("your crontab"),
        }
    }
}
