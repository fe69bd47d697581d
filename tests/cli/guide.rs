//! Pages of the documentation, taken as they stand: their commands pasted one after the other, as a person would.

mod gateways;
mod prometheus;

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use super::support::Installation;

/// The blocks of a page in one language, in their order; there must be so many.
#[track_caller]
fn blocks<const N: usize>(page: &str, language: &str) -> [String; N] {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let text = fs::read_to_string(file).expect("the page");
    let parts = text.split("\n```").skip(1).step_by(2);
    let blocks: Vec<String> = parts
        .filter_map(|part| part.strip_prefix(language)?.strip_prefix('\n'))
        .map(|block| block.to_owned() + "\n")
        .collect();
    blocks.try_into().unwrap_or_else(|found: Vec<_>| panic!("{page} has {} blocks of {language}", found.len()))
}

/// What a page says, with the addresses that are in use here.
struct Here(Vec<(String, String)>);

impl Here {
    fn new(places: &[(&str, &str)]) -> Self {
        Self(places.iter().map(|(page, here)| ((*page).to_owned(), (*here).to_owned())).collect())
    }

    fn put(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (page, here)| text.replace(page, here))
    }
}

/// A shell in which blocks are pasted: what one sets stays set for the next. Whatever it started ends with it.
struct Terminal {
    shell: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    errors: PathBuf,
    here: Here,
}

/// What the shell prints after each block.
const MARK: &str = "--- the block ends here ---";

impl Terminal {
    /// In the installation's folder, with its program on the path.
    fn open(installation: &Installation, here: Here) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_gateway-hub")).parent().expect("a folder");
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
        let errors = installation.folder().join("terminal.errors");
        let mut shell = Command::new("sh")
            .arg("-eu")
            .env("PATH", path)
            .env("GATEWAY_HUB_DATA_DIR", installation.data())
            .current_dir(installation.folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&errors).expect("a file for errors"))
            .process_group(0)
            .spawn()
            .expect("sh");
        let input = shell.stdin.take().expect("piped");
        let output = BufReader::new(shell.stdout.take().expect("piped"));
        Self { shell, input, output, errors, here }
    }

    /// Runs a block and gives what it printed; panics if one of its commands fails.
    #[track_caller]
    fn paste(&mut self, block: &str) -> String {
        let block = self.here.put(block);
        write!(self.input, "{block}\necho; echo '{MARK}'\n").and_then(|()| self.input.flush()).expect("sh reads");
        let mut printed = String::new();
        while !printed.ends_with(&format!("{MARK}\n")) {
            let more = self.output.read_line(&mut printed).expect("text");
            assert!(more > 0, "{block}: {printed}{}", fs::read_to_string(&self.errors).unwrap_or_default());
        }
        printed.truncate(printed.len() - MARK.len() - 1);
        printed
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let group = format!("-{}", self.shell.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.shell.wait();
    }
}
