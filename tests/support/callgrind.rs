//! Counting instructions under valgrind: a figure that does not depend on what else the machine does.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// The instructions that a program spends inside a function, by the name that valgrind knows it by (`*` is any run), and in
/// what the function calls.
pub(crate) fn instructions(function: &str, program: &Path, arguments: &[impl AsRef<OsStr>]) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect={function}"))
        .arg(program)
        .args(arguments)
        .output()
        .expect("valgrind is installed: see tests/install");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {log}", program.display());
    let collected =
        log.lines().find_map(|line| line.split_once("Collected :")).expect("callgrind says what it counted");
    collected.1.trim().parse().expect("a number")
}
