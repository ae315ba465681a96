//! What the registers of all instruction sets have in common, stamped for each of them.
//!
//! An instruction set's file has a module for each of its registers, which names the intrinsics `splat`, `add`, `load`
//! and so on; what only that instruction set does, masks above all, it writes out.

/// The register `$name` of `$lanes` x `$element`, with the operations of module `$ops`; `$own` is the rest of its
/// [`Vector`](super::Vector).
macro_rules! register {
    ($name:ident: $lanes:literal x $element:ident, $simd:ident, $ops:ident, $($own:tt)*) => {
        #[doc = concat!("A register of ", $lanes, " x ", stringify!($element), ".")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name($ops::Register);

        impl std::ops::Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                // SAFETY: a value exists, so a token did.
                Self(unsafe { $ops::add(self.0, other.0) })
            }
        }

        impl Vector for $name {
            type Element = $element;
            type Simd = $simd;
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(_: $simd, x: $element) -> Self {
                // SAFETY: the token proves that the CPU has the instructions.
                Self(unsafe { $ops::splat(x) })
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                // SAFETY: a value exists, so a token did.
                Self(unsafe { $ops::mul_add(self.0, b.0, c.0) })
            }
            #[inline(always)]
            fn deinterleave(self, next: Self) -> (Self, Self) {
                // SAFETY: a value exists, so a token did.
                let (even, odd) = unsafe { $ops::deinterleave(self.0, next.0) };
                (Self(even), Self(odd))
            }
            #[inline(always)]
            fn interleave(self, odd: Self) -> (Self, Self) {
                // SAFETY: a value exists, so a token did.
                let (first, second) = unsafe { $ops::interleave(self.0, odd.0) };
                (Self(first), Self(second))
            }
            #[inline(always)]
            unsafe fn load_from(_: $simd, source: *const $element) -> Self {
                // SAFETY: the token proves the instruction; the caller promises readable elements.
                Self(unsafe { $ops::load(source) })
            }
            #[inline(always)]
            unsafe fn store_to(self, target: *mut $element) {
                // SAFETY: a value exists, so a token did; the caller promises writable elements.
                unsafe { $ops::store(target, self.0) }
            }
            $($own)*
        }
    };
}

/// Prefetches and transposes on x86-64.
#[cfg(target_arch = "x86_64")]
macro_rules! x86 {
    ($lanes:literal x $element:ident, $simd:ident, $ops:ident) => {
        #[inline(always)]
        fn prefetch(_: $simd, address: *const $element) {
            // SAFETY: SSE is in the baseline, and a prefetch never faults.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
        }
        #[inline(always)]
        fn prefetch_far(_: $simd, address: *const $element) {
            // SAFETY: SSE is in the baseline, and a prefetch never faults.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) };
        }
        #[inline(always)]
        unsafe fn transpose(
            _: $simd,
            from: Strided<*const $element>,
            columns: usize,
            to: Strided<*mut $element>,
        ) {
            // SAFETY: the token proves the instructions.
            let mut block = [unsafe { $ops::zero() }; $lanes];
            for (j, column) in block.iter_mut().enumerate() {
                if j < columns {
                    let source = from.data.wrapping_add(j * from.stride);
                    // SAFETY: the token proves the instruction; the caller promises LANES elements of the column.
                    *column = unsafe { $ops::load(source) };
                }
            }
            // SAFETY: the token proves the instructions.
            let rows = unsafe { $ops::transpose(block) };
            for (p, row) in rows.into_iter().enumerate() {
                let target = to.data.wrapping_add(p * to.stride);
                // SAFETY: the token proves the instruction; the caller promises LANES writable elements in the row.
                unsafe { $ops::store(target, row) };
            }
        }
    };
}

pub(super) use register;
#[cfg(target_arch = "x86_64")]
pub(super) use x86;
