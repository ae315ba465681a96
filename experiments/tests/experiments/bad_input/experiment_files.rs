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
    swept(
        "\"model.layers.0.dense.units\" = [4, 8], \"model.layers.0.dense\" = [{ units = 8 }]",
        &[
            "wine.toml:20:49",
            "the sweep sets `model.layers.0.dense.units` and `model.layers.0.dense`, which overlap",
            "1 error in",
        ],
    );
    let bench = Bench::new();
    let sweep =
        "[sweep]\ncases = [{ label = \"a\", \"train.batch\" = 8 }]\ngrid = { \"train.batch\" = [16] }\n";
    bench.write("wine.toml", format!("{VALID}{sweep}"));
    bench.refuses("wine.toml", 2, &["wine.toml:21:10", "`train.batch` and `train.batch`, which overlap"]);
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
        .replace("batch = 16", "batch = \"sixteen\"");
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
        &["not TOML: duplicate key", "wine.toml:14:1", "keep one of the two", "1 error in wine.toml"],
    );
    // One slip is one error: nothing is said of what was misread because of it.
    refused("batch = 16", "batch = sixteen", &["not TOML", "wine.toml:14:", "1 error in wine.toml"]);
    refused("question = \"Does", "question = Does", &["not TOML", "wine.toml:2:", "1 error in wine.toml"]);
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

#[test]
fn figures_that_a_kind_does_not_have_are_refused() {
    for (tail, parts) in [
        (
            "[[expect]]\nmetric = \"test.acuracy\"\nmean = 0.9\n",
            &["wine.toml:20:10", "did you mean `test.accuracy`?"][..],
        ),
        (
            "[table]\ncolumns = [\"test.accuracy\", \"updates\"]\n",
            &["wine.toml:20:29", "`table.columns` names `updates`"],
        ),
        (
            "[[published]]\nmetric = \"train.los\"\nvalue = 1\nsource = \"x\"\n",
            &["wine.toml:20:10", "did you mean `train.loss`?"],
        ),
        (
            "[[plot]]\nkind = \"curve\"\ny = [\"loss\"]\nx = \"epochs\"\nlog = [\"z\"]\n",
            &["wine.toml:21:6", "wine.toml:22:5", "did you mean `epoch`?", "wine.toml:23:8", "3 errors in"],
        ),
        (
            "[table]\nreached = { metric = \"accuracy\", at_least = 0.9 }\n",
            &["wine.toml:20:22", "`table.reached.metric`"],
        ),
    ] {
        let bench = Bench::new();
        bench.write("wine.toml", format!("{VALID}{tail}"));
        bench.refuses("wine.toml", 2, parts);
    }
    let bench = Bench::new();
    let tail = "[[plot]]\nkind = \"bars\"\ny = [\"start.delta_norm.3\", \"test.accuracy.shift.-2\"]\nlog = [\"y\"]\n";
    bench.write("wine.toml", format!("{VALID}{tail}"));
    assert_eq!(bench.run(&["check", "wine.toml"]).status.code(), Some(0));
}

/// The smallest convolution, with `image` and what stands behind it.
fn convolution(image: &str, rest: &str) -> String {
    format!("schema = 1\nkind = \"convolve\"\nquestion = \"?\"\n[convolve]\nimage = {image}\n{rest}\n")
}

#[test]
fn a_filter_that_does_not_fit_its_image_is_refused_before_it_runs() {
    let image = "[[[1, 2], [3, 4]]]";
    for (image, rest, parts) in [
        (
            image,
            "filter = \"sobel-x\"",
            &["filter.toml:6:10", "[1, 2, 2]: a kernel that covers 3 x 3 is larger"][..],
        ),
        (
            image,
            "filter = { weights = [[[1]], [[1]]] }",
            &["filter.toml:6:10", "the weights are for 2 input channels, the image has 1"],
        ),
        (
            image,
            "filter = { weights = [[[1]]] }\nthen = [{ max_pool2d = { kernel = 3 } }]",
            &["filter.toml:7:", "change `convolve.then.0.max_pool2d`"],
        ),
        (image, "filter = { weights = [[[1]]] }\nthen = [\"batch_norm\"]", &["filter.toml:7:", "learns"]),
        (
            "\"temple\"",
            "filter = { weights = [[[1]], [[1]]] }",
            &["filter.toml:6:10", "for 2 input channels, the image has 3"],
        ),
    ] {
        let bench = Bench::new();
        bench.write("filter.toml", convolution(image, rest));
        bench.refuses("filter.toml", 2, parts);
    }
}

