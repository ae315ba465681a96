//! Training of small networks with this project and with other frameworks, in turns: A B C A B C ...
//!
//! Each framework is a worker, a program that trains one network: batches of 64 from shuffled epochs of 60,000
//! images of 28 x 28 that stand in memory (as f32, with ours as bytes), softmax cross-entropy, plain SGD. All begin with the same weights
//! and are spoken to over their input and output (`benches/peers/worker.rs`). Every round trains from the
//! start weights again, after an untimed tenth of a round, and the median counts. With one thread a worker is
//! bound to one core.
//!
//! Before they are timed, all make the same twenty steps, and their losses must agree: the same work is compared.
//! The limit is what the cores used could train if they did nothing but the multiply-adds of
//! [`flop_per_sample`], at their FMA peak, which is measured before and after the rounds.
//!
//! Memory is the largest that the worker held (VmHWM), its images among it: 180 MiB of f32, or 45 MiB of bytes; the first step's time counts
//! from the start of the program, with reading the images and, where there is one, the compiler.
//!
//! Two virtual cores may for a while be two halves of one: then no framework gains from a second thread. A round waits
//! until the threads together reach three quarters of their peak, though not for ever.
//!
//! What biases it: the machine may be shared, so only ratios inside a run mean anything; each framework is written
//! as its documentation does it, and tried in a few variants, but not tuned beyond. Ours is built for any x86-64 and
//! chooses its level when it runs; the other Rust frameworks are built for the very CPU.
//!
//! `--threads N` (1 or all; both without it) and `--model NAME` choose, `--rounds N` sets the rounds. Without
//! `--model` the rows of those threads in `results/benchmarks/<cpu>/train.csv` are replaced, and `train.md` is set again.
//! `--retable CPU` only sets the tables of that CPU again.

mod files;
mod ours;
mod peers;
mod report;
#[path = "../../peers/worker.rs"]
mod worker;

use std::time::Duration;

use benches::{
    Arguments, BATCH, calls_lasting, flop_per_sample, median, networks, tables, tables_of, without_limits,
};
use kernels::{Level, peak};
use models::network::LayerSpec;
use peers::{FRAMEWORKS, Task, Worker};
use report::Row;

/// Rounds, of which the median counts.
const ROUNDS: usize = 9;
/// Seconds that a round lasts, where a step is shorter.
const ROUND: f64 = 0.5;
/// Rounds where a step is as long as a round.
const ROUNDS_OF_ONE_STEP: usize = 3;
/// Starts, of whose first steps the median counts.
const STARTS: usize = 3;
/// The pause in which threads of the framework before fall asleep.
const PAUSE: Duration = Duration::from_millis(20);
/// What the threads' multiply-adds must reach together before a round, of as many times one thread's.
const FREE: f64 = 0.75;
/// Looks at the cores, a second apart, before the rounds of a network go on all the same.
const LOOKS: usize = 60;
/// Steps whose losses are compared.
const COMPARED: usize = 20;
/// Largest relative difference of a loss. A loss is a sum over up to 12,544 products, each rounded within 2^-24, in
/// another order; twenty steps carry the differences of the weights on. That is some 1e-5; another formula is 1e-2 off.
const TOLERANCE: f64 = 1e-4;

fn main() {
    let arguments = Arguments::of_program();
    if let Some(job) = arguments.after("--worker") {
        let layers = networks().into_iter().find(|(name, _)| *name == job[0]);
        return ours::work(&layers.expect("a network").1, worker::Job::new(job));
    }
    if let Some(cpu) = arguments.value("--retable") {
        return report::set(&tables_of(cpu));
    }
    let removed = without_limits(false);
    let threads = arguments.each_threads();
    let rounds = arguments.value("--rounds").map_or(ROUNDS, |rounds| rounds.parse().expect("--rounds N"));
    let wanted = arguments.value("--model");
    if wanted.is_none() {
        report::check(&tables());
    }
    let folder = files::write();
    let mut rows = Vec::new();
    for (model, layers) in networks() {
        if wanted.is_some_and(|wanted| wanted != model) {
            continue;
        }
        for &threads in &threads {
            let task = Task { model, layers: files::words(&layers), folder: &folder, threads };
            rows.extend(compare(&task, &layers, rounds));
        }
    }
    if wanted.is_none() {
        report::write(&threads, &removed, rows);
    }
}

