//! Tests credentials from `.netrc`, in a separate file because they need their own environment.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]
#![allow(unsafe_code, reason = "the only test of its process may set that process's environment")]

mod common;

use common::{open, origin};
use remote::{RemoteError, Unwatched};
use testkit::{World, servers::Web};

/// Under this name, so that a machine without the server can leave it out.
mod real_servers {
    use super::*;

    #[test]
    fn a_login_in_netrc_opens_what_needs_one() {
        let (world, remote, [ours]) = World::with_clones(["ours"]);
        let web = Web::start(&world);
        ours.git(["remote", "set-url", "origin", &web.url("private", &remote)]);
        let file = world.path().join("netrc");
        // SAFETY: no other thread reads the environment meanwhile.
        unsafe { std::env::set_var("NETRC", &file) };
        let refused = origin(&open(&ours)).list(&[], &Unwatched).unwrap_err();
        assert!(matches!(refused, RemoteError::NotAllowed(_)), "{refused:?}");
        std::fs::write(&file, "machine 127.0.0.1 login mike password \"s3cret pass\"\n").unwrap();
        assert_eq!(origin(&open(&ours)).list(&["refs/heads/"], &Unwatched).unwrap().refs.len(), 1);
    }
}
