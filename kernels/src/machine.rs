//! What this machine is, as far as speed follows from it: its caches, and how fast its widest registers multiply.

#![forbid(unsafe_code)]

use std::sync::OnceLock;

use crate::peak;

/// The facts that [`Tuning`](crate::Tuning) is chosen from; sizes in bytes, of the caches of one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The L1 data cache.
    pub l1_bytes: usize,
    /// How many lines of one address modulo `l1_bytes / l1_ways` L1 holds.
    pub l1_ways: usize,
    /// The L2 cache.
    pub l2_bytes: usize,
    /// The L3 cache, which other cores share.
    pub l3_bytes: usize,
    /// How many multiply-adds on 512-bit registers start in a cycle: two (Intel's servers, Zen 5), or one (Zen 4).
    pub fma_512_per_cycle: usize,
}

impl Machine {
    /// A core of Zen 4: what is assumed where the system does not say.
    pub const ZEN4: Self =
        Self { l1_bytes: 32 << 10, l1_ways: 8, l2_bytes: 1 << 20, l3_bytes: 32 << 20, fma_512_per_cycle: 1 };

    /// This machine; found once, in less than a millisecond.
    pub fn this() -> &'static Self {
        static THIS: OnceLock<Machine> = OnceLock::new();
        THIS.get_or_init(|| {
            let mut machine = Self::ZEN4;
            for cache in caches() {
                match cache.level {
                    1 => (machine.l1_bytes, machine.l1_ways) = (cache.bytes, cache.ways),
                    2 => machine.l2_bytes = cache.bytes,
                    3 => machine.l3_bytes = cache.bytes,
                    _ => {}
                }
            }
            machine.fma_512_per_cycle = if peak::wide_registers_pay() { 2 } else { 1 };
            machine
        })
    }
}

impl Machine {
    /// The fact called `name`.
    pub(crate) fn fact(&mut self, name: &str) -> Option<&mut usize> {
        match name {
            "l1_bytes" => Some(&mut self.l1_bytes),
            "l1_ways" => Some(&mut self.l1_ways),
            "l2_bytes" => Some(&mut self.l2_bytes),
            "l3_bytes" => Some(&mut self.l3_bytes),
            "fma_512_per_cycle" => Some(&mut self.fma_512_per_cycle),
            _ => None,
        }
    }
}

/// A data cache, or one for data and code.
struct Cache {
    level: usize,
    bytes: usize,
    ways: usize,
}

/// The caches as the CPU describes them.
///
/// # Source
/// Intel, *Software Developer's Manual*, volume 2, CPUID, leaf 4; AMD, *APM* volume 3, appendix E.4, leaf 8000_001D.
#[cfg(target_arch = "x86_64")]
fn caches() -> Vec<Cache> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const AMD: u32 = u32::from_le_bytes(*b"cAMD");
    let leaf = if __cpuid(0).ecx == AMD { 0x8000_001D } else { 4 };
    if __cpuid(leaf & 0x8000_0000).eax < leaf {
        return Vec::new();
    }
    let describe = |index| {
        let cache = __cpuid_count(leaf, index);
        let bits = |of: u32, first: u32, count: u32| ((of >> first) & ((1 << count) - 1)) as usize;
        let (kind, ways) = (bits(cache.eax, 0, 5), bits(cache.ebx, 22, 10) + 1);
        let line = (bits(cache.ebx, 0, 12) + 1) * (bits(cache.ebx, 12, 10) + 1);
        (kind, Cache { level: bits(cache.eax, 5, 3), bytes: ways * line * (cache.ecx as usize + 1), ways })
    };
    let all = (0..8).map(describe).take_while(|&(kind, _)| kind != 0);
    all.filter(|&(kind, _)| kind != 2).map(|(_, cache)| cache).collect()
}

/// The caches as Linux describes them; none on other systems.
#[cfg(not(target_arch = "x86_64"))]
fn caches() -> Vec<Cache> {
    let describe = |index: usize| {
        let folder = format!("/sys/devices/system/cpu/cpu0/cache/index{index}");
        let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).ok();
        let number = |name: &str| read(name)?.trim().trim_end_matches('K').parse::<usize>().ok();
        let cache = Cache {
            level: number("level")?,
            bytes: number("size")? << 10,
            ways: number("ways_of_associativity").filter(|&ways| ways > 0).unwrap_or(8),
        };
        Some((read("type")?, cache))
    };
    (0..8)
        .map_while(describe)
        .filter(|(kind, _)| kind.trim() != "Instruction")
        .map(|(_, cache)| cache)
        .collect()
}
