//! The check of the floating-point environment sees each setting that would change bits.

#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]

use kernels::{Error, environment};

#[test]
fn the_default_environment_passes() {
    assert_eq!(environment::check(), Ok(()));
}

/// MXCSR.
#[cfg(target_arch = "x86_64")]
mod register {
    use std::arch::asm;

    pub(super) const ROUNDINGS: [u64; 3] = [1 << 13, 2 << 13, 3 << 13];
    pub(super) const FLUSHES: [(u64, &str); 2] =
        [(1 << 15, "flush-to-zero is on"), (1 << 6, "subnormal operands are read as zero")];

    pub(super) fn read() -> u64 {
        let mut value = 0_u32;
        // SAFETY: stores MXCSR to a local variable.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut value) };
        u64::from(value)
    }

    pub(super) fn write(value: u64) {
        let value = value as u32;
        // SAFETY: the caller changes rounding and flush bits only, and puts them back before anything but the check runs.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const value) };
    }
}

/// FPCR, whose one bit flushes operands and results.
#[cfg(target_arch = "aarch64")]
mod register {
    use std::arch::asm;

    pub(super) const ROUNDINGS: [u64; 3] = [1 << 22, 2 << 22, 3 << 22];
    pub(super) const FLUSHES: [(u64, &str); 1] = [(1 << 24, "flush-to-zero is on")];

    pub(super) fn read() -> u64 {
        let value;
        // SAFETY: reads a register.
        unsafe { asm!("mrs {}, fpcr", out(reg) value) };
        value
    }

    pub(super) fn write(value: u64) {
        // SAFETY: the caller changes rounding and flush bits only, and puts them back before anything but the check runs.
        unsafe { asm!("msr fpcr, {}", in(reg) value) };
    }
}

/// Runs the check on a thread of its own with `bits` set in the register of the floating-point environment.
fn check_under(bits: u64) -> Result<(), Error> {
    std::thread::spawn(move || {
        let saved = register::read();
        register::write(saved | bits);
        let found = environment::check();
        register::write(saved);
        found
    })
    .join()
    .expect("the thread ends")
}

#[test]
fn every_deviation_is_found() {
    let found = |bits| match check_under(bits) {
        Err(Error::Environment { found }) => found,
        other => panic!("{other:?} with bits {bits:#x}"),
    };
    for (bits, name) in register::FLUSHES {
        assert_eq!(found(bits), name);
    }
    for rounding in register::ROUNDINGS {
        assert_eq!(found(rounding), "rounding is not to nearest even");
    }
    assert_eq!(check_under(0), Ok(()));
}
