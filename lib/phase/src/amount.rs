//! Formats counts, byte sizes and transfer rates for people.
//!
//! All phases that exchange data with a remote share these, so that the same transfer is not shown in different ways.

use std::time::{Duration, Instant};

/// How long a transfer must have been observed before its rate is meaningful.
const SETTLING: Duration = Duration::from_millis(500);

/// Formats a number with thousands separators: `1,200`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a number with a noun, in the plural unless the number is 1: `1 ref`, `1,200 refs`.
pub fn of(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number))
}

/// Formats a number of bytes in a suitable unit: `512 B`, `12.3 MiB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut amount = number as f64 / 1024.0;
    let mut unit = 0;
    // From here on it would be rounded to 1024.0 of the smaller unit.
    while amount >= 1023.95 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

/// A transfer rate, if it is known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate(Option<u64>);

impl std::fmt::Display for Rate {
    /// Writes the text that follows an amount: `, 3.1 MiB/s`, or nothing.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(per_second) => write!(f, ", {}/s", bytes(per_second)),
            None => Ok(()),
        }
    }
}

/// Measures the rates of successive transfers, each from its total so far.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    flow: Option<Flow>,
}

/// A transfer that is being measured.
#[derive(Debug, Clone, Copy)]
struct Flow {
    since: Instant,
    /// The total at `since`.
    before: u64,
    total: u64,
}

impl Meter {
    /// Returns the rate of a transfer of which `total` bytes are done. A total smaller than the previous one starts a
    /// new transfer.
    pub fn see(&mut self, total: u64, now: Instant) -> Rate {
        let begun = Flow { since: now, before: total, total };
        let flow = self.flow.filter(|flow| flow.total <= total).unwrap_or(begun);
        self.flow = Some(Flow { total, ..flow });
        let took = now.saturating_duration_since(flow.since);
        Rate((took >= SETTLING).then(|| ((total - flow.before) as f64 / took.as_secs_f64()) as u64))
    }

    /// Ends the transfer.
    pub fn stop(&mut self) {
        self.flow = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn thousands_stand_apart() {
        let told = [0, 999, 1000, 1_234_567].map(count);
        assert_eq!(told, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([of(1, "ref"), of(1200, "ref")], ["1 ref", "1,200 refs"]);
    }

    #[test]
    fn bytes_have_the_unit_that_suits_them() {
        let told = [0, 1023, 1024, 12 * MIB + 300 * 1024, MIB - 1, 5 << 30].map(bytes);
        assert_eq!(told, ["0 B", "1023 B", "1.0 KiB", "12.3 MiB", "1.0 MiB", "5.0 GiB"]);
        assert_eq!(bytes(u64::MAX), "16777216.0 TiB");
    }

    #[test]
    fn a_rate_is_told_once_it_says_something() {
        let (mut meter, start) = (Meter::default(), Instant::now());
        assert_eq!(meter.see(MIB, start).to_string(), "");
        assert_eq!(meter.see(2 * MIB, start + Duration::from_millis(100)).to_string(), "");
        assert_eq!(meter.see(5 * MIB, start + Duration::from_secs(2)).to_string(), ", 2.0 MiB/s");
    }

    #[test]
    fn each_flow_has_a_rate_of_its_own() {
        let (mut meter, start) = (Meter::default(), Instant::now());
        meter.see(0, start);
        let later = start + Duration::from_secs(60);
        assert_eq!(meter.see(8 * MIB, later).to_string(), ", 136.5 KiB/s");
        assert_eq!(meter.see(0, later), Rate(None), "it began anew");
        assert_eq!(meter.see(MIB, later + Duration::from_secs(1)).to_string(), ", 1.0 MiB/s");
        meter.stop();
        assert_eq!(meter.see(2 * MIB, later + Duration::from_secs(9)), Rate(None), "it was another one");
    }
}
