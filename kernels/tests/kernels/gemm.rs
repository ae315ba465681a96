//! Matrix products against the contract's plain loops, by bits, and against an independent library.

use crate::common::product::{Case, LAYOUTS, Layout, Of, Operation};
use crate::common::{Values, assert_same_bits, levels};
use kernels::gemm::Bias;
use kernels::gemm::ladder::{self, Sizes};
use kernels::{Element, Error, Exec, MatMut, MatRef, Threads, gemm, reference};

/// Sizes at the edges of tiles: heights 6, 8 and 12, and registers of 2, 4, 8 and 16 in panels of
/// one, two and three.
const EDGES: [usize; 19] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 24, 33, 48, 49];
/// Sizes at the edges of blocks of k and of rows, and primes.
const LONG: [usize; 10] = [97, 127, 170, 171, 255, 257, 511, 767, 769, 1031];

/// Compares every level with the plain loops.
fn compare<T: Element>(case: Case, threads: Threads, values: &mut Values) {
    let inputs = case.inputs(|len| values.specials::<T>(len));
    let want = inputs.reference();
    for level in levels() {
        let exec = Exec { threads, ..Exec::serial(level) };
        inputs.check(exec, &want).unwrap_or_else(|difference| panic!("{difference}"));
    }
}

fn compare_serial(case: Case, values: &mut Values) {
    compare::<f32>(case, Threads::One, values);
    compare::<f64>(case, Threads::One, values);
}

#[test]
fn every_edge_of_a_tile_has_the_bits_of_the_plain_loops() {
    let mut values = Values::new(1);
    for m in EDGES {
        for n in EDGES {
            compare_serial(Case::row_major(m, n, EDGES[values.below(EDGES.len())]), &mut values);
        }
    }
}

#[test]
fn every_edge_of_a_block_has_the_bits_of_the_plain_loops() {
    let mut values = Values::new(2);
    for long in LONG {
        for _ in 0..3 {
            let (x, y) = (1 + values.below(20), 1 + values.below(20));
            for (m, n, k) in [(long, x, y), (x, long, y), (x, y, long)] {
                let case = Case { shape: (m, n, k), ..Case::random(&mut values, |_| 1) };
                compare_serial(case, &mut values);
            }
        }
    }
    compare_serial(Case::row_major(LONG[3], 130, LONG[7]), &mut values);
}

/// Edges of tiles, C turned, one row, one column, empty sums, several blocks of k, chunks of 4096, and threads.
#[test]
fn a_bias_is_added_after_the_chains_with_one_rounding() {
    let mut values = Values::new(14);
    for shape in [
        (7, 49, 5),
        (24, 130, 33),
        (1, 40, 9),
        (40, 1, 9),
        (5, 6, 0),
        (9, 35, 2100),
        (3, 17, 8200),
        (130, 150, 70),
    ] {
        for layout in [Layout::RowMajor, Layout::ColumnMajor, Layout::Spread] {
            for bias in [Of::Columns, Of::Rows, Of::Nothing] {
                let layouts = [Layout::RowMajor, Layout::RowMajor, layout];
                let case = Case { layouts, shape, ..Case::row_major(0, 0, 0) };
                let inputs = bias.inputs(case, |len| values.specials::<f32>(len));
                let want = inputs.reference();
                for exec in
                    levels().into_iter().flat_map(|level| [Exec::serial(level), Exec::parallel(level)])
                {
                    inputs.check(exec, &want).unwrap_or_else(|difference| panic!("{difference}"));
                }
            }
        }
    }
}

#[test]
fn a_bias_that_does_not_fit_is_refused() {
    let (a, b) =
        (MatRef::row_major(&[1.0_f32; 6], 2, 3).unwrap(), MatRef::row_major(&[1.0; 12], 3, 4).unwrap());
    let refused = |bias| {
        let mut c = [7.0; 8];
        let place = MatMut::row_major(&mut c, 2, 4).unwrap();
        let result = gemm::gemm_bias(Exec::from_env().unwrap(), a, b, bias, place);
        assert_eq!(c, [7.0; 8]);
        result.unwrap_err().to_string()
    };
    let (of_rows, of_columns) = (Bias::OfRows(&[0.0; 4]), Bias::OfColumns(&[0.0; 2]));
    assert!(refused(of_rows).contains("each of the 2 rows of C"), "{}", refused(of_rows));
    assert!(refused(of_columns).contains("each of the 4 columns of C"), "{}", refused(of_columns));
}

