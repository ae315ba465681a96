//! A pass over planes, cut into parts for threads: a plane's outputs depend on that plane alone.

use std::marker::PhantomData;

use super::Pool2d;
use super::pairs::Pairs;
use crate::parallel::{Divide, for_each_part};
use crate::simd::{Vector, vectorized};
use crate::{Element, Error, Exec};

/// Runs a pass on the slices of `planes` planes, and each of its parts compiled for the level.
pub(crate) fn run<P: PoolPass<S>, S: Slices>(
    exec: Exec,
    pool: &Pool2d,
    planes: usize,
    slices: S,
) -> Result<(), Error> {
    in_parts(exec, (planes, pool.area_in()), slices, |part| {
        let inside = if pool.is_pairs(exec.level) {
            exec.level.dispatch(Pairs::<P, S> { pool, slices: part.slices, pass: PhantomData })
        } else {
            vectorized!(exec.level, {
                let pool = *pool; // a copy: what is written through the slices cannot change it
                part.all_planes(
                    #[inline(always)]
                    |plane| P::plane(&pool, plane),
                )
            })
        };
        Error::unless(inside, "max pooling gradient", || {
            ("the indices of the forward pass".to_owned(), "an index outside of its window".to_owned())
        })
    })
}

/// Runs `body` on the slices of `planes` planes of `area` inputs each, in parts where that is worth several threads.
pub(super) fn in_parts<S: Slices>(
    exec: Exec,
    (planes, area): (usize, usize),
    slices: S,
    body: impl Fn(Planes<S>) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let parts = exec.parts(planes * area, exec.tuning.pool_values, 1);
    for_each_part(Planes { count: planes, slices }, parts, &body)
}

/// One direction of a pooling, on the slices `S` of some planes.
pub(crate) trait PoolPass<S> {
    type Value: Element;
    /// One plane under any windows. False if an index lies outside its window.
    fn plane(pool: &Pool2d, slices: S) -> bool;
    /// Windows of 2 x 2 that tile the planes. `N` is the number of lanes of `V`.
    fn pairs<V: Vector<Element = Self::Value>, const N: usize>(
        pool: &Pool2d,
        simd: V::Simd,
        slices: S,
    ) -> bool;
}

/// Some planes.
pub(super) struct Planes<S> {
    count: usize,
    pub(super) slices: S,
}

impl<S: Slices> Planes<S> {
    /// Whether `body` returns true for every plane.
    #[inline(always)]
    fn all_planes(self, body: impl Fn(S) -> bool) -> bool {
        let (mut all, mut rest) = (true, self.slices);
        for count in (1..=self.count).rev() {
            let (plane, others) = rest.split(1, count);
            all &= body(plane);
            rest = others;
        }
        all
    }
}

impl<S: Slices> Divide for Planes<S> {
    fn divide(self, first: usize, parts: usize) -> Result<(Self, Self), Self> {
        if self.count < 2 {
            return Err(self);
        }
        let count = (self.count * first / parts).max(1);
        let (slices, others) = self.slices.split(count, self.count);
        Ok((Self { count, slices }, Self { count: self.count - count, slices: others }))
    }
}

/// Slices over consecutive planes, each with as many values for one plane as for every other.
pub(crate) trait Slices: Sized + Send {
    /// Those of the first `count` of `planes` planes, and those of the others.
    fn split(self, count: usize, planes: usize) -> (Self, Self);
}

impl<T: Sync> Slices for &[T] {
    #[inline(always)]
    fn split(self, count: usize, planes: usize) -> (Self, Self) {
        self.split_at(self.len() / planes * count)
    }
}

impl<T: Send> Slices for &mut [T] {
    #[inline(always)]
    fn split(self, count: usize, planes: usize) -> (Self, Self) {
        let at = self.len() / planes * count;
        self.split_at_mut(at)
    }
}

/// Slices in the fields of a struct.
macro_rules! slices {
    ($name:ident { $($field:ident),* }) => {
        impl<T: Send + Sync> $crate::pool::pass::Slices for $name<'_, T> {
            #[inline(always)]
            fn split(self, count: usize, planes: usize) -> (Self, Self) {
                $(let $field = $crate::pool::pass::Slices::split(self.$field, count, planes);)*
                (Self { $($field: $field.0),* }, Self { $($field: $field.1),* })
            }
        }
    };
}
pub(super) use slices;

impl<A: Slices, B: Slices> Slices for (A, B) {
    #[inline(always)]
    fn split(self, count: usize, planes: usize) -> (Self, Self) {
        let (a, other_a) = self.0.split(count, planes);
        let (b, other_b) = self.1.split(count, planes);
        ((a, b), (other_a, other_b))
    }
}
