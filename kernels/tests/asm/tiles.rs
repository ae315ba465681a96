//! The loops that keep a tile of C in registers, and what they must not hold.

use std::collections::BTreeSet;

use super::listing::{Function, Instruction};
use super::loops::innermost;

/// Chains under way from which a loop counts as a tile's.
const FEWEST_CHAINS: usize = 4;

/// An innermost loop with several chains of packed multiply-adds.
#[derive(Debug)]
pub(crate) struct Tile {
    /// `ymm` or `zmm`.
    pub(crate) register: String,
    /// `ps` or `pd`.
    pub(crate) element: String,
    /// Packed multiply-adds in the loop.
    pub(crate) multiply_adds: usize,
    /// Registers that they add to: the sums under way.
    pub(crate) chains: usize,
    /// Registers of B that are loaded for each step: the tile's width.
    pub(crate) width: usize,
    /// What costs time there: text for the reader.
    pub(crate) faults: Vec<String>,
    /// Comparisons that lead to a panic: text for the reader.
    pub(crate) checks: Vec<String>,
}

/// The tiles of `function` in `register`s.
pub(crate) fn tiles(function: &Function, register: &str) -> Vec<Tile> {
    innermost(function).iter().filter_map(|body| tile(function, register, body)).collect()
}

fn tile(function: &Function, register: &str, body: &BTreeSet<usize>) -> Option<Tile> {
    let code = || body.iter().map(|&i| &function.code[i]);
    let packed: Vec<_> = code().filter_map(|i| Some((i, accumulator(i, register)?))).collect();
    let chains: BTreeSet<&str> = packed.iter().map(|&(_, chain)| chain).collect();
    // The compiler may do several steps in a turn.
    let steps = packed.len().checked_div(chains.len())?;
    let width = code().filter(|i| is_load(i, register)).count() / steps;
    // A loop without loads of B is the product of one row, which reads it in its multiply-adds and checks it there.
    if chains.len() < FEWEST_CHAINS || width == 0 {
        return None;
    }
    let first = &packed[0].0.mnemonic;
    let mut faults: Vec<String> = code().filter_map(|i| fault(i, function.has_frame_pointer())).collect();
    let exits = body.iter().filter_map(|&i| Some((i, *function.jumps.get(&i)?)));
    let checks = exits.filter(|(_, target)| !body.contains(target) && fails(function, *target));
    let checks = checks.map(|(i, _)| format!("a check: {}", text(&function.code[i]))).collect();
    if packed.len() % chains.len() != 0 {
        faults.push(format!("{} multiply-adds in {} registers", packed.len(), chains.len()));
    }
    Some(Tile {
        register: register.to_owned(),
        element: first[first.len() - 2..].to_owned(),
        multiply_adds: packed.len(),
        chains: chains.len(),
        width,
        faults,
        checks,
    })
}

/// The register that a packed multiply-add adds to: the last operand of `vfmadd231p?`. In the other two forms the
/// sum comes from elsewhere, in a tile from nowhere but a spill.
fn accumulator<'a>(instruction: &'a Instruction, register: &str) -> Option<&'a str> {
    let packed = ["vfmadd231ps", "vfmadd231pd"].contains(&instruction.mnemonic.as_str());
    let (_, last) = instruction.operands.rsplit_once(",%")?;
    (packed && last.starts_with(register)).then_some(last)
}

/// A register from memory, whole or through a mask; broadcasts are of A.
fn is_load(instruction: &Instruction, register: &str) -> bool {
    let moves = ["vmovup", "vmovap", "vmaskmovp"].iter().any(|name| instruction.mnemonic.starts_with(name));
    let target = instruction.operands.rsplit_once(",%").map_or("", |(_, target)| target);
    moves && instruction.operands.contains('(') && target.starts_with(register)
}

fn fault(instruction: &Instruction, has_frame_pointer: bool) -> Option<String> {
    let operands = &instruction.operands;
    let on_stack = operands.contains("(%rsp") || has_frame_pointer && operands.contains("(%rbp");
    let kind = if instruction.is_call() {
        "a call"
    } else if on_stack && instruction.touches_vectors() {
        "a spill"
    } else if instruction.mnemonic.starts_with("vfmadd") && !instruction.mnemonic.starts_with("vfmadd231p") {
        "a multiply-add of another form"
    } else {
        return None;
    };
    Some(format!("{kind}: {}", text(instruction)))
}

/// Whether the way from `i` leads, without a choice and before a sum is stored, to a panic or to any call: a panic
/// that is called through a table has no name.
fn fails(function: &Function, mut i: usize) -> bool {
    // More steps are a loop.
    for _ in 0..100 {
        let instruction = &function.code[i];
        if instruction.is_failure() || instruction.is_call() {
            return true;
        }
        let next: Vec<usize> = function.successors(i).collect();
        match next[..] {
            [only] if !instruction.touches_vectors() => i = only,
            _ => return false,
        }
    }
    false
}

fn text(instruction: &Instruction) -> String {
    format!("{} {}", instruction.mnemonic, instruction.operands)
}
