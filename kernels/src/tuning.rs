//! The choices that follow the machine, in one table. None of them touches a bit (N12).
//!
//! What follows from the registers of a level alone, as the tallest tile that is compiled (`gemm/strip.rs`), is beside the
//! code that it bounds.

#![forbid(unsafe_code)]

use std::sync::OnceLock;

use crate::{Error, Machine};

/// The environment variable that forces choices: `KERNELS_TUNING=gemm.kc=512,machine.l2_bytes=262144`.
pub const VARIABLE: &str = "KERNELS_TUNING";

/// Declares a table of choices, each with what it is for and its value on a machine.
macro_rules! choices {
    (
        $(#[$outer:meta])* $type:ident, $machine:ident: $(with $table:ident: $table_type:ident;)?
        $($(#[doc = $doc:literal])+ $name:ident = $value:expr;)*
    ) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $type {
            $(/// Those of a table of its own.
            pub $table: $table_type,)?
            $($(#[doc = $doc])+ pub $name: usize,)*
        }

        impl $type {
            /// The name of each choice, what it follows from, and what it is for.
            const FIELDS: &'static [[&'static str; 3]] =
                &[$([stringify!($name), stringify!($value), concat!($($doc),+)],)*];

            /// The choices for a machine.
            pub const fn of($machine: &Machine) -> Self {
                Self { $($table: $table_type::of($machine),)? $($name: $value,)* }
            }

            fn field(&mut self, name: &str) -> Option<&mut usize> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)*
                    _ => None,
                }
            }
        }
    };
}

choices! {
    /// The sizes of a matrix product C [m, n] = A [m, k] B [k, n].
    Gemm, machine:
    /// Floating-point operations that are worth a thread.
    flops = 1 << 18;
    /// Parts for each thread. More of them even out what other programs take, but pack more.
    parts_per_thread = 1;
    /// The tallest tile in rows, as far as the registers allow.
    tile_rows = if machine.fma_512_per_cycle > 1 { 16 } else { 12 };
    /// The widest tile in registers, as far as they allow.
    tile_registers = 3;
    /// Bytes of a register from which on one fused multiply-add starts in a cycle, not two.
    half_rate_bytes = if machine.fma_512_per_cycle > 1 { 128 } else { 64 };
    /// The longest run over k before C is stored. Every further one reads C again, but a micro-panel of B (192 bytes for
    /// each k in AVX-512) has to stay in L2.
    kc = 1024;
    /// Bytes of a block of A, which the micro-panels of B pass by: it and one or two of them fill L2.
    block_of_a_bytes = machine.l2_bytes / 8 * 5;
    /// Bytes of a panel of B that one block of A passes by, in L2.
    panel_of_b_l2_bytes = machine.l2_bytes / 16 * 7;
    /// Bytes of a panel of B that several blocks of A pass by, in L3.
    panel_of_b_l3_bytes = if machine.l3_bytes / 8 < 4 << 20 { machine.l3_bytes / 8 } else { 4 << 20 };
    /// Bytes of an A that is read in place by the two innermost loops alone: L2 holds it.
    small_a_bytes = machine.l2_bytes / 2;
    /// Bytes of a B that is read in place by the two innermost loops alone: L2 holds it.
    small_b_bytes = machine.l2_bytes / 2;
    /// Rows of B that are fewer bytes apart are read in place as fast as from a copy.
    close_rows_bytes = 1024;
    /// Rows whose distance is a multiple of so many bytes meet in one set of L1.
    l1_way_bytes = machine.l1_bytes / machine.l1_ways;
    /// How many lines that meet in one set L1 holds.
    l1_ways = machine.l1_ways;
    /// The most rows of a tile of one register whose rows of A meet in one set: it reads little else between them.
    aliasing_rows = 6;
    /// Bytes of a B that is multiplied by one row of A in columns, because it stays in L2.
    row_b_bytes = machine.l2_bytes / 4 * 3;
    /// Rows and columns of the part of C whose later chunks (N2, N3) are summed apart.
    partial_side = 384;
}

/// A choice by name, as [`Tuning::choices`] lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// As `gemm.kc`.
    pub name: String,
    /// Its value.
    pub value: usize,
    /// How it follows from the machine: an expression, as `machine.l2_bytes / 2`.
    pub from: &'static str,
    /// What it is, with its unit.
    pub what: &'static str,
}

