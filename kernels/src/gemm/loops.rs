//! The five loops: what does not fit a cache is cut until it does (Goto and van de Geijn, 2008; sizes in `blocking.rs`).
//!
//! L3 holds a panel of B [kc, nc], L2 a block of A [mc, kc] and the micro-panels of B [kc, nr] that pass it by, the
//! registers a tile of C [mr, nr]. A is read where it is, B from copies where that pays (`pack.rs`).

#![forbid(unsafe_code)]

use super::blocking::Blocking;
use super::output::Output;
use super::pack::PanelOfB;
use super::ranges::Ranges;
use super::scratch::{Buffer, Lease};
use super::strip::{Strip, far_kernel};
use super::transpose::through_a_copy;
use crate::simd::{Simd, Vector};
use crate::tuning::Gemm;
use crate::{Element, MatRef};

/// C = A B, one chain for each element.
#[inline(always)]
pub(super) fn five_loops<T: Element, S: Simd>(
    simd: S,
    tuning: &Gemm,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    mut out: Output<'_, T>,
) {
    let (m, n, k, lanes) = (a.rows(), b.cols(), a.cols(), T::Vector::<S>::LANES);
    let sizes = Blocking::new::<T, S>(tuning, &a, &b, &out.c);
    let blocks = Ranges::at_most(sizes.mc, m);
    let mut buffer = Lease::take(Buffer::PanelOfB);
    // LOOP 5: cut n in ranges of nc registers (B, C).
    for registers in Ranges::at_most(sizes.nc, n.div_ceil(lanes)).iter() {
        let jc = registers.start * lanes..n.min(registers.end * lanes);
        let mut out = out.submatrix(0..m, jc.clone());
        // LOOP 4: cut k in ranges of kc (A, B). After the first one the chains continue from C.
        for pc in Ranges::at_most(sizes.kc, k).iter() {
            let b = b.submatrix(pc.clone(), jc.clone());
            let mut panel = PanelOfB::new(simd, &sizes, blocks.count(), b, &mut buffer);
            let mut out = out.during(&pc, k);
            // LOOP 3: cut m in ranges of mc (A, C).
            for ic in blocks.iter() {
                let a = a.submatrix(ic.clone(), pc.clone());
                let tiles = Blocking::tiles::<T::Vector<S>>(tuning, sizes.mr, ic.len());
                let mut out = out.submatrix(ic.clone(), 0..jc.len());
                // LOOP 2: cut the panel in micro-panels of nr registers (B, C).
                for j in 0..panel.len() {
                    let (jr, next) = (panel.columns(j), panel.columns(j + 1));
                    let next_c = out.c.as_mut_ptr().wrapping_add(next.start).cast_const();
                    let mut b = panel.micro_panel(j, tiles.count());
                    // LOOP 1: cut the block in strips of tiles of one height mr (A, C).
                    for (ir, mr) in tiles.by_length() {
                        let kernel = far_kernel::<T, S>(mr, jr.len().div_ceil(lanes));
                        let below = out.c.as_mut_ptr().wrapping_add(ir.end * out.c.row_stride());
                        b.next_c = if ir.end < ic.len() { below.cast_const() } else { next_c };
                        let a = a.submatrix(ir.clone(), 0..pc.len());
                        let strip = Strip { a, out: out.submatrix(ir, jr.clone()) };
                        if strip.out.c.col_stride() == 1 {
                            kernel(simd, strip, &mut b);
                        } else {
                            through_a_copy(simd, kernel, mr, strip, &mut b);
                        }
                    }
                }
                panel.has_met_a_block();
            }
        }
    }
}
