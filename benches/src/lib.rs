//! Benches live in `benches/`; this file holds what they share.

mod arguments;
mod convolutions;
mod cpu;
mod dialogue;
mod images;
mod limits;
mod machine;
mod networks;
#[cfg(feature = "products")]
mod product;
mod reading;
mod rows;
mod scaling;
mod turns;

pub use arguments::{Arguments, cores, exec, in_pool};
pub use convolutions::convolutions;
pub use cpu::Cpu;
pub use dialogue::{Dialogue, peers, program, python};
pub use images::{Images, gather, values};
pub use limits::without_limits;
pub use machine::{Run, head, record, tables, tables_of};
pub use networks::{BATCH, IMAGE, PIXELS, flop_per_sample, network, network_for, networks, perceptron};
#[cfg(feature = "products")]
pub use product::{Number, Product, Shape};
pub use reading::gigabytes_read_per_second;
pub use rows::{Row, optional, read_rows, replace_rows, write_rows};
pub use scaling::{Machine, Measured, Work};
pub use turns::{REPETITIONS, calls_lasting, calls_per_repetition, median, seconds};

use kernels::Element;

/// A random value in [-1, 1): never zeros, which some processors multiply faster.
///
/// SplitMix64 (Steele, Lea and Flood, 2014); `state` is the seed and then the position.
pub fn uniform<T: Element>(state: &mut u64) -> T {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    T::from_f64((z >> 11) as f64 / (1_u64 << 52) as f64 - 1.0)
}

/// Fails unless both slices have the same bits: what is timed must be right.
///
/// # Panics
/// If they differ; the message has both bit patterns of the first difference.
#[track_caller]
pub fn assert_same_bits<T: Element>(got: &[T], want: &[T]) {
    assert_eq!(got.len(), want.len(), "lengths differ");
    if let Some(i) = (0..got.len()).find(|&i| got[i].bits() != want[i].bits()) {
        panic!(
            "value {i}: got {:?} = {:x}, want {:?} = {:x}",
            got[i],
            got[i].bits(),
            want[i],
            want[i].bits()
        );
    }
}
