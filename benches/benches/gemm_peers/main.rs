//! Matrix products of this project beside other libraries', in turns: A B C A B C ...
//!
//! Every shape is multiplied by every library that is there, one repetition after the other, and the median of
//! the repetitions counts; each lasts some milliseconds. Before it is timed, ours is compared with the plain loops
//! by bits (unless they would take minutes) and each library with ours within the rounding bound. The FMA peak is measured in the same run, before
//! and after each shape; so is, for a product with one row or column on one thread, the rate at which an array as large as its
//! matrix is read.
//!
//! What biases it: operands are hot, in a training step they often are not; the machine may be shared, so only ratios
//! inside a run mean anything; with several threads, libraries that spin while they wait are given a pause
//! before each repetition.
//!
//! `--threads N` (1 or all) chooses the threads, `--shape TEXT` the shapes whose name holds the text. Without `--shape`
//! the rows of that number of threads in `results/benchmarks/<cpu>/gemm.csv` are replaced, with one thread those of
//! `gemm-reading.csv` too, and `gemm.md` is set again.
//!
//! `--level avx2` compares at AVX2: ours at that level, in % of that level's peak, and those that a switch of their own
//! limits to it; the program starts itself again with these switches, for they are read when a library is opened.
//! BLIS, faer, gemm and matrixmultiply have none and are left out. Its rows are those of `gemm-avx2.csv` and of sections
//! of their own.
//!
//! `--retable CPU` only sets the tables of that CPU again.

mod foreign;
mod report;
mod shapes;

use std::hint::black_box;
use std::time::Duration;

use benches::{
    Arguments, Product, REPETITIONS, Shape, calls_per_repetition, cores, gigabytes_read_per_second, in_pool,
    seconds, tables, tables_of, without_limits,
};
use faer::Par;
use foreign::{Foreign, Foreigner};
use kernels::{Exec, Level, peak};
use report::Row;

/// Operations up to which ours is compared with the plain loops; larger products are made of the same tiles.
const LARGEST_CHECKED: usize = 1 << 29;
/// The pause in which threads of the library before fall asleep.
const PAUSE: Duration = Duration::from_millis(2);

/// What is compared.
struct Comparison<'a> {
    threads: usize,
    /// Of ours, and of the peak.
    level: Level,
    /// Whether the others are limited to that level.
    limited: bool,
    /// Part of the names of the shapes.
    wanted: Option<&'a str>,
}

fn main() {
    let arguments = Arguments::of_program();
    if let Some(cpu) = arguments.value("--retable") {
        return report::set(&tables_of(cpu));
    }
    let limited = match arguments.value("--level") {
        None => false,
        Some("avx2") => true,
        Some(other) => panic!("--level {other}: only avx2 is a level to which libraries can be limited"),
    };
    if limited && Level::best().name() != "avx512" {
        return println!("this CPU has nothing above AVX2 that a library could be kept from");
    }
    let removed = without_limits(limited);
    let level = if limited { Level::from_name("avx2") } else { Level::from_env() };
    let level = level.unwrap_or_else(|error| panic!("{error}"));
    let threads = arguments.threads().unwrap_or_else(cores);
    let comparison = Comparison { threads, level, limited, wanted: arguments.value("--shape") };
    if comparison.wanted.is_none() {
        report::check(&tables());
    }
    let rows = in_pool(threads, || {
        let foreign = foreign::all(threads, limited);
        for absent in foreign.iter().filter(|library| library.opened.is_none()) {
            println!("{}: absent", absent.name);
        }
        let mut rows = measure::<f32>(&shapes::F32, &comparison, &foreign);
        rows.extend(measure::<f64>(&shapes::F64, &comparison, &foreign));
        rows
    });
    if comparison.wanted.is_none() {
        report::write(&comparison, &removed, rows);
    }
}

/// One library and how it multiplies; false where it has no call for the shape.
struct Entrant<'a, T> {
    name: String,
    version: String,
    multiply: Box<Multiply<'a, T>>,
}

/// Multiplies, or returns false.
type Multiply<'a, T> = dyn Fn(&mut Product<T>) -> bool + 'a;

impl<'a, T> Entrant<'a, T> {
    fn new(name: &str, version: String, multiply: impl Fn(&mut Product<T>) -> bool + 'a) -> Self {
        Self { name: name.to_owned(), version, multiply: Box::new(multiply) }
    }
}

