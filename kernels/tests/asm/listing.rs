//! What `objdump -d --no-show-raw-insn -C` prints, as functions of instructions.

use std::collections::{BTreeMap, BTreeSet};

/// One machine instruction in AT&T's notation.
#[derive(Debug)]
pub(crate) struct Instruction {
    pub(crate) mnemonic: String,
    pub(crate) operands: String,
}

/// A function, with its jumps as positions in `code`.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) address: u64,
    pub(crate) code: Vec<Instruction>,
    /// The position that each jump goes to, where that is inside of the function.
    pub(crate) jumps: BTreeMap<usize, usize>,
}

impl Instruction {
    /// A jump, with a condition or without.
    pub(crate) fn is_jump(&self) -> bool {
        self.mnemonic.starts_with('j')
    }

    pub(crate) fn is_call(&self) -> bool {
        self.mnemonic.starts_with("call")
    }

    /// The address that a jump or call names.
    fn target(&self) -> Option<u64> {
        u64::from_str_radix(self.operands.split_whitespace().next()?, 16).ok()
    }

    /// Where a failed check ends: it does not come back.
    pub(crate) fn is_failure(&self) -> bool {
        let fails = ["panic", "_fail", "unreachable", "abort"];
        self.mnemonic == "ud2" || self.is_call() && fails.iter().any(|name| self.operands.contains(name))
    }

    /// The next instruction does not follow.
    pub(crate) fn ends_a_path(&self) -> bool {
        self.is_failure() || self.mnemonic.starts_with("jmp") || self.mnemonic.starts_with("ret")
    }

    pub(crate) fn touches_vectors(&self) -> bool {
        ["%xmm", "%ymm", "%zmm"].iter().any(|register| self.operands.contains(register))
    }
}

impl Function {
    fn new(name: &str, lines: &[(u64, &str)]) -> Self {
        let at: BTreeMap<u64, usize> =
            lines.iter().enumerate().map(|(i, &(address, _))| (address, i)).collect();
        let code: Vec<_> = lines.iter().map(|(_, text)| instruction(text)).collect();
        let jumps = code.iter().enumerate().filter(|(_, instruction)| instruction.is_jump());
        let jumps =
            jumps.filter_map(|(i, instruction)| Some((i, *at.get(&instruction.target()?)?))).collect();
        let address = lines.first().map_or(0, |&(address, _)| address);
        Self { name: name.to_owned(), address, code, jumps }
    }

    /// The positions that may follow position `i`.
    pub(crate) fn successors(&self, i: usize) -> impl Iterator<Item = usize> {
        let next = (!self.code[i].ends_a_path() && i + 1 < self.code.len()).then_some(i + 1);
        next.into_iter().chain(self.jumps.get(&i).copied())
    }

    /// Whether `%rbp` points into the stack; compilers use it as any other register.
    pub(crate) fn has_frame_pointer(&self) -> bool {
        self.code.iter().take(12).any(|i| i.mnemonic == "mov" && i.operands == "%rsp,%rbp")
    }
}

fn instruction(text: &str) -> Instruction {
    let text = text.trim();
    let (mnemonic, operands) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    // What follows `#` is objdump's remark on an address. Of a call through a table it is the callee's name.
    let operands =
        if mnemonic.starts_with("call") { operands } else { operands.split('#').next().unwrap_or_default() };
    Instruction { mnemonic: mnemonic.to_owned(), operands: operands.trim().to_owned() }
}

/// The name and address of the function that begins with `line`.
fn head(line: &str) -> Option<(&str, u64)> {
    let (address, name) = line.strip_suffix(">:")?.split_once(" <")?;
    Some((name, u64::from_str_radix(address, 16).ok()?))
}

/// The functions whose name holds `part`.
pub(crate) fn functions(listing: &str, part: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    let mut current: Option<(&str, Vec<(u64, &str)>)> = None;
    for line in listing.lines().chain([""]) {
        let head = head(line);
        if head.is_some() || line.is_empty() {
            functions.extend(current.take().map(|(name, lines)| Function::new(name, &lines)));
            current = head.filter(|(name, _)| name.contains(part)).map(|(name, _)| (name, Vec::new()));
        } else if let (Some((_, lines)), Some((address, text))) = (&mut current, line.trim().split_once(':'))
        {
            lines.extend(u64::from_str_radix(address, 16).ok().map(|address| (address, text)));
        }
    }
    functions
}

/// The addresses of the functions whose name holds `part` and that the functions of `module` call or jump to, themselves or
/// through another such function. Names hold no type arguments, so of a closure compiled for a level only this says whose it is.
pub(crate) fn called_from(listing: &str, module: &str, part: &str) -> BTreeSet<u64> {
    let mut called = BTreeSet::new();
    let mut between = Vec::new();
    let (mut caller, mut is_of_module) = (0, false);
    for line in listing.lines() {
        if let Some((name, address)) = head(line) {
            (caller, is_of_module) = (address, name.starts_with(module));
        } else if line.contains(part)
            && let Some((_, text)) = line.split_once(':')
            && let instruction = instruction(text)
            && (instruction.is_call() || instruction.is_jump())
            && let Some(target) = instruction.target()
        {
            if is_of_module {
                called.insert(target);
            } else {
                between.push((caller, target));
            }
        }
    }
    let mut before = 0;
    while before < called.len() {
        before = called.len();
        let more = between.iter().filter(|(caller, _)| called.contains(caller)).map(|&(_, target)| target);
        called.extend(more.collect::<Vec<_>>());
    }
    called
}
