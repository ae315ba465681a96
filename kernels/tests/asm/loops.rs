//! The loops of a function that hold no other loop.

use std::collections::{BTreeMap, BTreeSet};

use super::listing::Function;

/// The positions of each innermost loop, in order.
///
/// A loop is what can reach the source of a jump back without passing the jump's target. Addresses do not tell it:
/// compilers put parts of an inner loop before or behind the outer one.
pub(crate) fn innermost(function: &Function) -> Vec<BTreeSet<usize>> {
    let mut predecessors = vec![Vec::new(); function.code.len()];
    for i in 0..function.code.len() {
        function.successors(i).for_each(|next| predecessors[next].push(i));
    }
    let mut loops: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (source, head) in jumps_back(function) {
        let body = loops.entry(head).or_insert_with(|| [head].into());
        let mut waiting = vec![source];
        while let Some(i) = waiting.pop() {
            if body.insert(i) {
                waiting.extend(&predecessors[i]);
            }
        }
    }
    let holds_none = |head: usize, body: &BTreeSet<usize>| {
        loops.keys().all(|other| *other == head || !body.contains(other))
    };
    loops.iter().filter(|(head, body)| holds_none(**head, body)).map(|(_, body)| body.clone()).collect()
}

/// Steps to a position on the way that leads to it, by depth-first search: (from, to).
fn jumps_back(function: &Function) -> Vec<(usize, usize)> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        OnTheWay,
        Done,
    }
    let mut states = vec![State::New; function.code.len()];
    let mut found = Vec::new();
    let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
    if !function.code.is_empty() {
        states[0] = State::OnTheWay;
        way.push((0, function.successors(0).collect()));
    }
    while let Some((i, left)) = way.last_mut() {
        let i = *i;
        match left.pop() {
            None => {
                states[i] = State::Done;
                way.pop();
            }
            Some(next) if states[next] == State::OnTheWay => found.push((i, next)),
            Some(next) if states[next] == State::New => {
                states[next] = State::OnTheWay;
                way.push((next, function.successors(next).collect()));
            }
            Some(_) => {}
        }
    }
    found
}
