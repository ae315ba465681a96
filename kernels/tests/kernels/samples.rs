//! Samples lent by ranges: every part has its rows of every block, and what cannot be lent is refused.

use kernels::samples::{Block, Samples};

const BLOCKS: [Block; 3] = [
    Block { offset: 0, width: 2, period: 1 },
    Block { offset: 16, width: 3, period: 4 },
    Block { offset: 24, width: 1, period: 1 },
];

fn numbers() -> Vec<usize> {
    (0..32).collect()
}

#[test]
fn every_half_has_its_rows_of_every_block() {
    let mut values = numbers();
    let (mut left, mut right) = Samples::new(&mut values, &BLOCKS, 7).split(4);
    assert_eq!(left.lend([0, 1, 2], []).0, [&[0, 1, 2, 3, 4, 5, 6, 7][..], &[16, 17, 18], &[24, 25, 26, 27]]);
    assert_eq!(right.lend([0, 1, 2], []).0, [&[8, 9, 10, 11, 12, 13][..], &[19, 20, 21], &[28, 29, 30]]);
    let ([read], [written]) = right.lend([2], [1]);
    written[0] = read[0];
    assert_eq!(values[19], 28);
}

#[test]
fn a_part_is_a_range_of_the_samples() {
    let mut values = numbers();
    let mut all = Samples::new(&mut values, &BLOCKS, 8);
    assert_eq!(all.part(4..8).lend([0, 1], []).0, [&[8, 9, 10, 11, 12, 13, 14, 15][..], &[19, 20, 21]]);
    assert_eq!(all.part(8..8).lend([0, 1], []).0, [&[0; 0], &[0; 0]]);
    assert_eq!(all.range(), 0..8);
}

#[test]
fn a_part_may_cut_rows_that_are_not_lent() {
    let mut values = numbers();
    let mut all = Samples::new(&mut values, &BLOCKS, 8);
    assert_eq!(all.part(1..3).lend([0], []).0, [&[2, 3, 4, 5]]);
}

#[test]
#[should_panic(expected = "cut a row")]
fn a_row_is_lent_whole() {
    let mut values = numbers();
    let _ = Samples::new(&mut values, &BLOCKS, 8).part(1..4).lend([1], []);
}

#[test]
#[should_panic(expected = "shares a row")]
fn a_chunk_is_not_cut() {
    let _ = Samples::new(&mut numbers(), &BLOCKS, 8).split(3);
}

#[test]
#[should_panic(expected = "lent twice")]
fn what_is_written_is_lent_once() {
    let mut values = numbers();
    let mut all = Samples::new(&mut values, &BLOCKS, 8);
    let _ = all.lend([0], [0]);
}

#[test]
#[should_panic(expected = "overlap")]
fn blocks_lie_apart() {
    let blocks = [BLOCKS[0], Block { offset: 15, width: 1, period: 1 }];
    let _ = Samples::new(&mut numbers(), &blocks, 8);
}

#[test]
#[should_panic(expected = "in a slice of 32")]
fn a_block_whose_end_is_no_number_lies_outside() {
    let blocks = [Block { offset: 0, width: usize::MAX / 2 + 1, period: 1 }];
    let _ = Samples::new(&mut numbers(), &blocks, 2);
}

#[test]
#[should_panic(expected = "in a slice of 32")]
fn blocks_lie_inside() {
    let _ = Samples::new(&mut numbers(), &BLOCKS[..1], 17);
}
