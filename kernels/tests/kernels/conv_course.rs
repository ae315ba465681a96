//! The worked convolution of the slides "Réseaux convolutionnels 2D" and "2D multi-canaux".
//!
//! The slide shows the top-left corner of an image behind a frame of zeros (padding 1). The
//! corner determines the first four rows and columns of the map; the fifth would need pixels
//! that the slide does not show.

use crate::common::{assert_same_bits, levels};
use kernels::conv::{self, Conv2d, ForwardPass};
use kernels::{Element, Exec};

const RED: [f64; 25] = [
    156., 155., 156., 158., 158., 153., 154., 157., 159., 159., 149., 151., 155., 158., 159., 146., 146.,
    149., 153., 158., 145., 143., 143., 148., 158.,
];
const GREEN: [f64; 25] = [
    167., 166., 167., 169., 169., 164., 165., 168., 170., 170., 160., 162., 166., 169., 170., 156., 156.,
    159., 163., 168., 155., 153., 153., 158., 168.,
];
const BLUE: [f64; 25] = [
    163., 162., 163., 165., 165., 160., 161., 164., 166., 166., 156., 158., 162., 165., 166., 155., 155.,
    158., 162., 167., 154., 152., 152., 157., 167.,
];
const RED_KERNEL: [f64; 9] = [-1., -1., 1., 0., 1., -1., 0., 1., 1.];
const GREEN_KERNEL: [f64; 9] = [1., 0., 0., 1., -1., -1., 1., 0., -1.];
const BLUE_KERNEL: [f64; 9] = [0., 1., 1., 0., 1., 0., 1., -1., 1.];

fn convert<T: Element>(planes: &[&[f64]]) -> Vec<T> {
    planes.concat().into_iter().map(T::from_f64).collect()
}

fn map<T: Element>(exec: Exec, image: &[&[f64]], kernels: &[&[f64]], bias: Option<&[T]>) -> Vec<T> {
    let sizes = Conv2d {
        c_in: image.len(),
        h_in: 5,
        w_in: 5,
        c_out: kernels.len() / image.len(),
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1, 1],
        dilation: [1, 1],
        groups: 1,
    };
    let (x, w) = (convert(image), convert(kernels));
    let mut y = vec![T::ZERO; sizes.output_len()];
    let mut scratch = vec![T::ZERO; sizes.scratch_len(1)];
    let operands = ForwardPass { batch: 1, x: &x, w: &w, bias, y: &mut y, scratch: &mut scratch };
    conv::forward(exec, &sizes, operands).unwrap();
    y
}

/// The first columns of the first rows, which the slide prints.
fn corner<T: Element>(map: &[T], rows: usize, cols: usize) -> Vec<T> {
    map.chunks(5).take(rows).flat_map(|row| row[..cols].to_vec()).collect()
}

fn the_slides_numbers_come_out_exactly<T: Element>(exec: Exec) {
    let label = format!("{} {}", exec.level.name(), T::NAME);
    let expect = |name: &str, got: &[T], want: &[f64]| {
        assert_same_bits(format!("{label}: {name}"), got, &convert::<T>(&[want]));
    };
    // The red channel alone, before the bias: 308, then 310 one step to the right.
    let red = map::<T>(exec, &[&RED], &[&RED_KERNEL], None);
    expect("red channel", &corner(&red, 1, 2), &[308., 310.]);
    // 161 - 9 + 659 + 1 = 812, in the second row and fourth column.
    let green = map::<T>(exec, &[&GREEN], &[&GREEN_KERNEL], None);
    let blue = map::<T>(exec, &[&BLUE], &[&BLUE_KERNEL], None);
    expect("the three terms", &[red[8], green[8], blue[8]], &[161., -9., 659.]);
    let image: [&[f64]; 3] = [&RED, &GREEN, &BLUE];
    let filter: [&[f64]; 3] = [&RED_KERNEL, &GREEN_KERNEL, &BLUE_KERNEL];
    let one = map(exec, &image, &filter, Some(&[T::ONE]));
    expect("map", &corner(&one, 2, 4), &[-25., 466., 466., 475., 295., 787., 798., 812.]);
    // Several filters make several maps: the slide's, its negative, and the red channel copied.
    let negative: Vec<Vec<f64>> = filter.iter().map(|plane| plane.iter().map(|w| -w).collect()).collect();
    let (mut copy, zeros) = ([0.0; 9], [0.0; 9]);
    copy[4] = 1.0;
    let filters =
        [&filter[..], &[&negative[0], &negative[1], &negative[2]], &[&copy, &zeros, &zeros]].concat();
    let three = map(exec, &image, &filters, Some(&[T::ONE, -T::ONE, T::ZERO]));
    assert_same_bits(format!("{label}: filter 1 of 3"), &three[..25], &one);
    let negated: Vec<T> = one.iter().map(|&z| -z).collect();
    assert_same_bits(format!("{label}: filter 2 of 3"), &three[25..50], &negated);
    expect("filter 3 of 3", &three[50..], &RED);
}

#[test]
fn the_slides_numbers_come_out_exactly_at_every_level() {
    for level in levels() {
        the_slides_numbers_come_out_exactly::<f32>(Exec::serial(level));
        the_slides_numbers_come_out_exactly::<f64>(Exec::serial(level));
    }
}
