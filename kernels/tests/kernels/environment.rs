//! The check of the floating-point environment sees each setting that would change bits.

use kernels::{Error, environment};

#[test]
fn the_default_environment_passes() {
    assert_eq!(environment::check(), Ok(()));
}

/// Runs the check on a thread of its own with `bits` set in its MXCSR.
#[cfg(target_arch = "x86_64")]
fn check_under(bits: u32) -> Result<(), Error> {
    use std::arch::asm;
    std::thread::spawn(move || {
        let mut saved = 0_u32;
        // SAFETY: stores MXCSR to a local variable.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut saved) };
        let changed = saved | bits;
        // SAFETY: sets only rounding and flush bits; they are put back before anything but the check runs.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const changed) };
        let found = environment::check();
        // SAFETY: puts back the value that was read above.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const saved) };
        found
    })
    .join()
    .expect("the thread ends")
}

#[cfg(target_arch = "x86_64")]
#[test]
fn every_deviation_is_found() {
    let flush_to_zero = 1 << 15;
    let denormals_are_zero = 1 << 6;
    let found = |bits| match check_under(bits) {
        Err(Error::Environment { found }) => found,
        other => panic!("{other:?} with MXCSR bits {bits:#x}"),
    };
    assert_eq!(found(flush_to_zero), "flush-to-zero is on");
    assert_eq!(found(denormals_are_zero), "subnormal operands are read as zero");
    for rounding in [1 << 13, 2 << 13, 3 << 13] {
        assert_eq!(found(rounding), "rounding is not to nearest even");
    }
    assert_eq!(check_under(0), Ok(()));
}
