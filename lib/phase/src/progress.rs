//! Shows progress as a single line on the terminal that is overwritten; without a terminal, shows nothing.
//!
//! Work that goes on for long without an update, such as waiting for a server, sets its text before anyone has to
//! wait. So a separate thread draws the latest text once it is due.

use std::{
    io::{IsTerminal, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crate::{
    amount::{Meter, Rate},
    columns,
    console::{self, Stream},
};

/// The minimum time between two redraws of the line.
const REDRAW: Duration = Duration::from_millis(100);

/// How long the work must take before progress is shown.
const PATIENCE: Duration = Duration::from_millis(300);

/// A progress line on stderr.
#[derive(Debug)]
pub struct Progress {
    shown: Option<Shown>,
}

/// A line that is held; see [`Progress::held`].
#[derive(Debug)]
#[must_use = "it is held until this is dropped"]
pub struct Held<'a>(&'a Progress);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// A line on a terminal, and the thread that draws it.
#[derive(Debug)]
struct Shown {
    board: Arc<Board>,
    drawer: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Board {
    line: Mutex<Line>,
    ended: Condvar,
}

#[derive(Debug)]
struct Line {
    began: Instant,
    drawn: Option<Instant>,
    meter: Meter,
    /// The text to be drawn as soon as it is due.
    text: Option<String>,
    /// Whether another program uses the terminal for now.
    is_held: bool,
    has_ended: bool,
}

impl Progress {
    /// Returns a progress line if it is `wanted` and stderr is a terminal that can overwrite a line; else one that
    /// shows nothing.
    pub(crate) fn new(wanted: bool) -> Self {
        let is_shown = wanted && std::io::stderr().is_terminal() && !console::is_dumb();
        Self { shown: is_shown.then(Shown::begin) }
    }

    /// Returns a progress line that shows nothing.
    pub fn none() -> Self {
        Self { shown: None }
    }

    /// Shows `text` as soon as it is due; it is evaluated only if there is a terminal.
    pub fn set(&self, text: impl FnOnce() -> String) {
        self.post(|_, _| Rate::default(), |_| text());
    }

    /// Shows `text` as soon as it is due, for a transfer of which `total` bytes are done; `text` gets the transfer
    /// rate.
    pub fn flow(&self, total: u64, text: impl FnOnce(Rate) -> String) {
        self.post(|meter, now| meter.see(total, now), text);
    }

    /// Shows `text` immediately, and then nothing more until [`release`](Self::release): another program may ask a
    /// question on the terminal, which must not be overwritten.
    pub fn hold(&self, text: &str) {
        if let Some(mut line) = self.line() {
            line.show(&format!("{text}: "), Instant::now());
            line.is_held = true;
        }
    }

    /// Like [`hold`](Self::hold), until the returned value is dropped.
    pub fn held(&self, text: &str) -> Held<'_> {
        self.hold(text);
        Held(self)
    }

    /// Resumes drawing.
    pub fn release(&self) {
        if let Some(mut line) = self.line() {
            line.is_held = false;
        }
    }

    /// Ends the transfer; the next one gets its own rate.
    pub fn flow_ended(&self) {
        if let Some(mut line) = self.line() {
            line.meter.stop();
        }
    }

    /// Removes the line, so that something else can be printed.
    pub fn clear(&self) {
        if let Some(mut line) = self.line() {
            line.text = None;
            if line.drawn.take().is_some() {
                line.write("");
            }
        }
    }

    fn post(&self, measure: impl FnOnce(&mut Meter, Instant) -> Rate, text: impl FnOnce(Rate) -> String) {
        let Some(mut line) = self.line() else { return };
        let now = Instant::now();
        let rate = measure(&mut line.meter, now);
        line.text = Some(text(rate));
        line.draw(now);
    }

    fn line(&self) -> Option<MutexGuard<'_, Line>> {
        self.shown.as_ref()?.board.line.lock().ok()
    }
}

impl Shown {
    fn begin() -> Self {
        let line = Line {
            began: Instant::now(),
            drawn: None,
            meter: Meter::default(),
            text: None,
            is_held: false,
            has_ended: false,
        };
        let board = Arc::new(Board { line: Mutex::new(line), ended: Condvar::new() });
        let drawers = Arc::clone(&board);
        // If no thread can be started, the line is drawn when the next text is set.
        let drawer = std::thread::Builder::new().spawn(move || drawers.draw_until_the_end()).ok();
        Self { board, drawer }
    }
}

impl Board {
    fn draw_until_the_end(&self) {
        let Ok(mut line) = self.line.lock() else { return };
        while !line.has_ended {
            line.draw(Instant::now());
            match self.ended.wait_timeout(line, REDRAW) {
                Ok((woken, _)) => line = woken,
                Err(_) => return,
            }
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Ok(mut line) = self.board.line.lock() {
            line.has_ended = true;
        }
        self.board.ended.notify_all();
        // The thread only draws; its failure is no reason to stop the work.
        let _ = self.drawer.take().map(JoinHandle::join);
    }
}

impl Line {
    /// Draws the text if there is a new one and it is due.
    fn draw(&mut self, now: Instant) {
        let is_due = match self.drawn {
            None => now.duration_since(self.began) >= PATIENCE,
            Some(drawn) => now.duration_since(drawn) >= REDRAW,
        };
        if let Some(text) = self.text.take_if(|_| is_due && !self.is_held) {
            self.show(&text, now);
        }
    }

    fn show(&mut self, text: &str, now: Instant) {
        self.drawn = Some(now);
        let text = crate::escape::line(text);
        // Some terminals wrap to a new line after the last column, which could not be undone.
        let room = console::columns(Stream::Stderr).unwrap_or(80).saturating_sub(1);
        self.write(&columns::cut(&text, room));
    }

    fn write(&self, text: &str) {
        // A terminal that is gone is no reason to stop the work.
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K{text}");
    }
}
