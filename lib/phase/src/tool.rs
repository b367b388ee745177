//! Runs a command that is not a phase: it neither reads nor writes a document, but shares the console and exit codes.

use std::process::ExitCode;

use crate::{Color, Console, Fault, console::Delivery};

/// Runs a command and returns its exit code, or that of its error.
///
/// The command writes to a [`crate::Page`], which is printed to stdout at the end.
pub fn tool(
    color: Color,
    quiet: bool,
    work: impl FnOnce(&Console, &mut crate::Page) -> anyhow::Result<u8>,
) -> ExitCode {
    let console = Console::of_tool(color, quiet);
    let mut page = console.page();
    let result = work(&console, &mut page);
    let printed = console.report(&page);
    match (result, printed) {
        (Err(error), _) => {
            let fault = Fault::from(error);
            console.error(fault.message(), fault.remedy());
            fault.exit().code().into()
        }
        (Ok(code), Ok(Delivery::Written | Delivery::ReaderGone)) => code.into(),
        (Ok(_), Err(error)) => {
            console.error(&format!("stdout could not be written: {error}"), None);
            contract::Exit::Failed.code().into()
        }
    }
}
