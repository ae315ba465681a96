//! The verbs and their arguments.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::LazyLock;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::command;
use crate::exit::{Exit, Failure};
use crate::progress::tell;
use crate::suite;

mod check;
mod data;
mod doctor;
mod list;
mod named;
mod output;
mod plot;
mod profile;
mod run;
mod status;
mod table;

/// Reproducible experiments described in TOML.
#[derive(Debug, Parser)]
#[command(name = "experiments", version = VERSION.as_str(), about, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Where results folders stand.
    #[arg(long, global = true, default_value = command::RESULTS, value_name = "FOLDER")]
    pub results: PathBuf,
    /// No progress on stderr.
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Machine-readable output on stdout.
    #[arg(long, global = true)]
    pub json: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Shipped experiments: question, kind, trials
    List,
    /// Shapes, parameters, memory and trials of a file, and all its errors at once
    Check(CheckArgs),
    /// Run experiments; running again resumes
    Run(RunArgs),
    /// What is done, failed and to do
    Status(NameArgs),
    /// The results table
    Table(TableArgs),
    /// The results as pictures
    Plot(PlotArgs),
    /// Where the time of a training step goes, layer by layer, on this machine
    Profile(ProfileArgs),
    /// Data sets: what there is, and whether it is intact
    #[command(subcommand)]
    Data(DataVerb),
    /// CPU, level, threads, data, disk and git state
    Doctor(DoctorArgs),
}

/// `doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Also every size and limit that was chosen for this machine, and what each is for.
    #[arg(long)]
    pub tuning: bool,
}

/// `check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Experiment files, or names of shipped experiments.
    #[arg(required = true, value_name = "NAME|FILE")]
    pub experiments: Vec<String>,
    /// Replace a key of the file: `train.epochs=3`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

/// `run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Experiment files, or names of shipped experiments; none: the quick suite.
    #[arg(value_name = "NAME|FILE")]
    pub experiments: Vec<String>,
    /// Replace a key of the file: `train.epochs=3`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Trials at a time; 0: as many as the CPU has cores, or fewer where memory is short.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub jobs: usize,
    /// Threads of each trial; 0: the cores divided by the jobs. Jobs times threads: at most 1024, or 8 per core.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,
    /// Go on after a failed trial (the default).
    #[arg(long, conflicts_with = "fail_fast")]
    pub keep_going: bool,
    /// Stop at the first failed trial.
    #[arg(long)]
    pub fail_fast: bool,
    /// Only the trials with this setting, as `seed=3` or `model.layers.1.dense.units=32`; several must all hold.
    #[arg(long, value_name = "KEY=VALUE")]
    pub only: Vec<String>,
}

/// `status`
#[derive(Debug, Args)]
pub struct NameArgs {
    /// Experiment files, or names of shipped experiments; none: all shipped ones with results.
    #[arg(value_name = "NAME|FILE")]
    pub experiments: Vec<String>,
}

/// `table`
#[derive(Debug, Args)]
pub struct TableArgs {
    /// Experiment files, or names of shipped experiments; none: all shipped ones with results.
    #[arg(value_name = "NAME|FILE")]
    pub experiments: Vec<String>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub format: Format,
}

/// How a table is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns.
    Terminal,
    /// A Markdown table.
    Markdown,
    /// Comma-separated values.
    Csv,
    /// JSON.
    Json,
    /// LaTeX with booktabs and siunitx.
    Latex,
}

/// `plot`
#[derive(Debug, Args)]
pub struct PlotArgs {
    /// Experiment files, or names of shipped experiments; none: all shipped ones with results.
    #[arg(value_name = "NAME|FILE")]
    pub experiments: Vec<String>,
    /// Only this metric, each in pictures of its own; several are allowed.
    #[arg(long = "metric", value_name = "METRIC")]
    pub metrics: Vec<String>,
    /// A logarithmic y axis.
    #[arg(long, requires = "metrics")]
    pub log: bool,
}

/// `profile`
#[derive(Debug, Args)]
pub struct ProfileArgs {
    /// An experiment file with a network, or the name of a shipped experiment.
    #[arg(value_name = "NAME|FILE")]
    pub experiment: String,
    /// Replace a key of the file: `train.dtype=f64`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Which cell of the sweep, counted from 0.
    #[arg(long, default_value_t = 0, value_name = "K")]
    pub cell: usize,
    /// Samples of a step; the file's `train.batch` if it is not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: Option<u32>,
    /// For how long to measure: repetitions go on until then.
    #[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: u32,
}

/// `data`
#[derive(Debug, Subcommand)]
pub enum DataVerb {
    /// All sets: shape, classes, licence, where they are
    List,
    /// Check every file against its digest
    Verify {
        /// Sets to check; none: all that are there.
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
}

/// What every verb is given besides its own arguments.
#[derive(Clone, Debug)]
pub struct Global {
    /// Where results folders stand.
    pub results: PathBuf,
    /// No progress on stderr.
    pub quiet: bool,
    /// Machine-readable output on stdout.
    pub json: bool,
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    if let Some(failure) = verb_after_run(&words.collect::<Vec<_>>()) {
        tell(&failure);
        return failure.exit.into();
    }
    let parsed = Cli::command().bin_name(command::program()).try_get_matches();
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            // A closed pipe is no reason to fail: the message has nowhere to go.
            let _ = error.print();
            return exit.into();
        }
    };
    match dispatch(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            tell(&failure);
            failure.exit.into()
        }
    }
}

/// `cargo experiment` is the verb `run`: another verb behind it is no experiment's name.
fn verb_after_run(arguments: &[String]) -> Option<Failure> {
    let (run, rest) = arguments.split_first()?;
    let verb = rest.iter().find(|argument| !argument.starts_with('-'))?;
    let is_verb = Cli::command().get_subcommands().any(|known| known.get_name() == verb) || verb == "help";
    if run != "run" || !is_verb || suite::knows(verb) {
        return None;
    }
    let message =
        format!("error: `{verb}` is a verb, not an experiment\n   = fix: `{}`", command::line(rest));
    Some(Failure::new(Exit::Usage, message))
}

fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let global = Global { results: cli.results, quiet: cli.quiet, json: cli.json };
    if global.results.is_file() {
        return Err(Failure::new(
            Exit::Io,
            format!(
                "error: {} is a file, and results stand in a folder\n   = fix: move it away, or name a folder with `--results FOLDER`",
                global.results.display()
            ),
        ));
    }
    match cli.verb {
        Verb::List => list::list(&global),
        Verb::Check(args) => check::check(&global, &args),
        Verb::Run(args) => run::run(&global, &args),
        Verb::Status(args) => status::status(&global, &args),
        Verb::Table(args) => table::table(&global, &args),
        Verb::Plot(args) => plot::plot(&global, &args),
        Verb::Profile(args) => profile::profile(&global, &args),
        Verb::Data(verb) => data::data(&global, &verb),
        Verb::Doctor(args) => doctor::doctor(&global, &args),
    }
}

static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{} (numeric contract {})", env!("CARGO_PKG_VERSION"), kernels::CONTRACT));
