//! The command line: a file per noun. It is the operator of the host, and goes through the same actions as the console.
#![expect(clippy::doc_markdown, reason = "the comments of arguments are the help, read in a terminal")]

mod check_config;
mod demo;
mod entities;
mod failure;
mod gateways;
mod global;
mod hub;
mod keys;
mod migrate;
mod output;
mod progress;
mod roles;
mod serve;
mod stdin;
mod table;
mod users;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;
use global::Global;
use output::Output;

/// Let external applications reach your data with OAuth 2.0, and decide key by key what each may view and edit.
#[derive(Parser)]
#[command(name = "gateway-hub", version, propagate_version = true, after_help = EXAMPLES, subcommand_required = true)]
#[command(arg_required_else_help = true, max_term_width = 110)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  gateway-hub serve                                        start; nothing needs to be prepared
  gateway-hub serve --demo                                 start with sample data and commands to paste
  gateway-hub keys create Grafana --role Operator          an API key for an application
  gateway-hub keys regenerate Grafana --overlap 24h        a new secret, the old one works for a day
  gateway-hub keys delete Grafana                          the key and its tokens are dead at once

The commands work while `serve` runs, and answer once it obeys.
Exit status: 0 done, 1 refused or failed (the reason is on standard error), 2 wrong usage.
Logs go to standard error; GATEWAY_HUB_LOG (or RUST_LOG) sets how much, for example GATEWAY_HUB_LOG=info.";

#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    #[command(subcommand)]
    Keys(keys::Keys),
    #[command(subcommand)]
    Roles(roles::Roles),
    #[command(subcommand)]
    Gateways(gateways::Gateways),
    #[command(subcommand)]
    Users(users::Users),
    #[command(subcommand)]
    Entities(entities::Entities),
    CheckConfig(check_config::CheckConfig),
    Migrate(migrate::Migrate),
}

/// Reads the arguments, does what they say, and tells how it went: 0 done, 1 refused or failed, 2 wrong usage.
#[must_use]
pub fn run() -> ExitCode {
    // Wrong usage ends here, with status 2 and an explanation from clap; so do --help and --version, with 0.
    let arguments = Arguments::parse();
    start_logging();
    let done = arguments.global.output().and_then(|output| dispatch(arguments, output));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn dispatch(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let global = &arguments.global;
    match arguments.command {
        Command::Serve(serve) => serve.run(global, output),
        Command::Keys(keys) => keys.run(global, output),
        Command::Roles(roles) => roles.run(global, output),
        Command::Gateways(gateways) => gateways.run(global, output),
        Command::Users(users) => users.run(global, output),
        Command::Entities(entities) => entities.run(global, output),
        Command::CheckConfig(check) => check.run(global, output),
        Command::Migrate(migrate) => migrate.run(global, output),
    }
}

/// Warnings, and the access log, which holds refusals only.
const DEFAULT_LOG: &str = "warn,gateway_hub::access=info";

/// Logs go to standard error, so that standard output stays the answer.
fn start_logging() {
    let filter = ["GATEWAY_HUB_LOG", "RUST_LOG"]
        .into_iter()
        .find_map(|variable| tracing_subscriber::EnvFilter::try_from_env(variable).ok())
        .unwrap_or_else(|| tracing_subscriber::EnvFilter::new(DEFAULT_LOG));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Only a test that starts the command line inside its own process has logging already.
    let _ = logs.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init();
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_before_or_after_the_command() {
        for line in [
            "gateway-hub --json --data-dir d keys list",
            "gateway-hub keys --json list --data-dir d",
            "gateway-hub keys list --json --data-dir d",
        ] {
            let arguments = Arguments::try_parse_from(line.split(' ')).expect(line);
            assert!(arguments.global.json);
        }
    }
}
