//! The program `gateway-hub`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gateway_hub::cli::run()
}
