//! Progress, for a person who waits: one line on the terminal that is overwritten, and nothing anywhere else.
//!
//! Work that goes on for long without a word, such as waiting for a server, has set its text before anybody had to
//! wait. So a thread of its own draws what was last set, once it is due.

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

/// How often the line is drawn anew at most.
const REDRAW: Duration = Duration::from_millis(100);

/// How long something must take before its progress is worth a line.
const PATIENCE: Duration = Duration::from_millis(300);

/// A line of progress on stderr.
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

/// A line on a terminal, and who draws it.
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
    /// What is to be drawn as soon as it is due.
    text: Option<String>,
    /// The terminal is somebody else's for now.
    is_held: bool,
    has_ended: bool,
}

impl Progress {
    /// Progress on stderr where it is `wanted` and stderr a terminal that can take a line back, else none.
    pub(crate) fn new(wanted: bool) -> Self {
        let is_shown = wanted && std::io::stderr().is_terminal() && !console::is_dumb();
        Self { shown: is_shown.then(Shown::begin) }
    }

    /// No progress at all.
    pub fn none() -> Self {
        Self { shown: None }
    }

    /// Shows `text` as soon as it is due; it is asked for only where somebody looks.
    pub fn set(&self, text: impl FnOnce() -> String) {
        self.post(|_, _| Rate::default(), |_| text());
    }

    /// Shows `text` as soon as it is due, about a flow of which `total` bytes have gone by; `text` gets the rate of the
    /// flow.
    pub fn flow(&self, total: u64, text: impl FnOnce(Rate) -> String) {
        self.post(|meter, now| meter.see(total, now), text);
    }

    /// Shows `text` at once, and then nothing more until it is [released](Self::release): somebody else may ask a
    /// question on the terminal, and the question must not be overwritten.
    pub fn hold(&self, text: &str) {
        if let Some(mut line) = self.line() {
            line.show(&format!("{text}: "), Instant::now());
            line.is_held = true;
        }
    }

    /// The same for as long as what it gives is kept.
    pub fn held(&self, text: &str) -> Held<'_> {
        self.hold(text);
        Held(self)
    }

    /// Shows again what there is to be shown.
    pub fn release(&self) {
        if let Some(mut line) = self.line() {
            line.is_held = false;
        }
    }

    /// The flow has ended, and the next one has a rate of its own.
    pub fn flow_ended(&self) {
        if let Some(mut line) = self.line() {
            line.meter.stop();
        }
    }

    /// Takes the line away, so that something else can be printed.
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
        // Where there can be no thread, the line is drawn when the next text is set.
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
        // It only draws: that it has failed is no reason to stop the work.
        let _ = self.drawer.take().map(JoinHandle::join);
    }
}

impl Line {
    /// Draws the text where there is a new one and it is due.
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
        let text = crate::plain::line(text);
        // In the last column some terminals begin a new line, which could not be taken back.
        let room = console::columns(Stream::Stderr).unwrap_or(80).saturating_sub(1);
        self.write(&columns::cut(&text, room));
    }

    fn write(&self, text: &str) {
        // A terminal that is gone is no reason to stop the work.
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K{text}");
    }
}
