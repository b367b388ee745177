//! Progress, for a person who waits: one line on the terminal that is overwritten, and nothing anywhere else.

use std::{
    io::{IsTerminal, Write},
    sync::Mutex,
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
    line: Option<Mutex<Line>>,
}

#[derive(Debug)]
struct Line {
    began: Instant,
    drawn: Option<Instant>,
    meter: Meter,
}

impl Progress {
    /// Progress on stderr where it is `wanted` and stderr a terminal that can take a line back, else none.
    pub(crate) fn new(wanted: bool) -> Self {
        let shown = wanted && std::io::stderr().is_terminal() && !console::is_dumb();
        Self {
            line: shown
                .then(|| Mutex::new(Line { began: Instant::now(), drawn: None, meter: Meter::default() })),
        }
    }

    /// No progress at all.
    pub fn none() -> Self {
        Self { line: None }
    }

    /// Shows `text` where it is due; `text` is asked for only then.
    pub fn set(&self, text: impl FnOnce() -> String) {
        self.draw(|_, _| Rate::default(), |_| text());
    }

    /// Shows `text` where it is due, about a flow of which `total` bytes have gone by; `text` gets the rate of the flow.
    pub fn flow(&self, total: u64, text: impl FnOnce(Rate) -> String) {
        self.draw(|meter, now| meter.see(total, now), text);
    }

    /// The flow has ended, and the next one has a rate of its own.
    pub fn flow_ended(&self) {
        if let Some(Ok(mut line)) = self.line.as_ref().map(Mutex::lock) {
            line.meter.stop();
        }
    }

    fn draw(&self, measure: impl FnOnce(&mut Meter, Instant) -> Rate, text: impl FnOnce(Rate) -> String) {
        let Some(Ok(mut line)) = self.line.as_ref().map(Mutex::lock) else { return };
        let now = Instant::now();
        let rate = measure(&mut line.meter, now);
        let due = match line.drawn {
            None => now.duration_since(line.began) >= PATIENCE,
            Some(drawn) => now.duration_since(drawn) >= REDRAW,
        };
        if due {
            line.drawn = Some(now);
            let text = text(rate);
            let text = crate::plain::line(&text);
            // In the last column some terminals begin a new line, which could not be taken back.
            let room = console::columns(Stream::Stderr).unwrap_or(80).saturating_sub(1);
            let shown = columns::cut(&text, room);
            // A terminal that is gone is no reason to stop the work.
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K{shown}");
        }
    }

    /// Takes the line away, so that something else can be printed.
    pub fn clear(&self) {
        let Some(Ok(mut line)) = self.line.as_ref().map(Mutex::lock) else { return };
        if line.drawn.take().is_some() {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}
