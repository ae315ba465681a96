//! Convolutions and pooling of this project beside PyTorch's, pass by pass and in turns: A B C A B C ...
//!
//! PyTorch runs in a program of its own (`benches/peers/layers_torch.py`), in its usual layout and with channels
//! last, on the same random operands; before a pass is timed, some of its outputs are compared with ours. The
//! median of the repetitions counts. Rates are those of the multiply-adds of the definition, in % of the FMA peak
//! of the cores used, measured before and after each pass; pooling has none.
//!
//! What biases it: operands are hot where they fit a cache; PyTorch's calls allocate their outputs, as they do in
//! training, and ours write the caller's; the machine may be shared, so only ratios inside a run mean anything.
//!
//! `--threads N` (1 or all) chooses the threads, `--layer TEXT` the layers whose name holds the text. Without
//! `--layer` the rows of that number of threads in `results/benchmarks/<cpu>/conv.csv` are replaced, and `conv.md` is
//! set again. `--retable CPU` only sets the table of that CPU again.

mod layers;
mod report;

use std::time::Duration;

use benches::{
    Arguments, Dialogue, REPETITIONS, calls_lasting, cores, exec, in_pool, program, python, tables,
    tables_of, without_limits,
};
use kernels::{Exec, peak};
use layers::{Layer, Pass, layers};
use report::Row;

/// Seconds that a repetition lasts at least.
const SHORTEST: f64 = 0.02;
/// The pause in which PyTorch's threads fall asleep.
const PAUSE: Duration = Duration::from_millis(10);

/// PyTorch in one of its layouts.
struct Torch {
    name: &'static str,
    version: String,
    dialogue: Dialogue,
}

impl Torch {
    fn start(name: &'static str, threads: usize) -> Option<Self> {
        let mut command = program(&python("layers_torch.py"), threads == 1);
        command.arg(threads.to_string()).env("OMP_NUM_THREADS", threads.to_string());
        if name.ends_with("channels last") {
            command.arg("channels-last");
        }
        let (dialogue, version) = Dialogue::start(&mut command)?;
        Some(Self { name, version, dialogue })
    }
}

/// A library and the seconds that so many calls of a pass take it.
struct Entrant<'a> {
    name: &'static str,
    version: String,
    seconds: Box<dyn FnMut(usize) -> f64 + 'a>,
}

fn entrants<'a>(layer: &'a mut Layer, pass: Pass, exec: Exec, torch: &'a mut [Torch]) -> Vec<Entrant<'a>> {
    let ours = move |count| benches::seconds(count, || layer.run(pass, exec));
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let mut entrants = vec![Entrant { name: "ours", version, seconds: Box::new(ours) }];
    entrants.extend(torch.iter_mut().map(|Torch { name, version, dialogue }| {
        let seconds = move |count| dialogue.ask(&format!("time {} {count}", pass.name()))[0];
        Entrant { name, version: version.clone(), seconds: Box::new(seconds) }
    }));
    entrants
}

fn main() {
    let arguments = Arguments::of_program();
    if let Some(cpu) = arguments.value("--retable") {
        return report::set(&tables_of(cpu));
    }
    let removed = without_limits(false);
    let threads = arguments.threads().unwrap_or_else(cores);
    let wanted = arguments.value("--layer");
    if wanted.is_none() {
        report::check(&tables());
    }
    let rows = in_pool(threads, || {
        let names = ["PyTorch", "PyTorch, channels last"];
        let mut torch: Vec<Torch> =
            names.into_iter().filter_map(|name| Torch::start(name, threads)).collect();
        if torch.is_empty() {
            println!("PyTorch: absent");
        }
        let mut rows = Vec::new();
        for mut layer in layers(threads) {
            if wanted.is_none_or(|text| layer.name.contains(text)) {
                rows.extend(measure(&mut layer, threads, &mut torch));
            }
        }
        rows
    });
    if wanted.is_none() {
        report::write(threads, &removed, rows);
    }
}

fn measure(layer: &mut Layer, threads: usize, torch: &mut [Torch]) -> Vec<Row> {
    let exec = exec(threads);
    for torch in torch.iter_mut() {
        torch.dialogue.ask(&layer.request);
    }
    let mut rows = Vec::new();
    for &pass in layer.passes() {
        layer.run(pass, exec);
        for torch in torch.iter_mut() {
            check(layer, pass, torch);
        }
        rows.extend(compare(layer, pass, exec, threads, torch));
    }
    rows
}

/// Compares some of their outputs with ours.
fn check(layer: &Layer, pass: Pass, torch: &mut Torch) {
    let theirs = torch.dialogue.ask(&format!("values {}", pass.name()));
    let ours = layer.output(pass);
    let step = (ours.len() / 61).max(1);
    // A sum of k products of values below 1 wanders to about sqrt(k) / 3, each addition rounds it within 2^-24 of
    // that, and k roundings wander to sqrt(k) times one: k / 3 of 2^-24. Five times that for the difference of two.
    let bound = 2.0 * layer.terms(pass) as f64 * f64::from(f32::EPSILON);
    for (&ours, theirs) in ours.iter().step_by(step).zip(theirs) {
        let ours = f64::from(ours);
        assert!((ours - theirs).abs() <= bound, "{}, {}: {ours} and {theirs}", layer.name, pass.name());
    }
}

/// A row for each library.
fn compare(layer: &mut Layer, pass: Pass, exec: Exec, threads: usize, torch: &mut [Torch]) -> Vec<Row> {
    let before = peak::gflops::<f32>(exec.level, threads);
    let (name, flops) = (layer.name, layer.flops());
    let mut entrants = entrants(layer, pass, exec, torch);
    let counts: Vec<usize> =
        entrants.iter_mut().map(|entrant| calls_lasting(SHORTEST, &mut entrant.seconds)).collect();
    let mut times = vec![Vec::with_capacity(REPETITIONS); entrants.len()];
    for _ in 0..REPETITIONS {
        for ((entrant, &count), times) in entrants.iter_mut().zip(&counts).zip(&mut times) {
            if threads > 1 {
                std::thread::sleep(PAUSE);
            }
            (entrant.seconds)(1);
            times.push((entrant.seconds)(count) / count as f64);
        }
    }
    let after = peak::gflops::<f32>(exec.level, threads);
    let peak = if before > after { before } else { after };
    let rows = entrants.into_iter().zip(times).map(|(entrant, times)| {
        Row::new([name, pass.name(), entrant.name], entrant.version, threads, times, flops, peak)
    });
    let rows: Vec<Row> = rows.collect();
    report::print(&rows);
    rows
}
