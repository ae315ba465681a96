# Arguments reach the recipes of the program as they were typed: a file's name may have spaces.
set positional-arguments

# Without an argument: this list.
[private]
default:
    @"{{just_executable()}}" --list --unsorted

# The shipped experiments: name and question
list:
    cargo x list

# Everything about experiment files before they run: errors, shapes, parameters: `just check my.toml`
check +NAMES:
    cargo x check "$@"

# Run experiments by name or file; without a name the quick suite
experiment *NAMES:
    cargo experiment "$@"

# What is done and what is to do; without a name all experiments with results
status *NAMES:
    cargo x status "$@"

# The results tables; without a name all of them: `just table mlp-digits --format latex`
table *NAMES:
    cargo x table "$@"

# Draw the pictures of results folders again; without a name all of them
plot *NAMES:
    cargo x plot "$@"

# The data sets, their licences and places; `just data verify` checks every file against its digest
data *ARGS="list":
    cargo x data "$@"

# What this machine offers, and what stands in the way of a run
doctor:
    cargo x doctor

# All tests
test:
    cargo test --workspace

# A million random cases of every kernel against the contract's plain loops, by bits: `just fuzz-bits 20000 7` (cases, seed)
fuzz-bits CASES="1000000" SEED="1":
    FUZZ_CASES={{CASES}} FUZZ_SEED={{SEED}} cargo test --package kernels --test kernels parity -- --nocapture

# After a change of the tiles that is meant, `RENEW_TILES=1 just check-asm` renews the table of those that there are.
# The machine code of the tiles: nothing spilled, called or checked in their loops, and none missing (x86-64 Linux, objdump)
check-asm:
    cargo test --release --package kernels --test asm -- --nocapture

# The tests on NEON, cross-compiled and emulated (Debian; says what to install): `just test-arm 5000` (random cases)
test-arm CASES="2000":
    tools/test-arm.sh {{CASES}}

# The sanitizers are unstable, hence RUSTC_BOOTSTRAP; --target keeps them out of build scripts. Tried with a whole register read
# where `load_masked` of AVX2 or AVX-512 belongs, and with a mask of one lane too many: each was reported.
# The kernels' tests under AddressSanitizer, which sees reads and writes beside a buffer (x86-64 Linux): `just test-asan 20000` (random cases)
test-asan CASES="5000":
    FUZZ_CASES={{CASES}} RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address \
        cargo test --target x86_64-unknown-linux-gnu --package kernels --test kernels

# It needs `rustup toolchain install nightly --component miri --component rust-src`, and x86-64 for the target feature.
# Some of the kernels' tests under Miri, which sees undefined behaviour where there are no intrinsics: views, lent samples, plain levels
test-miri:
    MIRIFLAGS=-Zmiri-disable-isolation RUSTFLAGS=-Ctarget-feature=+fma \
        cargo +nightly miri test --package kernels --test kernels -- \
        samples:: conv_course:: pool::the_rules gemm::shapes gemm::a_bias_that

# A group of criterion's benchmarks, and where the report is: `just bench gemm`; without one the groups and how long each takes
bench *GROUP:
    @tools/bench.sh "$@"

# Variables that would limit the libraries beside ours are removed by the programs themselves, and named in the tables.
# Matrix products beside OpenBLAS, BLIS, oneDNN, MKL, libxsmm and the Rust libraries: writes results/benchmarks/<cpu>/gemm*
bench-gemm *ARGS:
    cargo bench --package benches --features products,libloading --bench gemm_peers --no-run
    taskset -c 0 cargo bench --package benches --features products,libloading --bench gemm_peers -- --threads 1 "$@"
    KMP_BLOCKTIME=1 OPENBLAS_THREAD_TIMEOUT=20 cargo bench --package benches --features products,libloading --bench gemm_peers -- --threads all "$@"
    @"{{just_executable()}}" bench-gemm-avx2 "$@"

# The same at AVX2, with the libraries that can be limited to it: the part of bench-gemm that has sections of its own
bench-gemm-avx2 *ARGS:
    cargo bench --package benches --features products,libloading --bench gemm_peers --no-run
    taskset -c 0 cargo bench --package benches --features products,libloading --bench gemm_peers -- --level avx2 --threads 1 "$@"

# How far the choices for this machine (`experiments doctor --tuning`) are from the best found; all of them take ten minutes
tune *ARGS:
    cargo run --release --quiet --package benches --bin tune -- "$@"

# The rungs of the matrix product over four sizes: writes results/benchmarks/matmul-ladder/; wants a quiet machine
ladder:
    cargo experiment matmul-ladder

# Where the time of a training step goes, layer by layer against the roofline: `just profile lenet5-fashion-5k --batch 64`
profile NAME *ARGS:
    cargo x profile "$@"

# Elementwise kernels beside the platform's libm and loops over memory: writes results/benchmarks/<cpu>/elementwise.*
bench-elementwise *ARGS:
    cargo bench --package benches --features libloading --bench elementwise --no-run
    taskset -c 0 cargo bench --package benches --features libloading --bench elementwise -- "$@"

# Training beside PyTorch, JAX, burn and candle, on one thread and on all: writes results/benchmarks/<cpu>/train.*
bench-train *ARGS:
    cargo bench --package benches --bench train_peers -- "$@"

# Convolutions and pooling pass by pass beside PyTorch's: writes results/benchmarks/<cpu>/conv.*
bench-conv *ARGS:
    cargo bench --package benches --bench conv_peers --no-run
    taskset -c 0 cargo bench --package benches --bench conv_peers -- --threads 1 "$@"
    cargo bench --package benches --bench conv_peers -- --threads all "$@"

# How the cost grows with samples, batch, width and threads, one sample's latency: writes results/benchmarks/<cpu>/scaling.*
bench-scaling *ARGS:
    cargo bench --package benches --bench scaling -- "$@"

# Installs the libraries of bench-gemm (Debian, x86-64; some 3 GB)
bench-peers:
    benches/peers/install.sh

# Installs the frameworks of bench-train and bench-conv (Python and Rust; some 7 GB)
bench-train-peers:
    benches/peers/install-training.sh

# The golden weights of every network at every instruction level on 1 to 16 threads; long
golden:
    cargo test --package benches --test golden -- --ignored --nocapture

# All 2^32 inputs of every f32 function, at every level, against the exact result (N5); long
prove-math *ARGS:
    cargo run --release --package kernels --example prove_math -- {{ARGS}}

# Formatting, lints, documentation
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --features benches/peers -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# Formats the code
fmt:
    cargo fmt --all

# What a build takes from nothing: seconds, the slowest crates, lines of LLVM IR; names of builds are optional: `just build-time program lines`
build-time *ARGS:
    python3 tools/build_time.py {{ARGS}}

# Packs the program, with data and experiments inside, for this platform: writes dist/
dist:
    tools/dist.sh

# What every submission must pass
ci:
    .ci/run
