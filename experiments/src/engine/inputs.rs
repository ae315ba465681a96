//! What trials read: data loaded once, prepared once for the trials that run at the same time.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use kernels::Element;

use crate::data::{self, Data, DataError};
use crate::kinds;
use crate::preprocess::{self, Prepared};
use crate::spec::{DatasetSpec, Experiment, Kind, Step};

/// All data of an experiment.
#[derive(Debug)]
pub struct Inputs {
    loaded: Vec<(DatasetSpec, Arc<Data>)>,
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
    /// As [`data::load`].
    pub fn load(experiment: &Experiment, kept: usize) -> Result<Self, DataError> {
        let mut loaded: Vec<(DatasetSpec, Arc<Data>)> = Vec::new();
        for spec in experiment.cells.iter().filter_map(|cell| kinds::dataset(&cell.kind)) {
            if !loaded.iter().any(|(known, _)| known == spec) {
                loaded.push((spec.clone(), Arc::new(data::load(spec)?)));
            }
        }
        Ok(Self { loaded, prepared: Mutex::default(), kept })
    }

    /// The data of `spec`, if a cell names it.
    pub fn data(&self, spec: &DatasetSpec) -> Option<Arc<Data>> {
        self.loaded.iter().find(|(known, _)| known == spec).map(|(_, data)| Arc::clone(data))
    }

    /// (file, SHA-256) of everything that a trial of this kind reads.
    pub fn digests(&self, kind: &Kind) -> Vec<(String, String)> {
        kinds::dataset(kind)
            .and_then(|spec| self.data(spec))
            .map_or_else(Vec::new, |data| data.digests.clone())
    }

    /// `data` after `steps`, as elements of type `T`: made now, or shared with the trial that made it.
    pub fn prepared<T: Element>(&self, data: &Arc<Data>, steps: &[Step]) -> Arc<Prepared<T>> {
        // Held while preparing, so that two trials that start together share one copy.
        let mut entries = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = entries
            .iter()
            .find(|e| e.dtype == T::NAME && Arc::ptr_eq(&e.data, data) && e.steps == steps)
            .and_then(|e| Arc::clone(&e.prepared).downcast().ok());
        if let Some(prepared) = known {
            return prepared;
        }
        let prepared = Arc::new(preprocess::prepare::<T>(data, steps));
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
