//! `experiments run`.

mod timings;

use std::path::PathBuf;

use kernels::{Exec, Level};
use serde_json::{Value as Json, json};

use super::output::{say, show};
use super::{Global, RunArgs};
use crate::engine::{self, Options, Plan, Report, limits};
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::outcome::Outcome;
use crate::plot;
use crate::progress::{Progress, tell};
use crate::provenance;
use crate::results::{Folder, Sheet, summarise};
use crate::spec::{self, Experiment};
use crate::suite;
use crate::table::{Table, published_value, series_tables, summary_json};
use crate::trial::Trial;
use crate::{expect, kinds, results};

pub(super) fn run(global: &Global, args: &RunArgs) -> Result<Exit, Failure> {
    let run = Run {
        global,
        args,
        only: only(&args.only)?,
        level: Exec::from_env()?.level,
        interrupt: Interrupt::install()?,
    };
    if !provenance::has_git() {
        run.say("note: `git` is not on the PATH, so local/provenance.json names no commit");
    }
    limits::threads(args.jobs, args.threads, provenance::cores())?;
    let experiments = chosen(args)?;
    let mut reports = Vec::new();
    let mut exit = Exit::Done;
    let mut matched = false;
    for experiment in &experiments {
        let this = match run.experiment(experiment) {
            Ok(done) => {
                matched |= done.matched;
                reports.push(done.json);
                done.exit
            }
            Err(failure) if experiments.len() == 1 => return Err(failure),
            Err(failure) => {
                tell(&failure);
                failure.exit
            }
        };
        if exit == Exit::Done {
            exit = this;
        }
        if run.interrupt.requested() || (args.fail_fast && this != Exit::Done) {
            break;
        }
    }
    if global.json {
        say(&format!("{:#}", Json::Array(reports)))?;
    }
    if let Some(interrupted) = run.interrupt.exit() {
        tell("interrupted; what was done is saved, the same command goes on from there");
        return Ok(interrupted);
    }
    if exit == Exit::Done && !matched {
        let filter = args.only.join(" ");
        let known: String =
            experiments.iter().map(|experiment| format!("\n     {}", filters(experiment))).collect();
        return Err(Failure::new(
            Exit::NoMatch,
            format!(
                "error: no trial matches --only {filter}\n   = fix: the keys and their values are{known}"
            ),
        ));
    }
    Ok(exit)
}

/// What `--only` may say of an experiment: `wine: seed = 1, 2; train.batch = 8, 16`.
fn filters(experiment: &Experiment) -> String {
    let seeds: Vec<String> = experiment.seeds.iter().map(u64::to_string).collect();
    let mut text = format!("{}: seed = {}", experiment.name, seeds.join(", "));
    for (at, key) in experiment.swept.iter().enumerate() {
        let mut values: Vec<&str> = Vec::new();
        for cell in &experiment.cells {
            let value = cell.settings[at].1.as_str();
            if !values.contains(&value) {
                values.push(value);
            }
        }
        text += &format!("; {key} = {}", values.join(", "));
    }
    text
}

/// The named experiments, or the quick suite.
fn chosen(args: &RunArgs) -> Result<Vec<Experiment>, Failure> {
    if !args.experiments.is_empty() {
        let named = args.experiments.iter().map(|name| suite::open(name, &args.overrides));
        let experiments = named.collect::<Result<Vec<_>, _>>()?;
        return match one_name_twice(&experiments) {
            None => Ok(experiments),
            Some(failure) => Err(failure),
        };
    }
    let mut quick = Vec::new();
    for (name, _) in suite::SHIPPED {
        let experiment = suite::open(name, &args.overrides)?;
        if experiment.quick {
            quick.push(experiment);
        }
    }
    Ok(quick)
}

/// Two different files of one name would share a results folder: the second would overwrite the first's.
fn one_name_twice(experiments: &[Experiment]) -> Option<Failure> {
    experiments.iter().enumerate().find_map(|(at, second)| {
        let first = experiments[..at].iter().find(|e| e.name == second.name && e.text != second.text)?;
        let message = format!(
            "error: {} and {} are both called `{}`, and so would be their results folder\n   = fix: rename one of the two files, or run them with different `--results`",
            first.file, second.file, second.name
        );
        Some(Failure::new(Exit::Usage, message))
    })
}

