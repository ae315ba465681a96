//! A program that is spoken to line by line: how frameworks of other languages are timed in turns with ours.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A program that answers each line on its input with one line on its output; it ends with its input.
#[derive(Debug)]
pub struct Dialogue {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Dialogue {
    /// Starts the program and waits for `ready VERSION`; `None` where it is absent or says something else.
    pub fn start(command: &mut Command) -> Option<(Self, String)> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take()?));
        let mut dialogue = Self { child, input, output };
        let version = dialogue.hear().strip_prefix("ready ")?.to_owned();
        Some((dialogue, version))
    }

    /// The numbers that the program answers.
    ///
    /// # Panics
    /// If it answers anything else, or has ended.
    pub fn ask(&mut self, line: &str) -> Vec<f64> {
        let input = self.input.as_mut().expect("open until the end");
        writeln!(input, "{line}").and_then(|()| input.flush()).expect("a program that listens");
        let answer = self.hear();
        let numbers = answer.split(' ').map(|number| number.parse().ok());
        numbers.collect::<Option<_>>().unwrap_or_else(|| panic!("{line}: answered {answer:?}"))
    }

    /// The largest resident memory so far, in MiB; 0 where the system does not tell.
    pub fn peak_memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.trim().parse::<f64>().ok()).unwrap_or_default() / 1024.0
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("text");
        line.trim_end().to_owned()
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        self.input = None;
        // It ends with its input; how does not matter any more.
        let _ = self.child.wait();
    }
}

/// The folder of what the install scripts in `benches/peers` put there: `PEERS`, or `/opt/peers`.
pub fn peers() -> PathBuf {
    std::env::var_os("PEERS").map_or_else(|| PathBuf::from("/opt/peers"), PathBuf::from)
}

/// Python with the frameworks, and a script of `benches/peers`.
pub fn python(script: &str) -> [PathBuf; 2] {
    [
        peers().join("training/bin/python"),
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers").join(script),
    ]
}

/// A program with its first arguments, bound to the last core that this one may run on if `bound`.
pub fn program(words: &[PathBuf], bound: bool) -> Command {
    let core = if bound && words[0].exists() { last_core() } else { None };
    let mut command = Command::new(core.as_ref().map_or(words[0].as_os_str(), |_| "taskset".as_ref()));
    match core {
        Some(core) => command.args(["-c", &core]).args(words),
        None => command.args(&words[1..]),
    };
    command
}

/// As `taskset` names it; `None` where the system does not tell.
fn last_core() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    list.trim().rsplit([',', '-']).next().map(str::to_owned)
}
