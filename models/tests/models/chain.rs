//! The two orders of summation against the kernels' specification, by bits, around every boundary.

use kernels::{Element, MatMut, MatRef, reference};
use models::chain::{SAMPLES, over_samples, product};
use models::rng::{Purpose, Stream};

fn same_bits_as_the_reference<T: Element>(n: usize) {
    let mut stream = Stream::new(Purpose::Data, n as u64, 0);
    let mut random = || (0..n).map(|_| T::from_f64(stream.normal())).collect::<Vec<T>>();
    let (a, b) = (random(), random());
    let (row, column) = (MatRef::row_major(&a, 1, n).unwrap(), MatRef::row_major(&b, n, 1).unwrap());
    let mut c = [T::ONE];
    reference::gemm::gemm(row, column, MatMut::row_major(&mut c, 1, 1).unwrap());
    assert_eq!(product(n, |k| (a[k], b[k])).bits(), c[0].bits(), "{} product of {n}", T::NAME);
    reference::gemm::gemm_over_samples(SAMPLES, row, column, MatMut::row_major(&mut c, 1, 1).unwrap());
    assert_eq!(over_samples(n, |k| (a[k], b[k])).bits(), c[0].bits(), "{} samples: {n}", T::NAME);
}

#[test]
fn sums_equal_the_specification_by_bits() {
    for n in [0, 1, 2, 31, 1023, 1024, 1025, 2048, 2049, 4095, 4097, 8191, 8192, 8193, 12288, 12289] {
        same_bits_as_the_reference::<f32>(n);
        same_bits_as_the_reference::<f64>(n);
    }
}

#[test]
fn an_empty_sum_is_positive_zero() {
    assert_eq!(product(0, |_| (1.0_f64, 1.0)).to_bits(), 0);
    assert_eq!(product(1, |_| (-0.0_f64, 1.0)).to_bits(), 0);
    assert_eq!(over_samples(0, |_| (1.0_f32, 1.0)).to_bits(), 0);
}