fn entrants<'a, T: Foreigner>(comparison: &Comparison<'_>, foreign: &'a [Foreign]) -> Vec<Entrant<'a, T>> {
    let &Comparison { threads, level, limited, .. } = comparison;
    let ours = |level: Level| {
        let exec = if threads == 1 { Exec::serial(level) } else { Exec::parallel(level) };
        move |product: &mut Product<T>| {
            product.ours(exec);
            true
        }
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let mut entrants = vec![Entrant::new("ours", version.clone(), ours(level))];
    if level.name() == "avx512"
        && let Ok(avx2) = Level::from_name("avx2")
    {
        entrants.push(Entrant::new(report::OURS_AT_AVX2, version, ours(avx2)));
    }
    if !limited {
        entrants.extend(crates(threads));
    }
    for library in foreign {
        if let Some(opened) = &library.opened {
            let multiply = |product: &mut Product<T>| T::multiply(opened, product);
            entrants.push(Entrant::new(library.name, opened.version.clone(), multiply));
        }
    }
    entrants
}

/// The crates, which choose their instructions themselves.
fn crates<'a, T: Foreigner>(threads: usize) -> [Entrant<'a, T>; 3] {
    let (par, parallelism) = match threads {
        1 => (Par::Seq, gemm::Parallelism::None),
        n => (Par::rayon(n), gemm::Parallelism::Rayon(n)),
    };
    [
        Entrant::new("faer", report::version("faer"), move |product| {
            product.faer(par);
            true
        }),
        Entrant::new("gemm", report::version("gemm"), move |product| {
            product.gemm_crate(parallelism);
            true
        }),
        Entrant::new("matrixmultiply", report::version("matrixmultiply"), |product| {
            product.matrixmultiply();
            true
        }),
    ]
}

fn measure<T: Foreigner>(shapes: &[Shape], comparison: &Comparison<'_>, foreign: &[Foreign]) -> Vec<Row> {
    let mut rows = Vec::new();
    let is_wanted = |shape: &&Shape| comparison.wanted.is_none_or(|text| shape.name().contains(text));
    for &shape in shapes.iter().filter(is_wanted) {
        let mut product = Product::<T>::new(shape);
        let mut entrants = entrants::<T>(comparison, foreign);
        entrants.retain(|entrant| (entrant.multiply)(&mut product));
        if shape.flops() <= LARGEST_CHECKED {
            product.check_ours(Exec::serial(comparison.level));
        } else {
            product.ours(Exec::serial(comparison.level));
        }
        let right = product.c.clone();
        for entrant in &entrants {
            product.c.copy_from_slice(&right);
            product.check_theirs(&entrant.name, |product| {
                (entrant.multiply)(product);
            });
        }
        rows.extend(compare(&mut product, &entrants, comparison));
    }
    rows
}

/// The rates of all entrants on one shape.
fn compare<T: Foreigner>(
    product: &mut Product<T>,
    entrants: &[Entrant<'_, T>],
    comparison: &Comparison<'_>,
) -> Vec<Row> {
    let &Comparison { threads, level, .. } = comparison;
    let reads = threads == 1 && report::is_vector(product.shape);
    let bytes = report::matrix_len(product.shape) * size_of::<T>();
    let read = || reads.then(|| gigabytes_read_per_second(level, bytes));
    let (before, read_before) = (peak::gflops::<T>(level, threads), read());
    let (shape, flops) = (product.shape, product.shape.flops() as f64);
    let mut multiply = |entrant: &Entrant<'_, T>| {
        (entrant.multiply)(black_box(&mut *product));
    };
    let counts: Vec<usize> =
        entrants.iter().map(|entrant| calls_per_repetition(|| multiply(entrant))).collect();
    let mut rates = vec![Vec::with_capacity(REPETITIONS); entrants.len()];
    for _ in 0..REPETITIONS {
        for ((entrant, &count), rates) in entrants.iter().zip(&counts).zip(&mut rates) {
            if threads > 1 {
                std::thread::sleep(PAUSE);
            }
            multiply(entrant);
            let seconds = seconds(count, || multiply(entrant));
            rates.push(flops * count as f64 / seconds / 1e9);
        }
    }
    let (after, read_after) = (peak::gflops::<T>(level, threads), read());
    let peak = if before > after { before } else { after };
    let reading = if read_before > read_after { read_before } else { read_after };
    let row = |(entrant, rates): (&Entrant<'_, T>, Vec<f64>)| {
        Row::new::<T>(shape, threads, &entrant.name, &entrant.version, rates, peak).beside(reading)
    };
    let rows: Vec<Row> = entrants.iter().zip(rates).map(row).collect();
    report::print(&rows);
    report::with_ratios(rows)
}
