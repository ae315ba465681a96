//! The choices follow the machine and can be forced, each by its name. That none changes a bit: the random cases of
//! `parity/`, which run under several tables.

use kernels::tuning::Choice;
use kernels::{Error, Machine, Tuning};

#[test]
fn the_machine_has_caches_that_grow_outwards() {
    let Machine { l1_bytes, l1_ways, l2_bytes, l3_bytes, fma_512_per_cycle } = *Machine::this();
    assert!(l1_bytes >= 8 << 10 && l1_bytes < l2_bytes && l2_bytes <= l3_bytes.max(l2_bytes));
    assert!(l1_ways > 0 && l1_bytes.is_multiple_of(l1_ways) && [1, 2].contains(&fma_512_per_cycle));
}

#[test]
fn sizes_of_blocks_follow_l2_and_tiles_the_rate_of_wide_registers() {
    let machine = Machine { l2_bytes: 2 << 20, fma_512_per_cycle: 2, ..Machine::ZEN4 };
    let tuning = Tuning::of(&machine);
    assert_eq!(tuning.gemm.block_of_a_bytes, 2 * Tuning::ZEN4.gemm.block_of_a_bytes);
    assert_eq!((tuning.gemm.half_rate_bytes, Tuning::ZEN4.gemm.half_rate_bytes), (128, 64));
}

#[test]
fn a_choice_can_be_forced_and_a_fact_takes_what_follows_along() {
    let tuning = Tuning::forced(Machine::ZEN4, "gemm.kc=512, machine.l2_bytes=262144 step_flops=7").unwrap();
    let mut expected = Tuning::of(&Machine { l2_bytes: 262_144, ..Machine::ZEN4 });
    expected.gemm.kc = 512;
    expected.step_flops = 7;
    assert_eq!(tuning, expected);
}

#[test]
fn every_choice_is_listed_with_its_value_and_can_be_forced_by_that_name() {
    for Choice { name, value, .. } in Tuning::ZEN4.choices() {
        let forced = Tuning::forced(Machine::ZEN4, &format!("{name}={}", value + 1)).unwrap();
        let differ = forced.choices().into_iter().filter(|choice| !Tuning::ZEN4.choices().contains(choice));
        assert_eq!(differ.map(|choice| (choice.name, choice.value)).collect::<Vec<_>>(), [(name, value + 1)]);
    }
    assert_eq!(Tuning::ZEN4.choices().len(), size_of::<Tuning>() / size_of::<usize>());
}

#[test]
fn a_word_that_sets_nothing_is_an_error_that_names_it() {
    for word in [
        "gemm.kcc=3",
        "kc=3",
        "gemm.kc",
        "gemm.kc=",
        "gemm.kc=0",
        "gemm.kc=-1",
        "gemm.kc=1e3",
        "machine.l4=1",
    ] {
        let error = Tuning::forced(Machine::ZEN4, &format!("gemm.kc=512,{word}")).unwrap_err();
        assert_eq!(error, Error::Tuning { word: word.to_owned() });
        assert!(error.to_string().contains(word));
    }
}
