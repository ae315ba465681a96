//! How many loops there are of each tile, compared with a table: a tile whose sums no longer stay in registers may
//! have too few chains left to count as a tile, and vanish without a fault.

use std::collections::BTreeMap;
use std::path::Path;

use super::Found;

/// Set, it writes the table instead of comparing.
const RENEW: &str = "RENEW_TILES";

/// The table.
const KNOWN: &str = include_str!("tiles.txt");

/// Loops of each tile.
pub(crate) type Census = BTreeMap<String, usize>;

pub(crate) fn count(found: &[Found]) -> Census {
    let mut counts = Census::new();
    for Found { operation, level, tile } in found {
        let (level, rows) = (level.split("::").next().unwrap_or(level), tile.chains / tile.width);
        let name = format!(
            "{operation:?}, {level}, {} of {}: {rows:2} x {}",
            tile.register, tile.element, tile.width
        );
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// A line for each tile.
pub(crate) fn text(counts: &Census) -> String {
    counts.iter().map(|(tile, count)| format!("{tile}, {count} loops\n")).collect()
}

fn read(text: &str) -> Census {
    let entry = |line: &str| {
        let (tile, count) = line.strip_suffix(" loops")?.rsplit_once(", ")?;
        Some((tile.to_owned(), count.parse().ok()?))
    };
    text.lines().map(|line| entry(line).unwrap_or_else(|| panic!("tiles.txt: {line:?} is no tile"))).collect()
}

/// Where `counted` differs from the table; with `RENEW_TILES` writes the table, and nothing differs.
pub(crate) fn changes(counted: &Census) -> Vec<String> {
    if std::env::var_os(RENEW).is_none() {
        return differences(&read(KNOWN), counted);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/asm/tiles.txt");
    std::fs::write(&path, text(counted)).unwrap();
    println!("wrote {}", path.display());
    Vec::new()
}

fn differences(known: &Census, counted: &Census) -> Vec<String> {
    let of = |census: &Census, tile: &String| census.get(tile).copied().unwrap_or(0);
    let others = counted.keys().filter(|tile| !known.contains_key(*tile));
    let changed = known.keys().chain(others).filter(|tile| of(known, tile) != of(counted, tile));
    changed
        .map(|tile| {
            let (before, now) = (of(known, tile), of(counted, tile));
            format!(
                "{tile}: {now} loops, {before} in kernels/tests/asm/tiles.txt; if that is meant, or the \
                 compiler is another, `{RENEW}=1 just check-asm` renews the table"
            )
        })
        .collect()
}

#[test]
fn a_vanished_tile_and_a_new_one_are_named_with_the_remedy() {
    let lines = ["Product, avx2, ymm of ps:  6 x 2, 6 loops", "Product, avx2, ymm of ps: 12 x 1, 6 loops"];
    let known = read(&lines.join("\n"));
    assert_eq!(text(&known), lines.join("\n") + "\n");
    assert!(differences(&known, &known).is_empty());
    let now = read("Product, avx2, ymm of ps:  5 x 2, 1 loops\nProduct, avx2, ymm of ps: 12 x 1, 5 loops");
    let said = differences(&known, &now);
    let begins = ["6 x 2: 0 loops, 6 in", "12 x 1: 5 loops, 6 in", "5 x 2: 1 loops, 0 in"];
    assert!(said.len() == 3 && said.iter().zip(begins).all(|(said, begin)| said.contains(begin)), "{said:?}");
    assert!(said[0].ends_with("`RENEW_TILES=1 just check-asm` renews the table"), "{said:?}");
}
