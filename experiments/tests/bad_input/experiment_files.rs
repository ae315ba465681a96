//! Mistakes in an experiment file: exit code 2.

use super::{Bench, VALID, changed};

/// The file with one change is refused with all of `parts`.
fn refused(from: &str, to: &str, parts: &[&str]) {
    let bench = Bench::new();
    bench.write("wine.toml", changed(from, to));
    bench.refuses("wine.toml", 2, parts);
}

#[test]
fn a_typo_in_a_key_shows_the_line_and_the_key_that_was_meant() {
    refused(
        "epochs = 2",
        "epoch = 2",
        &[
            "unknown key `epoch` in `train`\n  --> wine.toml:13:1\n   |\n13 | epoch = 2\n   | ^^^^^\n",
            "did you mean `epochs`?",
            "`train.epochs` is missing",
            "2 errors in wine.toml",
        ],
    );
}

#[test]
fn a_wrong_type_shows_what_was_expected() {
    refused(
        "batch = 16",
        "batch = \"16\"",
        &["wine.toml:14:9", "is the string \"16\", expected an integer", "remove the quotes: `batch = 16`"],
    );
    refused("units = 8", "units = 8.5", &["`model.layers.0.dense.units` is 8.5, expected an integer from 1"]);
    refused("list = [1, 2]", "list = 1", &["`seeds.list` is 1, expected a list", "put it in [ ]"]);
    refused("input = [13]", "input = 1979-05-27", &["`model.input` is a date, expected a list"]);
}

#[test]
fn numbers_that_no_training_survives_are_refused() {
    for (value, reason) in [
        ("nan", "is nan"),
        ("-nan", "is nan"),
        ("inf", "is infinite"),
        ("1e60", "overflows f32"),
        ("1e400", "is infinite"),
        ("1e-60", "is 0 in f32"),
        ("-0.1", "is -0.1, expected a number from 0"),
    ] {
        refused("learning_rate = 0.1", &format!("learning_rate = {value}"), &["wine.toml:16:39", reason]);
    }
}

#[test]
fn sizes_below_one_are_refused() {
    refused("units = 8", "units = -8", &["is -8, expected an integer from 1"]);
    refused("batch = 16", "batch = 0", &["`train.batch` is 0, expected an integer from 1"]);
    refused("input = [13]", "input = [13, 0]", &["`model.input` is 0"]);
    refused("validation = 20", "validation = -1", &["`dataset.validation` is -1"]);
}

#[test]
fn shapes_that_do_not_fit_show_the_chain() {
    refused(
        "{ dense = { units = 8, activation = \"relu\" } }",
        "{ conv2d = { filters = 4, kernel = 3 } }",
        &["wine.toml:10:", "the shapes do not fit: [13] -> conv2d: expects an image"],
    );
    refused("input = [13]", "input = [1, 13, 1]", &["[1, 13, 1] -> dense: expects a flat input"]);
    refused(
        "{ dense = { units = 3 } }",
        "{ dense = { units = 4 } }",
        &[
            "wine has 3 classes, but the network has 4 outputs: [13] -> dense -> [8] -> relu -> [8] -> dense -> [4]",
            "units = 3",
        ],
    );
    refused(
        "input = [13]",
        "input = [12]",
        &["`model.input` is [12], but a sample of wine is [13]", "input = [13]"],
    );
}

#[test]
fn sizes_beyond_any_memory_are_refused_before_it_is_taken() {
    let bench = Bench::new();
    let wide = "{ dense = { units = 1000000 } }, ";
    bench.write("wine.toml", changed("layers = [", &format!("layers = [{}", wide.repeat(2))));
    bench.refuses(
        "wine.toml",
        2,
        &["the shapes do not fit", "GiB for 1000", "make layers or batches smaller"],
    );
    refused("units = 8", "units = 99999999", &["expected an integer from 1 to 1048576"]);
}

#[test]
fn a_seed_given_twice_is_refused() {
    refused(
        "list = [1, 2]",
        "list = [1, 2, 1]",
        &["wine.toml:18:15", "the seed 1 stands twice", "remove it"],
    );
    refused("list = [1, 2]", "list = []", &["`seeds.list` is empty"]);
    refused("list = [1, 2]", "list = [-1]", &["`seeds.list` is -1"]);
}

#[test]
fn choosing_by_the_test_set_is_refused() {
    refused(
        "batch = 16",
        "batch = 16\nselect = { metric = \"test.accuracy\" }",
        &["chooses by the test set", "validation.accuracy"],
    );
    let bench = Bench::new();
    let text = changed("validation = 20", "")
        .replace("batch = 16", "batch = 16\nselect = { metric = \"validation.loss\" }");
    bench.write("wine.toml", text);
    bench.refuses("wine.toml", 2, &["there is no validation part", "dataset.validation"]);
}

