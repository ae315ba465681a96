//! The input gradient without padding, on a small map: weights times the planes of one sample with filters in the
//! lanes, without any tap beside the map.
//!
//! ```text
//! the row below, MR + 1 - K values      g0 g1 g2 ..           value p meets position p + j under tap j
//! the row of MR positions         c0 c1 c2 c3 c4 ..
//!
//! for each row of the map
//!   for each channel, and each row i of the kernel that meets the planes
//!     for j in 0..K
//!       for p in 0..=MR - K   c[p + j] = fma(plane[row - i][p], w[i][j], c[p + j])
//! ```
//!
//! A quarter to a half of the taps lie beside a small map, to the left and the right as well: 20 % of LeNet-5's time.
//! That leaving them out keeps the bits, unless a result is -0.0, is shown in `filter_lanes.rs`.

use super::filter_lanes::{FilterLanes, has_negative_zero};
use super::frame::Frame;
use super::panels::{Panel, PanelKernel, UnpackPanel};
use super::tile;
use crate::Element;
use crate::simd::{Simd, Vector, vectorized};

/// Taps in a row of the kernel.
const K: usize = 5;

/// The operands with all weights finite and the planes without a frame.
pub(super) struct Full<'a, T> {
    pub(super) map: FilterLanes<'a, T>,
    /// Set to true if this way exists and no result is -0.0.
    pub(super) done: &'a mut bool,
}

/// Whether the reads are those of a full convolution, and there may be a kernel for it.
pub(super) fn fits(frame: &Frame, filters: usize) -> bool {
    filters <= 8 && frame.is_full() && frame.taps[2] == K && (8..=14).contains(&frame.map()[1])
}

impl<T: Element> PanelKernel<T> for Full<'_, T> {
    #[inline(always)]
    fn run<S: Simd, V: Vector<Element = T>>(&mut self, level: S, simd: V::Simd, _: Panel) {
        macro_rules! widths {
            ($($width:literal)*) => {
                match self.map.frame.map()[1] {
                    $($width => all_rows::<S, V, $width>(level, simd, self),)*
                    width => unreachable!("no row is {width} positions wide"),
                }
            };
        }
        // Fewer registers do not hold a row of results.
        if const { tile::is_half::<S, V>() && S::REGISTERS >= 32 } {
            widths!(8 9 10 11 12 13 14);
        }
    }
}

/// All rows of MR positions, compiled for the level.
fn all_rows<S: Simd, V: Vector, const MR: usize>(level: S, simd: V::Simd, full: &mut Full<'_, V::Element>) {
    vectorized!(level, {
        let FilterLanes { frame, packed, framed: planes, out, result, .. } = &mut full.map;
        let ([channels, rows, _], [height, _]) = (frame.taps, frame.map());
        let result = &mut result[..height * MR * V::LANES];
        let area = planes.len() / channels;
        for (row, result) in result.chunks_exact_mut(MR * V::LANES).enumerate() {
            let on_map = frame.taps_on_map(row);
            let mut c = [[[V::splat(simd, V::Element::ZERO); 1]; MR]; 1];
            let weights = packed.chunks_exact(rows * K * V::LANES);
            for (plane, weights) in planes.chunks_exact(area).zip(weights) {
                for i in on_map.clone() {
                    let line = &plane[(row - i) * (MR + 1 - K)..][..MR + 1 - K];
                    let weights = &weights[i * K * V::LANES..][..K * V::LANES];
                    for j in 0..K {
                        let w = V::load(simd, &weights[j * V::LANES..]);
                        for p in 0..MR + 1 - K {
                            c[0][p + j][0] = V::splat(simd, line[p]).mul_add(w, c[0][p + j][0]);
                        }
                    }
                }
            }
            tile::store(c, result);
        }
        *full.done = !has_negative_zero(level, result);
        UnpackPanel { from: result, width: V::LANES, to: out, n: height * MR }.rest::<S, V>(level, simd, 0);
    })
}
