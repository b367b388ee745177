//! Tests fetches and pushes over real servers.
//!
//! They are sshd, nginx with git's http-backend, `git daemon`, and servers that misbehave.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;

use std::time::Duration;

use common::{id, name, open, origin};
use remote::{Atomicity, Direction, Fetch, Push, RemoteError, Unwatched, Update, UpdateStatus};
use testkit::{
    Repo, World,
    servers::{Daemon, Manner, Misbehaving, Scripted, Sshd, Web},
};

/// A remote with one more commit than our clone of it, and our clone with one that it has not.
fn diverged() -> (World, Repo, Repo) {
    let (world, remote, [ours, theirs]) = World::with_clones(["ours", "theirs"]);
    remote.git(["config", "http.receivepack", "true"]);
    theirs.write("theirs.md", "theirs\n");
    theirs.commit_all("theirs");
    theirs.git(["push", "-q", "origin", "HEAD:refs/heads/topic"]);
    ours.write("ours.md", "ours\n");
    ours.commit_all("ours");
    (world, remote, ours)
}

fn configure(repo: &Repo, settings: &[(&str, &str)]) {
    for (key, value) in settings {
        repo.git(["config", "--add", key, value]);
    }
}

fn at(repo: &Repo, url: &str) {
    repo.git(["remote", "set-url", "origin", url]);
}

fn fetch(repo: &Repo) -> Result<usize, RemoteError> {
    origin(&open(repo)).fetch(&Fetch::configured(), &Unwatched).map(|fetched| fetched.moved.len())
}

fn push(repo: &Repo) -> Result<Vec<UpdateStatus>, RemoteError> {
    let update = Update {
        name: name("refs/heads/main"),
        expected: Some(id(&repo.rev("refs/remotes/origin/main"))),
        new: Some(id(&repo.head())),
    };
    let what = Push { updates: vec![update], together: Atomicity::Independent };
    origin(&open(repo)).push(&what, &Unwatched).map(|pushed| pushed.answers)
}

/// Fetches and pushes, and has git look at what arrived.
fn both_ways_work(remote: &Repo, ours: &Repo) {
    assert_eq!(fetch(ours).unwrap(), 1);
    assert_eq!(ours.rev("refs/remotes/origin/topic"), remote.rev("refs/heads/topic"));
    assert_eq!(push(ours).unwrap(), [UpdateStatus::Done]);
    assert_eq!(remote.rev("refs/heads/main"), ours.head());
    remote.git(["fsck", "--strict"]);
    ours.git(["fsck", "--strict"]);
}

/// Under this name, so that a machine without the servers can leave them out.
mod real_servers {
    use super::*;

    #[test]
    fn fetch_and_push_go_over_ssh() {
        let (world, remote, ours) = diverged();
        let sshd = Sshd::start(&world);
        at(&ours, &sshd.url(&remote));
        configure(&ours, &[("core.sshCommand", &sshd.command())]);
        both_ways_work(&remote, &ours);
    }

    #[test]
    fn ssh_that_does_not_let_one_in_says_so_in_its_own_words() {
        let (world, remote, ours) = diverged();
        let sshd = Sshd::start(&world);
        at(&ours, &sshd.url(&remote));
        for (command, words) in [
            (sshd.command_of_a_stranger(), "Permission denied (publickey)"),
            (sshd.command_to_a_stranger(), "Host key verification failed"),
        ] {
            ours.git(["config", "core.sshCommand", &command]);
            let trouble = fetch(&ours).unwrap_err();
            assert!(matches!(trouble, RemoteError::NotAllowed(_)), "{trouble:?}");
            assert!(trouble.to_string().contains(words), "{trouble}");
        }
    }

    #[test]
    fn over_ssh_a_repository_that_is_not_there_is_told_from_a_host_that_is_not() {
        let (world, remote, ours) = diverged();
        let sshd = Sshd::start(&world);
        configure(&ours, &[("core.sshCommand", &sshd.command())]);
        at(&ours, &format!("{}-gone", sshd.url(&remote)));
        let trouble = fetch(&ours).unwrap_err();
        assert!(matches!(trouble, RemoteError::Unreachable(_)), "{trouble:?}");
        assert!(trouble.to_string().contains("does not appear to be a git repository"), "{trouble}");
        at(&ours, "ssh://127.0.0.1:1/nowhere");
        let trouble = fetch(&ours).unwrap_err();
        assert!(matches!(trouble, RemoteError::Unreachable(_)), "{trouble:?}");
        assert!(trouble.to_string().contains("Connection refused"), "{trouble}");
    }

