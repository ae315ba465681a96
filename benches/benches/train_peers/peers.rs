//! The frameworks: how each is started, and with how many threads.
//!
//! `benches/peers/install-training.sh` puts them into the folder that `PEERS` names, `/opt/peers` without it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use benches::{Dialogue, peers, program, python};

/// Ours, then the others.
pub(crate) const FRAMEWORKS: [&str; 6] = ["ours", "PyTorch", "JAX", "jax-loop", "burn", "candle"];

/// What a worker is started for.
#[derive(Clone, Debug)]
pub(crate) struct Task<'a> {
    pub(crate) model: &'a str,
    /// The layers as the workers read them.
    pub(crate) layers: Vec<String>,
    pub(crate) folder: &'a Path,
    pub(crate) threads: usize,
}

/// A worker that has made its first step.
pub(crate) struct Worker {
    pub(crate) framework: &'static str,
    pub(crate) version: String,
    /// Seconds from the start of the program to the end of its first step.
    pub(crate) first_step: f64,
    dialogue: Dialogue,
}

impl Worker {
    /// Starts the worker of a framework; `None` where it is absent.
    pub(crate) fn start(framework: &'static str, task: &Task<'_>) -> Option<Self> {
        let mut command = command(framework, task);
        command.args([task.model, &task.folder.display().to_string(), &task.threads.to_string()]);
        command.args(&task.layers);
        let start = Instant::now();
        let (dialogue, version) = Dialogue::start(&mut command)?;
        Some(Self { framework, version, first_step: start.elapsed().as_secs_f64(), dialogue })
    }

    /// Trains on `samples` samples, in whole batches: seconds.
    pub(crate) fn train(&mut self, samples: usize) -> f64 {
        self.dialogue.ask(&format!("train {samples}"))[0]
    }

    /// The losses of the first `steps` batches.
    pub(crate) fn losses(&mut self, steps: usize) -> Vec<f64> {
        self.dialogue.ask(&format!("losses {steps}"))
    }

    /// The largest resident memory so far, in MiB.
    pub(crate) fn peak_memory(&self) -> f64 {
        self.dialogue.peak_memory()
    }
}

/// The worker's program with its environment; with one thread bound to one core.
fn command(framework: &str, task: &Task<'_>) -> Command {
    let words = match framework {
        "ours" => vec![std::env::current_exe().expect("this program"), PathBuf::from("--worker")],
        "PyTorch" => python("train_torch.py").to_vec(),
        "burn" => vec![peers().join("bin/train-burn")],
        "candle" => vec![peers().join("bin/train-candle")],
        _ => python("train_jax.py").to_vec(),
    };
    let several = task.threads > 1;
    let threads = task.threads.to_string();
    let mut command = program(&words, !several);
    match framework {
        "PyTorch" => command.env("OMP_NUM_THREADS", threads),
        "burn" | "candle" => command.env("RAYON_NUM_THREADS", threads),
        // It takes as many threads as it sees cores.
        "JAX" => command.env("XLA_FLAGS", format!("--xla_cpu_multi_thread_eigen={several}")),
        "jax-loop" => {
            command.env("LOOP", "1").env("XLA_FLAGS", format!("--xla_cpu_multi_thread_eigen={several}"))
        }
        _ => &mut command,
    };
    command
}
