#!/usr/bin/env python3
"""scripts/corpus.py PACKAGE TARGET...: keeps what fuzzing has found.

Of the inputs that `make fuzz` left in Go's cache, those become tests, in the
package's testdata/fuzz, that reach code, or reach it more often, which neither
the seeds in the source nor smaller inputs do; at most MOST of a target.
"""

import os
import shutil
import subprocess
import sys
import tempfile

MOST = 24
BYTES_MAX = 4096


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def reached(binary, where, pattern):
    """What is reached, and about how often, by the inputs of that name."""
    profile = os.path.join(where, "profile")
    subprocess.run([binary, "-test.run", pattern, "-test.coverprofile", profile], check=True, cwd=where,
                   stdout=subprocess.DEVNULL, timeout=60)
    with open(profile) as f:
        lines = [line.rsplit(" ", 2) for line in f.readlines()[1:]]
    return {(block, min(int(count).bit_length(), 4)) for block, _, count in lines if int(count) > 0}


def keep(binary, cache, kept, target):
    inputs = sorted((os.path.join(cache, n) for n in os.listdir(cache)), key=lambda p: (os.path.getsize(p), p))
    chosen = []
    with tempfile.TemporaryDirectory() as where:
        seeds = os.path.join(where, "testdata", "fuzz", target)
        os.makedirs(seeds)
        have = reached(binary, where, "^%s$/^seed#" % target)
        for path in inputs:
            if len(chosen) == MOST or os.path.getsize(path) > BYTES_MAX:
                break
            name = os.path.basename(path)
            shutil.copy(path, seeds)
            new = reached(binary, where, "^%s$/^%s$" % (target, name))
            os.remove(os.path.join(seeds, name))
            if not new <= have:
                have |= new
                chosen.append(path)
    os.makedirs(kept, exist_ok=True)
    for path in chosen:
        shutil.copyfile(path, os.path.join(kept, os.path.basename(path)))
    print("%s: %d of %d inputs kept" % (target, len(chosen), len(inputs)))


def main(package, *targets):
    path, home = output("go", "list", "-f", "{{.ImportPath}} {{.Dir}}", package).split(" ", 1)
    cache = os.path.join(output("go", "env", "GOCACHE"), "fuzz", path)
    with tempfile.TemporaryDirectory() as scratch:
        binary = os.path.join(scratch, "tests")
        subprocess.run(["go", "test", "-c", "-cover", "-covermode=count", "-o", binary, package], check=True)
        for target in targets:
            keep(binary, os.path.join(cache, target), os.path.join(home, "testdata", "fuzz", target), target)


main(*sys.argv[1:])
