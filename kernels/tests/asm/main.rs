//! The machine code of the matrix product's tiles: sums stay in registers, and nothing is called or checked.
//!
//! A lost inlining or one register too many changes no bit and no test fails; the product is only slower. So the
//! disassembly of this very program is read, which holds the tiles of every level whatever this CPU has. It asks for
//! an optimised build without debug assertions (`just check-asm`): these are checks inside of the loops.

mod listing;
mod loops;
mod snippets;
mod tiles;

use std::collections::BTreeMap;
use std::process::Command;

use kernels::{Element, Exec, Level, MatMut, MatRef, gemm};
use tiles::{Tile, tiles};

/// Tiles that must be there: part of their functions' names, register, rows, registers in each row.
const WANTED: [(&str, &str, usize, usize); 6] = [
    ("avx512::Avx512", "zmm", 8, 3),
    ("avx512::Avx512", "zmm", 12, 2),
    ("avx512::Avx512", "zmm", 12, 1),
    ("avx512::Avx512", "zmm", 8, 1),
    ("avx2::Avx2", "ymm", 6, 2),
    ("avx2::Avx2", "ymm", 12, 1),
];

/// Keeps the products in this program.
fn multiply<T: Element>() {
    let (a, mut c) = (vec![T::ONE; 16 * 16], vec![T::ZERO; 16 * 16]);
    let a = MatRef::row_major(&a, 16, 16).unwrap();
    let product = MatMut::row_major(&mut c, 16, 16).unwrap();
    gemm::gemm(Exec::serial(Level::best()), a, a, product).unwrap();
    assert!(c.iter().all(|&x| x.to_f64() == 16.0));
}

/// The disassembly, or why there is none to read.
fn disassembly() -> Result<String, String> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Err("it is written for x86-64 Linux".to_owned());
    }
    if cfg!(debug_assertions) {
        return Err("this build has debug assertions; `just check-asm` makes one without".to_owned());
    }
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new("objdump").args(["-d", "--no-show-raw-insn", "-C"]).arg(program).output();
    let output = output.map_err(|e| format!("objdump (binutils) does not start: {e}"))?;
    if !output.status.success() {
        return Err(format!("objdump fails: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// All tiles of the levels in [`WANTED`], with the level's part of the name.
fn all_tiles(listing: &str) -> Vec<(&'static str, Tile)> {
    let functions = listing::functions(listing, "vectorize::with_features");
    let mut found = Vec::new();
    for (level, register) in [("avx512::Avx512", "zmm"), ("avx2::Avx2", "ymm")] {
        for function in functions.iter().filter(|function| function.name.contains(level)) {
            found.extend(tiles(function, register).into_iter().map(|tile| (level, tile)));
        }
    }
    found
}

/// What is wrong with `found`: faults of tiles, and tiles that are missing.
fn complaints(found: &[(&str, Tile)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (level, tile) in found {
        let Tile { register, element, chains, width, .. } = tile;
        let place = format!("{level}, {chains} {register} of {element} in rows of {width}");
        complaints.extend(tile.faults.iter().map(|fault| format!("{place}: {fault}")));
    }
    for (level, register, rows, width) in WANTED {
        for element in ["ps", "pd"] {
            let is_wanted = |(at, tile): &(&str, Tile)| {
                (*at, &*tile.register, &*tile.element) == (level, register, element)
                    && (tile.chains, tile.width) == (rows * width, width)
            };
            if !found.iter().any(is_wanted) {
                complaints.push(format!("{level}: no tile of {rows} x {width} {register} of {element}"));
            }
        }
    }
    complaints
}

#[test]
fn the_tiles_of_the_product_keep_their_sums_in_registers() {
    multiply::<f32>();
    multiply::<f64>();
    let listing = match disassembly() {
        Ok(listing) => listing,
        Err(why) => return println!("not checked, the machine code of the product's tiles: {why}"),
    };
    let found = all_tiles(&listing);
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for (_, tile) in &found {
        let rows = tile.chains / tile.width;
        *counts.entry((&*tile.register, &*tile.element, tile.width, rows)).or_default() += 1;
    }
    for ((register, element, width, rows), count) in counts {
        println!("tiles of {rows} x {width} {register} of {element}: {count} loops");
    }
    let complaints = complaints(&found);
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}