/// The rates of all frameworks on one network.
fn compare(task: &Task<'_>, layers: &[LayerSpec], rounds: usize) -> Vec<Row> {
    let (mut workers, firsts) = start(task);
    check(task, &mut workers);
    let level = Level::best();
    let wanted = FREE * task.threads as f64 * peak::gflops::<f32>(level, 1);
    // Of the cores used: what other programs take makes it only lower, so the largest counts.
    let mut peak = 0.0;
    let mut look = || {
        let rate = peak::gflops::<f32>(level, task.threads);
        peak = if rate > peak { rate } else { peak };
        rate
    };
    look();
    let samples: Vec<usize> = workers.iter_mut().map(samples_per_round).collect();
    let mut rates = vec![Vec::with_capacity(rounds); workers.len()];
    let mut looks = LOOKS;
    for _ in 0..rounds {
        while looks > 0 && look() < wanted {
            std::thread::sleep(Duration::from_secs(1));
            looks -= 1;
        }
        for ((worker, &samples), rates) in workers.iter_mut().zip(&samples).zip(&mut rates) {
            let one_step = samples == BATCH;
            if one_step && rates.len() == ROUNDS_OF_ONE_STEP {
                continue;
            }
            std::thread::sleep(PAUSE);
            if !one_step {
                worker.train(samples.div_ceil(10));
            }
            rates.push(samples as f64 / worker.train(samples));
        }
    }
    look();
    let limit = 1e9 * peak / flop_per_sample(layers) as f64;
    if looks == 0 {
        println!("{} with {} threads: the cores were not free all the time", task.model, task.threads);
    }
    let rows: Vec<Row> = FRAMEWORKS
        .iter()
        .map(|&framework| {
            let Some(place) = workers.iter().position(|worker| worker.framework == framework) else {
                return Row::absent(task, framework);
            };
            Row::new(task, &workers[place], rates[place].clone(), limit, firsts[place])
        })
        .collect();
    report::print(&rows);
    rows
}

/// The workers of all frameworks that are there, and the median seconds to their first steps.
fn start(task: &Task<'_>) -> (Vec<Worker>, Vec<f64>) {
    let mut firsts = vec![Vec::new(); FRAMEWORKS.len()];
    let mut workers = Vec::new();
    for _ in 0..STARTS {
        // One set at a time.
        workers.clear();
        workers.extend(FRAMEWORKS.iter().map(|&framework| Worker::start(framework, task)));
        for (firsts, worker) in firsts.iter_mut().zip(&workers) {
            let worker: &Option<Worker> = worker;
            firsts.extend(worker.as_ref().map(|worker| worker.first_step));
        }
    }
    let firsts = firsts.into_iter().filter(|firsts| !firsts.is_empty()).map(median);
    (workers.into_iter().flatten().collect(), firsts.collect())
}

/// Compares the losses of the first steps with ours.
fn check(task: &Task<'_>, workers: &mut [Worker]) {
    let losses: Vec<Vec<f64>> = workers.iter_mut().map(|worker| worker.losses(COMPARED)).collect();
    let (first, last) = (losses[0][0], losses[0][COMPARED - 1]);
    print!("{} t{}: loss {first:.4} to {last:.4}, largest difference:", task.model, task.threads);
    let mut wrong = Vec::new();
    for (worker, losses_of) in workers.iter().zip(&losses).skip(1) {
        let differences = losses_of.iter().zip(&losses[0]).map(|(theirs, ours)| (theirs - ours).abs() / ours);
        let largest = differences.fold(0.0, |largest, d| if d > largest || d.is_nan() { d } else { largest });
        print!(" {} {largest:.1e}", worker.framework);
        if largest.is_nan() || largest > TOLERANCE || losses_of.len() != COMPARED {
            wrong.push(worker.framework);
        }
    }
    println!();
    assert!(wrong.is_empty(), "{}: other losses than ours: {}", task.model, wrong.join(", "));
}

/// How many samples make a round, in whole batches.
fn samples_per_round(worker: &mut Worker) -> usize {
    BATCH * calls_lasting(ROUND, |steps| worker.train(steps * BATCH))
}
