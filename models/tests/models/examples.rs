//! The programs in `examples/` run to their end: each asserts what it should have learnt.

#[path = "../../examples/iris.rs"]
mod iris;
#[path = "../../examples/lenet5.rs"]
mod lenet5;
#[path = "../../examples/xor.rs"]
mod xor;

#[test]
fn xor_is_learnt() {
    xor::main().unwrap();
}

#[test]
fn irises_are_classified() {
    iris::main().unwrap();
}

#[test]
fn clothes_are_classified() {
    lenet5::main().unwrap();
}
