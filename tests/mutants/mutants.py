#!/usr/bin/env python3
"""Known bugs of Kafka clients, put into our own one at a time: the simulated schedules must find each of them, or, where their effect needs a
moment that a schedule hardly ever meets, the tests that are named.

    mutants.py fit                      every mutant's text stands exactly once in its file (quick; ctest does it)
    mutants.py run FOLDER [NAME...]     copies the sources to FOLDER, builds it there with each mutant, runs its schedule or tests;
                                        --seeds N (default 400)

Prints one line for each, and "N passed, M failed".
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPIED = ["CMakeLists.txt", "CMakePresets.json", "cmake", "include", "src", "tests", "testcontainers", "examples", "benchmarks", "README.md", "LICENSE"]


def load(names):
    with open(pathlib.Path(__file__).with_name("mutants.toml"), "rb") as f:
        all_of_them = tomllib.load(f)["mutant"]
    unknown = set(names) - {m["name"] for m in all_of_them}
    if unknown:
        sys.exit(f"no mutant {', '.join(sorted(unknown))}")
    return [m for m in all_of_them if not names or m["name"] in names]


def fit(m):
    """The mutated text of its file; an empty string if it does not fit."""
    text = (ROOT / m["file"]).read_text()
    return text.replace(m["old"], m["new"]) if text.count(m["old"]) == 1 else ""


def run(m, folder, seeds):
    """What found it, or None."""
    where = folder / "source" / m["file"]
    right = where.read_text()
    where.write_text(fit(m))
    program = m.get("program", "client-tests") if "tests" in m else "kafkawire-sim"
    try:
        built = subprocess.run(["cmake", "--build", folder / "build", "--target", program], capture_output=True, text=True)
        if built.returncode:
            return None, "does not build: " + built.stdout[-400:]
        arguments = [m["tests"]] if "tests" in m else ["--seeds", f"1..{seeds}", "--schedule", m["schedule"], "--jobs", "2"]
        try:
            out = subprocess.run([folder / "build/bin" / program, *arguments], capture_output=True, text=True, timeout=900).stdout
        except subprocess.TimeoutExpired:
            return "no end", ""
    finally:
        where.write_text(right)
    if "tests" in m:
        failed = re.findall(r"^test cases:.* (\d+) failed", out, re.M)
        return (f"{failed[0]} of the tests {m['tests']}", "") if failed else (None, f"NOT caught by the tests {m['tests']}")
    found = re.findall(r"^FAILED seed (\d+), schedule [a-z-]+: *([^\n]*)", out, re.M)
    kinds = sorted(set(re.findall(r"^([a-z-]+): \d+ in", out, re.M)))
    return (f"{', '.join(kinds) or found[0][1][:90]} (seed {found[0][0]}, {len(found)} seeds)", "") if found else (None, f"NOT caught in {seeds} seeds")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=["fit", "run"])
    p.add_argument("folder", nargs="?", type=pathlib.Path)
    p.add_argument("names", nargs="*")
    p.add_argument("--seeds", type=int, default=400)
    a = p.parse_args()
    mutants = load(a.names)
    good = bad = 0
    if a.what == "run":
        source = a.folder / "source"
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir(parents=True)
        for name in COPIED:
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(ROOT / name, source / name)
        subprocess.run(["cmake", "-S", source, "-B", a.folder / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DKAFKAWIRE_UNITY=OFF"],
                       check=True, stdout=subprocess.DEVNULL)
    for m in mutants:
        if not fit(m):
            bad += 1
            print(f"{m['name']}: its text does not stand once in {m['file']}", flush=True)
            continue
        if a.what == "run":
            by, why_not = run(m, a.folder, a.seeds)
            if not by:
                bad += 1
                print(f"{m['name']}: {why_not}", flush=True)
                continue
            print(f"{m['name']} ({m['row']}): caught by {by}", flush=True)
        good += 1
    print(f"{good} passed, {bad} failed")
    sys.exit(bad > 0)


main()
