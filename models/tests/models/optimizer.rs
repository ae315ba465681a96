//! Steps of each rule against numbers worked out by hand.

use kernels::Level;
use models::optimizer::{Optimizer, OptimizerSpec, Rule, Schedule};

/// One weight after each of the given gradients.
fn path(rule: Rule, start: f64, gradients: &[f64]) -> Vec<f64> {
    let mut optimizer = Optimizer::new(OptimizerSpec::constant(rule), 1).unwrap();
    let mut w = [start];
    gradients
        .iter()
        .map(|&g| {
            optimizer.step(Level::best(), 0, &mut w, &[g]);
            w[0]
        })
        .collect()
}

fn sgd(momentum: f64, nesterov: bool, weight_decay: f64) -> Rule {
    Rule::Sgd { learning_rate: 0.5, momentum, nesterov, weight_decay }
}

#[test]
fn gradient_descent_takes_eta_times_the_gradient() {
    // 1 - 0.5 2 = 0; 0 - 0.5 (-4) = 2.
    assert_eq!(path(sgd(0.0, false, 0.0), 1.0, &[2.0, -4.0]), [0.0, 2.0]);
}

#[test]
fn weight_decay_adds_to_the_gradient() {
    // g = 2 + 0.25 4 = 3: 4 - 1.5 = 2.5.
    assert_eq!(path(sgd(0.0, false, 0.25), 4.0, &[2.0]), [2.5]);
}

#[test]
fn momentum_keeps_half_of_the_last_velocity() {
    // v = 2, 0.5 2 + 2 = 3, 0.5 3 + 0 = 1.5; w = 8 - 1, - 1.5, - 0.75.
    assert_eq!(path(sgd(0.5, false, 0.0), 8.0, &[2.0, 2.0, 0.0]), [7.0, 5.5, 4.75]);
}

#[test]
fn nesterov_looks_ahead_along_the_velocity() {
    // v = 2, 3; d = g + 0.5 v = 3, 3.5; w = 8 - 1.5, - 1.75.
    assert_eq!(path(sgd(0.5, true, 0.0), 8.0, &[2.0, 2.0]), [6.5, 4.75]);
}

#[test]
fn adam_starts_with_a_step_of_eta_and_corrects_its_bias() {
    let rule = Rule::Adam { learning_rate: 0.5, beta1: 0.5, beta2: 0.75, epsilon: 0.25, weight_decay: 0.0 };
    // t = 1: m = 1, v = 1; m / (1 - 0.5) = 2, sqrt(v / 0.25) = 2: step 0.5 2 / (2 + 0.25).
    // t = 2, g = -2: m = 1 + 0.5 (-3) = -0.5, v = 1 + 0.75 1 ... = 0.75 + 0.25 4 = 1.75;
    // m / 0.75 = -2/3, sqrt(v / 0.4375) = 2: step 0.5 (-2/3) / 2.25.
    let got = path(rule, 1.0, &[2.0, -2.0]);
    let want = [1.0 - 1.0 / 2.25, 1.0 - 1.0 / 2.25 + 1.0 / 6.75];
    // Each value comes from less than ten roundings of numbers below 2.
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() < 10.0 * f64::EPSILON, "{got:?}, not {want:?}");
    }
}

#[test]
fn schedules_give_the_factors_of_their_formulas() {
    let factors = |schedule: Schedule| [0, 1, 2, 3, 4].map(|epoch| schedule.factor(epoch));
    assert_eq!(factors(Schedule::Constant), [1.0; 5]);
    assert_eq!(factors(Schedule::Step { every: 2, factor: 0.5 }), [1.0, 1.0, 0.5, 0.5, 0.25]);
    assert_eq!(factors(Schedule::Linear { epochs: 4, end: 0.5 }), [1.0, 0.875, 0.75, 0.625, 0.5]);
    let cosine = factors(Schedule::Cosine { epochs: 2 });
    assert_eq!((cosine[0], cosine[2], cosine[3]), (1.0, 0.0, 0.0));
    // cos(pi / 2) is 0 but for the rounding of pi.
    assert!((cosine[1] - 0.5).abs() < f64::EPSILON);
}

#[test]
fn warm_up_rises_in_equal_steps_to_the_schedule() {
    let spec = OptimizerSpec {
        warm_up: 3,
        schedule: Schedule::Step { every: 1, factor: 0.5 },
        ..OptimizerSpec::sgd(8.0)
    };
    assert_eq!([0, 1, 2, 3, 4].map(|epoch| spec.learning_rate(epoch)), [2.0, 4.0, 6.0, 8.0, 4.0]);
}

#[test]
fn settings_without_a_meaning_are_refused() {
    let refused = |rule| Optimizer::<f32>::new(OptimizerSpec::constant(rule), 1).unwrap_err().to_string();
    assert!(refused(sgd(1.0, false, 0.0)).contains("momentum must be at least 0 and below 1, not 1.0"));
    assert!(refused(sgd(0.0, true, 0.0)).contains("above 0 for Nesterov"));
    assert!(refused(sgd(0.0, false, -1.0)).contains("weight_decay"));
}

#[test]
fn schedules_without_a_meaning_are_refused_with_their_place_and_the_remedy() {
    let refused = |schedule| {
        let spec = OptimizerSpec { schedule, ..OptimizerSpec::sgd(1.0) };
        Optimizer::<f32>::new(spec, 1).unwrap_err().to_string()
    };
    assert_eq!(
        refused(Schedule::Step { every: 0, factor: 0.5 }),
        "optimizer: every, of the step schedule, must be at least 1 epoch, not 0"
    );
    assert_eq!(
        refused(Schedule::Step { every: 1, factor: f64::NAN }),
        "optimizer: factor, of the step schedule, must be finite and at least 0, not NaN"
    );
    assert!(
        refused(Schedule::Cosine { epochs: 0 })
            .contains("epochs, of the cosine schedule, must be at least 1")
    );
    assert!(
        refused(Schedule::Linear { epochs: 0, end: 0.0 }).contains("epochs, of the linear schedule, must be")
    );
    assert!(
        refused(Schedule::Linear { epochs: 1, end: -0.5 })
            .contains("end, of the linear schedule, must be finite")
    );
}
