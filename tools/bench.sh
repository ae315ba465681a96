#!/usr/bin/env bash
# One group of criterion's benchmarks: `tools/bench.sh gemm [FILTER]`; without a group it lists them.
set -euo pipefail
cd "$(dirname "$0")/.."

group=${1:-}
case $group in
    activation | conv | pool | train_step) features=criterion ;;
    gemm) features=criterion,products ;;
    *)
        cat <<'END'
`just bench GROUP` runs a group of benchmarks; about so long on one core, after a build of one to two minutes:

  activation   exp, ln and others, activations, sums, softmax and losses           10 minutes
  conv         convolutions forward and backward, im2col, rotated kernels          11 minutes
  gemm         matrix products beside faer, gemm, matrixmultiply and plain loops   25 minutes
  pool         pooling forward and backward                                         3 minutes
  train_step   training steps of the course's networks                              1 minute

A word behind the group chooses benchmarks whose name holds it: `just bench gemm 256`.
Tables beside other libraries: `just bench-gemm`, `bench-train`, `bench-conv`, `bench-elementwise`, `bench-scaling`.
END
        [ -z "$group" ] && exit 0
        echo "error: no group is called \`$group\`" >&2
        exit 2
        ;;
esac
shift
cargo bench --package benches --features "$features" --bench "$group" -- "$@"
echo "criterion's report: ${CARGO_TARGET_DIR:-target}/criterion/report/index.html"
