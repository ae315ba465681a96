//! From the tree to the types, one file per part of an experiment file.

pub(super) mod dataset;
pub(super) mod header;
pub(super) mod model;
pub(super) mod network;
pub(super) mod neuron;
pub(super) mod other_kinds;
