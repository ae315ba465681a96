//! Every picture, drawn from results folders written by hand.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use experiments::plot;
use experiments::spec::{Experiment, PlotSpec, Published, TableSpec};
use kernels::activation::Activation;

/// An empty results folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plot").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn experiment(kind: &'static str, title: &str) -> Experiment {
    Experiment {
        name: "by-hand".into(),
        title: title.into(),
        question: String::new(),
        course: String::new(),
        roles: Vec::new(),
        quick: false,
        kind,
        seeds: Vec::new(),
        swept: Vec::new(),
        cells: Vec::new(),
        published: Vec::new(),
        expect: Vec::new(),
        table: TableSpec::default(),
        plots: Vec::new(),
        warnings: Vec::new(),
        file: String::new(),
        text: String::new(),
        overrides: Vec::new(),
    }
}

fn published(cell: &[(&str, &str)], metric: &str, values: &[f64]) -> Published {
    Published {
        cell: cell.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        metric: metric.into(),
        values: values.to_vec(),
        at: (1..=values.len()).collect(),
        source: "somebody, some year".into(),
        note: String::new(),
    }
}

/// A number between -1 and 1 that looks random.
fn noise(cell: usize, seed: usize, x: usize) -> f64 {
    ((cell * 7919 + seed * 104_729 + x * 1_299_709) % 1000) as f64 / 500.0 - 1.0
}

fn power(base: f64, exponent: u32) -> f64 {
    (0..exponent).fold(1.0, |power, _| power * base)
}

