//! Applies `http.lowSpeedLimit`: a connection that is too slow counts as stalled.

use std::time::{Duration, Instant};

use crate::transport::wire::Traffic;

/// The number of bytes received since some moment.
pub(super) struct Pace {
    since: Instant,
    bytes: u64,
}

impl Pace {
    pub fn new() -> Self {
        Self { since: Instant::now(), bytes: 0 }
    }

    /// Whether, including these `bytes`, fewer arrived during the limit's time than the configuration demands.
    pub fn too_slow(&mut self, bytes: usize, wire: &Traffic) -> bool {
        self.bytes += bytes as u64;
        let passed = self.since.elapsed();
        if passed < wire.limit.max(Duration::from_secs(1)) {
            return false;
        }
        let slow = self.bytes < wire.slowest.saturating_mul(passed.as_secs());
        *self = Self::new();
        slow
    }
}
