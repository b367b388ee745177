//! Causes the errors that keep gitsync from committing.

use std::os::unix::ffi::OsStrExt as _;

use testkit::Output;

use super::{Cause, as_nobody, cause, gitsync, mike, where_possible};

/// The causes.
pub const CAUSES: &[Cause] = &[
    cause("a pathspec matches nothing", || only("nothing-of-that-name")),
    cause("a pathspec is none", || only(":(nonsense)notes")),
    cause("the message is empty", || {
        let (_world, _origin, mike) = mike();
        gitsync(&mike).args(["--message", ""]).output()
    }),
    cause("the message has a NUL byte", || {
        let (_world, _origin, mike) = mike();
        mike.hook("commit-msg", "#!/bin/sh\nprintf 'a\\0b\\n' > \"$1\"\n");
        gitsync(&mike).output()
    }),
    cause("a name is not UTF-8", || {
        let (_world, _origin, mike) = mike();
        let name = std::ffi::OsStr::from_bytes(b"caf\xe9.txt");
        std::fs::write(mike.path().as_std_path().join(name), "x").unwrap();
        gitsync(&mike).output()
    }),
    cause("a name does harm", || {
        let (_world, _origin, mike) = mike();
        mike.write("git~1", "x");
        gitsync(&mike).output()
    }),
    cause("a file has become a pipe", || {
        let (_world, _origin, mike) = mike();
        mike.remove("README.md");
        mike.program("mkfifo").arg("README.md").success();
        gitsync(&mike).output()
    }),
    cause("a file changes whenever it is read", || {
        let (_world, _origin, mike) = mike();
        mike.git(["config", "filter.restless.clean", "cat; echo more >>new.md"]);
        mike.write(".gitattributes", "new.md filter=restless\n");
        gitsync(&mike).output()
    }),
    cause("a repository in it has no commit", || {
        let (_world, _origin, mike) = mike();
        mike.git(["init", "--quiet", "inner"]);
        gitsync(&mike).output()
    }),
    cause("a repository in it cannot be read", || {
        let (_world, _origin, mike) = mike();
        mike.git(["init", "--quiet", "inner"]);
        mike.write("inner/.git/HEAD", "ref: refs/heads/.invalid\n");
        std::fs::create_dir(mike.join("inner/.git/reftable")).unwrap();
        gitsync(&mike).output()
    }),
    where_possible("a file cannot be read", || {
        let (world, _origin, mike) = mike();
        let gitsync = as_nobody(&world, &mike, "gitsync")?;
        mike.program("chmod").args(["-R", "a+rwX", world.path().as_str()]).success();
        mike.program("chmod").args(["000", "new.md"]).success();
        Some(gitsync.output())
    }),
    cause("the content of a staged file was lost", || {
        let (_world, _origin, mike) = mike();
        // What was changed just now would be read again.
        mike.program("touch").args(["-d", "2020-01-01", "new.md"]).success();
        mike.git(["add", "new.md"]);
        let id = mike.git(["rev-parse", ":new.md"]);
        std::fs::remove_file(mike.git_dir().join("objects").join(&id[..2]).join(&id[2..])).unwrap();
        gitsync(&mike).output()
    }),
    cause("a filter fails", || {
        let (_world, _origin, mike) = mike();
        mike.git(["config", "filter.up.clean", "false"]);
        mike.git(["config", "filter.up.required", "true"]);
        mike.write(".gitattributes", "* filter=up\n");
        gitsync(&mike).output()
    }),
    cause("a file's encoding is not known", || encoded("CP437", b"1\n")),
    cause("a file is not in its encoding", || encoded("UTF-16", b"1\n")),
    cause("a hook says no", || {
        let (_world, _origin, mike) = mike();
        mike.hook("pre-commit", "#!/bin/sh\necho 'a secret in line 3' >&2\nexit 1\n");
        gitsync(&mike).output()
    }),
    cause("a hook cannot be started", || {
        let (_world, _origin, mike) = mike();
        mike.hook("pre-commit", "#!/nowhere/sh\n");
        gitsync(&mike).output()
    }),
    cause("the signing program fails", || {
        let (_world, _origin, mike) = mike();
        mike.git(["config", "commit.gpgSign", "true"]);
        mike.git(["config", "user.signingKey", "mike"]);
        mike.git(["config", "gpg.program", "false"]);
        gitsync(&mike).output()
    }),
];

fn encoded(encoding: &str, content: &[u8]) -> Output {
    let (_world, _origin, mike) = mike();
    mike.write(".gitattributes", format!("new.md working-tree-encoding={encoding}\n"));
    mike.write("new.md", content);
    gitsync(&mike).output()
}

fn only(pathspec: &str) -> Output {
    let (_world, _origin, mike) = mike();
    gitsync(&mike).args(["--only", pathspec]).output()
}
