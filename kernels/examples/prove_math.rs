//! The proof of rule N5: all 2^32 inputs of each f32 function, at every level, against
//! `kernels::reference::math`.
//!
//! ```text
//! cargo run --release -p kernels --example prove_math [FUNCTION|LEVEL|stride=N]...
//! ```
//!
//! Without arguments everything is proven; `stride=N` takes every N-th input.

use std::process::ExitCode;
use std::time::Instant;

use kernels::math::{self, Function, f32::is_doubtful};
use kernels::reference::math::rounded;
use kernels::{Exec, Level};
use rayon::prelude::*;

/// Inputs that one task takes.
const BLOCK: u64 = 1 << 16;

/// What is counted over the inputs of one function.
#[derive(Clone, Default)]
struct Counts {
    /// Inputs whose rounding the oracle cannot vouch for.
    uncertain: u64,
    /// Inputs that the fast evaluation hands on.
    doubtful: u64,
    /// Wrong results, per level.
    wrong: Vec<u64>,
    /// One input with a wrong result.
    example: Option<f32>,
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        let (short, long) =
            if self.wrong.len() < other.wrong.len() { (&self, &other) } else { (&other, &self) };
        let wrong =
            long.wrong.iter().enumerate().map(|(i, w)| w + short.wrong.get(i).unwrap_or(&0)).collect();
        Self {
            uncertain: self.uncertain + other.uncertain,
            doubtful: self.doubtful + other.doubtful,
            wrong,
            example: self.example.or(other.example),
        }
    }
}

/// Compares one block of inputs at all levels.
fn block(function: Function, levels: &[Level], first: u64, stride: u64) -> Counts {
    let end = (first + BLOCK * stride).min(1 << 32);
    let x: Vec<f32> = (first..end).step_by(stride as usize).map(|bits| f32::from_bits(bits as u32)).collect();
    let mut want = vec![0.0; x.len()];
    let (uncertain, doubtful) = oracle(function, &x, &mut want);
    let mut counts = Counts { uncertain, doubtful, ..Counts::default() };
    let mut got = vec![0.0; x.len()];
    for &level in levels {
        math::evaluate(Exec::serial(level), function, &x, &mut got).expect("one length");
        let mut wrong = 0;
        for ((&x, want), got) in x.iter().zip(&want).zip(&got) {
            if want.to_bits() != got.to_bits() {
                wrong += 1;
                counts.example = Some(x);
            }
        }
        counts.wrong.push(wrong);
    }
    counts
}

/// The oracle over a block, as vectors; returns how many inputs it cannot vouch for, and how many the
/// fast evaluation hands on.
fn oracle(function: Function, x: &[f32], want: &mut [f32]) -> (u64, u64) {
    match function {
        Function::Exp => oracle_of(
            #[inline(always)]
            || Function::Exp,
            x,
            want,
        ),
        Function::Expm1 => oracle_of(
            #[inline(always)]
            || Function::Expm1,
            x,
            want,
        ),
        Function::Ln => oracle_of(
            #[inline(always)]
            || Function::Ln,
            x,
            want,
        ),
        Function::Ln1p => oracle_of(
            #[inline(always)]
            || Function::Ln1p,
            x,
            want,
        ),
        Function::Tanh => oracle_of(
            #[inline(always)]
            || Function::Tanh,
            x,
            want,
        ),
        Function::Sigmoid => oracle_of(
            #[inline(always)]
            || Function::Sigmoid,
            x,
            want,
        ),
    }
}

/// [`oracle`] for the function that `which` names; a closure, so that each has its own loop.
fn oracle_of(which: impl Fn() -> Function, x: &[f32], want: &mut [f32]) -> (u64, u64) {
    Level::best().vectorize(
        #[inline(always)]
        || {
            let (mut uncertain, mut doubtful) = (0_u64, 0_u64);
            for (&x, want) in x.iter().zip(want) {
                let result = rounded(which(), x);
                *want = result.value;
                uncertain += u64::from(!result.certain);
                doubtful += u64::from(is_doubtful(which(), x));
            }
            (uncertain, doubtful)
        },
    )
}

#[expect(clippy::disallowed_methods, reason = "whole numbers, whose sum has no order")]
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let stride = words.iter().find_map(|w| w.strip_prefix("stride=")?.parse().ok()).unwrap_or(1_u64);
    let chosen = |names: &[&str], name| {
        words.iter().any(|w| w == name) || !words.iter().any(|w| names.contains(&w.as_str()))
    };
    let functions = Function::ALL.map(Function::name);
    let all_levels = ["scalar", "avx2", "avx512", "neon"];
    let levels: Vec<Level> =
        Level::available().into_iter().filter(|level| chosen(&all_levels, level.name())).collect();
    let mut sound = true;
    for function in Function::ALL.into_iter().filter(|f| chosen(&functions, f.name())) {
        let start = Instant::now();
        let blocks = (1_u64 << 32).div_ceil(BLOCK * stride);
        let counts = (0..blocks)
            .into_par_iter()
            .map(|i| block(function, &levels, i * BLOCK * stride, stride))
            .reduce(Counts::default, Counts::plus);
        let wrong: Vec<String> =
            levels.iter().zip(&counts.wrong).map(|(level, n)| format!("{} {n}", level.name())).collect();
        println!(
            "{:8} inputs {}  doubtful {}  oracle uncertain {}  wrong: {}  ({:.0} s)",
            function.name(),
            (1_u64 << 32).div_ceil(stride),
            counts.doubtful,
            counts.uncertain,
            wrong.join(", "),
            start.elapsed().as_secs_f64()
        );
        if let Some(x) = counts.example {
            println!("         wrong at {x:?} = {:08x}", x.to_bits());
        }
        sound &= counts.uncertain == 0 && counts.wrong.iter().all(|&n| n == 0);
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