/// Shapes beyond what the nearest caches hold: panels copied in passing, by one block of A and by several; several
/// chunks of B; both operands contiguous along a long k; one row and one column.
#[test]
fn every_way_to_the_operands_has_the_bits_of_the_plain_loops() {
    use Layout::{ColumnMajor, RowMajor};
    let mut values = Values::new(12);
    let shapes = [
        ((20, 900, 600), [RowMajor; 3]),
        ((230, 270, 640), [RowMajor; 3]),
        ((40, 263, 800), [RowMajor, RowMajor, ColumnMajor]),
        ((256, 300, 20), [RowMajor; 3]),
        ((5, 19, 1500), [RowMajor, ColumnMajor, RowMajor]),
        ((50, 33, 1100), [RowMajor, ColumnMajor, RowMajor]),
        ((1, 300, 700), [RowMajor; 3]),
        ((1, 300, 701), [RowMajor, ColumnMajor, RowMajor]),
        ((301, 1, 700), [RowMajor; 3]),
    ];
    for (shape, layouts) in shapes {
        for operation in [Operation::Product, Operation::Accumulate] {
            compare_serial(Case { shape, layouts, operation }, &mut values);
        }
    }
}

#[test]
fn every_layout_and_operation_has_the_bits_of_the_plain_loops() {
    let mut values = Values::new(3);
    for a in LAYOUTS {
        for b in LAYOUTS {
            for c in LAYOUTS {
                for operation in [Operation::Product, Operation::Accumulate, Operation::OverSamples(7)] {
                    let shape = (1 + values.below(40), 1 + values.below(70), 1 + values.below(40));
                    compare_serial(Case { shape, layouts: [a, b, c], operation }, &mut values);
                }
            }
        }
    }
}

#[test]
fn empty_sums_are_positive_zero_and_empty_matrices_are_left_alone() {
    let mut values = Values::new(4);
    for shape in [(0, 3, 2), (3, 0, 2), (3, 2, 0), (0, 0, 0), (50, 60, 0), (1, 1, 0)] {
        for operation in [Operation::Product, Operation::Accumulate, Operation::OverSamples(3)] {
            compare_serial(Case { shape, layouts: [Layout::RowMajor; 3], operation }, &mut values);
            compare_serial(Case { shape, layouts: [Layout::ColumnMajor; 3], operation }, &mut values);
        }
    }
}

#[test]
fn long_sums_are_cut_in_chunks_of_4096() {
    let mut values = Values::new(5);
    for k in [8191, 8192, 8193, 12288, 12289] {
        for operation in [Operation::Product, Operation::Accumulate, Operation::OverSamples(1024)] {
            let layouts = [LAYOUTS[values.below(3)], LAYOUTS[values.below(3)], LAYOUTS[values.below(3)]];
            let shape = (1 + values.below(5), 1 + values.below(5), k);
            compare::<f32>(Case { shape, layouts, operation }, Threads::One, &mut values);
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let mut values = Values::new(6);
    // Above two million operations each, so that they are shared out.
    for (m, n, k) in [(64, 150, 131), (1, 1031, 1031), (700, 3, 600), (200, 97, 90)] {
        for layouts in [[Layout::RowMajor; 3], [Layout::RowMajor, Layout::ColumnMajor, Layout::Spread]] {
            let operation = if k == 90 { Operation::OverSamples(16) } else { Operation::Accumulate };
            for threads in 1..=3 {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    compare::<f32>(Case { shape: (m, n, k), layouts, operation }, Threads::Pool, &mut values);
                });
            }
        }
    }
}

#[test]
fn a_row_does_not_depend_on_the_batch_that_it_sits_in() {
    let mut values = Values::new(7);
    let (batch, inputs, outputs) = (37, 101, 53);
    let x: Vec<f32> = values.specials(batch * inputs);
    let w: Vec<f32> = values.specials(inputs * outputs);
    let w = MatRef::row_major(&w, inputs, outputs).unwrap();
    for level in levels() {
        let product = |x: &[f32], rows: usize| {
            let mut y = vec![0.0; rows * outputs];
            let c = MatMut::row_major(&mut y, rows, outputs).unwrap();
            gemm::gemm(Exec::serial(level), MatRef::row_major(x, rows, inputs).unwrap(), w, c).unwrap();
            y
        };
        let whole = product(&x, batch);
        for rows in [1, 2, 7, 16] {
            for (i, part) in x.chunks_exact(rows * inputs).enumerate() {
                let start = i * rows * outputs;
                let want = &whole[start..start + rows * outputs];
                assert_same_bits(format!("{rows} rows at {}", level.name()), &product(part, rows), want);
            }
        }
    }
}