    #[test]
    fn fetch_and_push_go_over_gits_own_daemon() {
        let (world, remote, ours) = diverged();
        let daemon = Daemon::start(&world);
        at(&ours, &daemon.url(&remote));
        both_ways_work(&remote, &ours);
        at(&ours, &format!("{}-gone", daemon.url(&remote)));
        let trouble = fetch(&ours).unwrap_err();
        assert!(trouble.to_string().contains("access denied or repository not exported"), "{trouble}");
    }

    #[test]
    fn fetch_and_push_go_over_http_in_requests_small_and_large() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        at(&ours, &web.url("open", &remote));
        both_ways_work(&remote, &ours);
        // More than is sent in one piece, of what does not compress.
        let mut state = 1u64;
        let noise: Vec<u8> = (0..3_000_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
            .collect();
        ours.write("noise.bin", noise);
        ours.commit_all("noise");
        assert_eq!(push(&ours).unwrap(), [UpdateStatus::Done]);
        remote.git(["fsck", "--strict"]);
    }

    #[test]
    fn over_protocol_version_0_it_works_as_well() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        at(&ours, &web.url("open", &remote));
        configure(&ours, &[("protocol.version", "0")]);
        both_ways_work(&remote, &ours);
    }

    #[test]
    fn credentials_come_from_the_url_a_helper_or_an_askpass_program() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        let plain = web.url("private", &remote);
        let fetches = |how: &str| {
            if let Err(trouble) = fetch(&ours) {
                panic!("{how}: {trouble}");
            }
        };

        at(&ours, &plain.replace("http://", "http://mike:s3cret%20pass@"));
        fetches("by the URL");
        assert!(!origin(&open(&ours)).shown_url(Direction::Fetch).contains("s3cret"));

        at(&ours, &plain);
        let helper = world.path().join("helper");
        std::fs::write(&helper, "#!/bin/sh\necho username=mike\necho 'password=s3cret pass'\n").unwrap();
        world.program("chmod").args(["+x", helper.as_str()]).success();
        ours.git(["config", "credential.helper", helper.as_str()]);
        fetches("by the helper");

        ours.git(["config", "--unset", "credential.helper"]);
        let askpass = world.path().join("askpass");
        std::fs::write(&askpass, "#!/bin/sh\ncase $1 in User*) echo mike;; *) echo 's3cret pass';; esac\n")
            .unwrap();
        world.program("chmod").args(["+x", askpass.as_str()]).success();
        ours.git(["config", "core.askPass", askpass.as_str()]);
        fetches("by the askpass program");
        assert_eq!(push(&ours).unwrap(), [UpdateStatus::Done]);
    }

    #[test]
    fn a_server_that_wants_credentials_only_for_what_is_sent_gets_them_then() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        at(&ours, &web.url("private-post", &remote));
        let (helper, asked) = (world.path().join("helper"), world.path().join("asked"));
        let answers = |password: &str| {
            let script =
                format!("#!/bin/sh\necho $1 >>'{asked}'\necho username=mike\necho 'password={password}'\n");
            std::fs::write(&helper, script).unwrap();
            world.program("chmod").args(["+x", helper.as_str()]).success();
        };
        ours.git(["config", "credential.helper", helper.as_str()]);
        answers("wr0ng");
        let trouble = fetch(&ours).unwrap_err();
        assert!(matches!(trouble, RemoteError::NotAllowed(_)), "{trouble:?}");
        assert_eq!(std::fs::read_to_string(&asked).unwrap(), "get\nerase\n");

        answers("s3cret pass");
        std::fs::write(&asked, "").unwrap();
        both_ways_work(&remote, &ours);
        assert_eq!(std::fs::read_to_string(&asked).unwrap(), "get\nstore\nget\nstore\n");
        // Too much for one piece, which would have to be sent twice.
        configure(&ours, &[("http.postBuffer", "1000")]);
        ours.write("large.md", (0..2000).map(|n| format!("{}\n", n * 7919 % 10007)).collect::<String>());
        ours.commit_all("large");
        assert_eq!(push(&ours).unwrap(), [UpdateStatus::Done]);
        assert_eq!(remote.rev("refs/heads/main"), ours.head());
    }

    #[test]
    fn a_server_that_hangs_up_while_credentials_are_looked_for_is_asked_once_more() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        let helper = "!sleep 0.3; echo username=mike; echo 'password=s3cret pass'; :";
        configure(&ours, &[("credential.helper", helper), ("http.sslCAInfo", web.ca().as_str())]);
        at(&ours, &web.url("hasty", &remote));
        both_ways_work(&remote, &ours);
        at(&ours, &web.tls_url("hasty", &remote));
        assert_eq!(fetch(&ours).unwrap(), 0);
    }

    #[test]
    fn refused_or_missing_credentials_are_not_allowed_and_never_shown() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        let plain = web.url("private", &remote);
        for url in [plain.clone(), plain.replace("http://", "http://mike:wr0ng@")] {
            at(&ours, &url);
            let trouble = fetch(&ours).unwrap_err();
            assert!(matches!(trouble, RemoteError::NotAllowed(_)), "{trouble:?}");
            assert!(trouble.help().unwrap().contains("credential helper"));
            assert!(!format!("{trouble} {trouble:?} {:?}", trouble.help()).contains("wr0ng"), "{trouble:?}");
        }
    }

    #[test]
    fn a_certificate_counts_if_the_configured_authority_signed_it() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        at(&ours, &web.tls_url("open", &remote));
        let trouble = fetch(&ours).unwrap_err();
        assert!(matches!(trouble, RemoteError::Unreachable(_)), "{trouble:?}");
        assert!(
            trouble.to_string().contains("certificate") && trouble.help().unwrap().contains("sslCAInfo"),
            "{trouble}"
        );

        configure(&ours, &[("http.https://127.0.0.1:1.sslCAInfo", "/for/another/host")]);
        let own = web.tls_url("open", &remote);
        let key = format!("http.{}.sslCAInfo", own.split("/open").next().unwrap());
        configure(&ours, &[(&key, web.ca().as_str())]);
        both_ways_work(&remote, &ours);

        ours.git(["config", "--unset", &key]);
        configure(&ours, &[("http.sslVerify", "false")]);
        assert_eq!(fetch(&ours).unwrap(), 0);
        configure(&ours, &[("http.sslVerify", "true"), ("http.sslCAInfo", "/not/there")]);
        assert!(matches!(fetch(&ours).unwrap_err(), RemoteError::Misconfigured(_)));
    }

    #[test]
    fn a_setting_of_whom_to_trust_that_cannot_be_gone_by_trusts_nobody() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        at(&ours, &web.tls_url("open", &remote));
        let config = ours.join(".git/config");
        let plain = std::fs::read_to_string(&config).unwrap();
        let heard = |lines: &str| {
            std::fs::write(&config, format!("{plain}[http]\n{lines}")).unwrap();
            fetch(&ours).unwrap_err()
        };
        // A key without a value says yes.
        let trouble = heard("sslVerify\n");
        assert!(trouble.to_string().contains("certificate"), "{trouble:?}");
        let pinned = format!("sslCAInfo = {}\npinnedPubkey = sha256//of=another\n", web.ca());
        for (lines, words) in [
            ("sslVerify = ture\n", "http.sslVerify is 'ture', which is neither true nor false"),
            (&pinned, "http.pinnedPubkey is set, and is not supported"),
        ] {
            let trouble = heard(lines);
            assert!(matches!(&trouble, RemoteError::Misconfigured(_)), "{trouble:?}");
            assert!(trouble.to_string().contains(words), "{trouble}");
        }
    }

    #[test]
    fn a_server_that_signs_for_itself_counts_if_its_certificate_is_configured() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        at(&ours, &web.self_signed_url("localhost", "open", &remote));
        configure(&ours, &[("http.sslCAInfo", web.ca().as_str())]);
        let trouble = fetch(&ours).unwrap_err();
        assert!(trouble.to_string().contains("certificate"), "{trouble}");

        ours.git(["config", "http.sslCAInfo", web.self_signed().as_str()]);
        // It is for one name, and signs for nobody else.
        for url in [web.self_signed_url("127.0.0.1", "open", &remote), web.tls_url("open", &remote)] {
            at(&ours, &url);
            let trouble = fetch(&ours).unwrap_err();
            assert!(trouble.to_string().contains("certificate"), "{url}: {trouble}");
        }
        at(&ours, &web.self_signed_url("localhost", "open", &remote));
        both_ways_work(&remote, &ours);
    }

    #[test]
    fn certificates_in_a_folder_count_besides_those_in_a_file() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        let folder = world.path().join("certificates");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("README"), "no certificate\n").unwrap();
        configure(&ours, &[("http.sslCAPath", folder.as_str())]);
        at(&ours, &web.tls_url("open", &remote));
        assert!(matches!(fetch(&ours).unwrap_err(), RemoteError::Unreachable(_)));
        std::fs::copy(web.ca(), folder.join("ca.pem")).unwrap();
        both_ways_work(&remote, &ours);
        configure(&ours, &[("http.sslCAInfo", web.self_signed().as_str())]);
        assert_eq!(fetch(&ours).unwrap(), 0);
        configure(&ours, &[("http.sslCAPath", "/not/there")]);
        assert!(matches!(fetch(&ours).unwrap_err(), RemoteError::Misconfigured(_)));
    }

    #[test]
    fn requests_go_through_the_configured_proxy() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        let url = web.url("open", &remote);
        let path = url.split("/open/").nth(1).unwrap();
        at(&ours, &format!("http://no-such-host.invalid/open/{path}"));
        assert!(matches!(fetch(&ours).unwrap_err(), RemoteError::Unreachable(_)));
        configure(&ours, &[("http.proxy", &web.proxy())]);
        both_ways_work(&remote, &ours);
        assert!(web.requests().contains("no-such-host.invalid/open/"), "{}", web.requests());
    }

    #[test]
    fn a_proxy_is_passed_by_only_where_that_is_configured() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        at(&ours, &web.url("open", &remote));
        let closed = Misbehaving::start(Manner::HangsUp).port();
        for protocol in ["http", "socks", "socks5h"] {
            ours.git(["config", "http.proxy", &format!("{protocol}://127.0.0.1:{closed}")]);
            let trouble = fetch(&ours).unwrap_err();
            assert!(matches!(&trouble, RemoteError::Unreachable(_)), "{protocol}: {trouble:?}");
        }
        ours.git(["config", "http.proxy", &format!("sock5://127.0.0.1:{closed}")]);
        let trouble = fetch(&ours).unwrap_err();
        assert!(matches!(&trouble, RemoteError::Misconfigured(_)), "{trouble:?}");
        assert!(trouble.to_string().contains("http.proxy: sock5://127.0.0.1"), "{trouble}");

        ours.git(["config", "http.proxy", &format!("http://127.0.0.1:{closed}")]);
        for none in ["*", "example.com 127.0.0.1", "example.com, 127.0.0.0/8"] {
            ours.git(["config", "gitoxide.http.noProxy", none]);
            fetch(&ours).unwrap();
        }
    }

    #[test]
    fn a_repository_that_has_moved_is_followed() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        at(&ours, &web.url("moved", &remote));
        both_ways_work(&remote, &ours);
        configure(&ours, &[("http.followRedirects", "false")]);
        assert!(matches!(fetch(&ours).unwrap_err(), RemoteError::Unreachable(_)));
    }

    #[test]
    fn configured_headers_are_sent_to_the_hosts_that_they_are_for() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        at(&ours, &web.url("open", &remote));
        configure(
            &ours,
            &[("http.extraHeader", "X-Extra: one"), ("http.http://else.where.extraHeader", "X-Extra: two")],
        );
        fetch(&ours).unwrap();
        assert!(web.requests().contains("x=one") && !web.requests().contains("x=two"), "{}", web.requests());
        at(&ours, &web.url("elsewhere", &remote));
        assert_eq!(push(&ours).unwrap(), [UpdateStatus::Done]);
        let requests = web.requests();
        let (sent_on, at_first): (Vec<_>, Vec<_>) =
            requests.lines().partition(|line| line.contains("localhost"));
        assert!(sent_on.iter().any(|line| line.contains("POST")), "{requests}");
        assert!(!sent_on.iter().any(|line| line.contains("x=one")), "{requests}");
        assert!(
            at_first.iter().any(|line| line.contains("/elsewhere/") && line.contains("x=one")),
            "{requests}"
        );
    }

    #[test]
    fn what_a_kind_of_content_says_besides_is_no_matter() {
        let (_world, remote, ours) = diverged();
        let server = Scripted::start();
        at(&ours, &format!("http://127.0.0.1:{}/x", server.port()));
        let refs = format!("{} refs/heads/main\0agent=git/2\n", remote.rev("refs/heads/main"));
        server.say(
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement; charset=utf-8\r\n\
                 Connection: close\r\n\r\n001e# service=git-upload-pack\n0000{:04x}{refs}0000",
                refs.len() + 4
            )
            .as_bytes(),
        );
        let listing = origin(&open(&ours)).list(&["refs/heads/"], &Unwatched).unwrap();
        assert_eq!(listing.refs[0].id, id(&remote.rev("refs/heads/main")));
    }

    #[test]
    fn what_a_web_server_turns_down_is_told_as_what_it_is() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        let trouble_at = |url: &str| {
            at(&ours, url);
            fetch(&ours).unwrap_err()
        };
        let trouble = trouble_at(&web.url("forbidden", &remote));
        assert!(matches!(trouble, RemoteError::NotAllowed(_)), "{trouble:?}");
        let trouble = trouble_at(&web.url("broken", &remote));
        assert!(
            matches!(&trouble, RemoteError::Unreachable(_)) && trouble.to_string().contains("500"),
            "{trouble:?}"
        );
        let trouble = trouble_at(&web.url("page", &remote));
        assert!(trouble.to_string().contains("does not speak git"), "{trouble:?}");
        let trouble = trouble_at(&format!("{}-gone", web.url("open", &remote)));
        assert!(trouble.to_string().contains("there is no repository"), "{trouble:?}");

        at(&ours, &web.url("small", &remote));
        ours.write("large.md", (0..2000).map(|n| format!("{}\n", n * 7919 % 10007)).collect::<String>());
        ours.commit_all("large");
        let trouble = push(&ours).unwrap_err();
        assert!(matches!(&trouble, RemoteError::Refused(_)), "{trouble:?}");
    }

    #[test]
    fn a_push_that_the_server_does_not_offer_is_not_allowed() {
        let (world, remote, ours) = diverged();
        let web = Web::start(&world);
        at(&ours, &web.url("open", &remote));
        remote.git(["config", "http.receivepack", "false"]);
        let trouble = push(&ours).unwrap_err();
        assert!(matches!(trouble, RemoteError::NotAllowed(_)), "{trouble:?}");
    }

    #[test]
    fn a_server_that_says_nothing_is_unreachable_after_the_limit() {
        let (_world, _remote, ours) = diverged();
        let silent = Misbehaving::start(Manner::Silent);
        let port = silent.port();
        configure(&ours, &[("core.sshCommand", "sleep 600; :")]);
        for url in
            [format!("git://127.0.0.1:{port}/x"), format!("http://127.0.0.1:{port}/x"), "ssh://host/x".into()]
        {
            at(&ours, &url);
            let repo = open(&ours);
            let limited = origin(&repo).with_stall(Duration::from_millis(300));
            let trouble = limited.fetch(&Fetch::configured(), &Unwatched).unwrap_err();
            assert!(matches!(trouble, RemoteError::Unreachable(_)), "{url}: {trouble:?}");
            assert!(trouble.to_string().contains("has stalled"), "{url}: {trouble}");
        }
    }

    #[test]
    fn garbage_and_a_hung_up_line_are_unreachable() {
        let (_world, _remote, ours) = diverged();
        for manner in [Manner::Garbage, Manner::HangsUp] {
            let server = Misbehaving::start(manner);
            let port = server.port();
            for url in [format!("git://127.0.0.1:{port}/x"), format!("http://127.0.0.1:{port}/x")] {
                at(&ours, &url);
                let trouble = fetch(&ours).unwrap_err();
                assert!(matches!(trouble, RemoteError::Unreachable(_)), "{manner:?} {url}: {trouble:?}");
            }
        }
    }
}
