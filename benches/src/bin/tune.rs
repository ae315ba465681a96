//! How far the choices for this machine are from the best that a search finds: `just tune`.
//!
//! Each choice of [`kernels::Tuning`] is halved and doubled, one at a time. As a network's memory is planned with them, every
//! table is measured by a process of its own, which `KERNELS_TUNING` gives it; processes with the choices as they are
//! take turns with it, and each case's median ratio counts.
//!
//! `tune [NAME ...] [--threads N|all]`: the choices whose names hold one of the words, or all of them. What is worth
//! a thread shows with several threads alone.

#![allow(clippy::disallowed_methods, reason = "means of ratios of times, in which no bit counts")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::Command;

use benches::{
    Arguments, BATCH, PIXELS, calls_per_repetition, exec, in_pool, median, network, networks, seconds,
    uniform,
};
use kernels::{Exec, MatMut, MatRef, Tuning, conv, gemm};
use models::loss::Targets;
use models::network::Position;
use models::optimizer::{Optimizer, OptimizerSpec};

/// m, n, k, and which operand is transposed: square products and those of dense layers.
const PRODUCTS: [(usize, usize, usize, &str); 12] = [
    (32, 32, 32, "AB"),
    (128, 128, 128, "AB"),
    (512, 512, 512, "AB"),
    (1024, 1024, 1024, "AB"),
    (64, 512, 784, "AB"),
    (512, 784, 64, "A'B"),
    (64, 512, 256, "AB'"),
    (64, 10, 128, "AB"),
    (64, 120, 400, "AB"),
    (16, 4096, 150, "AB"),
    (64, 12544, 576, "AB"),
    (1, 1024, 1024, "AB"),
];
/// Turns of a table with the choices as they are.
const TURNS: usize = 3;
/// Repetitions in a process, of which the fastest counts.
const REPETITIONS: usize = 7;

fn main() {
    let arguments = Arguments::of_program();
    let threads = arguments.threads().unwrap_or(1);
    if arguments.has("--measure") {
        for (case, seconds) in in_pool(threads, || measure(exec(threads))) {
            println!("{case}\t{seconds}");
        }
        return;
    }
    let words: Vec<String> = std::env::args().skip(1).take_while(|word| !word.starts_with("--")).collect();
    let choices = Tuning::from_env().expect("KERNELS_TUNING is a list of choices").choices();
    let mut best = (1.0, "the choices as they are".to_owned());
    println!(
        "{threads} thread(s); times as fast as with the choices as they are: geometric mean, worst and best case"
    );
    for choice in
        choices.iter().filter(|c| words.is_empty() || words.iter().any(|word| c.name.contains(word)))
    {
        let mut others = vec![choice.value / 2, choice.value.saturating_mul(2)];
        others.retain(|&value| value > 0 && value != choice.value);
        for value in others {
            let forced = format!("{}={value}", choice.name);
            let mut ratios: BTreeMap<String, Vec<f64>> = BTreeMap::new();
            for _ in 0..TURNS {
                let [before, after] = [None, Some(forced.as_str())].map(|forced| measured(threads, forced));
                for (case, seconds) in before {
                    ratios.entry(case.clone()).or_default().push(seconds / after[&case]);
                }
            }
            let mut ratios: Vec<(f64, String)> =
                ratios.into_iter().map(|(case, ratios)| (median(ratios), case)).collect();
            ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mean = (ratios.iter().map(|(ratio, _)| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
            let ends =
                [&ratios[0], &ratios[ratios.len() - 1]].map(|(ratio, case)| format!("{ratio:.2} {case}"));
            println!(
                "{:26} {:>9} -> {value:<9} {mean:.3}   {:28} {}",
                choice.name, choice.value, ends[0], ends[1]
            );
            if mean > best.0 {
                best = (mean, forced);
            }
        }
    }
    println!("best: {} ({:.3})", best.1, best.0);
}

/// Seconds of each case in a process of its own.
fn measured(threads: usize, forced: Option<&str>) -> BTreeMap<String, f64> {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--measure", "--threads", &threads.to_string()]);
    if let Some(forced) = forced {
        let given = std::env::var(kernels::tuning::VARIABLE).unwrap_or_default();
        command.env(kernels::tuning::VARIABLE, format!("{given},{forced}"));
    }
    let output = command.output().expect("this program starts again");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("names and numbers");
    let parse = |line: &str| {
        let (case, seconds) = line.split_once('\t')?;
        Some((case.to_owned(), seconds.parse().ok()?))
    };
    lines.lines().map(|line| parse(line).expect("a name and a number")).collect()
}

/// Seconds of one call of each case.
fn measure(exec: Exec) -> Vec<(String, f64)> {
    let mut state = 1;
    let mut values = |len: usize| -> Vec<f32> { (0..len).map(|_| uniform(&mut state)).collect() };
    let mut times = Vec::new();
    for (m, n, k, operands) in PRODUCTS {
        let (a, b, mut c) = (values(m * k), values(k * n), vec![0.0; m * n]);
        let [a_shape, b_shape] = [
            if operands == "A'B" { (k, m) } else { (m, k) },
            if operands == "AB'" { (n, k) } else { (k, n) },
        ];
        let a = MatRef::row_major(&a, a_shape.0, a_shape.1).expect("A is whole");
        let b = MatRef::row_major(&b, b_shape.0, b_shape.1).expect("B is whole");
        let (a, b) = (if operands == "A'B" { a.t() } else { a }, if operands == "AB'" { b.t() } else { b });
        times.push((
            format!("{operands} {m} x {n} x {k}"),
            fastest(|| {
                gemm::gemm(exec, a, b, MatMut::row_major(&mut c, m, n).expect("C is whole"))
                    .expect("the shapes fit");
                black_box(&c);
            }),
        ));
    }
    for (name, batch, conv) in benches::convolutions() {
        let (x, w) = (values(batch * conv.input_len()), values(conv.weight_len()));
        let mut y = vec![0.0; batch * conv.output_len()];
        let mut scratch = vec![0.0; conv.scratch_len(exec.parts(usize::MAX, 1, 1).min(benches::cores()))];
        times.push((
            name.to_owned(),
            fastest(|| {
                let (y, scratch) = (&mut y[..], &mut scratch[..]);
                let pass = conv::ForwardPass { batch, x: &x, w: &w, bias: None, y, scratch };
                conv::forward(exec, &conv, pass).expect("the shapes fit");
            }),
        ));
    }
    let x = values(BATCH * PIXELS);
    let labels: Vec<u32> = (0..BATCH as u32).map(|sample| sample % 10).collect();
    for (name, layers) in networks() {
        let mut network = network(&layers);
        let mut optimizer =
            Optimizer::new(OptimizerSpec::sgd(0.01), network.parameters().len()).expect("a step size");
        times.push((
            name.to_owned(),
            fastest(|| {
                let targets = Targets::Labels(&labels);
                network.train_step(exec, &x, targets, &mut optimizer, Position::default()).expect("a step");
            }),
        ));
    }
    times
}

/// Seconds of one call: the fastest repetition, as others only lose time to what else runs.
fn fastest(mut call: impl FnMut()) -> f64 {
    let calls = calls_per_repetition(&mut call);
    let repetitions = (0..REPETITIONS).map(|_| seconds(calls, &mut call) / calls as f64);
    repetitions.fold(f64::INFINITY, f64::min)
}