/// Draws twice, checks that the bytes are equal, and returns the pictures' names.
fn draw(folder: &Path, experiment: &Experiment) -> Vec<String> {
    let paths = plot::write_all(folder, experiment).unwrap();
    let first: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    for path in &paths {
        fs::remove_file(path).unwrap();
    }
    let again = plot::write_all(folder, experiment).unwrap();
    assert_eq!(paths, again);
    for (path, before) in again.iter().zip(first) {
        assert!(fs::read(path).unwrap() == before, "{} differs when drawn again", path.display());
    }
    paths.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

/// Results and curves of a sweep over the hidden width, five seeds each; the last cell loses a seed.
fn write_width_sweep(folder: &Path) {
    let mut results = String::from("cell,seed,model.layers.1.dense.units,status,test.accuracy,test.loss\n");
    let mut curves =
        String::from("cell,seed,model.layers.1.dense.units,epoch,train.loss,validation.accuracy\n");
    for (cell, units) in [8, 32, 128, 512].into_iter().enumerate() {
        for seed in 1..=5 {
            let lift = cell as f64 * 0.02 + 0.004 * noise(cell, seed, 0);
            if (cell, seed) == (3, 5) {
                writeln!(results, "{cell},{seed},{units},diverged,,").unwrap();
                continue;
            }
            writeln!(results, "{cell},{seed},{units},ok,{:?},{:?}", 0.8 + lift, 0.6 - lift).unwrap();
            for epoch in 1..=20 {
                let gone = 1.0 / (1.0 + epoch as f64);
                let loss = 0.3 + gone * (1.0 - 4.0 * lift) + 0.01 * noise(cell, seed, epoch);
                let accuracy = 0.82 + lift - 0.4 * gone * gone + 0.006 * noise(cell, seed, epoch + 50);
                writeln!(curves, "{cell},{seed},{units},{epoch},{loss:?},{accuracy:?}").unwrap();
            }
        }
    }
    fs::write(folder.join("results.csv"), results).unwrap();
    fs::write(folder.join("curves.csv"), curves).unwrap();
}

#[test]
fn a_sweep_of_networks_has_curves_and_a_figure_over_the_swept_key() {
    let folder = folder("width");
    write_width_sweep(&folder);
    let mut experiment = experiment("network", "Effect of the hidden width on Fashion-MNIST");
    experiment.published = vec![
        published(&[("model.layers.1.dense.units", "128")], "test.accuracy", &[0.871]),
        published(&[], "test.loss", &[0.55]),
    ];
    experiment.table.columns = vec!["test.accuracy".into(), "test.loss".into()];
    assert_eq!(draw(&folder, &experiment), ["curves.svg", "sweep.svg"]);
    let curves = fs::read_to_string(folder.join("curves.svg")).unwrap();
    for text in ["units = 512", "validation accuracy", "epoch", "Mean over 5 seeds"] {
        assert!(curves.contains(text), "curves.svg lacks `{text}`");
    }
    assert!(!curves.contains("NaN"));
    let names = plot::write_figures(&folder, &experiment, &["train.loss".into()], true).unwrap();
    assert_eq!(names, [folder.join("curves-train.loss.svg")]);
    let error = plot::write_figures(&folder, &experiment, &["tset.loss".into()], false).unwrap_err();
    assert!(error.to_string().contains("test.loss"), "{error}");
}

#[test]
fn cases_with_long_names_stand_below_each_other() {
    let folder = folder("cases");
    let mut results = String::from("cell,seed,case,train.optimizer.sgd.learning_rate,status,test.accuracy\n");
    let cases = ["three hidden layers, sigmoid", "three hidden layers, ReLU", "no hidden layer"];
    for (cell, (case, rate)) in cases.iter().flat_map(|case| [(case, 0.1), (case, 0.5)]).enumerate() {
        for seed in 1..=6 {
            let accuracy = 0.7 + 0.04 * cell as f64 + 0.01 * noise(cell, seed, 3);
            writeln!(results, "{cell},{seed},\"{case}\",{rate},ok,{accuracy:?}").unwrap();
        }
    }
    fs::write(folder.join("results.csv"), results).unwrap();
    let mut experiment = experiment("network", "Depth, activation and learning rate");
    experiment.published = vec![published(&[("case", "no hidden layer")], "test.accuracy", &[0.84])];
    experiment.plots = vec![PlotSpec {
        kind: "bars".into(),
        x: "case".into(),
        y: vec!["test.accuracy".into()],
        log: Vec::new(),
        title: String::new(),
    }];
    assert_eq!(draw(&folder, &experiment), ["sweep.svg"]);
}

#[test]
fn an_adaline_curve_that_diverges_gets_a_log_axis_and_the_published_curve() {
    let folder = folder("adaline");
    let mut curves = String::from("cell,seed,eta,epoch,cost\n");
    let theirs = [51.081227, 48.734405, 47.268122, 46.127493, 45.115772, 44.163005, 43.244136];
    for (epoch, cost) in theirs.iter().enumerate() {
        writeln!(curves, "0,1,0.0001,{},{:?}", epoch + 1, cost + 0.01).unwrap();
        writeln!(curves, "1,1,0.01,{},{:?}", epoch + 1, 51.0 * power(60.0, epoch as u32)).unwrap();
    }
    fs::write(folder.join("curves.csv"), curves).unwrap();
    fs::write(
        folder.join("results.csv"),
        "cell,seed,eta,status,cost\n0,1,0.0001,ok,43.2\n1,1,0.01,ok,2e12\n",
    )
    .unwrap();
    let mut experiment = experiment("adaline", "Adaline: the learning rate decides");
    experiment.published = vec![published(&[("eta", "0.0001")], "cost", &theirs)];
    let names = draw(&folder, &experiment);
    assert_eq!(names, ["curves.svg", "sweep.svg"]);
    assert!(fs::read_to_string(folder.join("curves.svg")).unwrap().contains("published"));
}

#[test]
fn a_gradient_check_is_a_v_on_two_log_axes() {
    let folder = folder("gradient");
    let mut curves = String::from("cell,seed,case,h,max_relative_error\n");
    for (cell, case) in ["dense", "convolution"].iter().enumerate() {
        for exponent in 1..=12 {
            let h = 1.0 / power(10.0, exponent);
            let error = 0.1 * h * h + 1e-16 / h * (1.0 + 0.5 * noise(cell, 1, exponent as usize));
            writeln!(curves, "{cell},1,{case},{h:?},{:?}", error * (1.0 + cell as f64)).unwrap();
        }
    }
    fs::write(folder.join("curves.csv"), curves).unwrap();
    fs::write(
        folder.join("results.csv"),
        "cell,seed,case,status,best\n0,1,dense,ok,1e-9\n1,1,convolution,ok,1e-9\n",
    )
    .unwrap();
    let experiment = experiment("gradient-check", "Analytic against numeric gradients");
    assert_eq!(draw(&folder, &experiment), ["gradient-check.svg"]);
}

#[test]
fn every_activation_has_a_panel_with_its_derivative() {
    let folder = folder("activations");
    let mut curves = String::from("cell,seed,function,z,phi,phi_prime\n");
    let mut results = String::from("cell,seed,function,status,at_zero\n");
    let functions = [
        ("step", Activation::Step),
        ("sigmoid", Activation::Sigmoid),
        ("tanh", Activation::Tanh),
        ("ReLU", Activation::Relu),
        ("softplus", Activation::Softplus),
    ];
    for (cell, (name, phi)) in functions.iter().enumerate() {
        writeln!(results, "{cell},1,{name},ok,{:?}", phi.phi(0.0)).unwrap();
        for i in 0..=100 {
            let z = -5.0 + 0.1 * f64::from(i);
            let (value, slope) = (phi.phi(z), phi.phi_prime(z));
            writeln!(curves, "{cell},1,{name},{z:?},{value:?},{slope:?}").unwrap();
        }
    }
    fs::write(folder.join("curves.csv"), curves).unwrap();
    fs::write(folder.join("results.csv"), results).unwrap();
    let experiment = experiment("activations", "Activation functions and their derivatives");
    assert_eq!(draw(&folder, &experiment), ["activations.svg"]);
}

#[test]
fn the_ladder_shows_speed_and_its_share_of_the_peak() {
    let folder = folder("ladder");
    let mut results = String::from("cell,seed,shape,rung,status,gflops,peak_percent\n");
    let rungs = [("naive", 1.4), ("blocked", 9.0), ("packed", 30.0), ("simd", 108.0)];
    for (cell, (shape, (rung, gflops))) in ["[64, 64, 64]", "[512, 512, 512]"]
        .iter()
        .flat_map(|s| rungs.iter().map(move |r| (s, *r)))
        .enumerate()
    {
        writeln!(results, "{cell},1,\"{shape}\",{rung},ok,{gflops:?},{:?}", gflops / 1.17).unwrap();
    }
    fs::write(folder.join("results.csv"), results).unwrap();
    let experiment = experiment("kernels", "Matrix product: from the naive loop to the SIMD kernel");
    assert_eq!(draw(&folder, &experiment), ["ladder.svg"]);
}

#[test]
fn pictures_of_a_trials_own_files_are_drawn_where_it_ran() {
    let folder = folder("trials");
    fs::write(folder.join("results.csv"), "cell,seed,status,test.accuracy\n0,1,ok,0.9\n0,2,ok,0.91\n")
        .unwrap();
    fs::write(folder.join("lock.toml"), "[[cell]]\nindex = 0\n[cell.trials]\n1 = \"aa\"\n2 = \"bb\"\n")
        .unwrap();
    let classes =
        ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"];
    for (seed, id) in ["aa", "bb"].iter().enumerate() {
        let trial = folder.join("local/trials").join(id);
        fs::create_dir_all(&trial).unwrap();
        let mut confusion = format!("true,{}\n", classes.join(","));
        for (row, class) in classes.iter().enumerate() {
            let count = |column| if row == column { 80 + row } else { (row * 3 + column * 5 + seed) % 7 };
            let counts: Vec<String> = (0..10).map(|column| count(column).to_string()).collect();
            writeln!(confusion, "{class},{}", counts.join(",")).unwrap();
        }
        fs::write(trial.join("confusion.csv"), confusion).unwrap();
        let mut boundary = String::from("part,sepal length (cm),petal length (cm),class\n");
        for y in 0..60 {
            for x in 0..60 {
                let (x, y) = (4.0 + 0.06 * f64::from(x), 0.5 + 0.08 * f64::from(y));
                let class = if y + 0.3 * x < 4.2 { "setosa" } else { "versicolor" };
                writeln!(boundary, "grid,{x:?},{y:?},{class}").unwrap();
            }
        }
        for i in 0..50 {
            let (x, y) = (0.3 * noise(0, 1, i), 0.25 * noise(1, 2, i));
            writeln!(boundary, "point,{:?},{:?},setosa", 5.0 + x, 1.5 + y).unwrap();
            writeln!(boundary, "point,{:?},{:?},versicolor", 6.0 + 2.0 * x, 4.3 + 2.0 * y).unwrap();
        }
        fs::write(trial.join("boundary.csv"), boundary).unwrap();
        let (mut filters, mut mistakes) =
            (String::from("label,channels,height,width,values\n"), String::new());
        mistakes.push_str(&filters);
        for number in 0..20 {
            let weights: Vec<String> = (0..25).map(|i| format!("{:?}", noise(number, 1, i))).collect();
            writeln!(filters, "{number},1,5,5,{}", weights.join(" ")).unwrap();
            let pixel = |i: usize| ((i % 28) * (i / 28) * (number + 1)) % 255;
            let pixels: Vec<String> = (0..784).map(|i| pixel(i).to_string()).collect();
            writeln!(
                mistakes,
                "{} > {},1,28,28,{}",
                classes[number % 10],
                classes[(number + 3) % 10],
                pixels.join(" ")
            )
            .unwrap();
        }
        fs::write(trial.join("filters.csv"), filters).unwrap();
        fs::write(trial.join("mistakes.csv"), mistakes).unwrap();
    }
    let experiment = experiment("network", "A convolutional network on Fashion-MNIST");
    assert_eq!(draw(&folder, &experiment), ["confusion.svg", "boundary.svg", "filters.png", "mistakes.png"]);
    let confusion = fs::read_to_string(folder.join("confusion.svg")).unwrap();
    assert!(confusion.contains(">\n160\n<"), "two seeds of 80 make 160");
}

#[test]
fn a_folder_without_results_is_an_error_that_names_the_file() {
    let error = plot::write_all(&folder("empty"), &experiment("network", "nothing")).unwrap_err();
    assert!(error.to_string().contains("results.csv"), "{error}");
}
