//! Draws the plots that accompany the tables.

use super::{
    results::{Kind, Results, Row},
    stats::Spread,
    svg::{Anchor, Svg},
    table::thousands,
};

const WIDTH: f64 = 720.0;
const TOP: f64 = 52.0;
/// Where bars begin, to the right of their names.
const LEFT: f64 = 190.0;
/// The space for figures to the right of the longest bar.
const RIGHT: f64 = 56.0;
const BAR: f64 = 20.0;

/// Returns the plots for which there are figures, by file name.
pub fn all(results: &Results) -> Vec<(&'static str, String)> {
    let plots =
        [("ratios.svg", ratios(results)), ("memory.svg", memory(results)), ("scale.svg", scale(results))];
    plots.into_iter().filter_map(|(name, plot)| Some((name, plot?.to_string()))).collect()
}

/// Draws the speedup of each whole run: a bar, the interquartile range over its pairs, and its target.
fn ratios(results: &Results) -> Option<Svg> {
    let rows: Vec<_> = results.of(Kind::Whole).filter_map(|row| Some((row, row.ratio()?))).collect();
    let most = rows.iter().map(|(row, ratio)| ratio.high.max(row.target.unwrap_or(0.0))).reduce(f64::max)?;
    let bars = Bars::new(rows.len(), most);
    let mut svg = bars.svg("How many times as fast as the baseline");
    svg.text((WIDTH, 16.0), Anchor::End, "small", "red: the target; thin: the middle half of the pairs");
    bars.ticks(&mut svg, "");
    for (place, (row, ratio)) in rows.iter().enumerate() {
        let y = bars.y(place);
        bars.name(&mut svg, y, row);
        svg.bar((LEFT, y), (bars.length(ratio.middle), BAR), "ours");
        let middle = y + BAR / 2.0;
        svg.rule((bars.x(ratio.low), middle), (bars.x(ratio.high), middle), "range");
        if let Some(target) = row.target {
            svg.rule((bars.x(target), y - 3.0), (bars.x(target), y + BAR + 3.0), "target");
        }
        svg.text(
            (bars.free(ratio, row.target) + 8.0, y + 15.0),
            Anchor::Start,
            "",
            &format!("{:.1}", ratio.middle),
        );
    }
    Some(svg)
}

/// Draws the peak memory of each phase above that of git.
fn memory(results: &Results) -> Option<Svg> {
    let rows: Vec<&Row> = results.of(Kind::Step).collect();
    let mib = |kib: u64| kib as f64 / 1024.0;
    let most = rows.iter().map(|row| mib(row.theirs.peak_kib.max(row.ours.peak_kib))).reduce(f64::max)?;
    let bars = Bars::new(rows.len(), most);
    let mut svg = bars.svg("Peak memory, in MiB");
    legend(&mut svg, "git");
    bars.ticks(&mut svg, "");
    for (place, row) in rows.iter().enumerate() {
        let y = bars.y(place);
        bars.name(&mut svg, y, row);
        for (kib, y, class) in
            [(row.ours.peak_kib, y, "ours"), (row.theirs.peak_kib, y + BAR / 2.0, "theirs")]
        {
            svg.bar((LEFT, y), (bars.length(mib(kib)), BAR / 2.0 - 1.0), class);
            let figure = format!("{:.1}", mib(kib));
            svg.text((bars.x(mib(kib)) + 6.0, y + 9.0), Anchor::Start, "small", &figure);
        }
    }
    Some(svg)
}

/// Horizontal bars below each other, on a common scale that begins at zero.
struct Bars {
    count: usize,
    most: f64,
}

impl Bars {
    fn new(count: usize, most: f64) -> Self {
        Self { count, most: most.max(f64::MIN_POSITIVE) }
    }

    fn svg(&self, title: &str) -> Svg {
        Svg::new(WIDTH, self.y(self.count) + 4.0, title)
    }

    fn y(&self, place: usize) -> f64 {
        TOP + place as f64 * (BAR + 12.0)
    }

    fn x(&self, figure: f64) -> f64 {
        LEFT + self.length(figure)
    }

    fn length(&self, figure: f64) -> f64 {
        (WIDTH - LEFT - RIGHT) * figure / self.most
    }

    fn name(&self, svg: &mut Svg, y: f64, row: &Row) {
        let name = format!("{}, {}, {}", row.id, short(row.files), row.place);
        svg.text((LEFT - 10.0, y + 15.0), Anchor::End, "", &name);
    }

    /// Returns where a figure has room: to the right of a bar and its range, and not on the mark of its target.
    fn free(&self, ratio: &Spread, target: Option<f64>) -> f64 {
        const FIGURE: f64 = 40.0;
        let end = self.x(ratio.high.max(ratio.middle));
        let mark = target.map(|target| self.x(target)).filter(|mark| (end..end + FIGURE).contains(mark));
        mark.unwrap_or(end)
    }

    fn ticks(&self, svg: &mut Svg, unit: &str) {
        let step = step(self.most / 5.0);
        let mut figure = 0.0;
        while figure <= self.most {
            let x = self.x(figure);
            svg.rule((x, TOP - 8.0), (x, self.y(self.count) - 4.0), "rule");
            svg.text((x, TOP - 13.0), Anchor::Middle, "small", &format!("{figure}{unit}"));
            figure += step;
        }
    }
}

