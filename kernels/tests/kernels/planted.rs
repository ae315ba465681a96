//! Known mistakes, planted: each is a small wrong kernel that gets the random cases of `parity`, and the comparison
//! must report it. The right kernels get the same cases, and it must report nothing.
//!
//! A mistake that nobody would notice here could be made in a kernel without a test failing.

use crate::common::convolution::Case as Convolution;
use crate::common::product::Operation;
use crate::common::{levels, same_bits, same_stored_bits};
use crate::parity::draw::Draw;
use crate::parity::{layers, products};
use kernels::activation::{self, Activation};
use kernels::{Exec, Level, MatMut, MatRef, reduce, reference};

/// Cases that each mistake gets.
const CASES: u64 = 400;
const SEED: u64 = 1;

/// The levels without `emulated`, which is slow and is compared elsewhere.
fn fast_levels() -> impl Iterator<Item = Level> {
    levels().into_iter().filter(|level| !matches!(level, Level::Emulated(_)))
}

/// Counts the cases in which `check` reports a difference.
fn reported(name: &str, check: impl Fn(&mut Draw) -> Result<(), String>) -> usize {
    let count = (0..CASES).filter(|&case| check(&mut Draw::new(SEED, case)).is_err()).count();
    println!("{name}: reported in {count} of {CASES} cases");
    count
}

#[track_caller]
fn assert_caught(name: &str, check: impl Fn(&mut Draw) -> Result<(), String>) {
    assert!(reported(name, check) > 0, "a planted mistake is not seen: {name}");
}

#[track_caller]
fn assert_right(name: &str, check: impl Fn(&mut Draw) -> Result<(), String>) {
    assert_eq!(reported(name, check), 0, "the comparison reports a right kernel: {name}");
}

/// One element's sum of products `(a, b)`, k ascending, from an old value if there is one.
type Chain = fn(&[(f32, f32)], Option<f32>) -> f32;

fn chain(taps: &[(f32, f32)], old: Option<f32>) -> f32 {
    taps.iter().fold(old.unwrap_or(0.0), |c, &(a, b)| a.mul_add(b, c))
}

const WRONG_CHAINS: [(&str, Chain); 5] = [
    ("k split in two partial sums", |taps, old| {
        let (first, second) = taps.split_at(taps.len() / 2);
        chain(first, old) + chain(second, None)
    }),
    ("k reversed", |taps, old| {
        let reversed: Vec<_> = taps.iter().rev().copied().collect();
        chain(&reversed, old)
    }),
    ("a product and an addition for fma", |taps, old| {
        taps.iter().fold(old.unwrap_or(0.0), |c, &(a, b)| c + a * b)
    }),
    ("a chain that starts with a plain product", |taps, old| match (taps, old) {
        ([(a, b), rest @ ..], None) => chain(rest, Some(a * b)),
        _ => chain(taps, old),
    }),
    ("an accumulating call that adds the old value last", |taps, old| match old {
        Some(old) => old + chain(taps, None),
        None => chain(taps, old),
    }),
];

/// A product whose every chain is `chain`, cut in chunks as the contract says.
fn multiply(
    chain: impl Fn(&[(f32, f32)], Option<f32>) -> f32,
    operation: Operation,
    a: MatRef<'_, f32>,
    b: MatRef<'_, f32>,
    mut c: MatMut<'_, f32>,
) {
    let k = a.cols();
    let chunk = match operation {
        Operation::OverSamples(chunk) => chunk,
        _ if k > 8192 => 4096,
        _ => 8192,
    };
    for i in 0..c.rows() {
        for j in 0..c.cols() {
            let taps: Vec<_> = (0..k).map(|p| (a.at(i, p), b.at(p, j))).collect();
            let old = matches!(operation, Operation::Accumulate).then(|| c.at(i, j));
            let (first, later) = taps.split_at(k.min(chunk));
            let sum = later.chunks(chunk).fold(chain(first, old), |sum, part| sum + chain(part, None));
            c.set(i, j, sum);
        }
    }
}

fn check_chain(draw: &mut Draw, chain: impl Fn(&[(f32, f32)], Option<f32>) -> f32) -> Result<(), String> {
    let inputs = products::case(draw).inputs(|len| draw.values::<f32>(len));
    inputs.check_of("a planted chain", &inputs.reference(), |operation, a, b, c| {
        multiply(chain, operation, a, b, c);
    })
}

