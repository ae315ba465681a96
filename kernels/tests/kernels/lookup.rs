//! Stored bytes as values: every row has the bits of its values one by one.

use kernels::lookup::Lookup;
use kernels::{Element, Level};

/// Compares every row, gathered in another order, with the values one by one.
fn compare<T: Element>(width: usize, groups: usize, value: impl Fn(usize, u8) -> f64) -> Lookup<T> {
    let lookup = Lookup::<T>::new(width, groups, &value).unwrap();
    let stored: Vec<u8> = (0..20 * width).map(|i| (i * 37 % 256) as u8).collect();
    let order: Vec<usize> = (0..20).map(|i| i * 7 % 20).collect();
    for level in Level::available() {
        let mut x = vec![T::ONE; stored.len()];
        lookup.gather(level, &stored, &|i| order[i], &mut x);
        for (i, x) in x.iter().enumerate() {
            let (row, position) = (order[i / width], i % width);
            let byte = stored[row * width + position];
            let want = T::from_f64(value(position * groups / width, byte));
            assert_eq!(x.bits(), want.bits(), "{}: row {row}, position {position}", level.name());
        }
    }
    lookup
}

#[test]
fn rows_are_gathered_in_the_order_of_their_numbers() {
    let standard = |group: usize, byte: u8| (f64::from(byte) / 255.0 - 0.286) / (0.353 + group as f64);
    for (width, groups) in [(784, 1), (784, 784), (12, 3), (1, 1)] {
        compare::<f32>(width, groups, standard);
        compare::<f64>(width, groups, standard);
    }
}

#[test]
fn a_line_is_taken_where_it_has_the_bits_of_every_value() {
    let has_line = |value: fn(u8) -> f64| compare::<f32>(6, 2, |_, byte| value(byte)).affine_groups() == 2;
    assert!(has_line(f64::from));
    assert!(has_line(|byte| f64::from(byte) / 255.0));
    assert!(has_line(|byte| f64::from(byte) / 16.0 - 2.0));
    assert!(has_line(|byte| (f64::from(byte) / 255.0 - 0.286) / 0.353));
    assert!(has_line(|_| 1.0));
    // A square is no line, and neither is one whose zero has the other sign.
    assert!(!has_line(|byte| f64::from(byte) * f64::from(byte)));
    assert!(!has_line(|byte| if byte == 0 { -0.0 } else { f64::from(byte) }));
    // Each group has a rule of its own.
    let mixed = compare::<f32>(6, 2, |group, byte| if group == 0 { 1.0 } else { f64::from(byte / 2) });
    assert_eq!(mixed.affine_groups(), 1);
}

#[test]
fn most_standardisations_are_lines() {
    let lines = (0..1000).filter(|&i| {
        let (mean, deviation) = (f64::from(i) / 1000.0, 0.1 + f64::from(i % 37) / 50.0);
        let value = |_, byte| (f64::from(byte) / 255.0 - mean) / deviation;
        Lookup::<f32>::new(1, 1, value).is_ok_and(|lookup| lookup.affine_groups() == 1)
    });
    assert!(lines.count() > 950);
}

#[test]
#[should_panic(expected = "no whole rows of 4")]
fn values_for_a_part_of_a_row_are_refused() {
    let lookup = Lookup::<f32>::new(4, 1, |_, byte| f64::from(byte)).unwrap();
    lookup.gather(Level::best(), &[0; 8], &|i| i, &mut [0.0; 6]);
}

#[test]
fn rows_that_cannot_be_cut_are_refused() {
    for (width, groups) in [(0, 1), (1, 0), (5, 2)] {
        assert!(Lookup::<f32>::new(width, groups, |_, _| 0.0).is_err(), "{width} {groups}");
    }
}