#[test]
fn a_gradient_check_that_cannot_run_is_refused() {
    let text = "schema = 1\nkind = \"gradient-check\"\nquestion = \"?\"\n[model]\ninput = [4]\n\
                layers = [{ dense = { units = 3 } }, \"batch_norm\"]\ninit = \"he-normal\"\n\
                [gradient_check]\nloss = \"cross-entropy\"\n";
    let bench = Bench::new();
    bench.write("g.toml", format!("{text}batch = 1\nsteps = [1e-5]\n"));
    bench.refuses("g.toml", 2, &["g.toml:10:9", "no variance"]);
    bench.write("g.toml", format!("{text}steps = []\n"));
    bench.refuses("g.toml", 2, &["g.toml:10:9", "`gradient_check.steps` is empty"]);
}

#[test]
fn what_only_the_data_can_tell_has_a_line_too() {
    refused("input = [13]", "input = [12]", &["wine.toml:9:9", "`model.input` is [12]"]);
    refused(
        "batch = 16",
        "batch = 16\naugment_shift = 1",
        &["wine.toml:15:17", "only pictures can be shifted"],
    );
    refused(
        "name = \"wine\"",
        "name = \"wine\"\nrows = [1, 59]",
        &["wine.toml:5:8", "wine has 1 class", "two classes or more"],
    );
}

#[test]
fn a_role_of_a_key_that_is_gone_offers_one_that_is_there() {
    let adam = |roles: &str| {
        let optimizer = "optimizer = { adam = { learning_rate = 0.001 } }";
        changed("optimizer = { sgd = { learning_rate = 0.1, momentum = 0.9 } }", optimizer)
            + &format!("[roles]\nfixed = [{roles}]\n")
    };
    let bench = Bench::new();
    for (key, fix) in [
        (
            "train.optimizer.sgd.learning_rate",
            "write `train.optimizer.adam.learning_rate`, which this experiment has, or remove it from `[roles]`",
        ),
        ("train.epoch", "write `train.epochs`, which"),
        ("model.layers.0.dense.unit", "write `model.layers.0.dense.units`, which"),
        ("zzz", "remove it from `[roles]`, or write one of dataset.name, "),
    ] {
        bench.write("wine.toml", adam(&format!("\"{key}\"")));
        let message = format!("no key of this experiment is called `{key}`");
        bench.refuses("wine.toml", 2, &["wine.toml:20:", &message, fix]);
    }
    bench.write("wine.toml", adam("\"train.optimizer.adam\", \"train.epochs\""));
    assert_eq!(bench.run(&["check", "wine.toml"]).status.code(), Some(0));
}

#[test]
fn overrides_of_one_key_are_refused() {
    let bench = Bench::new();
    bench.write("wine.toml", VALID);
    let output = bench.run(&["check", "wine.toml", "--set", "train.batch=8", "--set", "train.batch=16"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("`--set train.batch` and `--set train.batch` overlap"), "{stderr}");
}

#[test]
fn a_name_that_the_timings_need_is_refused() {
    let bench = Bench::new();
    bench.write("benchmarks.toml", VALID);
    bench.refuses("benchmarks.toml", 2, &["called `benchmarks`", "rename the file"]);
}

#[test]
fn errors_are_json_where_it_is_asked_for() {
    let bench = Bench::new();
    bench.write("wine.toml", changed("epochs = 2", "epochs = \"2\""));
    let output = bench.run(&["check", "--json", "wine.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let error = &json[0]["errors"][0];
    assert_eq!(
        (&json[0]["name"], &error["line"], &error["column"]),
        (&"wine.toml".into(), &13.into(), &10.into())
    );
    assert!(error["message"].as_str().unwrap().contains("`train.epochs`"), "{error}");
    let output = bench.run(&["check", "--json", "nowhere.toml"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let error = &json[0]["errors"][0];
    assert_eq!(error["message"], "nowhere.toml: does not exist");
    assert!(error["fix"].as_str().unwrap().starts_with("check the path"), "{error}");
}
