//! Every command that a document or the justfile names can be typed: its verb, recipe, options and names exist.
//!
//! A word in capitals or in angle brackets stands for the reader's own, and so does a file called `my...toml`.

use std::fs;

use clap::Parser;
use clap::error::ErrorKind;
use experiments::cli::{Cli, DataVerb, Verb};
use experiments::data::catalogue;
use experiments::suite;

use crate::documentation::{markdown, root};

/// The code spans of a text, which may run over line ends.
fn spans(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for paragraph in text.replace("\n|", "\n\n|").split("\n\n") {
        let mut rest = paragraph;
        while let Some(start) = rest.find('`') {
            let ticks = rest[start..].chars().take_while(|c| *c == '`').count();
            let (quote, inside) = ("`".repeat(ticks), &rest[start + ticks..]);
            let Some(end) = inside.find(&quote) else { break };
            found.push(inside[..end].split_whitespace().collect::<Vec<_>>().join(" "));
            rest = &inside[end + ticks..];
        }
    }
    found
}

/// The lines of a block, and what stands behind `# or:`.
fn lines(block: &str) -> Vec<String> {
    let parts = block.lines().flat_map(|line| line.split('#'));
    let plain = |part: &str| {
        let part = part.trim();
        part.strip_prefix("or:").or(part.strip_prefix("$ ")).unwrap_or(part).trim().to_owned()
    };
    parts.map(plain).collect()
}

/// What a document shows as code: spans of its text, and lines of its blocks.
fn code(text: &str) -> Vec<String> {
    let (mut prose, mut blocks, mut fenced) = (String::new(), String::new(), false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            prose += "\n";
        } else {
            let part = if fenced { &mut blocks } else { &mut prose };
            *part += line;
            *part += "\n";
        }
    }
    [spans(&prose), lines(&blocks)].concat()
}

/// One recipe of the justfile.
#[derive(Debug)]
struct Recipe {
    name: String,
    parameters: Vec<String>,
    body: Vec<String>,
}

fn recipes(justfile: &str) -> Vec<Recipe> {
    let mut recipes: Vec<Recipe> = Vec::new();
    for line in justfile.lines() {
        if let Some(command) = line.strip_prefix("    ") {
            recipes.last_mut().expect("a recipe").body.push(command.to_owned());
        } else if line.starts_with(|c: char| c.is_ascii_lowercase())
            && let Some(mut head) = line.strip_suffix(':').map(str::split_whitespace)
        {
            let name = head.next().expect("a name").to_owned();
            recipes.push(Recipe { name, parameters: head.map(str::to_owned).collect(), body: Vec::new() });
        }
    }
    recipes
}

