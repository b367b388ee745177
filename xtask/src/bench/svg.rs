//! Draws SVG images that are readable on light and on dark pages.

use std::fmt::{Display, Write as _};

/// The colours; viewers that prefer dark pages get the second set.
const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.small { font-size: 11px; fill: #59636e }
.title { font-size: 15px; font-weight: 600 }
.ours { fill: #0a7ea4; stroke: #0a7ea4 }
.theirs { fill: #9a6700; stroke: #9a6700 }
.rule { stroke: #d1d9e0; stroke-width: 1 }
.target { stroke: #cf222e; stroke-width: 2 }
.range { stroke: #1f2328; stroke-width: 1.5 }
.line { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .small { fill: #9198a1 }
  .ours { fill: #39c5cf; stroke: #39c5cf }
  .theirs { fill: #d29922; stroke: #d29922 }
  .rule { stroke: #3d444d }
  .target { stroke: #f85149 }
  .range { stroke: #f0f6fc }
  .line { fill: none }
}";

/// How a text is aligned to its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// A drawing.
#[derive(Debug)]
pub struct Svg {
    width: f64,
    height: f64,
    body: String,
}

impl Svg {
    /// Returns a drawing that contains only its title, also in the form for screen readers.
    pub fn new(width: f64, height: f64, title: &str) -> Self {
        let mut svg = Self { width, height, body: String::new() };
        svg.push(format_args!("<title>{}</title>", escaped(title)));
        svg.text((0.0, 16.0), Anchor::Start, "title", title);
        svg
    }

    /// Adds a text.
    pub fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escaped(text);
        self.push(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{text}</text>"
        ));
    }

    /// Adds a filled rectangle.
    pub fn bar(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), class: &str) {
        self.push(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" stroke=\"none\" \
             class=\"{class}\" style=\"stroke:none\"/>"
        ));
    }

    /// Adds a straight line.
    pub fn rule(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        self.push(format_args!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" class=\"{class}\"/>"
        ));
    }

    /// Adds a line through points, each with a dot.
    pub fn line(&mut self, points: &[(f64, f64)], class: &str) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.push(format_args!(
            "<polyline points=\"{}\" class=\"{class} line\" style=\"fill:none\"/>",
            path.join(" ")
        ));
        for (x, y) in points {
            self.push(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" class=\"{class}\"/>"));
        }
    }

    fn push(&mut self, element: impl Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.body, "{element}");
    }
}

impl Display for Svg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { width, height, body } = self;
        write!(
            f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-12 -4 {} {}\" width=\"{}\" height=\"{}\" \
             role=\"img\">\n<style>\n{STYLE}\n</style>\n{body}</svg>\n",
            width + 24.0,
            height + 8.0,
            width + 24.0,
            height + 8.0,
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_a_drawing_cannot_break_it() {
        let drawing = Svg::new(100.0, 50.0, "a < b & c").to_string();
        assert!(drawing.contains("<title>a &lt; b &amp; c</title>"), "{drawing}");
        assert!(drawing.contains("prefers-color-scheme: dark"));
    }
}