choices! {
    /// Sizes and limits that a call is tuned by: [`Exec`](crate::Exec) carries them, and a test may set any, to one or more.
    ///
    /// What a network's and a convolution's memory is planned with, before there is an `Exec`, is taken from
    /// [`Tuning::in_use`] alone: buckets, micro-batches, blocks of columns, gradients of chunks. The values for one MiB of
    /// L2 were measured on Zen 4 and Zen 5; those that name a cache are assumed to grow with it.
    Tuning, machine: with gemm: Gemm;
    /// A convolution: floating-point operations that are worth a thread.
    conv_flops = 1 << 19;
    /// A pooling: values that are worth a thread.
    pool_values = 1 << 15;
    /// A training step: floating-point operations that are worth a thread, about five microseconds at the peak.
    step_flops = 1 << 19;
    /// A training step on fewer samples, and of fewer operations than `serial_flops`, stays on one thread: moving its
    /// parameters between cores costs more than a second thread saves.
    serial_samples = 8;
    /// Floating-point operations of a training step that is shared out whatever its samples.
    serial_flops = 1 << 25;
    /// A training step: parameters whose gradient and update are computed together, so that the gradient stays in L1
    /// and what it is computed from in L2.
    bucket_parameters = 8192;
    /// A training step: the fewest rows of those parameters, because a product of fewer is slow, whatever fits a cache.
    bucket_rows = 16;
    /// A training step: bytes of L2 for the values and gradients of the samples that go through several layers before
    /// the next samples do.
    micro_batch_bytes = machine.l2_bytes / 2;
    /// A convolution through columns: values of the columns that are made at a time, which stay in L2 beside the
    /// weights.
    conv_block = machine.l2_bytes / 16;
    /// A convolution's weight gradient: values of chunks' gradients that a thread computes before they are added up,
    /// several chunks where they are small, so that threads meet less often.
    conv_gradients = 1 << 15;
}

/// Values of a block that several passes go over, one after the other: they stay in L1.
pub(crate) const L1_BLOCK: usize = 512;

impl Tuning {
    /// The choices for [`Machine::ZEN4`], where constants are wanted.
    pub const ZEN4: Self = Self::of(&Machine::ZEN4);

    /// The choices of this process: those for [`Machine::this`], but what [`VARIABLE`] forces.
    ///
    /// # Errors
    /// [`Error::Tuning`] if the variable is not a list of known names and whole numbers from 1.
    ///
    /// ```
    /// let tuning = kernels::Tuning::from_env()?;
    /// assert_eq!(kernels::Exec::serial(kernels::Level::best()).tuning, tuning);
    /// # Ok::<(), kernels::Error>(())
    /// ```
    pub fn from_env() -> Result<&'static Self, Error> {
        static IN_USE: OnceLock<Result<Tuning, Error>> = OnceLock::new();
        let in_use = IN_USE.get_or_init(|| match std::env::var_os(VARIABLE) {
            None => Ok(Self::of(Machine::this())),
            Some(text) => Self::forced(*Machine::this(), &text.to_string_lossy()),
        });
        in_use.as_ref().map_err(Clone::clone)
    }

    /// As [`Tuning::from_env`]; where that is an error, which the program has reported, the choices for [`Machine::ZEN4`].
    pub fn in_use() -> &'static Self {
        Self::from_env().unwrap_or(&Self::ZEN4)
    }

    /// The choices for `machine`, changed as `text` says: `gemm.kc=512,machine.l2_bytes=262144`. Facts of the machine are
    /// set first, so that what follows from them does.
    ///
    /// # Errors
    /// As [`Tuning::from_env`].
    pub fn forced(mut machine: Machine, text: &str) -> Result<Self, Error> {
        let words = || text.split([',', ' ']).filter(|word| !word.is_empty());
        let (facts, choices): (Vec<_>, Vec<_>) = words().partition(|word| word.starts_with("machine."));
        for fact in facts {
            set(fact, |name| machine.fact(name.strip_prefix("machine.")?))?;
        }
        let mut tuning = Self::of(&machine);
        for choice in choices {
            set(choice, |name| tuning.by_name(name))?;
        }
        Ok(tuning)
    }

    /// All choices, in the order of the tables.
    pub fn choices(mut self) -> Vec<Choice> {
        let gemm = Gemm::FIELDS.iter().map(|field| ("gemm.", field));
        let all = gemm.chain(Self::FIELDS.iter().map(|field| ("", field)));
        all.map(|(table, &[name, from, what])| {
            let name = format!("{table}{name}");
            let value = self.by_name(&name).map_or(0, |value| *value);
            Choice { name, value, from, what: what.trim_start() }
        })
        .collect()
    }

    fn by_name(&mut self, name: &str) -> Option<&mut usize> {
        match name.strip_prefix("gemm.") {
            Some(name) => self.gemm.field(name),
            None => self.field(name),
        }
    }
}

/// Sets what `word`, as `gemm.kc=512`, names.
fn set<'a>(word: &str, find: impl FnOnce(&str) -> Option<&'a mut usize>) -> Result<(), Error> {
    let unknown = || Error::Tuning { word: word.to_owned() };
    let (name, value) = word.split_once('=').ok_or_else(unknown)?;
    let value = value.parse().ok().filter(|&value| value > 0).ok_or_else(unknown)?;
    *find(name).ok_or_else(unknown)? = value;
    Ok(())
}
