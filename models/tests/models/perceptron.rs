//! The perceptron on truth tables and random clouds; Novikoff's bound; cycling.

use models::margin::{Novikoff, novikoff};
use models::observations::{Observations, Order};
use models::perceptron::{AND, Cycle, Labels, NAND, OR, Perceptron, net_input};
use models::rng::{Purpose, Stream};

/// The inputs of a truth table with their answers, and the constant coordinate.
fn table(answers: [f64; 4]) -> Observations {
    let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    Observations::new(2, &x, &answers).unwrap().with_constant()
}

fn rule(learning_rate: f64, epochs: usize, labels: Labels) -> Perceptron {
    Perceptron { learning_rate, epochs, order: Order::File, labels }
}

/// `n` points in p dimensions, uniform in the cube, labelled by the hyperplane whose normal is a
/// random vector; those nearer to it than `margin` are drawn again. Returns the unit normal too.
fn cloud(n: usize, p: usize, margin: f64, seed: u64) -> (Observations, Vec<f64>) {
    let mut stream = Stream::new(Purpose::Data, seed, 0);
    let normal: Vec<f64> = (0..p).map(|_| stream.normal()).collect();
    let length = net_input(&normal, &normal).sqrt();
    let normal: Vec<f64> = normal.iter().map(|w| w / length).collect();
    let (mut x, mut y) = (Vec::new(), Vec::new());
    while y.len() < n {
        let point: Vec<f64> = (0..p).map(|_| 2.0 * stream.uniform() - 1.0).collect();
        let z = net_input(&point, &normal);
        if z.abs() >= margin {
            x.extend(point);
            y.push(if z > 0.0 { 1.0 } else { -1.0 });
        }
    }
    (Observations::new(p, &x, &y).unwrap(), normal)
}

#[test]
fn the_gates_set_by_hand_answer_their_truth_tables() {
    for (w, answers) in
        [(AND, [0.0, 0.0, 0.0, 1.0]), (OR, [0.0, 1.0, 1.0, 1.0]), (NAND, [1.0, 1.0, 1.0, 0.0])]
    {
        assert_eq!(rule(1.0, 1, Labels::ZeroOne).errors(&table(answers), &w), 0, "{w:?}");
    }
}

#[test]
fn the_rule_learns_every_table_of_two_inputs_but_xor_and_its_opposite() {
    for bits in 0..16_u32 {
        let answers = [0, 1, 2, 3].map(|i| f64::from(bits >> i & 1));
        let run = rule(1.0, 50, Labels::ZeroOne).train(&table(answers), &[0.0; 3]).unwrap();
        let separable = novikoff(&table(answers)).unwrap();
        if answers == [0.0, 1.0, 1.0, 0.0] || answers == [1.0, 0.0, 0.0, 1.0] {
            assert_eq!((run.converged, separable), (None, None), "{answers:?}");
            assert!(run.cycle.is_some(), "{answers:?}");
        } else {
            let bound = separable.expect("separable").bound;
            assert!(run.converged.is_some() && run.cycle.is_none(), "{answers:?}");
            assert!(run.trace.len() as f64 <= bound, "{answers:?}: {} > {bound}", run.trace.len());
        }
    }
}

#[test]
fn xor_repeats_a_weight_vector_so_the_rule_never_ends() {
    // With eta = 1 and inputs 0 and 1 all weights are small integers: the arithmetic is exact and
    // the repetition is a proof about the rule itself, not about its rounding.
    let run = rule(1.0, 20, Labels::ZeroOne).train(&table([0.0, 1.0, 1.0, 0.0]), &[0.0; 3]).unwrap();
    let Cycle { first, again } = run.cycle.expect("XOR cycles");
    assert!(run.trace.iter().flat_map(|update| &update.weights).all(|w| w.fract() == 0.0 && w.abs() < 8.0));
    let after = |epoch: usize| run.trace.iter().rfind(|update| update.epoch <= epoch).map(|u| &u.weights);
    assert_eq!(after(first), after(again));
    // From there on the epochs make the same numbers of updates for ever.
    let period = again - first;
    assert!((first..20 - period).all(|e| run.updates[e] == run.updates[e + period]), "{:?}", run.updates);
    assert!(run.errors.iter().all(|&errors| errors > 0));
}

#[test]
fn the_trace_holds_every_update_and_follows_the_rule() {
    let (data, _) = cloud(50, 3, 0.05, 1);
    let data = data.with_constant();
    let start = [0.5, -0.25, 0.125, 0.0];
    let run = rule(0.25, 1000, Labels::MinusOneOne).train(&data, &start).unwrap();
    assert!(run.converged.is_some());
    assert_eq!(run.trace.len(), run.updates.iter().sum::<usize>());
    let mut w = start.to_vec();
    for update in &run.trace {
        let (x, y) = (data.x(update.observation), data.y(update.observation));
        assert_eq!(update.delta, 0.25 * 2.0 * y);
        w = w.iter().zip(x).map(|(w, x)| update.delta.mul_add(*x, *w)).collect();
        assert_eq!(update.weights, w);
    }
    assert_eq!(run.weights, w);
}

