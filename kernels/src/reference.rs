//! The contract as plain loops: the specification that every kernel is compared with.
