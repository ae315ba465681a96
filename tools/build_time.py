#!/usr/bin/env python3
"""Measures builds from nothing: wall and CPU seconds, the slowest crates, lines of LLVM IR.

`just build-time` runs it. Each build has a target folder of its own that is empty at first, so nothing of an earlier
build helps and nothing of `target/` is lost; downloads are done beforehand. CPU seconds are those of all processes
of the build. rustc is started through this script (RUSTC_WRAPPER), which writes down what each crate took.
"""

import argparse
import collections
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOG = "SAMEBITS_BUILD_LOG"

# What is measured: a title and the commands that are timed together.
BUILDS = {
    "program": ("release program", [["cargo", "build", "--release", "--package", "experiments"]]),
    "tests": ("all tests, built and run", [["cargo", "test", "--workspace"]]),
    "doc": ("documentation", [["cargo", "doc", "--workspace", "--no-deps"]]),
}

# A user's crate on kernels and models: trains a network on XOR.
USER_MANIFEST = """[package]
name = "xor"
version = "0.1.0"
edition = "2024"

[dependencies]
kernels = {{ path = "{root}/kernels" }}
models = {{ path = "{root}/models" }}

[workspace]
"""
USER_PROGRAM = """use kernels::activation::Activation;
use kernels::{Exec, Level};
use models::init::Init;
use models::loss::{Loss, Targets};
use models::network::{LayerSpec, Network, Position};
use models::optimizer::{Optimizer, OptimizerSpec};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let layers = [LayerSpec::dense(2), LayerSpec::Activation(Activation::Tanh), LayerSpec::dense(2)];
    let mut network = Network::<f32>::new(&[2], &layers, Loss::SoftmaxCrossEntropy, 4)?;
    network.initialise(Init::XavierNormal, 1);
    let mut optimizer = Optimizer::new(OptimizerSpec::sgd(0.5), network.parameters().len())?;
    let exec = Exec::serial(Level::best());
    let (x, y) = ([0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], [0, 1, 1, 0]);
    for epoch in 0..2000 {
        let at = Position { seed: 1, epoch, first: 0 };
        network.train_step(exec, &x, Targets::Labels(&y), &mut optimizer, at)?;
    }
    println!("{:?}", network.evaluate(exec, &x, Targets::Labels(&y))?.predictions);
    Ok(())
}
"""


def wrapped_rustc(arguments):
    """Runs rustc and notes crate, wall and CPU seconds."""
    start = time.monotonic()
    status = subprocess.run(arguments).returncode
    wall = time.monotonic() - start
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    if "--crate-name" in arguments:
        name = arguments[arguments.index("--crate-name") + 1]
        kind = "test" if "--test" in arguments else ""
        record = {"crate": name, "kind": kind, "wall": wall, "cpu": usage.ru_utime + usage.ru_stime}
        with open(os.environ[LOG], "a", encoding="utf-8") as log:
            log.write(json.dumps(record) + "\n")
    return status


def run(commands, folder, target):
    """Wall and CPU seconds of the commands, and what each crate took."""
    log = os.path.join(target, "crates.jsonl")
    environment = dict(os.environ, CARGO_TARGET_DIR=target, RUSTC_WRAPPER=os.path.abspath(__file__))
    environment[LOG] = log
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    for command in commands:
        done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode != 0:
            sys.stderr.write(done.stderr.decode(errors="replace"))
            sys.exit(f"build-time: `{' '.join(command)}` failed, as printed above")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wall = time.monotonic() - start
    crates = []
    if os.path.exists(log):
        with open(log, encoding="utf-8") as lines:
            crates = [json.loads(line) for line in lines]
    return wall, cpu, crates


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def row(title, wall, cpu):
    print(f"| {title} | {clock(wall)} | {clock(cpu)} |", flush=True)


def empty_target(parent):
    return tempfile.mkdtemp(prefix="build-time-", dir=parent)