#[test]
fn every_wrong_chain_is_caught() {
    assert_right("the chain of the contract", |draw| check_chain(draw, chain));
    assert_right("the kernels of products", |draw| {
        let inputs = products::case(draw).inputs(|len| draw.values::<f32>(len));
        let want = inputs.reference();
        fast_levels().try_for_each(|level| inputs.check(Exec::serial(level), &want))
    });
    for (name, wrong) in WRONG_CHAINS {
        assert_caught(name, |draw| check_chain(draw, wrong));
    }
}

#[test]
fn partial_sums_by_thread_are_caught() {
    for threads in [2, 3, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let partials = |taps: &[(f32, f32)], old: Option<f32>| {
            let part = taps.len().div_ceil(rayon::current_num_threads()).max(1);
            let mut sums = vec![0.0; taps.len().div_ceil(part)];
            rayon::scope(|scope| {
                for (sum, taps) in sums.iter_mut().zip(taps.chunks(part)) {
                    scope.spawn(move |_| *sum = chain(taps, None));
                }
            });
            sums.into_iter().fold(old.unwrap_or(0.0), |total, sum| total + sum)
        };
        // Few elements, because each of them wakes the threads.
        let shape = |draw: &mut Draw| (1 + draw.below(3), 1 + draw.below(3), draw.size());
        assert_caught(&format!("a partial sum for each of {threads} threads"), |draw| {
            let case = crate::common::product::Case { shape: shape(draw), ..products::case(draw) };
            let inputs = case.inputs(|len| draw.values::<f32>(len));
            let want = inputs.reference();
            pool.install(|| {
                inputs.check_of("a planted chain", &want, |operation, a, b, c| {
                    multiply(partials, operation, a, b, c);
                })
            })
        });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Planted {
    Nothing,
    PaddingSkipped,
    BiasFirst,
}

/// One output of a convolution of one group.
fn output(case: &Convolution<f32>, [n, c_out, h, w]: [usize; 4], planted: Planted) -> f32 {
    let conv = &case.conv;
    let channels = conv.c_in / conv.groups;
    let group = c_out / (conv.c_out / conv.groups);
    let inside = |window: usize, tap: usize, axis: usize, size: usize| {
        let at = window * conv.stride[axis] + tap * conv.dilation[axis];
        at.checked_sub(conv.padding[axis]).filter(|&at| at < size)
    };
    let bias = case.bias[c_out];
    let mut sum = if planted == Planted::BiasFirst { bias } else { 0.0 };
    for c in 0..channels {
        for kh in 0..conv.kernel[0] {
            for kw in 0..conv.kernel[1] {
                let weight = case.w[((c_out * channels + c) * conv.kernel[0] + kh) * conv.kernel[1] + kw];
                let x = match (inside(h, kh, 0, conv.h_in), inside(w, kw, 1, conv.w_in)) {
                    (Some(i), Some(j)) => {
                        let plane = n * conv.c_in + group * channels + c;
                        case.x[(plane * conv.h_in + i) * conv.w_in + j]
                    }
                    _ if planted == Planted::PaddingSkipped => continue,
                    _ => 0.0,
                };
                sum = weight.mul_add(x, sum);
            }
        }
    }
    if planted == Planted::BiasFirst { sum } else { sum + bias }
}

fn check_convolution(draw: &mut Draw, planted: Planted) -> Result<(), String> {
    let case = layers::convolution_case::<f32>(draw);
    let mut got = Vec::new();
    for n in 0..case.batch {
        for c_out in 0..case.conv.c_out {
            for h in 0..case.conv.h_out() {
                got.extend((0..case.conv.w_out()).map(|w| output(&case, [n, c_out, h, w], planted)));
            }
        }
    }
    same_bits("a planted convolution", &got, &case.reference()[0])
}

#[test]
fn a_skipped_padding_tap_and_a_bias_put_first_are_caught() {
    assert_right("the loops without a mistake", |draw| check_convolution(draw, Planted::Nothing));
    assert_right("the kernels of convolution", |draw| {
        let case = layers::convolution_case::<f32>(draw);
        let want = case.reference();
        fast_levels().try_for_each(|level| case.check(Exec::serial(level), 1, &want))
    });
    assert_caught("a padding tap skipped", |draw| check_convolution(draw, Planted::PaddingSkipped));
    assert_caught("the bias first", |draw| check_convolution(draw, Planted::BiasFirst));
}

/// `L` lanes, folded by halves.
fn lanes<const L: usize>(x: &[f32], lane: impl Fn(&mut dyn Iterator<Item = f32>) -> f32) -> f32 {
    let mut lanes: [f32; L] = std::array::from_fn(|l| lane(&mut x.iter().skip(l).step_by(L).copied()));
    let mut half = L / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
        half /= 2;
    }
    lanes[0]
}

fn check_sum(draw: &mut Draw, sum: impl Fn(&[f32]) -> f32) -> Result<(), String> {
    let len = layers::length(draw);
    let x: Vec<f32> = draw.values(len);
    same_stored_bits(format_args!("the sum of {len}"), &[sum(&x)], &[reference::reduce::sum(&x)])
}

#[test]
fn every_wrong_sum_is_caught() {
    use kernels::Element;
    let from_zero = |lane: &mut dyn Iterator<Item = f32>| lane.fold(0.0, |sum, x| sum + x);
    assert_right("32 lanes from +0.0", |draw| check_sum(draw, |x| lanes::<32>(x, from_zero).canonical()));
    for level in fast_levels() {
        let exec = Exec::serial(level);
        assert_right("the kernel of sums", |draw| check_sum(draw, |x| reduce::sum(exec, x)));
    }
    assert_caught("16 lanes", |draw| check_sum(draw, |x| lanes::<16>(x, from_zero).canonical()));
    assert_caught("a NaN as it comes", |draw| check_sum(draw, |x| lanes::<32>(x, from_zero)));
    // It starts at -0.0.
    assert_caught("lanes by Iterator::sum", |draw| {
        check_sum(draw, |x| lanes::<32>(x, |lane| lane.sum()).canonical())
    });
    let empty = |sum: f32| same_stored_bits("the empty sum", &[sum], &[reference::reduce::sum(&[])]);
    assert!(empty(std::iter::empty::<f32>().sum()).is_err(), "-0.0 for the empty sum is not seen");
    assert_eq!(empty(reduce::sum(Exec::serial(Level::best()), &[])), Ok(()));
}

fn check_relu(draw: &mut Draw, relu: impl Fn(&[f32], &mut [f32])) -> Result<(), String> {
    let len = layers::length(draw);
    let z: Vec<f32> = draw.values(len);
    let want: Vec<f32> = z.iter().map(|&z| Activation::Relu.phi(z)).collect();
    let mut a = vec![f32::NAN; len];
    relu(&z, &mut a);
    same_stored_bits(format_args!("ReLU of {len}"), &a, &want)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "f32::max is the mistake")]