/// `--only key=value` arguments.
fn only(arguments: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let split = |argument: &String| match argument.split_once('=') {
        Some((key, value)) => Ok((key.trim().to_owned(), value.trim().to_owned())),
        None => Err(Failure::new(
            Exit::Usage,
            format!("error: `--only {argument}` has no `=`\n   = fix: write it as `--only seed=3`"),
        )),
    };
    arguments.iter().map(split).collect()
}

struct Run<'a> {
    global: &'a Global,
    args: &'a RunArgs,
    only: Vec<(String, String)>,
    level: Level,
    interrupt: Interrupt,
}

/// What became of one experiment.
struct Done {
    exit: Exit,
    matched: bool,
    json: Json,
}

impl Run<'_> {
    fn experiment(&self, experiment: &Experiment) -> Result<Done, Failure> {
        for warning in &experiment.warnings {
            self.say(&format!("warning: {}: {}", experiment.name, warning.message));
        }
        if kinds::is_timing(experiment) {
            return self.timings(experiment);
        }
        let cores = provenance::cores();
        let at_once = if self.args.jobs == 0 { cores } else { self.args.jobs };
        // Before the folder: data that are missing or damaged leave no trace, nor does a filter without a match.
        let plan = Plan::new(experiment, at_once).map_err(|failure| spec::placed(experiment, failure))?;
        let chosen = plan.matching(&self.only);
        if chosen.is_empty() {
            let json = json!({ "name": experiment.name, "files": [], "missing": null, "summary": [] });
            return Ok(Done { exit: Exit::Done, matched: false, json });
        }
        let folder = Folder::of(&self.global.results, experiment);
        let _lock = folder.open().map_err(|e| self.cannot_write(&e))?;
        results::keep_line_ends(&self.global.results).map_err(|e| self.cannot_write(&e))?;
        let recorded = plan.recorded(&folder);
        for (index, reason) in &recorded.damaged {
            let trial = plan.trials[*index].describe(&experiment.swept);
            self.say(&format!(
                "warning: {}: the record of {trial} is not trusted, it runs again: {reason}",
                experiment.name
            ));
        }
        let todo: Vec<usize> = chosen.iter().copied().filter(|&i| recorded.outcomes[i].is_none()).collect();
        let jobs = self.jobs(&plan, &todo, at_once)?;
        let threads = if self.args.threads == 0 { (cores / jobs).max(1) } else { self.args.threads };
        let options = Options { jobs, threads, level: self.level, keep_going: !self.args.fail_fast };
        let report = self.trials(&plan, &folder, &todo, options)?;
        let mut outcomes = recorded.outcomes;
        for (index, outcome) in report.finished {
            outcomes[index] = Some(outcome);
        }
        if !todo.is_empty() {
            let provenance = format!("{:#}\n", provenance::provenance(self.level, jobs, threads));
            results::write_local(&folder, &plan.trials, &provenance)?;
        }
        let failed = report.failed.len();
        self.publish(&plan, &folder, outcomes, &chosen, failed)
    }

    /// Trials at a time, as many of `at_once` as there are to run and as their memory allows.
    fn jobs(&self, plan: &Plan<'_>, todo: &[usize], at_once: usize) -> Result<usize, Failure> {
        let jobs = at_once.min(todo.len().max(1));
        let (needed, available) = (plan.memory(todo), limits::available());
        let jobs = if self.args.jobs == 0 { limits::jobs_that_fit(needed, jobs, available) } else { jobs };
        let refused = |reason| {
            let name = &plan.experiment.name;
            Failure::new(
                Exit::Usage,
                format!(
                    "error: {name}: {reason}; nothing was computed\n   = fix: fewer `--jobs`, a smaller `train.batch`, or smaller layers"
                ),
            )
        };
        limits::memory(needed, jobs, available).map_err(refused)?;
        Ok(jobs)
    }

    fn trials(
        &self,
        plan: &Plan<'_>,
        folder: &Folder,
        todo: &[usize],
        options: Options,
    ) -> Result<Report, Failure> {
        let experiment = plan.experiment;
        self.say(&format!(
            "{}: {} trials, {} to run, {} at a time with {} thread(s) each, level {}",
            experiment.name,
            plan.trials.len(),
            todo.len(),
            options.jobs,
            options.threads,
            options.level.name()
        ));
        let units = todo.iter().map(|&i| kinds::units(&experiment.cells[plan.trials[i].cell].kind)).sum();
        let progress =
            Progress::new(&experiment.name, &experiment.swept, todo.len(), units, self.global.quiet);
        let report = engine::run(plan, folder, todo, options, &progress, &self.interrupt);
        progress.finish();
        Ok(report)
    }

    /// Writes the results folder if every trial has its outcome, and prints the table.
    fn publish(
        &self,
        plan: &Plan<'_>,
        folder: &Folder,
        outcomes: Vec<Option<Outcome>>,
        chosen: &[usize],
        failed: usize,
    ) -> Result<Done, Failure> {
        let experiment = plan.experiment;
        let pairs = plan.trials.iter().cloned().zip(outcomes);
        let mut finished: Vec<(Trial, Outcome)> = pairs.filter_map(|(t, o)| o.map(|o| (t, o))).collect();
        let missing = plan.trials.len() - finished.len();
        let mut exit = if failed > 0 { Exit::TrialFailed } else { Exit::Done };
        let mut files = Vec::new();
        if missing == 0 {
            files = folder.write(self.level, experiment, &finished)?;
            files.extend(plot::write_all(&folder.files, experiment)?);
            let differences = if experiment.overrides.is_empty() {
                expect::differences(self.level, experiment, &finished)
            } else {
                Vec::new()
            };
            for difference in &differences {
                tell(format_args!("differs: {}: {difference}", experiment.name));
            }
            if !differences.is_empty() {
                exit = Exit::Differs;
            }
        } else {
            self.say(&format!(
                "{}: {missing} of {} trials are missing; the files in {} are left as they are",
                experiment.name,
                plan.trials.len(),
                folder.files.display()
            ));
        }
        if missing > 0 && !self.only.is_empty() {
            finished.retain(|(trial, _)| chosen.iter().any(|&i| plan.trials[i] == *trial));
        }
        let json = self.print(experiment, &finished, &files, missing)?;
        Ok(Done { exit, matched: !chosen.is_empty(), json })
    }

    /// The table and the files' paths on stdout, or the same as JSON.
    fn print(
        &self,
        experiment: &Experiment,
        finished: &[(Trial, Outcome)],
        files: &[PathBuf],
        missing: usize,
    ) -> Result<Json, Failure> {
        let sheet = Sheet::new(&experiment.swept, finished);
        if !self.global.json && !finished.is_empty() {
            show(&format!(
                "{}\n\n{}",
                experiment.title,
                Table::new(self.level, experiment, &sheet).to_terminal()
            ))?;
            let curves = results::curves_csv(&experiment.swept, finished);
            for table in curves
                .map_or(Ok(Vec::new()), |c| series_tables(self.level, experiment, &c))
                .unwrap_or_default()
            {
                show(&format!("\n{}", table.to_terminal()))?;
            }
            let paths: String = files.iter().map(|file| format!("{}\n", file.display())).collect();
            show(&format!("\n{paths}"))?;
        }
        let published = |row: &results::SummaryRow| published_value(experiment, &experiment.swept, row);
        Ok(json!({
            "name": experiment.name,
            "files": files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>(),
            "missing": missing,
            "summary": summary_json(&sheet.keys, &summarise(self.level, &sheet), published),
        }))
    }

    fn cannot_write(&self, error: &std::io::Error) -> Failure {
        let names = self.args.experiments.iter().map(String::as_str);
        Failure::cannot_write(error, &["run"].into_iter().chain(names).collect::<Vec<_>>())
    }

    fn say(&self, line: &str) {
        if !self.global.quiet {
            tell(line);
        }
    }
}