#[test]
fn a_sweep_over_a_key_that_does_not_exist_points_at_the_sweep() {
    let swept = |grid: &str, parts: &[&str]| {
        let bench = Bench::new();
        bench.write("wine.toml", format!("{VALID}[sweep]\ngrid = {{ {grid} }}\n"));
        bench.refuses("wine.toml", 2, parts);
    };
    swept(
        "\"model.layers.5.dense.units\" = [1]",
        &["wine.toml:20:10", "ends before `5`", "known here: 0, 1"],
    );
    swept("\"train.optimizer.sgd.momentun\" = [0.5]", &["wine.toml:20:10", "did you mean `momentum`?"]);
    swept("\"train.batch\" = [16, 16]", &["wine.toml:20:31", "has 16 twice"]);
    swept("\"train.batch\" = [16, \"x\"]", &["wine.toml:20:31", "the string \"x\", expected an integer"]);
    swept("\"seeds.list\" = [[1], [2]]", &["`seeds.list` cannot be swept"]);
    swept("\"train.batch\" = []", &["has no values"]);
}

#[test]
fn figures_of_cells_that_do_not_exist_are_refused() {
    let bench = Bench::new();
    let tail = "[sweep]\ngrid = { \"train.batch\" = [8, 16] }\n[[published]]\nwhere = { \"train.batch\" = 32 }\nmetric = \"test.accuracy\"\nvalue = 0.9\nsource = \"x\"\n";
    bench.write("wine.toml", format!("{VALID}{tail}"));
    bench.refuses(
        "wine.toml",
        2,
        &["wine.toml:22:27", "the sweep over `train.batch` has no value 32", "known here: 16, 8"],
    );
}

#[test]
fn all_errors_of_a_file_come_at_once() {
    let bench = Bench::new();
    let text = changed("epochs = 2", "epoch = 2")
        .replace("he-normal", "he-norml")
        .replace("\"cross-entropy\"", "\"crossentropy\"")
        .replace("relu", "rely")
        .replace("[1, 2]", "[1, 1]")
        .replace("batch = 16", "batch = sixteen");
    bench.write("wine.toml", text);
    bench.refuses(
        "wine.toml",
        2,
        &[
            "`epochs`",
            "`he-normal`",
            "`cross-entropy`",
            "`relu`",
            "the seed 1 stands twice",
            "wine.toml:14:9",
            "7 errors in wine.toml",
        ],
    );
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_the_place() {
    refused("[train]", "[train", &["not TOML", "wine.toml:12:"]);
    refused(
        "epochs = 2",
        "epochs = 2\nepochs = 3",
        &["not TOML: duplicate key", "wine.toml:14:1", "keep one of the two"],
    );
    let bench = Bench::new();
    bench.write("wine.toml", "");
    bench.refuses("wine.toml", 2, &["`schema` is missing", "`question` is missing"]);
    bench.write("wine.toml", VALID.replace("schema = 1", "schema = 2"));
    bench.refuses("wine.toml", 2, &["`schema` is 2, expected"]);
}

#[test]
fn a_name_that_is_not_the_files_is_refused() {
    refused(
        "schema = 1",
        "schema = 1\nname = \"beer\"",
        &["the name is `beer`, the file is called `wine.toml`", "wine.toml:2:8"],
    );
}

#[test]
fn a_wrong_override_points_at_itself() {
    let bench = Bench::new();
    bench.write("wine.toml", VALID);
    for (set, part) in [
        ("train.epoch=3", "--> --set train.epoch=3:1:1"),
        ("train.epochs", "`--set` without `=`"),
        ("train.epochs=nan", "`train.epochs` is nan"),
        ("model.layers.9.dense.units=3", "ends before `9`"),
        ("train.loss=quadratics", "did you mean `quadratic`?"),
    ] {
        let output = bench.run(&["check", "wine.toml", "--set", set]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{set}: {stderr}");
        assert!(stderr.contains(part), "{set}: no `{part}` in\n{stderr}");
    }
    let output =
        bench.run(&["check", "wine.toml", "--set", "train.loss=quadratic", "--set", "train.epochs=3"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn no_prefix_of_a_file_and_no_lost_byte_makes_a_panic() {
    for at in 0..VALID.len() {
        let _ = experiments::spec::parse("wine.toml", &VALID[..at], &[]);
        let _ = experiments::spec::parse("wine.toml", &format!("{}{}", &VALID[..at], &VALID[at + 1..]), &[]);
        let _ =
            experiments::spec::parse("wine.toml", &format!("{}\u{fc}{}", &VALID[..at], &VALID[at..]), &[]);
    }
}
