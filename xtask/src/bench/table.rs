//! Formats the figures as Markdown tables, and as lines while they are measured.

use std::fmt::Write as _;

use super::{
    machine::Machine,
    results::{Kind, Results, Row},
    start,
    stats::Spread,
};

/// Formats a row as one line.
pub fn line(row: &Row) -> String {
    let ratio = row.ratio().map_or_else(String::new, |ratio| {
        format!("{:.2} times as fast ({:.2} to {:.2})", ratio.middle, ratio.low, ratio.high)
    });
    let (theirs, ours) = (ms(row.theirs.median()), ms(row.ours.median()));
    let (their_peak, our_peak) = (mib(row.theirs.peak_kib), mib(row.ours.peak_kib));
    let phases: String = row.phases.iter().map(|(name, ms)| format!(", {name} {ms} ms")).collect();
    let name = match row.kind {
        Kind::Start => row.id.clone(),
        Kind::Merge => "merge".to_owned(),
        Kind::Whole | Kind::Step | Kind::Wire | Kind::Scale => format!("{}, {} files", row.id, row.files),
    };
    let connections =
        row.connections.map_or_else(String::new, |(theirs, ours)| format!(", {theirs} : {ours} connections"));
    format!(
        "{name}, {}: {ratio}; {theirs} : {ours}, {their_peak} : {our_peak}{connections}{phases}",
        row.title
    )
}

/// Returns the page with all tables.
pub fn page(results: &Results) -> String {
    let mut page = String::from(
        "<!-- Written by `cargo xtask bench`; what it means is in README.md. -->\n\n# What was measured\n",
    );
    machine(&mut page, &results.machine);
    whole(&mut page, results);
    phases(&mut page, results);
    steps(&mut page, results);
    merges(&mut page, results);
    wire(&mut page, results);
    starts(&mut page, results);
    scale(&mut page, results);
    page
}

fn machine(page: &mut String, machine: &Machine) {
    let Machine { cores, kernel, git, .. } = machine;
    say(page, &format!("\n{cores} cores, {kernel}, git {git}."));
    if machine.was_busy() {
        say(
            page,
            "Others wanted the processors as well: the ratios hold, the times are longer than they need be.",
        );
    }
}

fn whole(page: &mut String, results: &Results) {
    heading(
        page,
        results,
        Kind::Whole,
        "Whole runs",
        "![How many times as fast as the baseline](ratios.svg)\n\n\
         | | what there is to do | files | on | times as fast | half of the pairs | target | | processor time | baseline | \
         lockstep |\n|---|---|--:|---|--:|--:|--:|---|--:|--:|--:|",
    );
    for row in results.of(Kind::Whole) {
        let Some(ratio) = row.ratio() else { continue };
        let (target, met) = target(row, ratio.middle);
        let (busy, [theirs, ours]) = (times(row.theirs.busy_ms, row.ours.busy_ms), both_ms(row));
        let what = [row.id.clone(), row.title.clone(), thousands(row.files), row.place.clone()];
        say_cells(
            page,
            what.into_iter().chain([bold(&ratio), spread(&ratio), target, met, busy, theirs, ours]),
        );
    }
}

/// Returns a row's target, and whether it is met.
fn target(row: &Row, ratio: f64) -> (String, String) {
    match row.target {
        Some(target) => (format!("{target:.0}"), is_met(ratio >= target)),
        None => Default::default(),
    }
}

fn is_met(holds: bool) -> String {
    if holds { "met" } else { "missed" }.to_owned()
}

fn phases(page: &mut String, results: &Results) {
    let rows: Vec<&Row> = results.of(Kind::Whole).filter(|row| !row.phases.is_empty()).collect();
    let Some(first) = rows.first() else { return };
    let names: Vec<&str> = first.phases.iter().map(|(name, _)| name.as_str()).collect();
    say(page, "\n## Where a run's time goes\n\nWhat the phases of one run say, in milliseconds.\n");
    say(page, &format!("| | files | on | {} |", names.join(" | ")));
    say(page, &format!("|---|--:|---|{}", "--:|".repeat(names.len())));
    for row in rows {
        let of = |name: &&str| row.phases.iter().find(|(phase, _)| phase == name);
        let cells: Vec<String> =
            names.iter().map(|name| of(name).map_or_else(String::new, |(_, ms)| ms.to_string())).collect();
        let files = thousands(row.files);
        say(page, &format!("| {} | {files} | {} | {} |", row.id, row.place, cells.join(" | ")));
    }
}

