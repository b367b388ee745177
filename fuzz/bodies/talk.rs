//! A talk with a server that says what it was given, byte for byte.
//!
//! The parsers are reached as a user's run reaches them, through a connection: so nothing had to be made public for
//! this, and what lies between the socket and the parser is part of it.

use std::time::Duration;

use gix::ObjectId;
use remote::{Atomicity, Push, Pushed, RefAdvertisement, Remote, RemoteError, RemoteName, Unwatched, Update};
use testkit::{World, servers::Scripted};

/// A repository, and the server that its remote is.
#[allow(dead_code, reason = "each target uses its part")]
pub struct Talk {
    repo: gix::Repository,
    server: Scripted,
    head: ObjectId,
    _world: World,
}

#[allow(dead_code, reason = "each target uses its part")]
impl Talk {
    /// Over git's own protocol.
    pub fn over_git() -> Self {
        Self::new(|port| format!("git://127.0.0.1:{port}/x.git"))
    }

    /// Over HTTP. Wherever the server redirects to, it is asked itself, as it is the proxy too.
    pub fn over_http() -> Self {
        Self::new(|port| format!("http://user:s3cret@127.0.0.1:{port}/x.git"))
    }

    fn new(url: impl Fn(u16) -> String) -> Self {
        let (world, _origin, [ours]) = World::with_clones(["ours"]);
        let server = Scripted::start();
        ours.git(["config", "http.proxy", &format!("http://127.0.0.1:{}", server.port())]);
        ours.git(["config", "credential.helper", ""]);
        ours.git(["remote", "set-url", "origin", &url(server.port())]);
        // Nothing that the server says may change the repository, or the next talk would be another one.
        ours.git(["config", "--unset", "remote.origin.fetch"]);
        let options = gix::open::Options::isolated();
        let repo = gix::open_opts(ours.path().as_std_path(), options).expect("a repository");
        let head = ObjectId::from_hex(ours.head().as_bytes()).expect("an id");
        Self { repo, server, head, _world: world }
    }

    /// Asks for the refs; the server answers with `said`.
    pub fn list(&self, said: &[u8]) -> Result<RefAdvertisement, RemoteError> {
        self.server.say(said);
        let listed = self.remote().list(&["refs/heads/"], &Unwatched);
        listed.inspect_err(harmless)
    }

    /// Pushes what the remote may have already; the server answers with `said`.
    pub fn push(&self, said: &[u8]) -> Result<Pushed, RemoteError> {
        self.server.say(said);
        let name = "refs/heads/main".try_into().expect("a ref's name");
        let update = Update { name, expected: None, new: Some(self.head) };
        let what = Push { updates: vec![update], together: Atomicity::Independent };
        self.remote().push(&what, &Unwatched).inspect_err(harmless)
    }

    fn remote(&self) -> Remote<'_> {
        let name = RemoteName::parse("origin").expect("a remote's name");
        let remote = Remote::named(&self.repo, &name).expect("a configured remote");
        remote.with_stall(Duration::from_secs(2))
    }
}

/// For a fuzz target, in which any panic ends the process: those of gix are caught by whom this is about, and are no
/// find.
#[allow(dead_code, reason = "a test lets panics be caught anyway")]
pub fn forgive_gix() {
    let fatal = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|place| place.file().contains("/gix-")) {
            fatal(panic);
        }
    }));
}

/// Panics where a failure would drive the terminal that it is shown on, or tell the password.
fn harmless(trouble: &RemoteError) {
    let text = format!("{trouble} {}", trouble.help().unwrap_or_default());
    printable(&text);
    assert!(!text.contains("s3cret"), "{text:?}");
}

/// Panics where `text` has control characters other than line ends.
pub fn printable(text: &str) {
    assert!(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{text:?}");
}
