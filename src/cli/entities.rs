//! `entities`: the inventory, from the host.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{
    failure::Failure,
    global::Global,
    hub::with_hub,
    output::{Answer, Output},
    progress::Progress,
};
use crate::{
    actions::entity_bulk::{self, BulkError, Loaded},
    app::App,
    domain::entity::BulkDocument,
};

/// Fill the inventory
#[derive(Subcommand)]
pub(super) enum Entities {
    Load(Load),
}

/// Create or replace many entities
///
/// Each line of FILE is an entity: {"id": "host/web-1", "attributes": {"user.department": "fx"}}. All lines are checked
/// before the first is written. They are written 5,000 at a time, each time all or nothing; loading a file again changes
/// nothing more.
#[derive(Args)]
#[command(after_help = "\
Example:
  gateway-hub entities load hosts.ndjson")]
pub(super) struct Load {
    /// The file with a line for each entity
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Lines that are written together. Others wait meanwhile, so not too many.
const BATCH_LINES: usize = 5_000;
/// Bytes after which a batch is full.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

#[derive(Serialize)]
struct Outcome {
    created: u64,
    updated: u64,
    unchanged: u64,
}

impl Entities {
    pub(super) fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let config = global.config(|_| {})?;
        with_hub(config, async |app| match self {
            Self::Load(load) => load.run(app, output).await,
        })
    }
}

impl Load {
    async fn run(self, app: &App, output: Output) -> Result<Answer, Failure> {
        let text =
            std::fs::read(&self.file).map_err(|error| Failure::refused(format!("{}: {error}", self.file.display())))?;
        let batches = batches(&text);
        for (before, batch) in &batches {
            for line in BulkDocument::new(batch).lines() {
                line.map_err(|fault| refused(fault.into(), *before))?;
            }
        }
        let access = entity_bulk::operator_access();
        let mut progress = Progress::new(&app.clock, text.len(), "bytes");
        let (mut loaded, mut done) = (Loaded::default(), 0);
        for (before, batch) in batches {
            progress.at(done);
            match entity_bulk::load(app, &access, BulkDocument::new(batch)).await {
                Ok(more) => loaded += more,
                Err(error) => {
                    let failure = refused(error, before);
                    return Err(Failure::refused(format!(
                        "{}\nthe {before} lines before are written; loading the file again goes on",
                        failure.reason()
                    )));
                }
            }
            done += batch.len();
        }
        let seconds = progress.elapsed().as_secs_f32();
        drop(progress);
        let Loaded { created, updated, unchanged } = loaded;
        output.answer(&Outcome { created, updated, unchanged }, || {
            format!("{created} entities created, {updated} updated, {unchanged} unchanged, in {seconds:.1} s.\n")
        })
    }
}

/// Names the line of the file, of which `before` lines stand before the batch.
fn refused(error: BulkError, before: usize) -> Failure {
    Failure::refused(match error {
        BulkError::Line(mut fault) => {
            fault.line += before;
            BulkError::Line(fault)
        }
        error @ BulkError::Store(_) => error,
    })
}

/// The text in batches of whole lines, each with how many lines stand before it.
fn batches(text: &[u8]) -> Vec<(usize, &[u8])> {
    let mut batches = Vec::new();
    let (mut start, mut end, mut lines, mut before) = (0, 0, 0, 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if lines == BATCH_LINES || end - start > BATCH_BYTES {
            batches.push((before, &text[start..end]));
            (start, before, lines) = (end, before + lines, 0);
        }
        end += line.len();
        lines += 1;
    }
    if start < end {
        batches.push((before, &text[start..end]));
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_whole_lines_and_know_what_stands_before() {
        let text = "x\n".repeat(2 * BATCH_LINES) + "last";
        let batches = batches(text.as_bytes());
        let found: Vec<(usize, usize)> = batches.iter().map(|(before, batch)| (*before, batch.len())).collect();
        assert_eq!(found, [(0, 2 * BATCH_LINES), (BATCH_LINES, 2 * BATCH_LINES), (2 * BATCH_LINES, 4)]);
        assert_eq!(super::batches(b""), []);
    }
}
