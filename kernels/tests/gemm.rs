//! Matrix products against the contract's plain loops, by bits.

mod common;

use common::{Values, assert_same_bits, levels};
use kernels::{Exec, MatMut, MatRef, gemm, reference};

#[test]
fn small_products_have_the_bits_of_the_plain_loops() {
    let mut values = Values::new(1);
    for (m, n, k) in [(0, 3, 2), (3, 0, 2), (3, 2, 0), (1, 1, 1), (7, 5, 3), (13, 17, 19)] {
        let (a, b) = (values.specials::<f32>(m * k), values.specials(k * n));
        let a = MatRef::row_major(&a, m, k).unwrap();
        let b = MatRef::row_major(&b, k, n).unwrap();
        let mut want = vec![0.0; m * n];
        reference::gemm::gemm(a, b, MatMut::row_major(&mut want, m, n).unwrap());
        for level in levels() {
            let mut got = vec![f32::NAN; m * n];
            gemm::gemm(Exec::serial(level), a, b, MatMut::row_major(&mut got, m, n).unwrap()).unwrap();
            assert_same_bits(format!("{m} x {n} x {k}, {}", level.name()), &got, &want);
        }
    }
}
