//! The middle of some figures, and how far they spread.

/// The quartiles of some figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// A quarter of the figures is below.
    pub low: f64,
    /// The median.
    pub middle: f64,
    /// A quarter of the figures is above.
    pub high: f64,
}

impl Spread {
    /// The quartiles; `None` of nothing. Between two figures they are interpolated.
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

    /// The quartiles of the ratios within pairs: what disturbs the machine for a while disturbs both of a pair.
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
        // A machine that is ten times as slow during the second pair changes nothing about the ratio.
        let spread = Spread::of_ratios(&[6.0, 60.0, 6.0], &[1.0, 10.0, 1.0]).unwrap();
        assert_eq!((spread.low, spread.middle, spread.high), (6.0, 6.0, 6.0));
    }
}
