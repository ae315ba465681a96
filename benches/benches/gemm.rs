//! Matrix products in FLOP/s (criterion's elements are floating-point operations), beside the
//! naive loops and three Rust libraries.
//!
//! Group `gemm f32, 1 thread` has every shape of the course's networks and square ones, group
//! `gemm f32, all threads` those that are worth sharing out; the first lines printed are the rates
//! that nothing can exceed. Inputs are random, and before a shape is timed our result is compared
//! with the plain loops by bits, and each library's within the rounding bound. Operands are hot;
//! in a training step they often are not.

use std::hint::black_box;
use std::time::Instant;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use faer::linalg::matmul::matmul;
use faer::{Accum, Par};
use kernels::gemm::ladder::{Sizes, rungs};
use kernels::{Exec, Level, MatMut, MatRef, peak, reference};

/// Which operand is stored transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    AB,
    /// A' B, the weight gradient of a dense layer.
    AtB,
    /// A B', its input gradient.
    ABt,
}

/// Form, m, n, k, and what the shape is.
const SHAPES: [(Form, usize, usize, usize, &str); 17] = [
    (Form::AB, 32, 32, 32, "square"),
    (Form::AB, 64, 64, 64, "square"),
    (Form::AB, 128, 128, 128, "square"),
    (Form::AB, 256, 256, 256, "square"),
    (Form::AB, 512, 512, 512, "square"),
    (Form::AB, 1024, 1024, 1024, "square"),
    (Form::AB, 64, 128, 784, "dense 784-128 forward"),
    (Form::AB, 64, 10, 128, "dense 128-10 forward"),
    (Form::AtB, 784, 128, 64, "dense 784-128 weight gradient"),
    (Form::ABt, 64, 784, 128, "dense 784-128 input gradient"),
    (Form::ABt, 64, 128, 10, "dense 128-10 input gradient"),
    (Form::AB, 1, 128, 784, "dense 784-128, one sample"),
    (Form::AB, 1024, 1, 1024, "one neuron"),
    (Form::AB, 6, 576, 25, "LeNet-5 first convolution"),
    (Form::AB, 16, 64, 150, "LeNet-5 second convolution"),
    (Form::AB, 16, 4096, 150, "LeNet-5 second convolution, batch"),
    (Form::AB, 256, 3136, 1152, "3x3 convolution of 128 channels"),
];

struct Product {
    form: Form,
    m: usize,
    n: usize,
    k: usize,
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

impl Product {
    fn new(form: Form, m: usize, n: usize, k: usize) -> Self {
        let mut state = 1_u64;
        let mut values =
            |len: usize| -> Vec<f32> { (0..len).map(|_| benches::uniform(&mut state)).collect() };
        Self { form, m, n, k, a: values(m * k), b: values(k * n), c: vec![0.0; m * n] }
    }

    /// Row and column strides of A, then of B.
    fn strides(&self) -> [(usize, usize); 2] {
        let a = if self.form == Form::AtB { (1, self.m) } else { (self.k, 1) };
        let b = if self.form == Form::ABt { (1, self.k) } else { (self.n, 1) };
        [a, b]
    }

    fn views(&mut self) -> (MatRef<'_, f32>, MatRef<'_, f32>, MatMut<'_, f32>) {
        let [a, b] = self.strides();
        let Self { m, n, k, .. } = *self;
        (
            MatRef::with_strides(&self.a, (m, k), a).expect("the strides fit"),
            MatRef::with_strides(&self.b, (k, n), b).expect("the strides fit"),
            MatMut::row_major(&mut self.c, m, n).expect("the sizes fit"),
        )
    }

    fn ours(&mut self, exec: Exec) {
        let (a, b, c) = self.views();
        kernels::gemm::gemm(exec, a, b, c).expect("the shapes fit");
    }

    fn naive(&mut self, exec: Exec) {
        let Self { m, n, k, .. } = *self;
        let [naive, ..] = rungs::<f32>();
        naive.multiply(exec, Sizes { m, n, k }, &self.a, &self.b, &mut self.c).expect("the sizes fit");
    }

    fn matrixmultiply(&mut self) {
        let [(ar, ac), (br, bc)] = self.strides().map(|(row, col)| (row as isize, col as isize));
        let Self { m, n, k, .. } = *self;
        let (a, b, c) = (self.a.as_ptr(), self.b.as_ptr(), self.c.as_mut_ptr());
        // SAFETY: the strides stay inside the three vectors, as `views` checks for ours.
        unsafe { matrixmultiply::sgemm(m, k, n, 1.0, a, ar, ac, b, br, bc, 0.0, c, n as isize, 1) }
    }

    fn gemm_crate(&mut self, threads: gemm::Parallelism) {
        let [(ar, ac), (br, bc)] = self.strides().map(|(row, col)| (row as isize, col as isize));
        let Self { m, n, k, .. } = *self;
        let (a, b, c) = (self.a.as_ptr(), self.b.as_ptr(), self.c.as_mut_ptr());
        let (zero, one, conjugate) = (0.0, 1.0, false);
        // SAFETY: as above; the crate names columns before rows.
        unsafe {
            gemm::gemm(
                m, n, k, c, 1, n as isize, conjugate, a, ac, ar, b, bc, br, zero, one, conjugate, conjugate,
                conjugate, threads,
            );
        }
    }

