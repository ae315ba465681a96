//! Variables by which other libraries limit themselves: removed where they are compared at their best, set where they
//! are compared at AVX2.

use std::process::Command;

/// What limits a library's instructions, the shape of its blocks, or its threads.
const LIMITS: [&str; 22] = [
    "ATEN_CPU_CAPABILITY",
    "BLIS_ARCH_TYPE",
    "BLIS_MODEL_TYPE",
    "BLIS_NUM_THREADS",
    "DNNL_CPU_ISA_HINTS",
    "DNNL_DEFAULT_FPMATH_MODE",
    "DNNL_MAX_CPU_ISA",
    "GOTO_NUM_THREADS",
    "LIBXSMM_TARGET",
    "MKL_CBWR",
    "MKL_DEBUG_CPU_TYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT",
    "ONEDNN_CPU_ISA_HINTS",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "OPENBLAS_NUM_THREADS",
    "XLA_FLAGS",
];

/// Each library's own switch to AVX2.
const AVX2: [(&str, &str); 5] = [
    ("DNNL_MAX_CPU_ISA", "AVX2"),
    ("LIBXSMM_TARGET", "hsw"),
    ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
    ("ONEDNN_MAX_CPU_ISA", "AVX2"),
    ("OPENBLAS_CORETYPE", "Haswell"),
];

/// Set in a program that [`without_limits`] has started again: the names of what it removed.
const REMOVED: &str = "BENCHES_REMOVED_LIMITS";

/// Removes what would limit other libraries, and with `avx2` sets their switches to AVX2; returns the names of what was
/// removed. Libraries read their variables when they are opened, so this program starts again with the environment that is
/// wanted, unless it is that already, and ends with the result.
///
/// # Panics
/// If it cannot be started.
pub fn without_limits(avx2: bool) -> Vec<String> {
    if let Ok(removed) = std::env::var(REMOVED) {
        return removed.split_whitespace().map(str::to_owned).collect();
    }
    let removed: Vec<&str> = LIMITS.into_iter().filter(|name| std::env::var_os(name).is_some()).collect();
    if removed.is_empty() && !avx2 {
        return Vec::new();
    }
    let mut again = Command::new(std::env::current_exe().expect("this program"));
    again.args(std::env::args_os().skip(1)).env(REMOVED, removed.join(" "));
    for name in &removed {
        println!("{name} is set, which may limit a library: removed");
        again.env_remove(name);
    }
    if avx2 {
        again.envs(AVX2);
    }
    let status = again.status().expect("this program starts");
    std::process::exit(status.code().unwrap_or(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_limits_to_avx2_is_removed_elsewhere() {
        assert!(AVX2.iter().all(|(name, _)| LIMITS.contains(name)));
        assert!(LIMITS.is_sorted());
    }
}
