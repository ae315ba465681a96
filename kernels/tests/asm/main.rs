//! The machine code of the tiles of products and convolutions: sums stay in registers, and nothing is called or checked.
//!
//! A lost inlining or one register too many changes no bit and no test fails; the product is only slower. So the
//! disassembly of this very program is read, which holds the tiles of every level whatever this CPU has. It needs
//! an optimised build without debug assertions (`just check-asm`): these are checks inside of the loops.

mod census;
mod listing;
mod loops;
mod program;
mod snippets;
mod tiles;

use std::collections::BTreeSet;
use std::process::Command;

use tiles::{Tile, tiles};

/// Allows a machine on which the machine code cannot be read.
const ALLOW: &str = "ALLOW_UNREAD_ASM";

/// Part of the name of every function that is compiled for a level.
const COMPILED: &str = "vectorize::with_features";

/// Levels by their part of a name, each with its registers; narrow convolutions use ymm at AVX-512 too.
const LEVELS: [(&str, &str); 3] =
    [("avx512::Avx512", "zmm"), ("avx512::Avx512", "ymm"), ("avx2::Avx2", "ymm")];

/// What calls the tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Operation {
    Product,
    Convolution,
}

/// Tiles of products that must be there, whatever the table of [`census`] says: part of their functions' names, register, rows, registers in each row.
const WANTED: [(&str, &str, usize, usize); 6] = [
    ("avx512::Avx512", "zmm", 8, 3),
    ("avx512::Avx512", "zmm", 12, 2),
    ("avx512::Avx512", "zmm", 12, 1),
    ("avx512::Avx512", "zmm", 8, 1),
    ("avx2::Avx2", "ymm", 6, 2),
    ("avx2::Avx2", "ymm", 12, 1),
];

/// Chains that a convolution's largest tile has at least: two units of four cycles' latency are busy with eight.
const CHAINS_OF_A_CONVOLUTION: usize = 8;

/// Checks in a step of a convolution's tile: it is an exception. Where a tap lies in the planes is known only when the
/// program runs, so a step takes a slice of B and one of each row of A, of which a tile has eight at most. Each is one
/// comparison beside at least as many multiply-adds. A check of every element would be more.
const CHECKS_OF_A_CONVOLUTION: usize = 9;

/// The disassembly, or why there is none to read.
fn disassembly() -> Result<String, String> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Err("the reader is written for x86-64 Linux".to_owned());
    }
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new("objdump").args(["-d", "--no-show-raw-insn", "-C"]).arg(program).output();
    let output =
        output.map_err(|e| format!("objdump does not start ({e}); `apt-get install binutils` has it"))?;
    if !output.status.success() {
        return Err(format!("objdump fails: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A tile, where it stands.
struct Found {
    operation: Operation,
    level: &'static str,
    tile: Tile,
}

/// All tiles of the levels in [`LEVELS`].
fn all_tiles(listing: &str) -> Vec<Found> {
    let functions = listing::functions(listing, COMPILED);
    let convolutions: BTreeSet<u64> = listing::called_from(listing, "kernels::conv::", COMPILED);
    let mut found = Vec::new();
    for (level, register) in LEVELS {
        for function in functions.iter().filter(|function| function.name.contains(level)) {
            let is_convolution = convolutions.contains(&function.address);
            let operation = if is_convolution { Operation::Convolution } else { Operation::Product };
            found.extend(tiles(function, register).into_iter().map(|tile| Found { operation, level, tile }));
        }
    }
    found
}

/// What is wrong with `found`: faults of tiles, and tiles that are missing.
fn complaints(found: &[Found]) -> Vec<String> {
    let mut complaints = Vec::new();
    for Found { operation, level, tile } in found {
        let Tile { register, element, chains, width, .. } = tile;
        let place = format!("{operation:?}, {level}, {chains} {register} of {element} in rows of {width}");
        let steps = tile.multiply_adds / chains;
        let allowed = if *operation == Operation::Convolution { CHECKS_OF_A_CONVOLUTION * steps } else { 0 };
        let checks = if tile.checks.len() > allowed { &tile.checks[..] } else { &[] };
        complaints.extend(tile.faults.iter().chain(checks).map(|fault| format!("{place}: {fault}")));
    }
    for (level, register, rows, width) in WANTED {
        for element in ["ps", "pd"] {
            let is_wanted = |Found { operation, level: at, tile }: &Found| {
                (*operation, *at) == (Operation::Product, level)
                    && (&*tile.register, &*tile.element) == (register, element)
                    && (tile.chains, tile.width) == (rows * width, width)
            };
            if !found.iter().any(is_wanted) {
                complaints.push(format!("{level}: no tile of {rows} x {width} {register} of {element}"));
            }
        }
    }
    for (level, register) in LEVELS {
        let is_wanted = |Found { operation, level: at, tile }: &Found| {
            (*operation, *at, &*tile.register) == (Operation::Convolution, level, register)
                && tile.chains >= CHAINS_OF_A_CONVOLUTION
        };
        if !found.iter().any(is_wanted) {
            complaints
                .push(format!("{level}: no convolution of {CHAINS_OF_A_CONVOLUTION} chains in {register}"));
        }
    }
    complaints
}

#[test]
#[cfg_attr(debug_assertions, ignore = "debug assertions are checks in the loops: `just check-asm` has none")]
fn tiles_keep_their_sums_in_registers() {
    program::multiply::<f32>();
    program::multiply::<f64>();
    program::convolve();
    let listing = match disassembly() {
        Ok(listing) => listing,
        Err(why) if std::env::var_os(ALLOW).is_some() => return println!("not checked: {why}"),
        Err(why) => panic!("the tiles' machine code cannot be read: {why}; {ALLOW}=1 passes over it"),
    };
    let found = all_tiles(&listing);
    let counted = census::count(&found);
    print!("{}", census::text(&counted));
    let mut complaints = complaints(&found);
    complaints.extend(census::changes(&counted));
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
#[cfg_attr(debug_assertions, ignore = "as the test above")]
fn a_machine_without_objdump_fails_unless_that_is_allowed() {
    let without_objdump = |allowed: bool| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["tiles_keep_their_sums_in_registers", "--nocapture"]);
        command.env("PATH", "").env_remove(ALLOW).envs(allowed.then_some((ALLOW, "1")));
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let (passed, said) = without_objdump(false);
    assert!(
        !passed && said.contains("binutils") && said.contains(&format!("{ALLOW}=1 passes over")),
        "{said}"
    );
    let (passed, said) = without_objdump(true);
    assert!(passed && said.contains("not checked"), "{said}");
}
