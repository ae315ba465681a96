//! Threads: tiles of the output are shared out, and nothing else, so that no sum depends on them.

#![forbid(unsafe_code)]

use std::ops::Range;

use crate::MatMut;

/// Calls `f(rows, columns, tile)` for about `tasks` tiles that together are `c`, on the threads of
/// the surrounding rayon pool.
///
/// The matrix is halved along its longer side, in whole multiples of `grain` (rows, columns),
/// until the tasks or the grains run out. Nothing is allocated.
pub(crate) fn tiles<T: Send>(
    tasks: usize,
    grain: [usize; 2],
    c: MatMut<'_, T>,
    f: &(impl Fn(Range<usize>, Range<usize>, MatMut<'_, T>) + Sync),
) {
    halve(tasks, grain, [0, 0], c, f);
}

fn halve<T: Send>(
    tasks: usize,
    grain: [usize; 2],
    [row, col]: [usize; 2],
    c: MatMut<'_, T>,
    f: &(impl Fn(Range<usize>, Range<usize>, MatMut<'_, T>) + Sync),
) {
    let (rows, cols) = (c.rows(), c.cols());
    let by_columns = cols >= rows || rows <= grain[0];
    let (length, grain_here) = if by_columns { (cols, grain[1]) } else { (rows, grain[0]) };
    if tasks <= 1 || length <= grain_here {
        return f(row..row + rows, col..col + cols, c);
    }
    let first = tasks / 2;
    let grains = length.div_ceil(grain_here);
    let at = ((grains * first).div_ceil(tasks) * grain_here).min(length);
    if by_columns {
        let (left, right) = c.split_cols(at);
        rayon::join(
            || halve(first, grain, [row, col], left, f),
            || halve(tasks - first, grain, [row, col + at], right, f),
        );
    } else {
        let (upper, lower) = c.split_rows(at);
        rayon::join(
            || halve(first, grain, [row, col], upper, f),
            || halve(tasks - first, grain, [row + at, col], lower, f),
        );
    }
}
