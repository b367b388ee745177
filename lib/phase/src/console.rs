//! The three streams, and who may write what to them.
//!
//! Stdout carries the document whole, once and last, or the report where a person looks at it; stderr carries the
//! report where stdout carries the document. Nothing else in the workspace prints.

use std::io::{ErrorKind, IsTerminal, Write};

use contract::Envelope;

use crate::{Color, CommonArgs, Fault, Page, Progress, Styles, patient::Patient};

/// The output side of a process.
#[derive(Debug)]
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

/// Whether what was written has reached somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Written,
    /// The reader is gone. That is its right: no error, and no success either.
    ReaderGone,
}

impl Console {
    /// The console of a phase.
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

    /// The console of a tool that writes no document: its report goes to stdout.
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

    /// An empty page in the styles and the width of the stream that reports go to.
    pub fn page(&self) -> Page {
        Page::new(self.styles, self.width)
    }

    /// Whether reports go anywhere at all.
    pub fn has_reports(&self) -> bool {
        self.report_to.is_some()
    }

    /// A line of progress, where someone looks at it.
    pub fn progress(&self) -> Progress {
        Progress::new(self.wants_progress)
    }

    /// Writes a page to the stream that reports go to, now.
    ///
    /// # Errors
    /// Where it could not be written for another reason than that its reader is gone.
    pub(crate) fn report(&self, page: &Page) -> std::io::Result<Delivery> {
        match self.report_to {
            None => Ok(Delivery::Written),
            Some(_) if page.as_str().is_empty() => Ok(Delivery::Written),
            Some(Stream::Stdout) => deliver(&mut Patient(std::io::stdout().lock()), page.as_str()),
            Some(Stream::Stderr) => deliver(&mut Patient(std::io::stderr().lock()), page.as_str()),
        }
    }

    /// Writes what a question is about to the stream of the reports, or to stderr where somebody else reports.
    ///
    /// # Errors
    /// Where it could not be written for another reason than that its reader is gone.
    pub(crate) fn ask_about(&self, page: &Page) -> std::io::Result<Delivery> {
        if !self.reported_elsewhere {
            return self.report(page);
        }
        deliver(&mut Patient(std::io::stderr().lock()), page.as_str())
    }

    /// Prints a page to stdout now: what a tool has to say ahead of its report. Says whether anybody was there to read
    /// it.
    ///
    /// # Errors
    /// Where it could not be written; that its reader is gone is no error.
    pub fn say(&self, page: &Page) -> std::io::Result<bool> {
        Ok(self.report(page)? == Delivery::Written)
    }

    /// Writes a fault to stderr, unless the document tells it and somebody else reports what the document tells.
    pub(crate) fn fault(&self, fault: &Fault, envelope: &Envelope) {
        let told = envelope.document().error.as_ref().is_some_and(|error| error.message == fault.message());
        if !(told && self.reported_elsewhere) {
            self.error(fault.message(), fault.remedy());
        }
    }

    /// Writes an error to stderr, whatever was silenced.
    pub fn error(&self, message: &str, help: Option<&str>) {
        let mut page = Page::new(self.error_styles, width(Stream::Stderr));
        page.error(message, help);
        // Where stderr is gone there is nobody left to tell; the exit code still says it.
        let _ = deliver(&mut Patient(std::io::stderr().lock()), page.as_str());
    }

    /// Says that nothing more comes. The next phase waits for that, and need not wait for this process to be taken down
    /// as well, which takes its time where there was much memory.
    pub(crate) fn ends(&self) {
        if self.document_to_stdout {
            // Should it fail, the end of the process is the end of its stdout.
            let _ = end_stdout();
        }
    }

    /// Writes the document to stdout, where that is what stdout is for.
    pub(crate) fn document(&self, envelope: &Envelope) -> std::io::Result<Delivery> {
        if !self.document_to_stdout {
            return Ok(Delivery::Written);
        }
        let mut line = envelope.to_line();
        line.push('\n');
        deliver(&mut Patient(std::io::stdout().lock()), &line)
    }
}

/// Puts nothing in the place of stdout, whose reader then sees its end.
#[cfg(unix)]
fn end_stdout() -> std::io::Result<()> {
    let nothing = std::fs::File::options().write(true).open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdout(nothing)?)
}

#[cfg(not(unix))]
fn end_stdout() -> std::io::Result<()> {
    Ok(())
}

fn deliver(stream: &mut dyn Write, text: &str) -> std::io::Result<Delivery> {
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

/// Present and not empty, as <https://no-color.org> has it.
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
