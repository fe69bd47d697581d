//! How many instructions the steps of a request take, counted by valgrind (`just instructions`): a figure that does not
//! depend on what else the machine does. Without an argument it runs itself under valgrind once for each step.

#[path = "../tests/support/callgrind.rs"]
mod callgrind;
#[path = "instructions/steps.rs"]
mod steps;

use std::hint::black_box;
use std::path::Path;
use steps::{STEPS, prepare};

/// How often a step is counted; the first time, which makes tables and fills caches, is not.
const COUNT: u64 = 50;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    match arguments.next().as_deref() {
        Some("count") => count(&arguments.next().expect("the name of a step")),
        wanted => table(wanted.unwrap_or_default()),
    }
}

/// One line for each step whose name contains the text.
fn table(wanted: &str) {
    let program = std::env::current_exe().expect("this is a program");
    println!("| step | instructions |\n| --- | --- |");
    for (name, what) in STEPS.iter().filter(|(name, _)| name.contains(wanted)) {
        println!("| {name}: {what} | {} |", instructions(&program, name));
    }
}

fn instructions(program: &Path, name: &str) -> u64 {
    callgrind::instructions("instructions::counted", program, &["count", name]) / COUNT
}

fn count(name: &str) {
    let mut step = prepare(name);
    step();
    counted(&mut *step);
}

/// What valgrind counts.
#[inline(never)]
fn counted(step: &mut dyn FnMut()) {
    for _ in 0..COUNT {
        black_box(&mut *step)();
    }
}
