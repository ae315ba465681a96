//! `experiments doctor`: what this machine offers, and what stands in the way.

use std::path::Path;
use std::process::Command;

use kernels::tuning::Choice;
use kernels::{Level, Machine, Tuning};
use serde_json::{Map, Value as Json};

use super::output::{aligned, bytes, say};
use super::{DoctorArgs, Global};
use crate::data::catalogue::{SETS, Store};
use crate::data::full;
use crate::exit::{Exit, Failure};
use crate::provenance;

pub(super) fn doctor(global: &Global, args: &DoctorArgs) -> Result<Exit, Failure> {
    let (mut facts, trouble) = facts(&global.results);
    if args.tuning {
        let choices = Tuning::from_env()?.choices().into_iter();
        facts.extend(choices.map(|Choice { name, value, from, what }| {
            let from = if from.contains("machine") { format!(" ({from})") } else { String::new() };
            [name, format!("{value}{from}: {what}")]
        }));
    }
    if global.json {
        let object: Map<String, Json> =
            facts.iter().map(|[name, fact]| (name.clone(), Json::String(fact.clone()))).collect();
        say(&format!("{:#}", Json::Object(object)))?;
    } else {
        say(&aligned(&facts.iter().map(|fact| fact.to_vec()).collect::<Vec<_>>()))?;
    }
    match trouble {
        None => Ok(Exit::Done),
        Some(failure) => Err(failure),
    }
}

/// What there is to say, and the first thing that would stop a run.
fn facts(results: &Path) -> (Vec<[String; 2]>, Option<Failure>) {
    let fact = |name: &str, fact: String| [name.to_owned(), fact];
    let unknown = || "unknown".to_owned();
    let mut trouble = None;
    let mut facts = vec![
        fact("program", format!("{}, numeric contract {}", env!("CARGO_PKG_VERSION"), kernels::CONTRACT)),
        fact("system", format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH)),
        fact("processor", provenance::cpu().unwrap_or_else(unknown)),
        fact("cores", provenance::cores().to_string()),
    ];
    let available: Vec<&str> = Level::available().into_iter().map(Level::name).collect();
    facts.push(fact("levels", available.join(", ")));
    facts.push(match Level::from_env() {
        Ok(level) => fact("level in use", level.name().to_owned()),
        Err(error) => {
            let why = format!("none: {error}");
            trouble = Some(error.into());
            fact("level in use", why)
        }
    });
    let machine = Machine::this();
    let [l1, l2, l3] = [machine.l1_bytes, machine.l2_bytes, machine.l3_bytes].map(bytes);
    facts.push(fact("caches", format!("L1 {l1} in {} ways, L2 {l2}, L3 {l3}", machine.l1_ways)));
    facts.push(fact(
        "tuning",
        match (Tuning::from_env(), std::env::var(kernels::tuning::VARIABLE)) {
            (Ok(_), Err(_)) => {
                "for this machine, no result depends on it; `doctor --tuning` lists it".to_owned()
            }
            (Ok(_), Ok(forced)) => format!("for this machine, but {}={forced}", kernels::tuning::VARIABLE),
            (Err(error), _) => {
                trouble = Some(error.clone().into());
                format!("none: {error}")
            }
        },
    ));
    if available.contains(&"avx512") {
        let rate = ["half", "full"][usize::from(machine.fma_512_per_cycle > 1)];
        facts.push(fact("multiply-adds", format!("on 512-bit registers at {rate} rate")));
    }
    facts.push(match kernels::environment::check() {
        Ok(()) => fact("rounding", "to nearest, subnormals kept".to_owned()),
        Err(error) => {
            trouble = Some(Failure::new(Exit::Usage, format!("error: {error}")));
            fact("rounding", error.to_string())
        }
    });
    for set in SETS.iter().filter(|set| matches!(set.store, Store::Disk(_))) {
        let place = full::locate(set, None)
            .map_or("not found (optional)".to_owned(), |folder| folder.display().to_string());
        facts.push(fact(set.name, place));
    }
    facts.push(match writable(results) {
        Ok(()) => fact("results", format!("{}, can be written", results.display())),
        Err(error) => {
            let error = std::io::Error::new(error.kind(), format!("{}: {error}", results.display()));
            trouble = Some(Failure::cannot_write(&error, &["run"]));
            fact("results", error.to_string())
        }
    });
    facts.push(fact("disk", free_space(results).unwrap_or_else(unknown)));
    let no_git = match provenance::has_git() {
        true => "no repository here",
        false => "not on the PATH: results name no commit",
    };
    facts.push(fact("git", git().unwrap_or_else(|| no_git.to_owned())));
    (facts, trouble)
}

/// Tries to write next to where results go, and leaves nothing behind.
fn writable(results: &Path) -> std::io::Result<()> {
    let mut folder = results;
    while !folder.exists() {
        folder = match folder.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
    }
    tempfile::tempfile_in(folder).map(|_| ())
}

/// Free space of the disk that results go to, as `df` says.
fn free_space(results: &Path) -> Option<String> {
    let folder = if results.exists() { results } else { Path::new(".") };
    let text = output(Command::new("df").arg("-Pk").arg(folder))?;
    let kib: usize = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(format!("{} free", super::output::bytes(kib * 1024)))
}

/// The commit, and whether files differ from it.
fn git() -> Option<String> {
    let commit = output(Command::new("git").args(["rev-parse", "--short", "HEAD"]))?;
    let changed = output(Command::new("git").args(["status", "--porcelain"]))?.lines().count();
    Some(match changed {
        0 => format!("{}, clean", commit.trim()),
        n => format!("{}, {n} file(s) differ", commit.trim()),
    })
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}