    fn faer(&mut self, threads: Par) {
        let [(ar, ac), (br, bc)] = self.strides().map(|(row, col)| (row as isize, col as isize));
        let Self { m, n, k, .. } = *self;
        // SAFETY: as above.
        let (a, b, c) = unsafe {
            (
                faer::MatRef::from_raw_parts(self.a.as_ptr(), m, k, ar, ac),
                faer::MatRef::from_raw_parts(self.b.as_ptr(), k, n, br, bc),
                faer::MatMut::from_raw_parts_mut(self.c.as_mut_ptr(), m, n, n as isize, 1),
            )
        };
        matmul(c, Accum::Replace, a, b, 1.0, threads);
    }

    /// Ours by bits, theirs within twice the bound of any order: 2 gamma_k |A| |B| (Higham, 3.5).
    fn check(&mut self, exec: Exec) {
        let (a, b, c) = self.views();
        reference::gemm::gemm(a, b, c);
        let want = self.c.clone();
        self.c.fill(f32::NAN);
        self.ours(exec);
        benches::assert_same_bits(&self.c, &want);
        // |a| and |b| are below 1, so |A| |B| is below k.
        let k = self.k as f64;
        let bound = 2.0 * k * (k * f64::from(f32::EPSILON) / 2.0) * 1.01;
        let libraries: [fn(&mut Self); 3] =
            [Self::matrixmultiply, |p| p.gemm_crate(gemm::Parallelism::None), |p| p.faer(Par::Seq)];
        for library in libraries {
            self.c.fill(f32::NAN);
            library(self);
            for (&got, &want) in self.c.iter().zip(&want) {
                assert!((f64::from(got) - f64::from(want)).abs() <= bound, "got {got}, want {want}");
            }
        }
    }
}

fn bench<F: FnMut(&mut Product)>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    shape: &str,
    product: &mut Product,
    mut multiply: F,
) {
    group.bench_function(BenchmarkId::new(name, shape), |bencher| {
        bencher.iter(|| multiply(black_box(product)));
    });
}

/// Times from inside the pool, as a training loop calls: entering it costs 20 microseconds.
fn bench_in_pool<F: Fn(&mut Product) + Sync>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    shape: &str,
    product: &mut Product,
    multiply: F,
) {
    group.bench_function(BenchmarkId::new(name, shape), |bencher| {
        bencher.iter_custom(|rounds| {
            rayon::scope(|_| {
                let start = Instant::now();
                (0..rounds).for_each(|_| multiply(black_box(product)));
                start.elapsed()
            })
        });
    });
}

fn one_thread(criterion: &mut Criterion) {
    let best = Exec::serial(Level::best());
    let mut group = criterion.benchmark_group("gemm f32, 1 thread");
    for (form, m, n, k, what) in SHAPES {
        let mut product = Product::new(form, m, n, k);
        product.check(best);
        let shape = format!("{form:?} {m}x{n}x{k}, {what}");
        group.throughput(Throughput::Elements((2 * m * n * k) as u64));
        for level in Level::available() {
            bench(&mut group, level.name(), &shape, &mut product, |p| p.ours(Exec::serial(level)));
        }
        if form == Form::AB && m * n * k <= 1 << 24 {
            bench(&mut group, "naive", &shape, &mut product, |p| p.naive(best));
        }
        bench(&mut group, "matrixmultiply", &shape, &mut product, Product::matrixmultiply);
        bench(&mut group, "gemm crate", &shape, &mut product, |p| p.gemm_crate(gemm::Parallelism::None));
        bench(&mut group, "faer", &shape, &mut product, |p| p.faer(Par::Seq));
    }
    group.finish();
}

fn all_threads(criterion: &mut Criterion) {
    let exec = Exec::parallel(Level::best());
    let mut group = criterion.benchmark_group("gemm f32, all threads");
    for (form, m, n, k, what) in SHAPES.into_iter().filter(|&(_, m, n, k, _)| m * n * k >= 1 << 20) {
        let mut product = Product::new(form, m, n, k);
        product.check(exec);
        let shape = format!("{form:?} {m}x{n}x{k}, {what}");
        group.throughput(Throughput::Elements((2 * m * n * k) as u64));
        bench_in_pool(&mut group, exec.level.name(), &shape, &mut product, |p| p.ours(exec));
        bench_in_pool(&mut group, "gemm crate", &shape, &mut product, |p| {
            p.gemm_crate(gemm::Parallelism::Rayon(0));
        });
        bench_in_pool(&mut group, "faer", &shape, &mut product, |p| p.faer(Par::rayon(0)));
    }
    group.finish();
}

/// Not a benchmark but the yardstick of the others.
fn fma_peak(_: &mut Criterion) {
    for level in Level::available() {
        let (single, double) = (peak::gflops::<f32>(level, 1), peak::gflops::<f64>(level, 1));
        println!("peak of one core, {}: f32 {single:.1} GFLOP/s, f64 {double:.1} GFLOP/s", level.name());
    }
}

criterion_group!(gemm_benches, fma_peak, one_thread, all_threads);
criterion_main!(gemm_benches);
