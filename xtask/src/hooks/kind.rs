//! Lists the ways to start runs automatically, and where each is configured.

use camino::Utf8PathBuf;

use super::place::Place;

/// A way to start runs automatically.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// An agent's SessionStart and Stop hooks, in its settings.json.
    Agent,
    /// A systemd user service and its timer.
    Systemd,
    /// A launchd agent on macOS.
    Launchd,
    /// Two lines in your crontab.
    Cron,
    /// A task for the Windows Task Scheduler.
    Windows,
}

/// Something that hooks are written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file.
    File(Utf8PathBuf),
    /// The user's crontab, which only the program `crontab` may change.
    Crontab,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Agent, Self::Systemd, Self::Launchd, Self::Cron, Self::Windows];

    /// Returns where hooks of this kind are kept. There is one text for each target, in the same order.
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

    /// Returns the commands to type once the files are written.
    pub fn to_activate(self, place: &Place) -> Vec<String> {
        let name = place.name();
        match self {
            Self::Agent | Self::Cron => Vec::new(),
            Self::Systemd => vec![
                "systemctl --user daemon-reload".into(),
                format!("systemctl --user enable --now {name}.timer"),
            ],
            // A loaded agent cannot be loaded again, so it is unloaded first.
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

    /// Returns the commands to type once the files are removed.
    pub fn to_deactivate(self, place: &Place) -> Vec<String> {
        let name = place.name();
        match self {
            Self::Agent | Self::Cron => Vec::new(),
            // A removed unit can no longer be disabled, but it can be stopped.
            Self::Systemd => vec![
                format!("systemctl --user stop {name}.timer"),
                format!(
                    "rm -f {}",
                    sanitize::quoted(
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
