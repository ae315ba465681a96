//! Lists the shipped experiments, `suite/*.toml`, in the order of their names, and names the compiler.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let suite = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("suite");
    println!("cargo::rerun-if-changed={}", suite.display());
    let compiler = Command::new(std::env::var("RUSTC")?).arg("--version").output()?;
    println!("cargo::rustc-env=RUSTC_VERSION={}", String::from_utf8(compiler.stdout)?.trim());
    let mut files: Vec<PathBuf> =
        fs::read_dir(&suite)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut code = String::from("&[\n");
    for file in &files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        code += &format!("    ({stem:?}, include_str!({:?})),\n", file.display().to_string());
    }
    code += "]\n";
    fs::write(PathBuf::from(std::env::var("OUT_DIR")?).join("suite.rs"), code)?;
    Ok(())
}