fn a_relu_by_max_is_caught() {
    for level in fast_levels() {
        assert_right("the kernel of ReLU", |draw| {
            check_relu(draw, |z, a| activation::forward(Exec::serial(level), Activation::Relu, z, a).unwrap())
        });
    }
    assert_caught("f32::max for ReLU", |draw| {
        check_relu(draw, |z, a| z.iter().zip(a).for_each(|(z, a)| *a = z.max(0.0)))
    });
}

/// Flush-to-zero in a pool's workers changes bits, and the check of the environment refuses such a pool.
#[cfg(target_arch = "x86_64")]
#[test]
fn flush_to_zero_in_a_worker_is_caught() {
    use kernels::{Error, environment};
    use std::arch::asm;

    let flush = |_: usize| {
        let mut settings = 0_u32;
        // SAFETY: stores MXCSR to a local variable.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut settings) };
        settings |= 1 << 15;
        // SAFETY: sets the flush bit of a thread that runs nothing but this test and ends with its pool.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const settings) };
    };
    let builder = || rayon::ThreadPoolBuilder::new().num_threads(2);
    let (sound, flushing) = (builder().build().unwrap(), builder().start_handler(flush).build().unwrap());
    let check = |draw: &mut Draw, pool: &rayon::ThreadPool, level: Level| {
        let inputs = products::case(draw).inputs(|len| draw.values::<f32>(len));
        let want = inputs.reference();
        pool.install(|| inputs.check(Exec::parallel(level), &want))
    };
    for level in fast_levels() {
        assert_right("sound workers", |draw| check(draw, &sound, level));
        assert_caught("workers that flush to zero", |draw| check(draw, &flushing, level));
    }
    assert!(sound.broadcast(|_| environment::check()).iter().all(Result::is_ok));
    let refused = Err(Error::Environment { found: "flush-to-zero is on" });
    assert!(flushing.broadcast(|_| environment::check()).iter().all(|found| *found == refused));
}