/// The words of a command as a shell takes them, without what joins another to it.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), None, false);
    for c in command.chars() {
        match (quoted, c) {
            (Some(quote), _) if c == quote => quoted = None,
            (None, '\'' | '"') => (quoted, any) = (Some(c), true),
            (None, ' ') if any || !word.is_empty() => {
                words.push(std::mem::take(&mut word));
                any = false;
            }
            (None, ' ') => {}
            _ => word.push(c),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether a word stands for the reader's own.
fn is_placeholder(word: &str) -> bool {
    let capitals = word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    capitals || word.starts_with('<') || (word.starts_with("my") && word.ends_with(".toml"))
}

/// What is wrong with `arguments` of the program.
fn wrong_arguments(arguments: &[String]) -> Option<String> {
    if arguments.first().is_none_or(|verb| is_placeholder(verb)) {
        return None;
    }
    let filled = arguments.iter().map(|word| if is_placeholder(word) { "1" } else { word });
    let cli = match Cli::try_parse_from(["experiments"].into_iter().chain(filled)) {
        Ok(cli) => cli,
        Err(error) => {
            // A verb that is named alone is no command to be typed; help is one.
            let fine = [
                ErrorKind::DisplayHelp,
                ErrorKind::DisplayVersion,
                ErrorKind::MissingRequiredArgument,
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
            ];
            return (!fine.contains(&error.kind())).then(|| error.to_string());
        }
    };
    let (names, overrides) = match cli.verb {
        Verb::Check(args) => (args.experiments, args.overrides),
        Verb::Run(args) => (args.experiments, args.overrides),
        Verb::Profile(args) => (vec![args.experiment], args.overrides),
        Verb::Status(args) => (args.experiments, Vec::new()),
        Verb::Table(args) => (args.experiments, Vec::new()),
        Verb::Plot(args) => (args.experiments, Vec::new()),
        Verb::Data(DataVerb::Verify { names }) => {
            let mut unknown = names.into_iter().filter(|name| name != "1" && catalogue::find(name).is_none());
            return unknown.next().map(|name| format!("no set is called `{name}`"));
        }
        Verb::Data(DataVerb::List) | Verb::List | Verb::Doctor(_) => return None,
    };
    names.iter().filter(|name| *name != "1").find_map(|name| {
        let file = root().join(name);
        let name = if name.ends_with(".toml") { &file.display().to_string() } else { name };
        suite::open(name, &overrides).err().map(|failure| failure.to_string())
    })
}

/// What is wrong with a call of a recipe.
fn wrong_recipe(call: &[String], recipes: &[Recipe]) -> Option<String> {
    let (name, arguments) = call.split_first()?;
    if name.starts_with('-') || is_placeholder(name) {
        return None;
    }
    let Some(recipe) = recipes.iter().find(|recipe| recipe.name == *name) else {
        return Some(format!("the justfile has no recipe `{name}`"));
    };
    let is_many = |parameter: &&String| parameter.starts_with(['*', '+']);
    if arguments.len() > recipe.parameters.len() && !recipe.parameters.iter().any(|p| is_many(&p)) {
        return Some(format!("`{name}` takes {} argument(s)", recipe.parameters.len()));
    }
    if name == "bench" {
        let missing = |group: &&String| !root().join(format!("benches/benches/{group}.rs")).is_file();
        return arguments.iter().find(missing).map(|group| format!("no benchmark is called `{group}`"));
    }
    let command = recipe.body.iter().find_map(|line| line.strip_suffix(" \"$@\""))?;
    wrong(&[&[command.to_owned()], arguments].concat().join(" "), recipes)
}

/// What is wrong with a command; `None` for one that can be typed, and for whatever is no command of ours.
fn wrong(command: &str, recipes: &[Recipe]) -> Option<String> {
    let words = words(command);
    let after = |program: &[&str]| {
        let starts = words.len() >= program.len() && words.iter().zip(program).all(|(word, p)| word == p);
        starts.then(|| words[program.len()..].to_vec())
    };
    if let Some(arguments) = after(&["cargo", "x"]) {
        wrong_arguments(&arguments)
    } else if let Some(arguments) = after(&["cargo", "experiment"]) {
        wrong_arguments(&[&["run".to_owned()], &arguments[..]].concat())
    } else if let Some(arguments) = after(&["experiments"]) {
        wrong_arguments(&arguments)
    } else if let Some(call) = after(&["just"]) {
        wrong_recipe(&call, recipes)
    } else if words.contains(&"experiments".to_owned()) && words.starts_with(&["cargo".into(), "run".into()])
    {
        Some("name it `cargo x`".to_owned())
    } else {
        None
    }
}

fn justfile() -> String {
    fs::read_to_string(root().join("justfile")).unwrap()
}

#[test]
fn every_command_of_the_documents_can_be_typed() {
    let (justfile, mut files) = (justfile(), Vec::new());
    let recipes = recipes(&justfile);
    markdown(root(), &["results"], &mut files);
    assert!(files.iter().any(|file| file.ends_with("docs/course-map.md")), "the walk missed docs/");
    let (mut faults, mut seen) = (Vec::new(), 0);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for command in code(&text) {
            seen +=
                usize::from(["cargo x", "cargo experiment", "just "].iter().any(|p| command.starts_with(p)));
            if let Some(fault) = wrong(&command, &recipes) {
                faults
                    .push(format!("{}: `{command}`: {fault}", file.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(faults.is_empty(), "commands that cannot be typed:\n{}", faults.join("\n"));
    assert!(seen > 30, "only {seen} commands were found");
}

#[test]
fn every_command_of_the_justfile_can_be_typed() {
    let justfile = justfile();
    let recipes = recipes(&justfile);
    assert!(recipes.len() > 20, "{recipes:?}");
    let comments: String =
        justfile.lines().filter(|line| line.starts_with('#')).map(|l| format!("{l}\n\n")).collect();
    let bodies = recipes.iter().flat_map(|recipe| &recipe.body);
    let bodies = bodies.map(|line| line.trim_end_matches(" \"$@\"").to_owned());
    let faults: Vec<String> = spans(&comments)
        .into_iter()
        .chain(bodies)
        .filter_map(|command| wrong(&command, &recipes).map(|fault| format!("`{command}`: {fault}")))
        .collect();
    assert!(faults.is_empty(), "commands that cannot be typed:\n{}", faults.join("\n"));
    for recipe in &recipes {
        for line in &recipe.body {
            let script = line.split(' ').next().unwrap();
            if script.contains('/') && !script.starts_with('@') {
                assert!(root().join(script).is_file(), "{}: {script} does not exist", recipe.name);
            }
        }
    }
}

#[test]
fn a_command_that_cannot_be_typed_is_found() {
    let recipes = recipes(&justfile());
    let text = "Say `cargo x cheque\nmy.toml`, or\n```console\n$ just profil lenet5 # or: cargo x lst\n```\n";
    let found: Vec<String> = code(text).into_iter().filter(|c| wrong(c, &recipes).is_some()).collect();
    assert_eq!(found, ["cargo x cheque my.toml", "just profil lenet5", "cargo x lst"]);
    for command in [
        "cargo x run mlp-digit",
        "cargo x check experiments/suite/nowhere.toml",
        "cargo x table mlp-digits --formt latex",
        "cargo experiment mlp-digits --set train.bach=64",
        "cargo x data verify irises",
        "experiments tabel",
        "just profile mlp-digit",
        "just test now",
        "just bench gem",
        "cargo run --release -p experiments -- list",
    ] {
        assert!(wrong(command, &recipes).is_some(), "`{command}` passes");
    }
    for command in [
        "cargo x",
        "cargo x VERB",
        "cargo x --help",
        "cargo x check my-wide.toml",
        "cargo x profile NAME --cell K",
        "cargo experiment",
        "cargo experiment <name>",
        "cargo x check experiments/suite/mlp-digits.toml",
        "experiments list",
        "just",
        "just data verify",
        "just bench gemm",
    ] {
        assert_eq!(wrong(command, &recipes), None, "`{command}`");
    }
}
