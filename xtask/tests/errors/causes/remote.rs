//! Causes errors about a remote's configuration, and about servers that are unreachable, refuse, or are not git's.

use testkit::{
    Output, Repo,
    servers::{Daemon, Manner, Misbehaving, Scripted, Sshd, Web},
};

use super::{Cause, as_homeless, as_nobody, cause, gitsync, mike, mike_and_howard, where_possible};

/// The causes.
pub const CAUSES: &[Cause] = &[
    cause("the remote's name cannot be one", || with(&[("branch.main.remote", "..")])),
    cause("there is no such remote", || with(&[("branch.main.remote", "gone")])),
    cause("the remote's configuration is broken", || with(&[("remote.origin.fetch", ":::")])),
    cause("its refspecs contradict each other", || {
        let (_world, origin, mike) = mike();
        origin.git(["branch", "other", "main"]);
        for branch in ["main", "other"] {
            let spec = format!("+refs/heads/{branch}:refs/remotes/origin/one");
            mike.git(["config", "--add", "remote.origin.fetch", &spec]);
        }
        gitsync(&mike).output()
    }),
    cause("its objects are named by SHA-256", || {
        let (world, _origin, mike) = mike();
        let path = world.path().join("odd.git");
        world.git(["init", "--quiet", "--bare", "--object-format=sha256", path.as_str()]);
        world.git(["init", "--quiet", "--object-format=sha256", "other"]);
        let other = world.repo(world.path().join("other"));
        other.commit_all("theirs");
        other.git(["push", "--quiet", path.as_str(), "main"]);
        at(&mike, path.as_str())
    }),
    cause("it has an address for pushes only", || {
        let (_world, origin, mike) = mike();
        mike.git(["config", "--unset", "remote.origin.url"]);
        mike.git(["config", "remote.origin.pushurl", origin.path().as_str()]);
        gitsync(&mike).output()
    }),
    cause("it has several URLs to push to", || {
        let (_world, _origin, mike) = mike();
        mike.git(["remote", "set-url", "--add", "origin", "https://host.example/tools.git"]);
        gitsync(&mike).output()
    }),
    cause("pushes to it are to be signed", || with(&[("push.gpgSign", "true")])),
    cause("it takes no push options", || with(&[("push.pushOption", "ci.skip")])),
    cause("a push option has several lines", || with(&[("push.pushOption", "ci\nskip")])),
    cause("its protocol is not spoken here", || url("rsync://127.0.0.1/tools.git")),
    cause("its protocol is not allowed", || with(&[("protocol.file.allow", "never")])),
    cause("the environment does not allow its protocol", || {
        let (_world, _origin, mike) = mike();
        gitsync(&mike).env("GIT_ALLOW_PROTOCOL", "https:ssh").output()
    }),
    cause("it is a daemon, and a program is set to connect by", || {
        with(&[("core.gitProxy", "connect"), ("remote.origin.url", "git://127.0.0.1:1/tools.git")])
    }),
    cause("there is nothing at its path", || url("/nowhere/tools.git")),
    where_possible("its path is not for this user", || {
        let (world, origin, mike) = mike();
        let gitsync = as_nobody(&world, &mike, "gitsync")?;
        mike.program("chmod").args(["-R", "a+rwX", mike.path().as_str()]).success();
        mike.git(["clone", "--quiet", "--bare", origin.path().as_str(), "../locked/origin.git"]);
        mike.program("chmod").args(["700", "../locked"]).success();
        mike.git(["remote", "set-url", "origin", "../locked/origin.git"]);
        Some(gitsync.output())
    }),
    where_possible("the folder at its path is not for this user", || {
        let (world, origin, mike) = mike();
        let gitsync = as_nobody(&world, &mike, "gitsync")?;
        mike.program("chmod").args(["-R", "a+rwX", mike.path().as_str()]).success();
        mike.program("chmod").args(["700", origin.path().as_str()]).success();
        Some(gitsync.output())
    }),
    where_possible("it belongs to someone else", || {
        let (_world, origin, mike) = mike();
        // Only root can give files away.
        let given = mike.program("chown").args(["-R", "12345", origin.path().as_str()]).output().code == 0;
        given.then(|| gitsync(&mike).output())
    }),
    cause("git's server program is not there", || with(&[("remote.origin.uploadpack", "/nowhere/upload")])),
    cause("ssh is not there", || {
        with(&[("core.sshCommand", "/nowhere/ssh"), ("remote.origin.url", "ssh://127.0.0.1/tools.git")])
    }),
    cause("its host looks like an option of ssh", || url("ssh://-oProxyCommand=x/tools.git")),
    cause("its path looks like an option", || url("host.example:-x")),
    cause("an ssh program cannot be told the port", || {
        with(&[("ssh.variant", "simple"), ("remote.origin.url", "ssh://127.0.0.1:2222/tools.git")])
    }),
    cause("ssh does not get through", || url("ssh://127.0.0.1:1/tools.git")),
    cause("ssh has no key that the server knows", || over_ssh(Sshd::command_of_a_stranger, None)),
    cause("ssh does not know the host", || over_ssh(Sshd::command_to_a_stranger, None)),
    cause("the ssh server has no git", || {
        over_ssh(Sshd::command, Some(("remote.origin.uploadpack", "no-such-program")))
    }),
    cause("the ssh server has no such repository", || {
        let (world, origin, mike) = mike();
        let sshd = Sshd::start(&world);
        mike.git(["config", "core.sshCommand", &sshd.command()]);
        at(&mike, &format!("{}-elsewhere", sshd.url(&origin)))
    }),
    cause("the ssh server's login prints something", || {
        with(&[
            ("core.sshCommand", "echo Welcome; false"),
            ("ssh.variant", "ssh"),
            ("remote.origin.url", "ssh://127.0.0.1/tools.git"),
        ])
    }),
    cause("the ssh server's gatekeeper says no", || {
        with(&[
            ("core.sshCommand", "echo 'ERROR: Permission to tools.git denied to mike.' >&2; false"),
            ("ssh.variant", "ssh"),
            ("remote.origin.url", "ssh://127.0.0.1/tools.git"),
        ])
    }),
    cause("nobody listens", || url("http://127.0.0.1:1/tools.git")),
    cause("the server says nothing", || {
        let server = Misbehaving::start(Manner::Silent);
        let (_world, _origin, mike) = mike();
        mike.git(["remote", "set-url", "origin", &format!("git://127.0.0.1:{}/tools.git", server.port())]);
        gitsync(&mike).args(["--stall", "1s"]).output()
    }),
    cause("the server says something odd", || {
        let server = Misbehaving::start(Manner::Garbage);
        url(&format!("git://127.0.0.1:{}/tools.git", server.port()))
    }),
    cause("a daemon does not serve the repository", || {
        let (world, origin, mike) = mike();
        let daemon = Daemon::start(&world);
        at(&mike, &format!("{}-elsewhere", daemon.url(&origin)))
    }),
    cause("a daemon takes no pushes", || {
        let (world, origin, mike) = mike();
        origin.git(["config", "daemon.receivepack", "false"]);
        let daemon = Daemon::start(&world);
        at(&mike, &daemon.url(&origin))
    }),
    cause("a daemon that explains itself takes no pushes", || {
        let (world, origin, mike) = mike();
        origin.git(["config", "daemon.receivepack", "false"]);
        let daemon = Daemon::start_explaining(&world);
        at(&mike, &daemon.url(&origin))
    }),
    cause("the server cannot say what became of a push", || {
        let (_world, _origin, mike) = mike();
        let server = Scripted::start();
        let first = format!("{} refs/heads/main\0ofs-delta agent=other/1\n", mike.rev("origin/main"));
        server.say(format!("{:04x}{first}0000", first.len() + 4).as_bytes());
        let url = format!("git://127.0.0.1:{}/tools.git", server.port());
        with_config(&mike, &[("remote.origin.pushurl", &url)])
    }),
    cause("the server keeps back a part of what it has", || {
        let (world, _origin, mike, _howard) = mike_and_howard();
        let hook = world.path().join("pack-objects");
        std::fs::write(&hook, "#!/bin/sh\nexec \"$@\" --filter=blob:none\n").unwrap();
        world.program("chmod").args(["+x", hook.as_str()]).success();
        // Such a hook is taken from the user's own configuration alone.
        world.git(["config", "--global", "uploadpack.packObjectsHook", hook.as_str()]);
        gitsync(&mike).output()
    }),
    cause("the remote is a shallow clone, and what comes before is not here", || {
        let (world, _origin, mike) = mike();
        let fork = world.init("fork");
        fork.commit_all("one");
        fork.commit_all("two");
        let shallow = world.path().join("shallow.git");
        let url = format!("file://{}", fork.path());
        world.git(["clone", "--quiet", "--bare", "--depth=1", &url, shallow.as_str()]);
        mike.git(["remote", "set-url", "origin", shallow.as_str()]);
        gitsync(&mike).output()
    }),
    cause("it is fetched from one place and pushed to another, which has something else", || {
        let (world, origin, mike) = mike();
        let mirror = world.path().join("mirror.git");
        world.git(["clone", "--quiet", "--mirror", origin.path().as_str(), mirror.as_str()]);
        mike.git(["config", "remote.origin.pushurl", origin.path().as_str()]);
        mike.git(["config", "remote.origin.url", mirror.as_str()]);
        let seed = world.repo(world.path().join("seed"));
        seed.commit_all("later");
        seed.push();
        gitsync(&mike).output()
    }),
    cause("the server turns the whole push down", || {
        let (_world, origin, mike) = mike();
        origin.git(["config", "receive.maxInputSize", "2000"]);
        mike.write("large.md", incompressible());
        gitsync(&mike).output()
    }),
    where_possible("the server cannot write what is pushed", || {
        let (world, origin, mike) = mike();
        let gitsync = as_nobody(&world, &mike, "gitsync")?;
        mike.program("chmod").args(["-R", "a+rwX", world.path().as_str()]).success();
        mike.program("chmod").args(["555", origin.join("objects").as_str()]).success();
        Some(gitsync.output())
    }),
    cause("the certificate is not trusted", || {
        let (world, origin, mike) = mike();
        let web = Web::start(&world);
        at(&mike, &web.tls_url("open", &origin))
    }),
    cause("the credentials are missing or wrong", || on_the_web("private")),
    cause("the proxy wants credentials", || {
        let server = Scripted::start();
        server.say(
            b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\
              Content-Length: 0\r\nConnection: close\r\n\r\n",
        );
        let proxy = format!("http://127.0.0.1:{}", server.port());
        with(&[("http.proxy", &proxy), ("remote.origin.url", "http://git.example.com/tools.git")])
    }),
    cause("the web server forbids it", || on_the_web("forbidden")),
    cause("the web server has no such repository", || on_the_web("nowhere")),
    cause("the web server does not take that much", || {
        let (world, origin, mike) = mike();
        origin.git(["config", "http.receivepack", "true"]);
        mike.write("large.md", incompressible());
        let web = Web::start(&world);
        at(&mike, &web.url("small", &origin))
    }),
    cause("the web server is broken", || on_the_web("broken")),
    cause("the web server has a page and no repository", || on_the_web("page")),
    cause("a setting of http names what is not there", || {
        with(&[("http.sslCAInfo", "/nowhere/ca.pem"), ("remote.origin.url", "https://127.0.0.1:1/tools.git")])
    }),
    where_possible("a setting of http is below a home that is not known", || {
        let (world, _origin, mike) = mike();
        mike.git(["config", "http.sslCAInfo", "~/ca.pem"]);
        mike.git(["remote", "set-url", "origin", "https://127.0.0.1:1/tools.git"]);
        Some(as_homeless(&world, &mike, "gitsync")?.output())
    }),
    cause("a ref of one's own is broken", || {
        let (_world, _origin, mike, _howard) = mike_and_howard();
        std::fs::write(mike.git_dir().join("refs/heads/broken"), "garbage\n").unwrap();
        gitsync(&mike).output()
    }),
    cause("a ref is locked", || {
        let (_world, origin, mike) = mike();
        let commit = origin.git(["commit-tree", "-m", "theirs", "-p", "main", "main^{tree}"]);
        origin.git(["update-ref", "refs/heads/main", &commit]);
        std::fs::write(mike.git_dir().join("refs/remotes/origin/main.lock"), "").unwrap();
        gitsync(&mike).output()
    }),
];

/// A text of some length that does not get much shorter by being packed.
fn incompressible() -> String {
    (0..4000_u32).map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761))).collect()
}

fn with(config: &[(&str, &str)]) -> Output {
    let (_world, _origin, mike) = mike();
    with_config(&mike, config)
}

fn with_config(mike: &Repo, config: &[(&str, &str)]) -> Output {
    for (key, value) in config {
        mike.git(["config", key, value]);
    }
    gitsync(mike).output()
}

fn url(url: &str) -> Output {
    with(&[("remote.origin.url", url)])
}

fn at(mike: &Repo, url: &str) -> Output {
    mike.git(["remote", "set-url", "origin", url]);
    gitsync(mike).output()
}

fn over_ssh(command: fn(&Sshd) -> String, besides: Option<(&str, &str)>) -> Output {
    let (world, origin, mike) = mike();
    let sshd = Sshd::start(&world);
    mike.git(["config", "core.sshCommand", &command(&sshd)]);
    if let Some((key, value)) = besides {
        mike.git(["config", key, value]);
    }
    at(&mike, &sshd.url(&origin))
}

fn on_the_web(place: &str) -> Output {
    let (world, origin, mike) = mike();
    let web = Web::start(&world);
    at(&mike, &web.url(place, &origin))
}