fn steps(page: &mut String, results: &Results) {
    heading(
        page,
        results,
        Kind::Step,
        "Single phases, and their memory",
        "![Peak memory of each phase and of git](memory.svg)\n\n\
         | phase | what there is to do | files | on | times as fast | half of the pairs | git's peak | ours | |\n\
         |---|---|--:|---|--:|--:|--:|--:|---|",
    );
    for row in results.of(Kind::Step) {
        let Some(ratio) = row.ratio() else { continue };
        let met = is_met(row.ours.peak_kib <= row.theirs.peak_kib);
        let what = [row.id.clone(), row.title.clone(), thousands(row.files), row.place.clone()];
        let [theirs, ours] = both_mib(row);
        say_cells(page, what.into_iter().chain([middle(&ratio), spread(&ratio), theirs, ours, met]));
    }
}

fn merges(page: &mut String, results: &Results) {
    heading(
        page,
        results,
        Kind::Merge,
        "Merging notes",
        "| what there is to merge | on | times as fast | half of the pairs | target | | processor time | git | notes-sync | \
         git's peak | ours |\n|---|---|--:|--:|--:|---|--:|--:|--:|--:|--:|",
    );
    for row in results.of(Kind::Merge) {
        let Some(ratio) = row.ratio() else { continue };
        let (target, met) = target(row, ratio.middle);
        let busy = times(row.theirs.busy_ms, row.ours.busy_ms);
        let found = [row.title.clone(), row.place.clone(), bold(&ratio), spread(&ratio), target, met, busy];
        say_cells(page, found.into_iter().chain(both_ms(row)).chain(both_mib(row)));
    }
}

fn wire(page: &mut String, results: &Results) {
    heading(
        page,
        results,
        Kind::Wire,
        "Over ssh and http",
        "| | what there is to do | files | times as fast | half of the pairs | baseline's connections | ours | at most | |\n\
         |---|---|--:|--:|--:|--:|--:|--:|---|",
    );
    for row in results.of(Kind::Wire) {
        let (Some(ratio), Some((theirs, ours))) = (row.ratio(), row.connections) else { continue };
        let most = row.target.map_or_else(String::new, |most| format!("{most:.0}"));
        let met = row.target.map_or_else(String::new, |most| is_met(ours as f64 <= most));
        let what = [row.id.clone(), row.title.clone(), thousands(row.files), middle(&ratio), spread(&ratio)];
        say_cells(page, what.into_iter().chain([theirs.to_string(), ours.to_string(), most, met]));
    }
}

fn starts(page: &mut String, results: &Results) {
    heading(
        page,
        results,
        Kind::Start,
        "Starts",
        "| binary | size | at most | | `--version` | at most | | git's |\n|---|--:|--:|---|--:|--:|---|--:|",
    );
    for row in results.of(Kind::Start) {
        let Some(took) = row.ours.median() else { continue };
        let (size, most) = (row.files as f64 / 1e6, format!("{:.0} MB", start::LARGEST_MB));
        let small = [row.id.clone(), format!("{size:.1} MB"), most, is_met(size <= start::LARGEST_MB)];
        let longest = format!("{:.0} ms", start::LONGEST_MS);
        let fast = [ms(Some(took)), longest, is_met(took <= start::LONGEST_MS), ms(row.theirs.median())];
        say_cells(page, small.into_iter().chain(fast));
    }
}

fn scale(page: &mut String, results: &Results) {
    heading(
        page,
        results,
        Kind::Scale,
        "Nothing to do, at several sizes",
        "![Time of a run with nothing to do over the number of files](scale.svg)\n\n\
         | files | on | times as fast | half of the pairs | baseline a file | lockstep a file | a file more |\n\
         |--:|---|--:|--:|--:|--:|--:|",
    );
    let mut smaller: Option<&Row> = None;
    for row in results.of(Kind::Scale) {
        let (Some(ratio), Some(theirs), Some(ours)) = (row.ratio(), row.theirs.median(), row.ours.median())
        else {
            continue;
        };
        let per_file = |ms: f64| format!("{:.2} µs", ms * 1000.0 / row.files as f64);
        let more = smaller.filter(|smaller| smaller.place == row.place).and_then(|smaller| {
            let more = (ours - smaller.ours.median()?) * 1000.0 / (row.files - smaller.files) as f64;
            Some(format!("{more:.2} µs"))
        });
        let found = [thousands(row.files), row.place.clone(), middle(&ratio), spread(&ratio)];
        say_cells(
            page,
            found.into_iter().chain([per_file(theirs), per_file(ours), more.unwrap_or_default()]),
        );
        smaller = Some(row);
    }
}

