//! Random rows of stored bytes, gathered as values.

use kernels::Element;
use kernels::lookup::Lookup;

use super::draw::{Draw, Runners};
use super::{Compared, either_type};
use crate::common::same_bits;

pub(crate) fn rows(draw: &mut Draw, runners: &Runners) -> Compared {
    either_type!(rows_of, draw, runners)
}

fn rows_of<T: Element>(draw: &mut Draw, runners: &Runners) -> Compared {
    let (groups, size) = if draw.once_in(2) { (1, draw.size()) } else { (1 + draw.below(6), draw.size()) };
    let width = groups * size;
    let tables: Vec<f64> = (0..groups).flat_map(|_| table(draw)).collect();
    let value = |group: usize, byte: u8| tables[256 * group + usize::from(byte)];
    let stored: Vec<u8> = (0..width * (1 + draw.below(20))).map(|_| draw.below(256) as u8).collect();
    let rows = stored.len() / width;
    let order: Vec<usize> = (0..draw.below(40)).map(|_| draw.below(rows)).collect();
    let bytes = order.iter().flat_map(|&row| stored[row * width..][..width].iter().enumerate());
    let want: Vec<T> = bytes.map(|(i, &byte)| T::from_f64(value(i / size, byte))).collect();
    let lookup = Lookup::<T>::new(width, groups, value).unwrap();
    let execs = draw.execs(runners, want.len());
    runners.each(&execs, |exec, _| {
        let mut x = vec![T::ONE; want.len()];
        lookup.gather(exec.level, &stored, &|i| order[i], &mut x);
        let rows = order.len();
        same_bits(format_args!("{rows} rows of {groups} x {size} {}, {exec:?}", T::NAME), &x, &want)
    })
}

/// The values of a group's bytes: of any kind, or a standardisation, which is mostly an affine function.
fn table(draw: &mut Draw) -> Vec<f64> {
    if draw.once_in(3) {
        return draw.values(256);
    }
    let (mean, deviation) = (draw.below(1000) as f64 / 1000.0, (1 + draw.below(1000)) as f64 / 500.0);
    (0..=255).map(|byte| (f64::from(byte) / 255.0 - mean) / deviation).collect()
}
