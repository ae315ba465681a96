#!/usr/bin/env bash
# The frameworks that `just bench-train` and `just bench-conv` compare with, for Linux with Python 3.11 or newer and
# Rust: PyTorch and JAX in a Python environment of their own, and small programs with burn and candle, built for this
# very CPU. All go below PEERS, /opt/peers without it. What is absent the benchmarks leave out.
#
# PyPI's PyTorch for Linux comes with CUDA's libraries, some 6 GB, and touches part of them when it starts. TORCH_INDEX
# names another index, such as PyTorch's own of builds for CPUs.
set -euo pipefail
peers=${PEERS:-/opt/peers}
here=$(cd "$(dirname "$0")" && pwd)

python3 -m venv "$peers/training"
"$peers/training/bin/pip" install numpy jax
"$peers/training/bin/pip" install torch ${TORCH_INDEX:+--index-url "$TORCH_INDEX"}

export RUSTFLAGS="-C target-cpu=native" CARGO_TARGET_DIR="$peers/build"
for framework in burn candle; do
    cargo install --locked --force --path "$here/$framework" --root "$peers"
done
