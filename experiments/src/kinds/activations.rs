//! Kind `activations`: phi and phi' on an even grid.

use super::{Context, Stopped};
use crate::outcome::{Curve, Outcome, Value};
use crate::spec::ActivationsTrial;

/// phi(z) and phi'(z) for `points` values of z from `from` to `to`, in f64.
pub(super) fn run(trial: &ActivationsTrial, _context: &Context<'_>) -> Result<Outcome, Stopped> {
    let mut outcome = Outcome::ok();
    let mut curve = Curve::over("z", ["phi", "phi_prime"]);
    let (mut steepest, mut flattest) = (f64::NEG_INFINITY, f64::INFINITY);
    for z in grid(trial.from, trial.to, trial.points) {
        let (phi, prime) = (trial.function.phi(z), trial.function.phi_prime(z));
        curve.push(z, [Some(Value::Real(phi)), Some(Value::Real(prime))]);
        if prime > steepest {
            steepest = prime;
        }
        if prime < flattest {
            flattest = prime;
        }
    }
    outcome.curve = curve;
    outcome.metric("phi(0)", trial.function.phi(0.0));
    outcome.metric("phi_prime(0)", trial.function.phi_prime(0.0));
    if trial.points > 0 {
        outcome.metric("phi_prime.max", steepest);
        outcome.metric("phi_prime.min", flattest);
    }
    Ok(outcome)
}

/// `points` values from `from` to `to`, both included: one rounding each, the last exactly `to`.
pub(super) fn grid(from: f64, to: f64, points: usize) -> impl Iterator<Item = f64> {
    let last = points.saturating_sub(1);
    (0..points).map(move |i| match i {
        0 => from,
        _ if i == last => to,
        _ => from + (to - from) * i as f64 / last as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::grid;

    #[test]
    fn a_grid_holds_both_ends() {
        assert_eq!(grid(-2.0, 2.0, 5).collect::<Vec<_>>(), [-2.0, -1.0, 0.0, 1.0, 2.0]);
        assert_eq!(grid(0.5, 9.0, 1).collect::<Vec<_>>(), [0.5]);
        assert_eq!(grid(0.0, 1.0, 0).count(), 0);
    }
}
