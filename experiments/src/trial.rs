//! The trial: one cell of the grid with one seed, the unit of scheduling, of records and of resume.

use crate::durable;
use crate::spec::{Experiment, Kind};

/// One trial of an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Its cell's index in the grid.
    pub cell: usize,
    /// Its training seed.
    pub seed: u64,
    /// The cell's value of each swept key, as text.
    pub settings: Vec<String>,
    /// (file, SHA-256) of the data that it reads.
    pub data: Vec<(String, String)>,
    /// Its identity: see [`identity`].
    pub id: String,
}

impl Trial {
    /// `units=32 seed=3`, for messages; `keys` are the swept ones.
    pub fn describe(&self, keys: &[String]) -> String {
        let settings = keys.iter().zip(&self.settings).map(|(key, value)| format!("{key}={value} "));
        format!("{}seed={}", settings.collect::<String>(), self.seed)
    }
}

/// The trials of an experiment, by cell and then by seed; `digests` are those of the data that a kind
/// reads with a seed.
pub fn trials(experiment: &Experiment, digests: impl Fn(&Kind, u64) -> Vec<(String, String)>) -> Vec<Trial> {
    let mut trials = Vec::with_capacity(experiment.cells.len() * experiment.seeds.len());
    for (index, cell) in experiment.cells.iter().enumerate() {
        for &seed in &experiment.seeds {
            let data = digests(&cell.kind, seed);
            trials.push(Trial {
                cell: index,
                seed,
                settings: cell.settings.iter().map(|(_, value)| value.clone()).collect(),
                id: identity(&cell.resolved, &data, seed),
                data,
            });
        }
    }
    trials
}

/// SHA-256 of the resolved settings, the data digests, the contract number and the seed.
///
/// What a trial computes is a function of these alone; commit and host are provenance, not identity.
pub fn identity(resolved: &str, data: &[(String, String)], seed: u64) -> String {
    let mut text = format!("numeric contract {}\nseed {seed}\n", kernels::CONTRACT);
    for (name, sha256) in data {
        text.push_str(&format!("data {sha256} {name}\n"));
    }
    text.push_str(resolved);
    durable::sha256_hex(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_a_trial_computes_from_is_in_its_identity() {
        let data = |sha: &str| vec![("iris".to_owned(), sha.to_owned())];
        let id = identity("eta = 0.1\n", &data("aa"), 1);
        assert_eq!(id, identity("eta = 0.1\n", &data("aa"), 1));
        assert_eq!(id.len(), 64);
        for other in [
            identity("eta = 0.2\n", &data("aa"), 1),
            identity("eta = 0.1\n", &data("ab"), 1),
            identity("eta = 0.1\n", &data("aa"), 2),
            identity("eta = 0.1\n", &[], 1),
        ] {
            assert_ne!(id, other);
        }
    }
}
