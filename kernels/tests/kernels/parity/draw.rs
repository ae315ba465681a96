//! What a random case is drawn from: values, sizes, levels and threads.

use kernels::tuning::Gemm;
use kernels::{Element, Exec, Level, Tuning};

use crate::common::{Values, levels};

/// Sizes at the edges of tiles and registers.
const EDGES: [usize; 22] = [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 24, 31, 32, 33, 48, 49];

/// The random source of one case, with its kind of values.
pub(crate) struct Draw {
    source: Values,
    kind: usize,
}

impl Draw {
    pub(crate) fn new(seed: u64, case: u64) -> Self {
        // Two words mixed, so that neither neighbours nor other seeds share a stream.
        let mut source = Values::new(Values::new(seed).word() ^ Values::new(!case).word());
        let kind = source.below(8);
        Self { source, kind }
    }

    pub(crate) fn source(&mut self) -> &mut Values {
        &mut self.source
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.source.below(n)
    }

    /// True once in `n` times.
    pub(crate) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// Mostly an edge of a tile, else anything up to 64.
    pub(crate) fn size(&mut self) -> usize {
        if self.once_in(4) { 1 + self.below(64) } else { EDGES[self.below(EDGES.len())] }
    }

    /// `len` values of the case's kind. A long sum of values that may be NaN is NaN and tells nothing, so half of
    /// the cases have ordinary values, and some only such special ones as leave a sum finite.
    pub(crate) fn values<T: Element>(&mut self, len: usize) -> Vec<T> {
        match self.kind {
            0..=2 => self.source.plains(len),
            3 => self.source.specials(len),
            4 => {
                let mut values = self.source.plains(len);
                if let Some(one) = values.get_mut(self.source.below(len.max(1))) {
                    *one = self.source.special();
                }
                values
            }
            5 => (0..len).map(|_| self.small()).collect(),
            6 => (0..len).map(|_| self.finite()).collect(),
            _ => (0..len).map(|_| self.bits()).collect(),
        }
    }

    /// A zero of either sign or a value whose products underflow.
    fn small<T: Element>(&mut self) -> T {
        let root = if T::NAME == "f32" { 1e-20 } else { 1e-155 };
        let x: T = self.source.plain();
        match self.below(8) {
            0 => T::ZERO,
            1 => -T::ZERO,
            2 => T::from_f64(x.to_f64() * root * root), // subnormal in f32 and f64
            3 => x,
            _ => T::from_f64(x.to_f64() * root),
        }
    }

    /// Any finite magnitude whose products neither overflow nor vanish, so that sums cancel.
    fn finite<T: Element>(&mut self) -> T {
        let x: f64 = self.source.plain();
        let exponent = self.below(24) as i32 - 12;
        let scale = (0..exponent.abs()).fold(1.0, |s, _| if exponent < 0 { s * 0.25 } else { s * 4.0 });
        T::from_f64(x * scale)
    }

    /// Any bits: NaN with payloads and signs, infinities, subnormals.
    fn bits<T: Element>(&mut self) -> T {
        let word = self.source.word();
        let narrow = f64::from(f32::from_bits(word as u32));
        T::from_f64(if T::NAME == "f32" { narrow } else { f64::from_bits(word) })
    }

    /// How the case runs: every level, `emulated` where `work` is small and then not always, all with the same
    /// threads.
    pub(crate) fn execs(&mut self, runners: &Runners, work: usize) -> Execs {
        let emulated = work < 20_000 && self.once_in(6);
        let shared = work >= 1 << 19 || self.once_in(3);
        let runner = shared.then(|| self.below(runners.pools.len()));
        let wanted = |level: &Level| emulated || !matches!(level, Level::Emulated(_));
        let tuning = runners.tunings[self.below(runners.tunings.len())];
        Execs { levels: levels().into_iter().filter(wanted).collect(), runner, tuning }
    }
}

/// The levels of a case, its tuning, and the pool of threads, if any.
pub(crate) struct Execs {
    levels: Vec<Level>,
    runner: Option<usize>,
    tuning: &'static Tuning,
}

/// Pools of threads and tunings, made once.
pub(crate) struct Runners {
    pools: Vec<rayon::ThreadPool>,
    tunings: [&'static Tuning; 5],
}

/// Every limit so low that small operands are cut into blocks, packed and shared out; tiles of another shape each time.
const TINY: Tuning = Tuning {
    gemm: Gemm {
        flops: 64,
        parts_per_thread: 3,
        tile_rows: 5,
        tile_registers: 2,
        half_rate_bytes: usize::MAX,
        kc: 3,
        block_of_a_bytes: 100,
        panel_of_b_l2_bytes: 300,
        panel_of_b_l3_bytes: 700,
        small_a_bytes: 0,
        small_b_bytes: 0,
        close_rows_bytes: 0,
        l1_way_bytes: 16,
        l1_ways: 1,
        aliasing_rows: 2,
        row_b_bytes: 0,
        partial_side: 5,
    },
    conv_flops: 64,
    pool_values: 4,
    ..Tuning::ZEN4
};
/// Every limit so high that all is read in place, by tiles one register wide.
const HUGE: Tuning = Tuning {
    gemm: Gemm {
        tile_registers: 1,
        half_rate_bytes: 0,
        small_a_bytes: usize::MAX,
        small_b_bytes: usize::MAX,
        close_rows_bytes: usize::MAX,
        row_b_bytes: usize::MAX,
        ..Tuning::ZEN4.gemm
    },
    ..Tuning::ZEN4
};
/// The widest and tallest tiles at every level.
const WIDE: Tuning =
    Tuning { gemm: Gemm { tile_rows: 16, half_rate_bytes: usize::MAX, ..Tuning::ZEN4.gemm }, ..Tuning::ZEN4 };

impl Runners {
    pub(crate) fn new() -> Self {
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        Self {
            pools: [1, 2, 3, 5].map(pool).into(),
            tunings: [Tuning::in_use(), &Tuning::ZEN4, &TINY, &HUGE, &WIDE],
        }
    }

    /// Calls `check(exec, threads)` for every level until one fails.
    pub(crate) fn each(
        &self,
        execs: &Execs,
        check: impl Fn(Exec, usize) -> Result<(), String> + Sync,
    ) -> Result<(), String> {
        let tuned = |exec| Exec { tuning: execs.tuning, ..exec };
        execs.levels.iter().try_for_each(|&level| match execs.runner {
            None => check(tuned(Exec::serial(level)), 1),
            Some(i) => {
                let pool = &self.pools[i];
                let threads = pool.current_num_threads();
                pool.install(|| check(tuned(Exec::parallel(level)), threads))
                    .map_err(|difference| format!("{threads} threads: {difference}"))
            }
        })
    }
}
