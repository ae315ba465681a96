//! Random cases of every operation, compared by bits with the contract's plain loops.
//!
//! A case is a function of the seed and of its number alone. `FUZZ_CASES=1000000` asks for more of them,
//! `FUZZ_SEED=7` for others, and `FUZZ_CASE=123` runs one again, as the message of a failure says.

pub(crate) mod draw;
mod gather;
pub(crate) mod layers;
mod pooling;
pub(crate) mod products;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use draw::{Draw, Runners};

/// Cases of an ordinary run: some ten seconds of one core.
const CASES: u64 = 20_000;
const SEED: u64 = 1;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// Says how a case is run again if it fails or panics.
struct Replay {
    seed: u64,
    case: u64,
}

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { seed, case } = self;
            println!(
                "case {case} fails; again: FUZZ_SEED={seed} FUZZ_CASE={case} cargo test -p kernels parity"
            );
        }
    }
}

/// Nothing, or where the bits differ.
type Compared = Result<(), String>;

/// Runs the same generic comparison in f32, or once in three times in f64.
macro_rules! either_type {
    ($of:ident, $draw:ident, $runners:ident) => {
        if $draw.once_in(3) { $of::<f64>($draw, $runners) } else { $of::<f32>($draw, $runners) }
    };
}
use either_type;

/// Runs one case and gives the name of its operation.
fn run(seed: u64, case: u64, runners: &Runners) -> &'static str {
    let _replay = Replay { seed, case };
    let mut draw = Draw::new(seed, case);
    let (name, compared) = match draw.below(18) {
        0..=5 => products::compare(&mut draw, runners),
        6 | 7 => products::biased(&mut draw, runners),
        8..=10 => ("convolution", layers::convolution(&mut draw, runners)),
        11 | 12 => ("pooling", pooling::windows(&mut draw, runners)),
        13 => ("reduction", layers::reduction(&mut draw, runners)),
        14 => ("softmax and loss", layers::softmax(&mut draw, runners)),
        15 => ("activation", layers::activation(&mut draw, runners)),
        16 => ("global average", pooling::global_average(&mut draw, runners)),
        _ => ("gather", gather::rows(&mut draw, runners)),
    };
    compared.unwrap_or_else(|difference| panic!("case {case} of seed {seed}: {difference}"));
    name
}

#[test]
fn random_cases_have_the_bits_of_the_plain_loops() {
    let seed = number("FUZZ_SEED").unwrap_or(SEED);
    if let Some(case) = number("FUZZ_CASE") {
        println!("case {case} of seed {seed}, {}: the same bits", run(seed, case, &Runners::new()));
        return;
    }
    let cases = number("FUZZ_CASES").unwrap_or(CASES);
    let (next, counts, start) = (AtomicU64::new(0), Mutex::new(BTreeMap::new()), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let runners = Runners::new();
                while let Some(case) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&case| case < cases)
                {
                    let name = run(seed, case, &runners);
                    *counts.lock().unwrap().entry(name).or_insert(0_u64) += 1;
                }
            });
        }
    });
    let counts = counts.into_inner().unwrap();
    println!("{cases} cases of seed {seed} in {:.1?}, no mismatch: {counts:?}", start.elapsed());
    assert!(cases < 1000 || counts.len() == 11, "an operation was never drawn: {counts:?}");
}