#[test]
fn a_product_with_the_identity_changes_nothing() {
    let mut values = Values::new(8);
    for n in [1, 5, 16, 50] {
        let mut identity = vec![0.0_f64; n * n];
        identity.iter_mut().step_by(n + 1).for_each(|x| *x = 1.0);
        let identity = MatRef::row_major(&identity, n, n).unwrap();
        let x = values.plains(n * n);
        let a = MatRef::row_major(&x, n, n).unwrap();
        for level in levels() {
            let mut right = vec![0.0; n * n];
            gemm::gemm(Exec::serial(level), a, identity, MatMut::row_major(&mut right, n, n).unwrap())
                .unwrap();
            assert_same_bits("A I", &right, &x);
            let mut left = vec![0.0; n * n];
            gemm::gemm(Exec::serial(level), identity, a, MatMut::row_major(&mut left, n, n).unwrap())
                .unwrap();
            assert_same_bits("I A", &left, &x);
        }
    }
}

/// For any order of summation |computed - exact| <= gamma_k (|A| |B|) with gamma_k = k u / (1 - k u)
/// and u = 2^-24 (Higham, *Accuracy and Stability of Numerical Algorithms*, section 3.5). Two
/// computed products therefore differ by at most twice that.
#[test]
fn an_independent_library_agrees_within_the_rounding_bound() {
    let mut values = Values::new(9);
    for (m, n, k) in [(1, 1, 1), (17, 31, 200), (64, 48, 1000), (9, 150, 3000)] {
        let (a, b): (Vec<f32>, Vec<f32>) = (values.plains(m * k), values.plains(k * n));
        let mut theirs = vec![0.0_f32; m * n];
        // SAFETY: three row-major matrices of the lengths that the shapes ask for.
        unsafe {
            let (a, b, c) = (a.as_ptr(), b.as_ptr(), theirs.as_mut_ptr());
            matrixmultiply::sgemm(m, k, n, 1.0, a, k as isize, 1, b, n as isize, 1, 0.0, c, n as isize, 1);
        }
        let ku = k as f64 * f64::from(f32::EPSILON) / 2.0;
        let gamma = ku / (1.0 - ku);
        for level in levels() {
            let mut ours = vec![0.0_f32; m * n];
            gemm::gemm(
                Exec::serial(level),
                MatRef::row_major(&a, m, k).unwrap(),
                MatRef::row_major(&b, k, n).unwrap(),
                MatMut::row_major(&mut ours, m, n).unwrap(),
            )
            .unwrap();
            for i in 0..m {
                for j in 0..n {
                    let magnitude: f64 =
                        (0..k).map(|p| f64::from((a[i * k + p] * b[p * n + j]).abs())).sum::<f64>();
                    let difference = (f64::from(ours[i * n + j]) - f64::from(theirs[i * n + j])).abs();
                    assert!(difference <= 2.0 * gamma * magnitude, "({i}, {j}) of {m} x {n} x {k}");
                }
            }
        }
    }
}

#[test]
fn every_rung_of_the_ladder_has_the_same_bits() {
    let mut values = Values::new(10);
    for (m, n, k) in [(0, 4, 3), (4, 0, 3), (4, 3, 0), (1, 1, 1), (5, 17, 9), (33, 300, 70), (130, 130, 130)]
    {
        let (a, b): (Vec<f32>, Vec<f32>) = (values.specials(m * k), values.specials(k * n));
        let mut want = vec![0.0; m * n];
        let (a_rows, b_rows) = (MatRef::row_major(&a, m, k).unwrap(), MatRef::row_major(&b, k, n).unwrap());
        reference::gemm::gemm(a_rows, b_rows, MatMut::row_major(&mut want, m, n).unwrap());
        for rung in ladder::rungs() {
            for level in levels() {
                let mut got = vec![f32::NAN; m * n];
                rung.multiply(Exec::serial(level), Sizes { m, n, k }, &a, &b, &mut got).unwrap();
                assert_same_bits(format!("{} at {}", rung.name, level.name()), &got, &want);
            }
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let x = [1.0_f32; 12];
    let mut y = [0.0_f32; 12];
    let exec = Exec::from_env().unwrap();
    let a = MatRef::row_major(&x, 3, 4).unwrap();
    let c = MatMut::row_major(&mut y, 3, 4).unwrap();
    let error = gemm::gemm(exec, a, a, c).unwrap_err();
    assert_eq!(
        error.to_string(),
        "gemm: expected A [m, k], B [k, n] and C [m, n], got A [3, 4], B [3, 4] and C [3, 4]"
    );
    let c = MatMut::row_major(&mut y[..9], 3, 3).unwrap();
    assert!(matches!(gemm::gemm_over_samples(exec, 0, a, a.t(), c), Err(Error::Shape { .. })));
}
