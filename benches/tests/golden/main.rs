//! The golden weights: after two epochs of 512 samples every network of the suite, and the five of the benchmarks,
//! has the weights whose digests stand in `weights.csv`, at every instruction level and on any number of threads.
//! Another digest is another numeric contract.
//!
//! `cargo test` takes every thread count at the best level and every level on three threads;
//! `just golden` takes all of both, which is long. `GOLDEN_MOST_FLOPS=10000` leaves out the networks of more operations a
//! sample, for an emulated CPU.

mod networks;

use std::fmt::Write;
use std::path::Path;

use experiments::durable::sha256_hex;
use kernels::{Exec, Level};
use models::NetworkElement;
use models::loss::{Loss, Targets};
use models::network::{Network, Position};
use models::optimizer::Optimizer;
use models::rng::{Purpose, Stream};
use networks::Case;
use rayon::{ThreadPool, ThreadPoolBuilder};

const SAMPLES: usize = 512;
const EPOCHS: u32 = 2;
const SEED: u64 = 1;
const THREADS: [usize; 6] = [1, 2, 3, 5, 8, 16];
/// A network of more operations a sample than this takes minutes at a level without vectors: left to `just golden`.
const MOST_SCALAR_FLOPS: u64 = 4_000_000;

/// SHA-256 of the weights after training, in hexadecimal.
fn trained<T: NetworkElement>(case: &Case, exec: Exec) -> String {
    let batch = case.batch.min(SAMPLES);
    let mut network = Network::<T>::new(&case.input, &case.layers, case.loss, batch).expect("the layers fit");
    network.initialise(case.init, SEED);
    let mut optimizer = Optimizer::new(case.optimizer, network.parameters().len()).expect("a rule");
    let (inputs, outputs) = (network.inputs(), network.outputs());
    let mut stream = Stream::new(Purpose::Data, SEED, 0);
    let x: Vec<T> = (0..SAMPLES * inputs).map(|_| T::from_f64(stream.uniform())).collect();
    let labels: Vec<u32> = (0..SAMPLES).map(|_| stream.below(outputs.max(2) as u64) as u32).collect();
    let values: Vec<T> = (0..SAMPLES * outputs).map(|_| T::from_f64(stream.uniform())).collect();
    for epoch in 0..EPOCHS {
        for first in (0..SAMPLES).step_by(batch) {
            let last = SAMPLES.min(first + batch);
            let targets = match case.loss {
                Loss::Quadratic => Targets::Values(&values[first * outputs..last * outputs]),
                _ => Targets::Labels(&labels[first..last]),
            };
            let at = Position { seed: SEED, epoch, first: first as u64 };
            let x = &x[first * inputs..last * inputs];
            let loss = network.train_step(exec, x, targets, &mut optimizer, at).expect("a step");
            assert!(loss.is_finite(), "{}: loss {loss} in epoch {epoch}", case.name);
        }
    }
    let mut bytes = Vec::new();
    network.canonical_bytes(|some| bytes.extend_from_slice(some));
    sha256_hex(&bytes)
}

fn weights(case: &Case, exec: Exec, pool: &ThreadPool) -> String {
    pool.install(|| if case.f64 { trained::<f64>(case, exec) } else { trained::<f32>(case, exec) })
}

/// Trains every network under all that `wanted` names, and compares with the file.
fn check(wanted: impl Fn(Level, usize) -> bool, most_scalar_flops: u64) {
    let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let pools = THREADS.map(|threads| (threads, pool(threads)));
    let levels = Level::available();
    let names: Vec<&str> = levels.iter().map(|level| level.name()).collect();
    println!("levels of this CPU: {}", names.join(", "));
    for required in std::env::var("REQUIRE_LEVELS").unwrap_or_default().split(',').filter(|l| !l.is_empty()) {
        assert!(names.contains(&required), "this CPU lacks {required}, which REQUIRE_LEVELS asks for");
    }
    let most_flops =
        std::env::var("GOLDEN_MOST_FLOPS").map_or(u64::MAX, |text| text.parse().expect("a number"));
    let (cases, left_out): (Vec<Case>, Vec<Case>) =
        networks::all().into_iter().partition(|case| case.flops <= most_flops);
    println!("{} networks, {} left out", cases.len(), left_out.len());
    assert!(!cases.is_empty(), "GOLDEN_MOST_FLOPS={most_flops} leaves out every network");
    let mut got = String::from("network,sha256\n");
    let mut differing = String::new();
    for case in cases {
        let want = weights(&case, Exec::serial(Level::best()), &pools[0].1);
        let _ = writeln!(got, "{},{want}", case.name);
        for &level in &levels {
            if matches!(level, Level::Scalar(_) | Level::Emulated(_)) && case.flops > most_scalar_flops {
                println!("not tested here: {} at {}", case.name, level.name());
                continue;
            }
            for (threads, pool) in pools.iter().filter(|(threads, _)| wanted(level, *threads)) {
                if weights(&case, Exec::parallel(level), pool) != want {
                    let _ = writeln!(differing, "{} at {} on {threads} threads", case.name, level.name());
                }
            }
        }
    }
    assert!(
        differing.is_empty(),
        "other weights than at {} on one thread:\n{differing}",
        Level::best().name()
    );
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/weights.csv");
    let want = std::fs::read_to_string(&golden).unwrap_or_default();
    let is_left_out = |line: &&str| left_out.iter().any(|case| line.starts_with(&format!("{},", case.name)));
    let want: String = want.split_inclusive('\n').filter(|line| !is_left_out(line)).collect();
    assert!(got == want, "{} is another; got\n{got}", golden.display());
}

#[test]
fn weights_are_the_golden_ones() {
    let best = Level::best().name();
    check(|level, threads| level.name() == best || threads == 3, MOST_SCALAR_FLOPS);
}

#[test]
#[ignore = "long: `just golden`"]
fn weights_are_the_golden_ones_at_every_level_on_any_number_of_threads() {
    check(|_, _| true, u64::MAX);
}
