//! The instruction levels: names, and the fused multiply-add of a CPU that has none.

use crate::common::{Values, assert_same_bits, levels};
use kernels::{Error, Exec, Level, MatMut, MatRef, gemm};

#[test]
fn a_level_is_found_by_its_name_and_never_replaced_by_another() {
    for level in levels() {
        assert_eq!(Level::from_name(level.name()).unwrap().name(), level.name());
    }
    assert_eq!(Level::from_name("emulated").unwrap().name(), "emulated");
    assert!(matches!(Level::from_name("avx3"), Err(Error::UnknownLevel { .. })));
    let foreign = if cfg!(target_arch = "x86_64") { "neon" } else { "avx2" };
    assert!(matches!(Level::from_name(foreign), Err(Error::MissingLevel { .. })));
}

#[test]
fn the_emulated_fused_multiply_add_rounds_once() {
    let mut values = Values::new(1);
    let n = 1000;
    for round in 0..300 {
        let any = |values: &mut Values| f32::from_bits(values.word() as u32);
        let a = any(&mut values);
        let b: Vec<f32> =
            (0..n).map(|_| if round % 3 == 0 { any(&mut values) } else { values.special() }).collect();
        // Addends of any size, and addends that cancel the product but for its last bits.
        let a = if round % 3 == 0 { a } else { values.special() };
        let c: Vec<f32> = b
            .iter()
            .map(|&b| match values.below(3) {
                0 => any(&mut values),
                1 => f32::from_bits((-a * b).to_bits().wrapping_add(values.below(5) as u32).wrapping_sub(2)),
                _ => a * b * values.plain::<f32>() * 1e-7,
            })
            .collect();
        let want: Vec<f32> = b.iter().zip(&c).map(|(&b, &c)| a.mul_add(b, c)).collect();
        let mut got = c.clone();
        gemm::gemm_acc(
            Exec::serial(Level::emulated()),
            MatRef::row_major(&[a], 1, 1).unwrap(),
            MatRef::row_major(&b, 1, n).unwrap(),
            MatMut::row_major(&mut got, 1, n).unwrap(),
        )
        .unwrap();
        assert_same_bits(format!("round {round}: fma({a:?}, b, c)"), &got, &want);
    }
}