/// Returns the smallest of 1, 2, 5, 10, 20, … that is not less.
fn step(least: f64) -> f64 {
    let magnitude = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * magnitude);
    steps.into_iter().find(|step| *step >= least).unwrap_or(least)
}

/// Draws the time of a run with nothing to do over the number of files, on logarithmic scales: where a line is
/// straight with a slope of 1, the cost per file is constant.
fn scale(results: &Results) -> Option<Svg> {
    const HEIGHT: f64 = 340.0;
    let place = &results.of(Kind::Scale).last()?.place;
    let rows: Vec<(f64, f64, f64)> = results
        .of(Kind::Scale)
        .filter(|row| row.place == *place)
        .filter_map(|row| Some((row.files as f64, row.theirs.median()?, row.ours.median()?)))
        .collect();
    let (first, last) = (rows.first()?.0, rows.last()?.0);
    let least = rows.iter().map(|row| row.1.min(row.2)).reduce(f64::min)?;
    let most = rows.iter().map(|row| row.1.max(row.2)).reduce(f64::max)?;
    let (bottom, top) = (least.log10().floor(), most.log10().ceil());
    let x = |files: f64| 60.0 + (WIDTH - 90.0) * part(files.log10(), first.log10(), last.log10());
    let y = |ms: f64| HEIGHT - 40.0 - (HEIGHT - 40.0 - TOP) * part(ms.log10(), bottom, top);

    let mut svg = Svg::new(WIDTH, HEIGHT, "A run with nothing to do");
    legend(&mut svg, "baseline");
    for decade in bottom as i32..=top as i32 {
        let ms = 10_f64.powi(decade);
        svg.rule((60.0, y(ms)), (WIDTH - 30.0, y(ms)), "rule");
        svg.text((52.0, y(ms) + 4.0), Anchor::End, "small", &format!("{ms} ms"));
    }
    for (files, _, _) in &rows {
        svg.rule((x(*files), TOP), (x(*files), HEIGHT - 40.0), "rule");
        let name = format!("{} files", thousands(*files as usize));
        svg.text((x(*files), HEIGHT - 20.0), Anchor::Middle, "small", &name);
    }
    let theirs: Vec<_> = rows.iter().map(|(files, ms, _)| (x(*files), y(*ms))).collect();
    let ours: Vec<_> = rows.iter().map(|(files, _, ms)| (x(*files), y(*ms))).collect();
    svg.line(&theirs, "theirs");
    svg.line(&ours, "ours");
    Some(svg)
}

/// Returns the position of a figure between two others, from 0 to 1.
fn part(figure: f64, from: f64, to: f64) -> f64 {
    if to > from { (figure - from) / (to - from) } else { 0.5 }
}

fn legend(svg: &mut Svg, other: &str) {
    for (x, class, name) in [(WIDTH - 190.0, "ours", "lockstep"), (WIDTH - 90.0, "theirs", other)] {
        svg.bar((x, 6.0), (11.0, 11.0), class);
        svg.text((x + 17.0, 16.0), Anchor::Start, "", name);
    }
}

fn short(files: usize) -> String {
    if files >= 1000 && files.is_multiple_of(1000) { format!("{}k", files / 1000) } else { files.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{super::results::Figures, *};

    fn results(kind: Kind) -> Results {
        let row = |files| {
            let figures = |ms| Figures { ms: vec![ms], busy_ms: ms, peak_kib: 4096 };
            Row {
                kind,
                id: "S1".into(),
                title: String::new(),
                files,
                place: "ext4".into(),
                target: Some(6.0),
                theirs: figures(90.0),
                ours: figures(10.0),
                phases: Vec::new(),
                connections: None,
            }
        };
        Results { rows: vec![row(1000), row(10_000)], ..Results::default() }
    }

    #[test]
    fn there_is_a_plot_where_there_are_figures() {
        let names = |kind| all(&results(kind)).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(Kind::Whole), ["ratios.svg"]);
        assert_eq!(names(Kind::Step), ["memory.svg"]);
        assert_eq!(names(Kind::Scale), ["scale.svg"]);
        assert!(names(Kind::Start).is_empty());
    }

    #[test]
    fn a_bar_is_as_long_as_its_figure_on_the_scale() {
        let plot = ratios(&results(Kind::Whole)).unwrap().to_string();
        // The longest figure, 9, takes the full length.
        let room = WIDTH - LEFT - RIGHT;
        assert!(plot.contains(&format!("width=\"{room:.1}\"")), "{plot}");
        // The target, 6, is at two thirds.
        assert!(plot.contains(&format!("x1=\"{:.1}\"", LEFT + room * 6.0 / 9.0)), "{plot}");
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!([0.3, 1.0, 3.0, 7.0, 42.0].map(step), [0.5, 1.0, 5.0, 10.0, 50.0]);
    }

    #[test]
    fn a_single_size_is_drawn_in_the_middle() {
        let mut results = results(Kind::Scale);
        results.rows.truncate(1);
        let plot = scale(&results).unwrap().to_string();
        assert!(!plot.contains("NaN") && !plot.contains("inf"), "{plot}");
    }
}