#[test]
fn updates_stay_within_novikoffs_bound_in_any_order() {
    for seed in 0..20 {
        let (data, normal) = cloud(100, 4, 0.02, seed);
        let Novikoff { margin, margin_at_most, bound, .. } =
            novikoff(&data).unwrap().expect("made separable");
        let planted = (0..data.n()).map(|i| data.y(i) * net_input(data.x(i), &normal));
        let planted = planted.fold(f64::INFINITY, |least, m| if m < least { m } else { least });
        assert!(planted <= margin_at_most, "seed {seed}: no direction has a wider margin");
        assert!(margin_at_most - margin <= 1e-12 * margin, "seed {seed}: {margin} {margin_at_most}");
        for order in [Order::File, Order::Shuffled { seed }] {
            let rule = Perceptron { order, ..rule(1.0, 20_000, Labels::MinusOneOne) };
            let run = rule.train(&data, &[0.0; 4]).unwrap();
            assert!(run.converged.is_some(), "seed {seed}");
            assert!(run.trace.len() as f64 <= bound, "seed {seed}: {} > {bound}", run.trace.len());
        }
    }
}

#[test]
fn the_widest_margin_is_exact_where_it_is_known() {
    // Two points facing each other across a line through the origin, and others further away.
    let x = [3.0, 4.0, -3.0, -4.0, 10.0, 0.0, 0.0, 20.0];
    let data = Observations::new(2, &x, &[1.0, -1.0, 1.0, 1.0]).unwrap();
    let found = novikoff(&data).unwrap().expect("separable");
    assert_eq!((found.margin, found.radius), (5.0, 20.0));
    // The corners of a simplex: the nearest point of their hull is (1, 1, 1) / 3.
    let data = Observations::new(3, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], &[1.0; 3]).unwrap();
    let found = novikoff(&data).unwrap().expect("separable");
    assert!((found.bound - 3.0).abs() < 1e-14, "{found:?}");
}

#[test]
fn a_thin_margin_is_found_to_full_precision() {
    // The nearest point of the hull of (1000, d) and (-1000, d) is (0, d): bound 1 + (1000 / d)^2.
    for d in [1.0, 1e-3, 1e-6] {
        let data = Observations::new(2, &[1000.0, d, -1000.0, d], &[1.0, 1.0]).unwrap();
        let found = novikoff(&data).unwrap().expect("separable");
        assert!((found.margin - d).abs() <= 1e-12 * d, "{d}: {found:?}");
    }
}

/// A set of the project as observations: the last column is the class, the first row's class is -1.
fn from_file(name: &str) -> Observations {
    let path = format!("{}/../experiments/data/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the data are part of the project");
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let p = rows[0].len() - 1;
    let x: Vec<f64> = rows.iter().flat_map(|row| &row[..p]).map(|cell| cell.parse().unwrap()).collect();
    let y: Vec<f64> = rows.iter().map(|row| if row[p] == rows[0][p] { -1.0 } else { 1.0 }).collect();
    Observations::new(p, &x, &y).unwrap().with_constant()
}

#[test]
fn real_data_known_to_be_separable_are_found_so() {
    // Wolberg's notes: "linearly separable using all 30 input features", though unscaled the margin is
    // 1e-8 of the radius. A product of a unit vector with an observation is off by R eps times p at most,
    // which bounds the gap between the two bounds of the margin.
    for name in ["breast-cancer.csv", "sonar.csv"] {
        let data = from_file(name);
        let found = novikoff(&data).unwrap().expect("separable");
        let gap = (found.margin_at_most - found.margin).abs();
        assert!(gap < found.radius * f64::EPSILON * data.p() as f64, "{name}: {found:?}");
        assert_eq!(rule(1.0, 1, Labels::MinusOneOne).errors(&data, &found.direction), 0, "{name}");
    }
}

#[test]
fn wrong_sizes_and_labels_are_refused_in_words() {
    let data = table([0.0, 1.0, 1.0, 1.0]);
    let error = rule(1.0, 1, Labels::ZeroOne).train(&data, &[0.0; 2]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "perceptron: expected 3 weights, one per variable (the constant included), got 2 weights"
    );
    let error = rule(1.0, 1, Labels::MinusOneOne).train(&data, &[0.0; 3]).unwrap_err();
    assert_eq!(error.to_string(), "perceptron: expected targets -1 and 1, got a target 0");
    let error = Observations::new(2, &[1.0, 2.0, 3.0], &[1.0, 1.0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "observations: expected 2 rows of 2 values, one row per target, got 3 values"
    );
}
