//! Clones with the settings of git for Windows, core.autocrlf=true: no digest breaks, and where one does the message
//! names a way back that works.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use experiments::durable::sha256_hex;

/// A git command that must succeed, without the tester's own settings.
fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    let settings = ["user.name=test", "user.email=test", "core.safecrlf=false"];
    command.args(settings.iter().flat_map(|setting| ["-c", setting])).args(arguments);
    command.current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", folder.join("none"));
    let output = command.output().expect("this test needs `git` on the PATH");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {stderr}");
}

/// Commits what is `below` a work tree into a repository of its own, and clones that as on Windows.
fn cloned_as_on_windows(tree: &Path, below: &[&str], temporary: &Path) -> PathBuf {
    let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
    let (origin, clone) = (temporary.join("origin"), temporary.join("clone"));
    git(temporary, &["init", "-q", &text(&origin)]);
    let (repository, tree_of) =
        (format!("--git-dir={}", text(&origin.join(".git"))), format!("--work-tree={}", text(tree)));
    git(tree, &[&[&repository, &tree_of, "add", "--"], below].concat());
    git(tree, &[&repository, &tree_of, "commit", "-q", "-m", "all"]);
    git(temporary, &["clone", "-q", "-c", "core.autocrlf=true", &text(&origin), &text(&clone)]);
    clone
}

/// Every `SHA256SUMS` below a folder.
fn lists(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            lists(&path, found);
        } else if path.ends_with("SHA256SUMS") {
            found.push(path);
        }
    }
}

/// The files that are not as a `SHA256SUMS` below `folder` says, and the number of those that are.
fn compared(folder: &Path) -> (Vec<String>, usize) {
    let (mut found, mut changed, mut intact) = (Vec::new(), Vec::new(), 0);
    lists(folder, &mut found);
    for list in found {
        let text = fs::read_to_string(&list).unwrap();
        for (sha256, name) in text.lines().map(|line| line.split_once("  ").expect("two columns")) {
            let file = list.with_file_name(name);
            match fs::read(&file) {
                Ok(bytes) if sha256_hex(&bytes) == sha256 => intact += 1,
                _ => changed.push(file.strip_prefix(folder).unwrap().display().to_string()),
            }
        }
        if text.contains('\r') {
            changed.push(list.strip_prefix(folder).unwrap().display().to_string());
        }
    }
    (changed, intact)
}

fn program(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_experiments"));
    command.envs([("CARGO", "cargo"), ("CARGO_PKG_NAME", "experiments")]).env_remove("CARGO_MANIFEST_DIR");
    command.current_dir(folder).args(arguments).output().expect("the program starts")
}

/// The repository as it stands on the disk, committed or not.
#[test]
fn a_clone_with_autocrlf_has_every_digest() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let attributes = root.join(".gitattributes").exists().then_some(".gitattributes");
    let below: Vec<&str> = attributes.into_iter().chain([".gitignore", "experiments", "results"]).collect();
    let clone = cloned_as_on_windows(root, &below, temporary.path());
    let (changed, intact) = compared(&clone);
    assert!(changed.is_empty(), "{} files changed in the clone:\n{}", changed.len(), changed.join("\n"));
    assert!(intact > 200, "the walk missed files: {intact}");
    let source = fs::read(clone.join("experiments/src/main.rs")).unwrap();
    assert!(!source.contains(&b'\r'), "experiments/src/main.rs has CRLF");
}

const SMALL: &str = "schema = 1\nkind = \"perceptron\"\nquestion = \"?\"\n[dataset]\nname = \"and\"\n[perceptron]\neta = 0.5\nepochs = 3\n";

/// A folder in which `gate.toml` was run.
fn ran() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gate.toml"), SMALL).unwrap();
    assert!(program(folder.path(), &["run", "gate.toml"]).status.success());
    folder
}

#[test]
fn results_in_a_repository_of_their_own_keep_their_line_ends() {
    let (folder, temporary) = (ran(), tempfile::tempdir().unwrap());
    let clone = cloned_as_on_windows(folder.path(), &["."], temporary.path());
    let (changed, intact) = compared(&clone);
    assert!(changed.is_empty() && intact > 5, "{intact} intact, changed: {changed:?}");
    // One that is there stays as it is.
    let attributes = folder.path().join("results/.gitattributes");
    fs::write(&attributes, "* binary\n").unwrap();
    assert!(program(folder.path(), &["run", "gate.toml"]).status.success());
    assert_eq!(fs::read_to_string(attributes).unwrap(), "* binary\n");
}

#[test]
fn line_ends_that_were_changed_are_told_from_other_changes_and_can_be_put_right() {
    let (folder, temporary) = (ran(), tempfile::tempdir().unwrap());
    fs::remove_file(folder.path().join("results/.gitattributes")).unwrap();
    let clone = cloned_as_on_windows(folder.path(), &["."], temporary.path());
    assert!(!compared(&clone).0.is_empty(), "git changed nothing, so this test shows nothing");
    let said = |verb: &str| {
        let output = program(&clone, &[verb, "gate.toml"]);
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let status = said("status");
    assert!(status.contains("its line ends were changed to CRLF"), "{status}");
    for verb in ["table", "plot"] {
        let message = said(verb);
        for part in
            ["is not as SHA256SUMS says: its line ends were changed to CRLF", "`cargo x run gate.toml`"]
        {
            assert!(message.contains(part), "{verb}: no `{part}` in\n{message}");
        }
        // The way back, word for word.
        let commands: Vec<&str> = message.split('`').filter(|part| part.starts_with("git ")).collect();
        assert_eq!(commands.len(), 3, "{message}");
        if verb == "plot" {
            for command in commands {
                git(&clone, &command.split(' ').skip(1).collect::<Vec<_>>());
            }
        }
    }
    assert_eq!(compared(&clone).0, [""; 0], "the commands of the message leave files changed");
    assert!(said("table").contains("gate"));
}
