//! The reference of the format and the shipped suite: every example is valid.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use experiments::engine::Inputs;
use experiments::exit::Exit;
use experiments::spec;

const REFERENCE: &str = include_str!("../../../docs/experiment-files.md");

#[test]
fn every_whole_example_of_the_reference_is_valid() {
    let blocks = REFERENCE.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let whole: Vec<&str> = blocks.filter(|block| block.starts_with("schema = 1")).collect();
    assert_eq!(whole.len(), 7, "one example per kind");
    for text in whole {
        let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).unwrap();
        if let Err(errors) = spec::parse(&format!("{name}.toml"), text, &[]) {
            panic!("{errors}");
        }
    }
}

#[test]
fn every_shipped_experiment_is_valid() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("suite");
    for entry in fs::read_dir(suite).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = fs::read_to_string(&path).unwrap();
            if let Err(errors) = spec::parse(&path.display().to_string(), &text, &[]) {
                panic!("{errors}");
            }
        }
    }
}

#[test]
fn every_shipped_experiment_fits_its_data() {
    for (name, _) in experiments::suite::SHIPPED {
        let experiment = experiments::suite::open(name, &[]).unwrap();
        if let Err(failure) = Inputs::load(&experiment, 1) {
            // Sets that are no part of the program may be missing.
            assert!(
                failure.exit == Exit::Data && failure.message.contains("is not there"),
                "{name}: {failure}"
            );
        }
    }
}

#[test]
fn every_shipped_experiment_says_what_it_varies_or_keeps() {
    for (name, text) in experiments::suite::SHIPPED {
        assert!(text.contains("\n[roles]\n"), "{name} has no [roles]");
    }
}

#[test]
fn figures_on_mnist_stand_beside_results_on_mnist_only() {
    let mut authors = 0;
    for (name, text) in experiments::suite::SHIPPED {
        if text.contains("source = \"Nielsen") || text.contains("source = \"LeCun") {
            authors += 1;
            assert!(text.contains("\nname = \"mnist\"\n"), "{name} has MNIST figures and other data");
        }
    }
    assert_eq!(authors, 4, "Nielsen's chapters 1 and 3, 5, 6, and LeCun et al.");
}

#[test]
fn every_key_that_an_example_resolves_is_in_the_reference() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("suite");
    // Whole words of the reference's code: its tables' first column, its examples, its code spans.
    let code = REFERENCE.split('`').skip(1).step_by(2);
    let word = |c: char| !(c.is_alphanumeric() || c == '_' || c == '-');
    let known: BTreeSet<&str> = code.flat_map(|code| code.split(word)).collect();
    let mut missing = Vec::new();
    for entry in fs::read_dir(suite).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let experiment =
            spec::parse(&path.display().to_string(), &text, &[]).unwrap_or_else(|e| panic!("{e}"));
        for line in experiment.cells.iter().flat_map(|cell| cell.resolved.lines()) {
            let key = line.split(" = ").next().unwrap();
            let last = key.rsplit('.').find(|part| part.parse::<usize>().is_err()).unwrap();
            if !known.contains(last) {
                missing.push(key.to_owned());
            }
        }
    }
    missing.sort();
    missing.dedup();
    assert!(missing.is_empty(), "{missing:?}");
}