def edited(path, marker):
    """The file with a comment more, so that its crate is compiled again."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"// {marker}\n")


def copy_of_sources(parent):
    """The tracked and new files in a folder of their own, in which a file may be edited."""
    copy = os.path.join(parent, "sources")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in listed.stdout.decode().split("\0"):
        source = os.path.join(ROOT, name)
        if name and os.path.isfile(source):
            os.makedirs(os.path.dirname(os.path.join(copy, name)), exist_ok=True)
            shutil.copyfile(source, os.path.join(copy, name))
    return copy


def measure_builds(names, slowest, parent):
    print("| from an empty target folder | wall | CPU |\n|---|--:|--:|")
    tables = []
    for name in names:
        title, commands = BUILDS[name]
        target = empty_target(parent)
        wall, cpu, crates = run(commands, ROOT, target)
        row(title, wall, cpu)
        tables.append((title, crates))
        shutil.rmtree(target)
    if "program" in names:
        measure_edits(parent)
    for title, crates in tables:
        print(f"\n| slowest crates, {title} | wall | CPU |\n|---|--:|--:|")
        for crate in sorted(crates, key=lambda crate: -crate["cpu"])[:slowest]:
            name = f"{crate['crate']} {crate['kind']}".strip()
            print(f"| {name} | {crate['wall']:.1f} s | {crate['cpu']:.1f} s |")


def measure_edits(parent):
    copy, target = copy_of_sources(parent), empty_target(parent)
    program = BUILDS["program"][1]
    run(program, copy, target)
    edited(os.path.join(copy, "kernels", "src", "gemm", "mod.rs"), "edited")
    row("release program after an edit in kernels/src/gemm", *run(program, copy, target)[:2])
    shutil.rmtree(target)
    user, target = os.path.join(parent, "xor"), empty_target(parent)
    os.makedirs(os.path.join(user, "src"))
    with open(os.path.join(user, "Cargo.toml"), "w", encoding="utf-8") as file:
        file.write(USER_MANIFEST.format(root=copy))
    with open(os.path.join(user, "src", "main.rs"), "w", encoding="utf-8") as file:
        file.write(USER_PROGRAM)
    subprocess.run(["cargo", "fetch", "--quiet"], cwd=user, check=True)
    build = [["cargo", "build", "--release"]]
    row("a user's crate on kernels and models", *run(build, user, target)[:2])
    edited(os.path.join(user, "src", "main.rs"), "edited")
    row("the same after an edit of its own", *run(build, user, target)[:2])
    shutil.rmtree(target)


def measure_lines(functions, parent):
    """Lines of LLVM IR per crate and per function, before any optimisation."""
    if shutil.which("cargo-llvm-lines") is None:
        print("\nLines of LLVM IR were not counted: `cargo install cargo-llvm-lines` installs what counts them.")
        return
    target = empty_target(parent)
    for crate in ["kernels", "models", "experiments"]:
        command = ["cargo", "llvm-lines", "--release", "--package", crate, "--lib"]
        done = subprocess.run(
            command, cwd=ROOT, env=dict(os.environ, CARGO_TARGET_DIR=target), capture_output=True, text=True
        )
        if done.returncode != 0:
            sys.exit(f"build-time: `{' '.join(command)}` failed:\n{done.stderr}")
        rows = [line.split(None, 1) for line in done.stdout.splitlines()]
        counted = [(int(words[0]), words[1]) for words in rows if len(words) == 2 and words[0].isdigit()]
        total = next(lines for lines, rest in counted if rest.endswith("(TOTAL)"))
        print(f"\n| LLVM IR of {crate}: {total:,} lines | lines | copies |\n|---|--:|--:|")
        merged = collections.Counter()
        copies = collections.Counter()
        for lines, rest in counted:
            if not rest.endswith("(TOTAL)"):
                name = rest.split(")", 2)[2].strip() if rest.count(")") >= 2 else rest
                merged[name] += lines
                copies[name] += int(rest.split(")", 1)[1].split()[0])
        for name, lines in merged.most_common(functions):
            print(f"| `{name}` | {lines:,} | {copies[name]:,} |")
    shutil.rmtree(target)


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        return models[0] if models else platform.processor()
    except OSError:
        return platform.processor() or platform.machine()


def main():
    parser = argparse.ArgumentParser(prog="just build-time", description=__doc__.splitlines()[0])
    parser.add_argument("builds", nargs="*", metavar="BUILD", help=f"{', '.join(BUILDS)} or lines; none: all of them")
    parser.add_argument("--slowest", type=int, default=10, help="crates to name in each table")
    parser.add_argument("--functions", type=int, default=10, help="functions to name for each crate")
    parser.add_argument("--folder", help="where the target folders are made and removed; the system's temporary folder")
    options = parser.parse_args()
    names = options.builds or [*BUILDS, "lines"]
    unknown = [name for name in names if name not in [*BUILDS, "lines"]]
    if unknown:
        parser.error(f"nothing is called `{unknown[0]}`: name {', '.join(BUILDS)} or lines")
    for tool in ["cargo", "git"]:
        if shutil.which(tool) is None:
            sys.exit(f"build-time: `{tool}` is not on the PATH; install it and run this again")
    if options.folder is not None and not os.access(options.folder, os.W_OK):
        sys.exit(f"build-time: {options.folder} cannot be written; name another folder with --folder")
    subprocess.run(["cargo", "fetch", "--quiet", "--locked"], cwd=ROOT, check=True)
    version = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    print(f"{processor()}, {os.cpu_count()} cores, {platform.system()}; {version}; commit {commit.stdout.strip()}\n")
    with tempfile.TemporaryDirectory(prefix="samebits-", dir=options.folder) as parent:
        builds = [name for name in names if name in BUILDS]
        if builds:
            measure_builds(builds, options.slowest, parent)
        if "lines" in names:
            measure_lines(options.functions, parent)


if __name__ == "__main__":
    sys.exit(wrapped_rustc(sys.argv[1:]) if LOG in os.environ else main())
