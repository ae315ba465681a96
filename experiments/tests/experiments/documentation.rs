//! The documentation points at files that exist and headings that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Every Markdown file below a folder but those in folders called as one of `without`, in what is built or hidden.
pub(crate) fn markdown(folder: &Path, without: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "dist"].contains(&name.as_str())
                && !without.contains(&name.as_str())
                && !name.starts_with('.')
            {
                markdown(&path, without, found);
            }
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// The targets of `[text](target)` outside code.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for (start, _) in line.match_indices("](") {
            let rest = &line[start + 2..];
            links.extend(rest.split_once(')').map(|(target, _)| target.to_owned()));
        }
    }
    links
}

/// A heading's anchor, as code forges make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn has_heading(text: &str, wanted: &str) -> bool {
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    headings.map(|rest| anchor(rest.trim_start_matches('#'))).any(|found| found == wanted)
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut files = Vec::new();
    markdown(root(), &["local"], &mut files);
    assert!(files.iter().any(|file| file.ends_with("docs/course-map.md")), "the walk missed docs/");
    let mut broken = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            let found = target.exists()
                && (heading.is_empty() || has_heading(&fs::read_to_string(&target).unwrap(), heading));
            if !found {
                broken.push(format!("{}: {link}", file.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn every_shipped_experiment_stands_in_the_course_map() {
    let map = fs::read_to_string(root().join("docs/course-map.md")).unwrap();
    let mut missing = Vec::new();
    for entry in fs::read_dir(root().join("experiments/suite")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if name.ends_with(".toml") && !map.contains(&format!("experiments/suite/{name}")) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "not in docs/course-map.md: {}", missing.join(", "));
}

/// What `docs/reading.md` promises before its last part.
const HOUR_LINES: usize = 2000;

#[test]
fn the_hour_of_the_reading_guide_is_no_longer_than_it_says() {
    let guide = fs::read_to_string(root().join("docs/reading.md")).unwrap();
    let (hour, _) = guide.split_once("## After the hour").expect("the guide has a part after its hour");
    assert!(hour.contains("2,000 lines"), "the guide says how long its hour is");
    let sources: BTreeSet<_> = links(hour).into_iter().filter(|link| link.ends_with(".rs")).collect();
    let lines = |link: &String| fs::read_to_string(root().join("docs").join(link)).unwrap().lines().count();
    let total: usize = sources.iter().map(lines).sum();
    assert!(sources.len() > 5 && total <= HOUR_LINES, "{total} lines in {} files", sources.len());
}

/// The modules that a file declares and does not name in its head.
fn unnamed_modules(source: &str) -> Vec<String> {
    let head: Vec<&str> = source.lines().take_while(|line| line.starts_with("//!")).collect();
    let words: BTreeSet<&str> =
        head.iter().flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_')).collect();
    let declared = source.lines().filter_map(|line| {
        let line = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    declared.filter(|module| !words.contains(module)).map(str::to_owned).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_folder_of_kernels_and_models_has_a_map_of_its_files() {
    assert_eq!(unnamed_modules("//! `a.rs`\nmod a;\npub mod b;\n"), ["b"]);
    let mut files = Vec::new();
    ["kernels/src", "models/src"].iter().for_each(|folder| sources(&root().join(folder), &mut files));
    let maps = files.iter().filter(|file| file.ends_with("mod.rs") || file.ends_with("lib.rs"));
    let missing: Vec<String> = maps
        .flat_map(|map| {
            let name = map.strip_prefix(root()).unwrap().display().to_string();
            let unnamed = unnamed_modules(&fs::read_to_string(map).unwrap());
            unnamed.into_iter().map(move |module| format!("{name}: {module}"))
        })
        .collect();
    assert!(
        missing.is_empty(),
        "modules that the head of their folder does not name:\n{}",
        missing.join("\n")
    );
}

/// The figures of one framework: samples per second, % of the limit, MiB, and milliseconds to the first step.
struct Rate {
    model: String,
    threads: String,
    framework: String,
    figures: [f64; 4],
}

/// The `train.csv` beside the `train.md` whose link the section begins with, without the frameworks that were absent.
fn rates(section: &str) -> Vec<Rate> {
    let table = section.split_once(".md)").unwrap().0.to_owned() + ".csv";
    let cpu = table.split('/').rev().nth(1).unwrap();
    assert!(section.contains(&format!("(`{cpu}`)")), "README.md names the CPU of its figures, `{cpu}`");
    let text = fs::read_to_string(root().join(&table)).unwrap();
    let rows =
        text.lines().zip(1..).skip(1).map(|(line, number)| (line.split(',').collect::<Vec<_>>(), number));
    let rates = rows.filter(|(fields, _)| fields.get(3) != Some(&"absent")).map(|(fields, number)| {
        let [model, threads, framework, _, figures @ ..] = &fields[..] else { panic!("{table}:{number}") };
        let figures: Result<Vec<f64>, _> = figures.iter().map(|figure| figure.parse()).collect();
        let figures = figures.unwrap_or_else(|error| panic!("{table}:{number}: {error}"));
        let [model, threads, framework] = [model, threads, framework].map(|field| (*field).to_owned());
        Rate { model, threads, framework, figures: figures.try_into().unwrap() }
    });
    rates.collect()
}

/// 1234567 as 1,234,567.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).unwrap()).collect();
    groups.join(",")
}

/// The lines that a section of the README needs for the figures of its table.
fn lines_of(section: &str) -> Vec<String> {
    let rates = rates(section);
    let mut lines = Vec::new();
    for threads in ["1", "2"] {
        for (model, name) in [
            ("P", "784-10"),
            ("M1", "784-128-10"),
            ("M2", "784-512-256-10"),
            ("L5", "LeNet-5"),
            ("C2", "two 3 × 3 convolutions of 32 and 64"),
        ] {
            let here: Vec<&Rate> =
                rates.iter().filter(|r| r.model == model && r.threads == threads).collect();
            let of = |framework: &str| here.iter().find(|rate| rate.framework == framework).unwrap().figures;
            let [ours, limit, ..] = of("ours");
            let others = here.iter().filter(|rate| !["ours", "jax-loop"].contains(&rate.framework.as_str()));
            let best = others.max_by(|a, b| a.figures[0].total_cmp(&b.figures[0])).unwrap();
            lines.push(format!(
                "| {name} | {threads} | {} | {limit:.0} % | {:.1} × | {:.1} × ({}) | {:.1} × |",
                thousands(ours),
                ours / of("PyTorch")[0],
                ours / best.figures[0],
                best.framework,
                ours / of("jax-loop")[0],
            ));
            if (model, threads) == ("L5", "1") {
                let ([_, _, mib, ms], [_, _, their_mib, their_ms]) = (of("ours"), of("PyTorch"));
                let [their_mib, their_ms] = [their_mib, their_ms].map(thousands);
                lines.push(format!(
                    "LeNet-5 takes {mib:.0} MiB and has done its first step {ms:.0} ms after the program's start; \
                     in PyTorch {their_mib} MiB and {their_ms} ms."
                ));
            }
        }
    }
    lines
}

#[test]
fn the_readmes_figures_of_speed_are_those_of_the_tables() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let sections: Vec<&str> = readme.split("[train.md](").skip(1).collect();
    assert!(sections.len() > 1, "README.md has figures of two kinds of CPU");
    for section in sections {
        let missing: Vec<String> =
            lines_of(section).into_iter().filter(|line| !section.contains(line)).collect();
        assert!(missing.is_empty(), "README.md lacks these lines:\n{}", missing.join("\n"));
    }
}
