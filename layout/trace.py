#!/usr/bin/env python3
"""Finds out which functions runs use, and writes them down in used.txt for the linker.

    layout/trace.py        in the workspace; takes some minutes, and needs valgrind

The phases are built as they are for use, with a map of what lies where, and `cargo xtask bench` runs each of them in
every situation that it measures, under valgrind's eyes. Code that only errors, options or other ways to a remote need is
not in the list, and need not be.

To be repeated after larger changes: a function that has another name, or came anew, lies apart from the others until
then and takes 64 KiB more of memory. Nothing else depends on the list.
"""

import bisect
import collections
import math
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

PHASES = ["lock", "logcheck", "gitsync", "notes-sync", "notesurface", "cmdcopy"]

# How many bytes that no run uses may be laid with the others for a line less: a prefix then stands for several names.
# That keeps the list short, and true for longer.
BYTES_A_LINE = 200

# How many digits of a hash tell functions of the same name apart.
HASH = 5

# Of one phase's runs, those with nothing to do take less than this many times the instructions of the shortest.
NOTHING_TO_DO = 2

HEAD = """\
# Written by layout/trace.py: what runs use of each library. Before each name, a letter for each of the
# phases: {phases}
# "a" is for runs with nothing to do, other letters for other situations, and "-" for none.
# A name stands for all that begin like it; where hashes follow, for those functions of that name whose hash begins so.
# See build.rs.
"""


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    head = HEAD.format(phases=" ".join(PHASES))
    # Valgrind tells only of a section by the usual name where in the binary it is.
    (root / "layout/used.txt").write_text(head)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "real").mkdir()
        sections = {phase: build(root, folder, phase) for phase in PHASES}
        watch(root, folder)
        used = gather(folder, sections)
    sizes, hashes = collections.Counter(), collections.defaultdict(set)
    for those in sections.values():
        here = collections.Counter()
        for _, size, (archive, name, hash) in those:
            here[archive, name] += size
            hashes[archive, name].add(hash)
        for key, size in here.items():
            sizes[key] = max(sizes[key], size)
    whole, parts = marked(used, hashes)
    lines = collections.defaultdict(list)
    for (archive, marks), names in whole.items():
        lines[archive] += [f"{marks} {prefix}" for prefix in shorten(archive, names, sizes)]
    for (archive, marks, name), some in parts.items():
        lines[archive].append(" ".join([marks, name, *sorted(some)]))
    text = "".join(f"{line}\n" for archive in sorted(lines) for line in [archive, *sorted(lines[archive])])
    (root / "layout/used.txt").write_text(head + text)


def build(root, folder, phase):
    """Builds a phase, keeps its binary in `folder`, and says what lies where: address, size, (archive, name, hash)."""
    plan = folder / f"{phase}.map"
    subprocess.run(
        ["cargo", "rustc", "--release", "--package", phase, "--bin", phase, "--", "-C", f"link-arg=-Wl,-Map={plan}"],
        cwd=root,
        check=True,
    )
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
    shutil.copy(target / "release" / phase, folder / "real")
    line = re.compile(r"^ *([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+) +\d+ {9}(\S.*):\((\.text[^)]*)\)$")
    found = []
    for match in filter(None, map(line.match, plan.read_text().splitlines())):
        address, size, place, name = match.groups()
        archive = re.search(r"/(lib[^/]*-)[0-9a-f]{16}\.rlib\(", place)
        # What is not in a library has hardly any code, or is C's and has no names.
        if archive and name != ".text":
            found.append((int(address, 16), int(size, 16), (archive[1], *apart(name))))
    return sorted(found)


def apart(name):
    """A section's name without what changes with every version of a compiler or of a dependency, and the begin of that.

    The same function for other types has the same name here, and another hash.
    """
    if "._R" in name:
        return re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", name), ""
    match = re.fullmatch(r"(.*17h)([0-9a-f]{16})E(\..*)?", name)
    return (match[1], match[2][:HASH]) if match else (name, "")


