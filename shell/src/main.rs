//! The `lakesh` binary: hands the command line to the library and its status to the system.

mod allocator;
mod process;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    allocator::keep_freed_memory();
    process::survive_large_files();
    ExitCode::from(lakesh_shell::run(
        std::env::args_os(),
        process::output_was_closed(),
    ))
}
