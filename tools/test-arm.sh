#!/usr/bin/env bash
# The tests on NEON: cross-compiled for 64-bit ARM, and run by an emulator that computes every instruction as ARM
# describes it. It finds wrong bits, transposes and masks; how fast a CPU would be it cannot say.
# `tools/test-arm.sh [CASES]`: so many random cases of the kernels; the emulator is about a hundred times slower.
set -euo pipefail
cd "$(dirname "$0")/.."

target=aarch64-unknown-linux-gnu
root=/usr/aarch64-linux-gnu
emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64 || true)
packages=()
command -v aarch64-linux-gnu-gcc > /dev/null || packages+=(gcc-aarch64-linux-gnu)
[[ -e $root/lib/Scrt1.o ]] || packages+=(libc6-dev-arm64-cross)
[[ -n $emulator ]] || packages+=(qemu-user-static)
commands=()
if [[ ${#packages[@]} -gt 0 ]]; then
    sudo=$([[ $(id -u) == 0 ]] || echo "sudo ")
    commands+=("${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${packages[*]}")
fi
[[ -d $(rustc --print target-libdir --target $target) ]] || commands+=("rustup target add $target")
if [[ ${#commands[@]} -gt 0 ]]; then
    echo "error: this machine lacks what tests NEON (Debian's names); these commands install it:" >&2
    printf '    %s\n' "${commands[@]}" >&2
    exit 1
fi

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="$emulator -L $root"
export REQUIRE_LEVELS=neon FUZZ_CASES=${1:-2000}
cargo test --target $target --package kernels --test kernels
cargo test --target $target --package models --lib --tests
# Networks of the suite trained on NEON, their weights compared with the committed digests. Those of at most 500000 operations a
# sample take four times as long, and all of them hours.
GOLDEN_MOST_FLOPS=${GOLDEN_MOST_FLOPS:-60000} cargo test --target $target --package benches --test golden
