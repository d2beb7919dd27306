//! The `latchkey` command.

use std::process::ExitCode;

use clap::Parser as _;
use latchkey::cli::{self, Cli};

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
