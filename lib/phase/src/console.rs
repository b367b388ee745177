//! Writes to stdout and stderr, and decides what goes where.
//!
//! Stdout carries the whole document, once and last, or the report if a person is looking at it; stderr carries the
//! report if stdout carries the document. Nothing else in the workspace prints.

use std::io::{ErrorKind, IsTerminal, Write};

use contract::Envelope;

use crate::{Color, CommonArgs, Fault, Page, Progress, Styles, blocking_io::Patient, closed::was_closed};

/// The output streams of a process.
#[derive(Debug, Clone)]
pub struct Console {
    report_to: Option<Stream>,
    document_to_stdout: bool,
    styles: Styles,
    error_styles: Styles,
    width: Option<usize>,
    wants_progress: bool,
    reported_elsewhere: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// Whether the output has reached a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Written,
    /// The reader is gone, or the stream was closed from the beginning. That is not an error, but not a success either.
    ReaderGone,
}

impl Console {
    /// Returns the console of a phase.
    pub fn new(args: &CommonArgs) -> Self {
        let document_to_stdout = args.document_to_stdout();
        let report_to = match (document_to_stdout, args.quiet || args.reported_elsewhere) {
            (false, _) => Some(Stream::Stdout),
            (true, false) => Some(Stream::Stderr),
            (true, true) => None,
        };
        Self {
            report_to,
            document_to_stdout,
            styles: report_to.map_or_else(Styles::default, |stream| styles(args.color, stream)),
            error_styles: styles(args.color, Stream::Stderr),
            width: report_to.and_then(width),
            wants_progress: !args.quiet,
            reported_elsewhere: args.reported_elsewhere,
        }
    }

    /// Returns the console of a tool that writes no document: its report goes to stdout.
    pub fn of_tool(color: Color, quiet: bool) -> Self {
        Self {
            report_to: Some(Stream::Stdout),
            document_to_stdout: false,
            styles: styles(color, Stream::Stdout),
            error_styles: styles(color, Stream::Stderr),
            width: width(Stream::Stdout),
            wants_progress: !quiet,
            reported_elsewhere: false,
        }
    }

    /// Returns an empty page with the styles and the width of the report's stream.
    pub fn page(&self) -> Page {
        Page::new(self.styles, self.width)
    }

    /// Whether reports are written at all.
    pub fn has_reports(&self) -> bool {
        self.report_to.is_some()
    }

    /// Returns a progress line, which is shown only on a terminal.
    pub fn progress(&self) -> Progress {
        Progress::new(self.wants_progress)
    }

    /// Writes a page to the report's stream immediately.
    ///
    /// # Errors
    /// If it could not be written, except because the reader is gone.
    pub(crate) fn report(&self, page: &Page) -> std::io::Result<Delivery> {
        match self.report_to {
            None => Ok(Delivery::Written),
            Some(_) if page.as_str().is_empty() => Ok(Delivery::Written),
            Some(stream) => deliver(stream, page.as_str()),
        }
    }

    /// Writes the subject of a question to the report's stream, or to stderr if the caller reports on the run.
    ///
    /// # Errors
    /// If it could not be written, except because the reader is gone.
    pub(crate) fn ask_about(&self, page: &Page) -> std::io::Result<Delivery> {
        if !self.reported_elsewhere {
            return self.report(page);
        }
        deliver(Stream::Stderr, page.as_str())
    }

    /// Prints a page to stdout immediately, ahead of a tool's report. Returns whether there was a reader.
    ///
    /// # Errors
    /// If it could not be written, except because the reader is gone.
    pub fn say(&self, page: &Page) -> std::io::Result<bool> {
        Ok(self.report(page)? == Delivery::Written)
    }

    /// Writes a fault to stderr, unless the document contains it and the caller reports what the document contains.
    pub(crate) fn fault(&self, fault: &Fault, envelope: &Envelope) {
        let told = envelope.document().error.as_ref().is_some_and(|error| error.message == fault.message());
        if !(told && self.reported_elsewhere) {
            self.error(fault.message(), fault.remedy());
        }
    }

    /// Writes an error to stderr, even if other output is suppressed.
    pub fn error(&self, message: &str, help: Option<&str>) {
        let mut page = Page::new(self.error_styles, width(Stream::Stderr));
        page.error(message, help);
        // If stderr is gone there is nobody left to tell; the exit code still says it.
        let _ = deliver(Stream::Stderr, page.as_str());
    }

    /// Signals the end of the output by closing stdout. The next phase waits for that, and so need not wait for this
    /// process to be torn down, which takes a while if it used much memory.
    pub(crate) fn ends(&self) {
        if self.document_to_stdout {
            // If this fails, stdout ends with the process.
            let _ = end_stdout();
        }
    }

    /// Writes the document to stdout, if stdout carries the document.
    pub(crate) fn document(&self, envelope: &Envelope) -> std::io::Result<Delivery> {
        if !self.document_to_stdout {
            return Ok(Delivery::Written);
        }
        let mut line = envelope.to_line();
        line.push('\n');
        deliver(Stream::Stdout, &line)
    }
}

/// Replaces stdout by `/dev/null`, so that its reader sees the end of file.
#[cfg(unix)]
fn end_stdout() -> std::io::Result<()> {
    let nothing = std::fs::File::options().write(true).open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdout(nothing)?)
}

#[cfg(not(unix))]
fn end_stdout() -> std::io::Result<()> {
    Ok(())
}

fn deliver(stream: Stream, text: &str) -> std::io::Result<Delivery> {
    match stream {
        Stream::Stdout if was_closed(1) => Ok(Delivery::ReaderGone),
        Stream::Stderr if was_closed(2) => Ok(Delivery::ReaderGone),
        Stream::Stdout => write(&mut Patient(std::io::stdout().lock()), text),
        Stream::Stderr => write(&mut Patient(std::io::stderr().lock()), text),
    }
}

fn write(stream: &mut dyn Write, text: &str) -> std::io::Result<Delivery> {
    match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
        Ok(()) => Ok(Delivery::Written),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Delivery::ReaderGone),
        Err(error) => Err(error),
    }
}

fn styles(color: Color, stream: Stream) -> Styles {
    let coloured = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal(stream) && !is_set("NO_COLOR") && !is_dumb(),
    };
    if coloured { Styles::coloured() } else { Styles::default() }
}

/// Whether the variable is set and not empty, as <https://no-color.org> defines it.
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

pub(crate) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

fn is_terminal(stream: Stream) -> bool {
    match stream {
        Stream::Stdout => std::io::stdout().is_terminal(),
        Stream::Stderr => std::io::stderr().is_terminal(),
    }
}

fn width(stream: Stream) -> Option<usize> {
    is_terminal(stream).then(|| columns(stream)).flatten()
}

#[cfg(unix)]
pub(crate) fn columns(stream: Stream) -> Option<usize> {
    let size = match stream {
        Stream::Stdout => rustix::termios::tcgetwinsize(std::io::stdout()),
        Stream::Stderr => rustix::termios::tcgetwinsize(std::io::stderr()),
    };
    size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

#[cfg(not(unix))]
pub(crate) fn columns(_: Stream) -> Option<usize> {
    std::env::var("COLUMNS").ok()?.parse().ok()
}
