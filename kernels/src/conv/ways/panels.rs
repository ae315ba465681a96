//! Filters in the lanes of registers: matrices [filters, n] are transposed into panels, and back.
//!
//! ```text
//! from [filters, n]       to: panel after panel, [n, lanes of one or two registers]
//!  a b c d                 a e i 0   b f j 0   c g k 0   d h l 0
//!  e f g h
//!  i j k l                 (3 filters, registers of 4 lanes: +0.0 in the lanes that no filter takes)
//! ```
//!
//! The n are the taps of weights and of their gradient, or the positions of a map.

use std::marker::PhantomData;

use super::tile;
use crate::simd::{Kernel, MOST_LANES, Simd, Strided, Vector, vectorized};
use crate::{Element, Exec};

/// Some filters, as many as one or two registers have lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel {
    pub(super) first: usize,
    /// The filters, of which the last register may lack some.
    pub(super) filters: usize,
    pub(super) registers: usize,
    /// Lanes of the registers.
    pub(super) width: usize,
}

/// A kernel that computes panel by panel.
pub(super) trait PanelKernel<T: Element> {
    /// The body for a panel in registers V, to be compiled for the level S. It must be `#[inline(always)]`.
    fn run<S: Simd, V: Vector<Element = T>>(&mut self, level: S, simd: V::Simd, panel: Panel);
}

/// Runs the kernel on every panel of the filters.
pub(super) fn for_each_panel<T: Element>(exec: Exec, filters: usize, kernel: impl PanelKernel<T>) {
    exec.level.dispatch(Panels { filters, kernel, element: PhantomData::<T> });
}

struct Panels<K, T> {
    filters: usize,
    kernel: K,
    element: PhantomData<T>,
}

impl<T: Element, K: PanelKernel<T>> Kernel for Panels<K, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if const { !tile::exists::<T, S>() } {
            unreachable!("no convolution of this type has tiles at this level")
        } else if self.filters <= T::Vector::<S::Narrow>::LANES {
            // Zen 4 multiplies two registers of half the width at a time, or one of the whole.
            self.all::<S, T::Vector<S::Narrow>>(simd, simd.narrow());
        } else {
            self.all::<S, T::Vector<S>>(simd, simd);
        }
    }
}

impl<T: Element, K: PanelKernel<T>> Panels<K, T> {
    #[inline(always)]
    fn all<S: Simd, V: Vector<Element = T>>(mut self, level: S, simd: V::Simd) {
        for first in (0..self.filters).step_by(2 * V::LANES) {
            let rest = self.filters - first;
            let filters = if rest < 2 * V::LANES { rest } else { 2 * V::LANES };
            let registers = filters.div_ceil(V::LANES);
            let panel = Panel { first, filters, registers, width: registers * V::LANES };
            self.kernel.run::<S, V>(level, simd, panel);
        }
    }
}

/// Transposes `from` [filters, n] into panels.
pub(super) fn pack<T: Element>(exec: Exec, filters: usize, from: &[T], to: &mut [T]) {
    for_each_panel(exec, filters, Pack { n: from.len() / filters, from, to });
}

struct Pack<'a, T> {
    n: usize,
    from: &'a [T],
    to: &'a mut [T],
}

impl<T: Element> PanelKernel<T> for Pack<'_, T> {
    #[inline(always)]
    fn run<S: Simd, V: Vector<Element = T>>(&mut self, _: S, simd: V::Simd, panel: Panel) {
        let n = self.n;
        let rows = &self.from[panel.first * n..][..panel.filters * n];
        let to = &mut self.to[panel.first * n..][..panel.width * n];
        for (register, rows) in rows.chunks(V::LANES * n).enumerate() {
            let to = &mut to[register * V::LANES..];
            if n < V::LANES {
                for (column, to) in to.chunks_mut(panel.width).take(n).enumerate() {
                    to[..V::LANES].fill(T::ZERO);
                    for (to, &from) in to.iter_mut().zip(rows[column..].iter().step_by(n)) {
                        *to = from;
                    }
                }
                continue;
            }
            for first in (0..n).step_by(V::LANES) {
                // A block beyond the last column begins earlier and transposes some of them again.
                let first = if first + V::LANES <= n { first } else { n - V::LANES };
                let from = Strided { data: &rows[first..], stride: n };
                let to = Strided { data: &mut to[first * panel.width..], stride: panel.width };
                V::transpose_block(simd, from, rows.len() / n, to);
            }
        }
    }
}

/// A panel `from` [n, width] on its way to `to` [filters, n].
pub(super) struct UnpackPanel<'a, T> {
    pub(super) from: &'a [T],
    pub(super) width: usize,
    pub(super) to: &'a mut [T],
    pub(super) n: usize,
}

impl<T: Element> UnpackPanel<'_, T> {
    /// Transposes a register's worth of rows.
    #[inline(always)]
    pub(super) fn block<V: Vector<Element = T>>(&mut self, simd: V::Simd, first: usize) {
        let n = self.n;
        for (register, to) in self.to.chunks_mut(V::LANES * n).enumerate() {
            let data = &self.from[first * self.width + register * V::LANES..];
            let block = Strided { data, stride: self.width };
            if to.len() == V::LANES * n {
                V::transpose_block(simd, block, V::LANES, Strided { data: &mut to[first..], stride: n });
            } else {
                let mut lines = [T::ZERO; MOST_LANES * MOST_LANES];
                V::transpose_block(simd, block, V::LANES, Strided { data: &mut lines, stride: V::LANES });
                for (line, to) in lines.chunks_exact(V::LANES).zip(to.chunks_exact_mut(n)) {
                    V::load(simd, line).store(&mut to[first..]);
                }
            }
        }
    }

    /// Transposes the rows from `first` to the last. One copy of the code for all tiles.
    #[inline(never)]
    pub(super) fn rest<S: Simd, V: Vector<Element = T>>(&mut self, level: S, simd: V::Simd, first: usize) {
        vectorized!(level, {
            if self.n < V::LANES {
                for (filter, to) in self.to.chunks_exact_mut(self.n).enumerate() {
                    for (to, &value) in to.iter_mut().zip(self.from[filter..].iter().step_by(self.width)) {
                        *to = value;
                    }
                }
                return;
            }
            for first in (first..self.n).step_by(V::LANES) {
                // A block beyond the last row begins earlier and transposes some of them again.
                self.block::<V>(simd, if first + V::LANES <= self.n { first } else { self.n - V::LANES });
            }
        });
    }
}
