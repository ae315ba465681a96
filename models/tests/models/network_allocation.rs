//! A training step allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use crate::nets::{BATCH, Example, Run, batch, convolutional, multi_layer};
use kernels::{Exec, Level};
use models::loss::Targets;
use models::network::Position;

/// The system's allocator, counting the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches a `Cell` only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations_of_a_step(example: &Example) -> usize {
    let exec = Exec::serial(Level::best());
    let mut run = Run::<f32>::new(example);
    // The kernels take their packing buffers on first use and keep them.
    run.steps(exec, 0..2);
    let (x, y) = batch::<f32>(run.network.inputs(), 2);
    let at = Position { seed: 3, epoch: 0, first: 2 * BATCH as u64 };
    let before = ALLOCATIONS.get();
    let loss = run.network.train_step(exec, &x, Targets::Labels(&y), &mut run.optimizer, at);
    let allocations = ALLOCATIONS.get() - before;
    assert!(loss.unwrap().is_finite());
    allocations
}

#[test]
fn a_step_of_a_multi_layer_network_allocates_nothing() {
    assert_eq!(allocations_of_a_step(&multi_layer()), 0);
}

#[test]
fn a_step_of_a_convolutional_network_allocates_nothing() {
    assert_eq!(allocations_of_a_step(&convolutional()), 0);
}