fn heading(page: &mut String, results: &Results, kind: Kind, title: &str, head: &str) {
    if results.of(kind).next().is_some() {
        say(page, &format!("\n## {title}\n\n{head}"));
    }
}

fn say(page: &mut String, line: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(page, "{line}");
}

fn say_cells(page: &mut String, cells: impl Iterator<Item = String>) {
    say(page, &format!("| {} |", cells.collect::<Vec<_>>().join(" | ")));
}

fn middle(ratio: &Spread) -> String {
    format!("{:.1}", ratio.middle)
}

fn bold(ratio: &Spread) -> String {
    format!("**{:.1}**", ratio.middle)
}

fn spread(ratio: &Spread) -> String {
    format!("{:.1} to {:.1}", ratio.low, ratio.high)
}

/// Returns the times of both sides.
fn both_ms(row: &Row) -> [String; 2] {
    [&row.theirs, &row.ours].map(|side| ms(side.median()))
}

/// Returns the peaks of memory of both sides.
fn both_mib(row: &Row) -> [String; 2] {
    [&row.theirs, &row.ours].map(|side| mib(side.peak_kib))
}

fn ms(median: Option<f64>) -> String {
    match median {
        Some(ms) if ms < 10.0 => format!("{ms:.1} ms"),
        Some(ms) => format!("{ms:.0} ms"),
        None => String::new(),
    }
}

fn mib(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}

/// Formats the ratio of processor times; empty if ours is below the resolution of that clock.
fn times(theirs: f64, ours: f64) -> String {
    if ours < 1.0 { String::new() } else { format!("{:.1}", theirs / ours) }
}

/// Formats a number with thousands separators.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::results::Figures, *};

    fn row(kind: Kind, id: &str, files: usize, theirs: &[f64], ours: &[f64]) -> Row {
        let figures = |ms: &[f64], peak_kib| Figures { ms: ms.to_vec(), busy_ms: ms[0], peak_kib };
        Row {
            kind,
            id: id.into(),
            title: "nothing to do".into(),
            files,
            place: "ext4".into(),
            target: Some(6.0),
            theirs: figures(theirs, 2048),
            ours: figures(ours, 3072),
            phases: vec![("lock".into(), 3), ("gitsync".into(), 40)],
            connections: Some((4, 1)),
        }
    }

    #[test]
    fn each_row_says_whether_it_meets_its_target() {
        let rows = vec![
            row(Kind::Whole, "S1", 20_000, &[120.0, 130.0, 128.0], &[20.0, 20.0, 20.0]),
            row(Kind::Whole, "S2", 100_000, &[120.0], &[40.0]),
            row(Kind::Step, "gitsync S1", 20_000, &[120.0], &[40.0]),
            Row { target: Some(1.0), ..row(Kind::Wire, "S1 ssh", 20_000, &[300.0], &[60.0]) },
            row(Kind::Start, "lock", 4_000_000, &[1.4], &[1.2]),
        ];
        let page = page(&Results { rows, ..Results::default() });
        for line in [
            "| S1 | nothing to do | 20,000 | ext4 | **6.4** | 6.2 to 6.5 | 6 | met | 6.0 | 128 ms | 20 ms |",
            "| S2 | nothing to do | 100,000 | ext4 | **3.0** | 3.0 to 3.0 | 6 | missed | 3.0 | 120 ms | 40 ms |",
            "| S1 | 20,000 | ext4 | 3 | 40 |",
            "| gitsync S1 | nothing to do | 20,000 | ext4 | 3.0 | 3.0 to 3.0 | 2.0 MiB | 3.0 MiB | missed |",
            "| S1 ssh | nothing to do | 20,000 | 5.0 | 5.0 to 5.0 | 4 | 1 | 1 | met |",
            "| lock | 4.0 MB | 15 MB | met | 1.2 ms | 3 ms | met | 1.4 ms |",
        ] {
            assert!(page.lines().any(|has| has == line), "{line}\nis not in\n{page}");
        }
        assert!(!page.contains("several sizes"), "{page}");
    }

    #[test]
    fn a_file_more_costs_what_the_larger_repository_takes_longer() {
        let rows = vec![
            row(Kind::Scale, "S1", 1000, &[60.0], &[10.0]),
            row(Kind::Scale, "S1", 11_000, &[160.0], &[30.0]),
        ];
        let page = page(&Results { rows, ..Results::default() });
        let line = "| 11,000 | ext4 | 5.3 | 5.3 to 5.3 | 14.55 µs | 2.73 µs | 2.00 µs |";
        assert!(page.lines().any(|has| has == line), "{page}");
    }

    #[test]
    fn thousands_are_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
