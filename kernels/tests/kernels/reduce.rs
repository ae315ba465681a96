//! Sums, means, max and argmax against the contract's plain loops, by bits.

use crate::common::{Values, assert_same_bits, levels};
use kernels::reference::reduce as reference;
use kernels::{Element, Exec, Level, reduce};

fn reductions_match_the_reference<T: Element>() {
    let mut values = Values::new(1);
    for length in (0..=130).chain([255, 256, 257, 1031, 4099]) {
        for special in [false, true] {
            let x: Vec<T> = if special { values.specials(length) } else { values.plains(length) };
            let centre: T = values.plain();
            let sum = reference::sum(&x);
            let mean = sum / T::from_f64(length as f64);
            let squares = [T::ZERO, centre].map(|c| reference::sum_of_squares_about(&x, c));
            for level in levels() {
                let exec = Exec::serial(level);
                let label = format!("{length} x {}, {}", T::NAME, level.name());
                let got = [reduce::sum(exec, &x), reduce::mean(exec, &x)];
                assert_same_bits(&label, &got, &[sum, mean]);
                let got = [reduce::sum_of_squares(exec, &x), reduce::sum_of_squares_about(exec, &x, centre)];
                assert_same_bits(&label, &got, &squares);
            }
            assert_eq!(reduce::argmax(&x), reference::argmax(&x), "argmax of {length} x {}", T::NAME);
        }
    }
}

#[test]
fn reductions_match_the_reference_in_f32() {
    reductions_match_the_reference::<f32>();
}

#[test]
fn reductions_match_the_reference_in_f64() {
    reductions_match_the_reference::<f64>();
}

#[test]
fn zeros_nans_and_nothing_follow_the_rules() {
    let exec = Exec::serial(Level::best());
    assert_eq!(reduce::sum::<f32>(exec, &[]).to_bits(), 0);
    assert_eq!(reduce::sum(exec, &[-0.0_f32; 40]).to_bits(), 0, "lanes start at +0.0");
    let opposites = [f32::INFINITY, f32::NEG_INFINITY];
    assert_eq!(reduce::sum(exec, &opposites).to_bits(), 0x7fc0_0000, "the one NaN, whatever the CPU makes");
}

#[test]
fn the_first_of_equals_wins() {
    assert_eq!(reduce::argmax(&[1.0_f32, 2.0, 2.0]), Some(1));
    assert_eq!(reduce::argmax(&[-0.0_f32, 0.0]), Some(0));
    assert_eq!(reduce::max(&[-0.0_f32, 0.0]).map(f32::to_bits), Some(0x8000_0000));
    assert_eq!(reduce::argmax(&[f64::NAN, f64::INFINITY, f64::NAN]), Some(0));
    assert_eq!(reduce::max::<f64>(&[]), None);
}
