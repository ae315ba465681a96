//! What trials read: data loaded once, prepared once for the trials that run at the same time.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use kernels::{Element, Level};

use crate::data::picture::{self, Picture};
use crate::data::{self, Data};
use crate::exit::{Exit, Failure};
use crate::fit;
use crate::kinds;
use crate::preprocess::{self, Prepared};
use crate::spec::{DatasetSpec, Experiment, Image, Kind, Step};

/// All data of an experiment.
#[derive(Debug)]
pub struct Inputs {
    loaded: Vec<(DatasetSpec, Arc<Data>)>,
    pictures: Vec<(Image, Arc<Picture>)>,
    prepared: Mutex<VecDeque<Entry>>,
    kept: usize,
}

/// Data prepared for one element type.
#[derive(Debug)]
struct Entry {
    data: Arc<Data>,
    steps: Vec<Step>,
    dtype: &'static str,
    prepared: Arc<dyn Any + Send + Sync>,
}

impl Inputs {
    /// Loads every data set that a cell names, each once. At most `kept` prepared forms stay in memory.
    ///
    /// # Errors
    /// As [`data::load`] and [`fit::trial`], and if this thread's arithmetic is not the contract's (N10): data
    /// and statistics are computed on it.
    pub fn load(experiment: &Experiment, kept: usize) -> Result<Self, Failure> {
        kernels::environment::check()
            .map_err(|error| Failure::new(Exit::TrialFailed, format!("error: {error}")))?;
        let mut loaded: Vec<(DatasetSpec, Arc<Data>)> = Vec::new();
        let mut pictures: Vec<(Image, Arc<Picture>)> = Vec::new();
        for cell in &experiment.cells {
            for &seed in &experiment.seeds {
                let Some(spec) = kinds::dataset(&cell.kind).map(|spec| of_seed(spec, seed)) else { break };
                if !loaded.iter().any(|(known, _)| *known == spec) {
                    let data = Arc::new(data::load(&spec)?);
                    loaded.push((spec, data));
                }
            }
            if let Kind::Convolve(trial) = &cell.kind
                && !pictures.iter().any(|(known, _)| *known == trial.image)
            {
                let picture = picture::load(&trial.image)?;
                pictures.push((trial.image.clone(), Arc::new(picture)));
            }
        }
        let inputs = Self { loaded, pictures, prepared: Mutex::default(), kept };
        for kind in experiment.cells.iter().map(|cell| &cell.kind) {
            if let Kind::Convolve(trial) = kind
                && let Some(picture) = inputs.picture(&trial.image)
            {
                fit::picture(trial, &picture)?;
            }
            for &seed in &experiment.seeds {
                if let Some(data) = kinds::dataset(kind).and_then(|spec| inputs.data(spec, seed)) {
                    fit::trial(kind, &data)?;
                }
            }
        }
        Ok(inputs)
    }

    /// The data of `spec` for a trial with `seed`, if a cell names it.
    pub fn data(&self, spec: &DatasetSpec, seed: u64) -> Option<Arc<Data>> {
        let spec = of_seed(spec, seed);
        self.loaded.iter().find(|(known, _)| *known == spec).map(|(_, data)| Arc::clone(data))
    }

    /// The picture, if a cell names it.
    pub fn picture(&self, image: &Image) -> Option<Arc<Picture>> {
        self.pictures.iter().find(|(known, _)| known == image).map(|(_, picture)| Arc::clone(picture))
    }

    /// (file, SHA-256) of everything that a trial of this kind and seed reads.
    pub fn digests(&self, kind: &Kind, seed: u64) -> Vec<(String, String)> {
        if let Kind::Convolve(trial) = kind {
            let picture = self.picture(&trial.image);
            return picture.map(|p| ("picture".to_owned(), p.digest.clone())).into_iter().collect();
        }
        kinds::dataset(kind)
            .and_then(|spec| self.data(spec, seed))
            .map_or_else(Vec::new, |data| data.digests.clone())
    }

    /// `data` after `steps`, as elements of type `T`: made now at `level`, or shared with the trial that made it.
    pub fn prepared<T: Element>(&self, level: Level, data: &Arc<Data>, steps: &[Step]) -> Arc<Prepared<T>> {
        // Held while preparing, so that two trials that start together share one copy.
        let mut entries = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = entries
            .iter()
            .find(|e| e.dtype == T::NAME && Arc::ptr_eq(&e.data, data) && e.steps == steps)
            .and_then(|e| Arc::clone(&e.prepared).downcast().ok());
        if let Some(prepared) = known {
            return prepared;
        }
        let prepared = Arc::new(preprocess::prepare::<T>(level, data, steps));
        entries.push_back(Entry {
            data: Arc::clone(data),
            steps: steps.to_vec(),
            dtype: T::NAME,
            prepared: Arc::clone(&prepared) as Arc<dyn Any + Send + Sync>,
        });
        while entries.len() > self.kept {
            entries.pop_front();
        }
        prepared
    }
}

/// The data that a trial with `seed` reads: its own draw, where every trial draws its own.
fn of_seed(spec: &DatasetSpec, seed: u64) -> DatasetSpec {
    if spec.depends_on_seed() { spec.for_seed(seed) } else { spec.clone() }
}