def watch(root, folder):
    """Has the bench run the phases, each of them under valgrind."""
    (folder / "watched").mkdir()
    for phase in PHASES:
        script = folder / "watched" / phase
        script.write_text(
            "#!/bin/sh\n"
            "exec valgrind --quiet --tool=callgrind --dump-instr=yes "
            f"--callgrind-out-file={folder}/{phase}.%p.trace {folder}/real/{phase} \"$@\"\n"
        )
        script.chmod(0o755)
    subprocess.run(["cargo", "build", "--release", "--package", "xtask"], cwd=root, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
    # It starts its neighbours.
    shutil.copy(target / "release/lockstep", folder / "watched")
    command = [folder / "watched/lockstep", "bench", "--binaries", folder / "watched", "--files", "20000"]
    command += ["--runs", "1", "--scenario", "steps", "--out", folder / "out", "--in", folder]
    subprocess.run(command, cwd=root, check=True)


def gather(folder, sections):
    """What each situation uses, and whether it is one with nothing to do: a phase, and how long it took."""
    used = collections.defaultdict(set)
    for phase in PHASES:
        traces = [read(path, folder / "real" / phase) for path in folder.glob(f"{phase}.*.trace")]
        least = min(count for count, _ in traces)
        starts = [address for address, _, _ in sections[phase]]
        for count, addresses in traces:
            # Runs of the same situation differ by less than the square root of two, or do no harm as two of them.
            situation = (count >= NOTHING_TO_DO * least, phase, round(2 * math.log2(count)))
            for address in addresses:
                at = bisect.bisect_right(starts, address) - 1
                if at >= 0 and address < starts[at] + sections[phase][at][1]:
                    used[situation].add(sections[phase][at][2])
    return used


def marked(used, hashes):
    """What is used, by archive and letters for situations: names of which all functions are, and parts of others."""
    users = collections.defaultdict(lambda: collections.defaultdict(list))
    for situation in sorted(used):
        has_work, phase, _ = situation
        for key in used[situation]:
            users[key][phase].append(situation if has_work else None)
    letters = {phase: {(): "a"} for phase in PHASES}
    by_name = collections.defaultdict(lambda: collections.defaultdict(set))
    for archive, name, hash in sorted(users):
        marks = ""
        for phase in PHASES:
            situations = users[archive, name, hash].get(phase)
            if situations is None:
                marks += "-"
                continue
            known = letters[phase]
            situations = () if None in situations else tuple(situations)
            marks += known.setdefault(situations, chr(ord("a") + len(known)))
        by_name[archive, name][marks].add(hash)
    whole, parts = collections.defaultdict(set), {}
    for (archive, name), marks in by_name.items():
        if list(marks.values()) == [hashes[archive, name]]:
            whole[archive, *marks].add(name)
        else:
            parts.update({(archive, one, name): some for one, some in marks.items()})
    return whole, parts


def read(path, binary):
    """How many instructions a run took, and the addresses of all that it used of its binary."""
    count, addresses, address, files, ours = 0, set(), 0, {}, False
    for line in path.read_text().splitlines():
        if line.startswith("ob="):
            number, _, name = line[3:].partition(" ")
            files.setdefault(number, name)
            ours = files[number] == str(binary)
        elif line.startswith("cob="):
            number, _, name = line[4:].partition(" ")
            files.setdefault(number, name)
        elif line.startswith("summary:"):
            count = int(line.split()[1])
        elif line and line[0] in "0+-*":
            word = line.split()[0]
            address = address if word == "*" else int(word, 16) if word[0] == "0" else address + int(word)
            if ours:
                addresses.add(address)
    return count, addresses


def shorten(archive, names, sizes):
    """Prefixes for `names` in an archive, as few as can be without many others that begin like them."""
    every = sorted((name, 0 if name in names else size) for (of, name), size in sizes.items() if of == archive)
    prefixes = [(name, 0) for name in sorted(names)]
    while (best := cheapest(prefixes, every)) and best[0] <= BYTES_A_LINE:
        _, first, last, prefix, cost = best
        prefixes[first:last] = [(prefix, cost)]
    return [prefix for prefix, _ in prefixes]


def cheapest(prefixes, known):
    """Which neighbours cost least when one prefix stands for them: cost for each line, first, end, prefix, cost."""
    best = None
    for at in range(len(prefixes) - 1):
        prefix = os.path.commonprefix([prefixes[at][0], prefixes[at + 1][0]])
        # Shorter ones name no crate.
        if len(prefix) < len(".text._ZN3gix"):
            continue
        first, end = at, at + 2
        while first > 0 and prefixes[first - 1][0].startswith(prefix):
            first -= 1
        while end < len(prefixes) and prefixes[end][0].startswith(prefix):
            end += 1
        begin = bisect.bisect_left(known, (prefix, 0))
        cost = 0
        for name, size in known[begin:]:
            if not name.startswith(prefix):
                break
            cost += size
        more = (cost - sum(cost for _, cost in prefixes[first:end])) / (end - first - 1)
        if best is None or more < best[0]:
            best = (more, first, end, prefix, cost)
    return best


main()
