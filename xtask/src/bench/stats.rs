//! Computes medians and quartiles.

/// The quartiles of some figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The first quartile.
    pub low: f64,
    /// The median.
    pub middle: f64,
    /// The third quartile.
    pub high: f64,
}

impl Spread {
    /// Returns the quartiles, linearly interpolated; `None` if there are no figures.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = part * (sorted.len() - 1) as f64;
            let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        (!sorted.is_empty()).then(|| Self { low: at(0.25), middle: at(0.5), high: at(0.75) })
    }

    /// Returns the quartiles of the ratios within pairs: a temporary disturbance affects both runs of a pair.
    pub fn of_ratios(theirs: &[f64], ours: &[f64]) -> Option<Self> {
        Self::of(theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_figures() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!((spread.low, spread.middle, spread.high), (1.75, 2.5, 3.25));
        assert_eq!(Spread::of([7.0]).map(|spread| (spread.low, spread.high)), Some((7.0, 7.0)));
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn ratios_are_those_of_pairs_and_not_of_the_medians() {
        // A machine that is ten times as slow during the second pair does not change the ratio.
        let spread = Spread::of_ratios(&[6.0, 60.0, 6.0], &[1.0, 10.0, 1.0]).unwrap();
        assert_eq!((spread.low, spread.middle, spread.high), (6.0, 6.0, 6.0));
    }
}
