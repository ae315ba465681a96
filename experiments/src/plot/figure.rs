//! A figure as data: panels of marks, a legend, a note. [`Figure::svg`] draws it.

use plotters::style::RGBColor;

use super::PlotError;
use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Lettering, Point, Stroke, picture, width_of};
use super::theme::{BODY, GRID, INK, MUTED, PANEL_TITLE, PAPER, SMALL, TITLE};

/// A whole picture.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) title: String,
    pub(super) legend: Vec<Entry>,
    pub(super) panels: Vec<Panel>,
    /// How many panels stand side by side.
    pub(super) columns: usize,
    /// Width and height of a panel's inside, in pixels.
    pub(super) inside: (f64, f64),
    /// What the marks mean, in small letters below.
    pub(super) note: String,
}

/// A line of the legend.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) text: String,
    pub(super) colour: RGBColor,
    pub(super) key: Key,
}

/// The sign before a legend's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Line,
    Dashes,
    Dot,
    Ring,
}

/// A pair of axes and what stands between them.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) marks: Vec<Mark>,
}

/// A thing drawn in a panel, in the values of its axes.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    /// A curve; values that an axis cannot hold break it.
    Line { points: Vec<Point>, colour: RGBColor, width: f64, dashed: bool },
    /// The area between two values at each x: (x, low, high).
    Band { edges: Vec<(f64, f64, f64)>, colour: RGBColor },
    /// Separate points.
    Dots { points: Vec<Point>, colour: RGBColor, radius: f64, opacity: f64 },
    /// Circles around points.
    Rings { points: Vec<Point>, colour: RGBColor },
    /// A vertical or horizontal bar with caps.
    ErrorBar { from: Point, to: Point, colour: RGBColor },
    /// A short level line at a point.
    Tick { at: Point, colour: RGBColor },
    /// A filled rectangle between two corners.
    Tile { from: Point, to: Point, colour: RGBColor, opacity: f64 },
    /// Text centred at a point, moved by so many pixels.
    Label { at: Point, shift: Point, text: String, size: f64, colour: RGBColor, anchor: Anchor },
}

/// Distances in pixels.
const EDGE: f64 = 18.0;
const TICK_SPACE: f64 = 22.0;
const LABEL_SPACE: f64 = 22.0;
const PANEL_TITLE_SPACE: f64 = 24.0;
const LEGEND_LINE: f64 = 20.0;
const GAP: f64 = 26.0;

impl Figure {
    /// The picture as SVG text: the same figure gives the same bytes.
    pub(super) fn svg(&self) -> Result<String, PlotError> {
        let lines = self.title_lines();
        let layout = Layout::of(self, lines.len());
        picture((layout.width, layout.height), &self.title, |canvas| {
            for (i, line) in lines.iter().enumerate() {
                let at = (EDGE, EDGE + 4.0 + 21.0 * i as f64);
                canvas.text(line, at, Lettering::plain(TITLE).bold());
            }
            self.draw_legend(canvas, &layout);
            for (index, panel) in self.panels.iter().enumerate() {
                panel.draw(canvas, layout.inside_of(index, self), self.inside);
            }
            for (i, line) in layout.note.iter().enumerate() {
                let y = layout.height - EDGE + 4.0 - 15.0 * (layout.note.len() - 1 - i) as f64;
                canvas.text(line, (EDGE, y), Lettering::plain(SMALL).colour(MUTED));
            }
        })
    }

    fn title_lines(&self) -> Vec<String> {
        wrapped(&self.title, TITLE * 1.04, Layout::width_of(self) - 2.0 * EDGE)
    }

    fn draw_legend(&self, canvas: &mut Canvas, layout: &Layout) {
        for (entry, &(x, y)) in self.legend.iter().zip(&layout.legend) {
            entry.draw(canvas, (x, y));
        }
    }
}

impl Entry {
    const KEY_WIDTH: f64 = 26.0;
    const SPACE: f64 = 18.0;

    fn width(&self) -> f64 {
        Self::KEY_WIDTH + width_of(&self.text, BODY) + Self::SPACE
    }

    fn draw(&self, canvas: &mut Canvas, (x, y): Point) {
        match self.key {
            Key::Line | Key::Dashes => {
                let stroke = Stroke { colour: self.colour, width: 2.2, dashed: self.key == Key::Dashes };
                canvas.path(&[(x, y), (x + 20.0, y)], stroke);
            }
            Key::Ring => canvas.ring((x + 10.0, y), 4.6, self.colour),
            Key::Dot => canvas.disc((x + 10.0, y), 4.5, self.colour, 1.0),
        }
        canvas.text(&self.text, (x + Self::KEY_WIDTH, y), Lettering::plain(BODY));
    }
}

/// Where the parts of a figure stand.
struct Layout {
    width: f64,
    height: f64,
    legend: Vec<Point>,
    note: Vec<String>,
    /// Space left of a panel's inside, and a whole panel's width and height.
    left: f64,
    step: (f64, f64),
    top: f64,
}

impl Layout {
    fn left_of(figure: &Figure) -> f64 {
        let ticks = figure.panels.iter().flat_map(|panel| &panel.y.ticks);
        let widest = ticks.map(|tick| width_of(&tick.text, SMALL)).fold(0.0, f64::max);
        widest + 12.0 + LABEL_SPACE
    }

    fn width_of(figure: &Figure) -> f64 {
        let columns = figure.columns.clamp(1, figure.panels.len().max(1)) as f64;
        2.0 * EDGE + columns * (Self::left_of(figure) + figure.inside.0) + (columns - 1.0) * GAP
    }

    fn of(figure: &Figure, title_lines: usize) -> Self {
        let width = Self::width_of(figure);
        let mut y = EDGE + 21.0 * title_lines as f64 + 12.0;
        let (legend, lines) = place_legend(&figure.legend, width, y);
        y += LEGEND_LINE * lines as f64;
        let titles = figure.panels.iter().any(|panel| !panel.title.is_empty());
        let above = if titles { PANEL_TITLE_SPACE } else { 8.0 };
        let ticks = figure.panels.iter().map(|panel| panel.tick_space(figure.inside.0)).fold(0.0, f64::max);
        let below = ticks + LABEL_SPACE;
        let step = (Self::left_of(figure) + figure.inside.0 + GAP, above + figure.inside.1 + below + 8.0);
        let rows = figure.panels.len().div_ceil(figure.columns.max(1));
        let note = wrapped(&figure.note, SMALL, width - 2.0 * EDGE);
        let below_panels = if note.is_empty() { 0.0 } else { 15.0 * note.len() as f64 + 8.0 };
        Self {
            width: width.ceil(),
            height: (y + rows as f64 * step.1 + below_panels + 6.0).ceil(),
            legend,
            note,
            left: Self::left_of(figure),
            step,
            top: y + above,
        }
    }

    /// The upper left corner of a panel's inside.
    fn inside_of(&self, index: usize, figure: &Figure) -> Point {
        let columns = figure.columns.max(1);
        let (column, row) = ((index % columns) as f64, (index / columns) as f64);
        (EDGE + self.left + column * self.step.0, self.top + row * self.step.1)
    }
}

/// Places the entries line after line; also returns how many lines they take.
fn place_legend(entries: &[Entry], width: f64, top: f64) -> (Vec<Point>, usize) {
    let (mut x, mut line) = (EDGE, 0);
    let mut places = Vec::new();
    for entry in entries {
        if x > EDGE && x + entry.width() > width {
            (x, line) = (EDGE, line + 1);
        }
        places.push((x, top + LEGEND_LINE * (line as f64) + 4.0));
        x += entry.width();
    }
    let lines = if entries.is_empty() { 0 } else { line + 1 };
    (places, lines)
}

/// Breaks a text at spaces into lines of about `width` pixels.
fn wrapped(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width_of(line, size) + width_of(word, size) + 0.34 * size <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

impl Panel {
    /// Names (not numbers) below the panel that would run into each other are turned.
    fn names_stand_upright(&self, width: f64) -> bool {
        let room = width / self.x.ticks.len().max(1) as f64;
        self.x.holds_names() && self.x.ticks.iter().any(|tick| width_of(&tick.text, SMALL) + 4.0 > room)
    }

    /// Height of the tick texts below the panel.
    fn tick_space(&self, width: f64) -> f64 {
        if !self.names_stand_upright(width) {
            return TICK_SPACE;
        }
        self.x.ticks.iter().map(|tick| width_of(&tick.text, SMALL)).fold(0.0, f64::max) + 10.0
    }

    fn draw(&self, canvas: &mut Canvas, corner: Point, inside: Point) {
        let frame = Frame { panel: self, corner, inside };
        if !self.title.is_empty() {
            let at = (corner.0, corner.1 - 13.0);
            canvas.text(&self.title, at, Lettering::plain(PANEL_TITLE).bold());
        }
        frame.draw_grid(canvas);
        for mark in &self.marks {
            frame.draw_mark(canvas, mark);
        }
        frame.draw_axes(canvas);
    }
}

/// A panel at its place on the sheet.
struct Frame<'a> {
    panel: &'a Panel,
    corner: Point,
    inside: (f64, f64),
}

impl Frame<'_> {
    fn across(&self, x: f64) -> f64 {
        self.corner.0 + self.inside.0 * self.panel.x.place(x)
    }

    fn down(&self, y: f64) -> f64 {
        self.corner.1 + self.inside.1 * (1.0 - self.panel.y.place(y))
    }

    fn at(&self, (x, y): Point) -> Point {
        (self.across(x), self.down(y))
    }

    fn holds(&self, (x, y): Point) -> bool {
        self.panel.x.holds(x) && self.panel.y.holds(y)
    }

    fn right(&self) -> f64 {
        self.corner.0 + self.inside.0
    }

    fn bottom(&self) -> f64 {
        self.corner.1 + self.inside.1
    }

    fn draw_grid(&self, canvas: &mut Canvas) {
        let stroke = Stroke { colour: GRID, width: 1.0, dashed: false };
        if self.panel.x.grid {
            for tick in self.panel.x.ticks.iter().filter(|tick| self.panel.x.holds(tick.value)) {
                let x = self.across(tick.value);
                canvas.path(&[(x, self.corner.1), (x, self.bottom())], stroke);
            }
        }
        if self.panel.y.grid {
            for tick in self.panel.y.ticks.iter().filter(|tick| self.panel.y.holds(tick.value)) {
                let y = self.down(tick.value);
                canvas.path(&[(self.corner.0, y), (self.right(), y)], stroke);
            }
        }
    }

    fn draw_axes(&self, canvas: &mut Canvas) {
        let (left, bottom) = (self.corner.0, self.bottom());
        let stroke = Stroke { colour: INK, width: 1.0, dashed: false };
        canvas.path(&[(left, self.corner.1), (left, bottom), (self.right(), bottom)], stroke);
        let small = Lettering::plain(SMALL).colour(MUTED);
        let upright = self.panel.names_stand_upright(self.inside.0);
        for tick in self.shown_ticks(upright) {
            let x = self.across(tick.value);
            canvas.path(&[(x, bottom), (x, bottom + 4.0)], stroke);
            if upright {
                canvas.text(&tick.text, (x, bottom + 7.0), small.anchor(Anchor::End).upright());
            } else {
                canvas.text(&tick.text, (x, bottom + 13.0), small.anchor(Anchor::Middle));
            }
        }
        for tick in self.panel.y.ticks.iter().filter(|tick| self.panel.y.holds(tick.value)) {
            let y = self.down(tick.value);
            canvas.path(&[(left - 4.0, y), (left, y)], stroke);
            canvas.text(&tick.text, (left - 7.0, y), small.anchor(Anchor::End));
        }
        let label = Lettering::plain(BODY).anchor(Anchor::Middle);
        let middle = left + self.inside.0 / 2.0;
        let below = bottom + self.panel.tick_space(self.inside.0) + 10.0;
        canvas.text(&self.panel.x.label, (middle, below), label);
        let widest = self.panel.y.ticks.iter().map(|tick| width_of(&tick.text, SMALL)).fold(0.0, f64::max);
        let beside = (left - 12.0 - widest - 9.0, self.corner.1 + self.inside.1 / 2.0);
        canvas.text(&self.panel.y.label, beside, label.upright());
    }

    /// The ticks of the x axis whose texts do not run into each other.
    fn shown_ticks(&self, upright: bool) -> Vec<&super::axis::Tick> {
        let mut shown = Vec::new();
        let mut free_from = f64::NEG_INFINITY;
        for tick in self.panel.x.ticks.iter().filter(|tick| self.panel.x.holds(tick.value)) {
            let half = if upright { SMALL / 2.0 } else { width_of(&tick.text, SMALL) / 2.0 };
            let x = self.across(tick.value);
            if x - half >= free_from {
                free_from = x + half + 4.0;
                shown.push(tick);
            }
        }
        shown
    }

    fn draw_mark(&self, canvas: &mut Canvas, mark: &Mark) {
        match mark {
            Mark::Line { points, colour, width, dashed } => {
                let stroke = Stroke { colour: *colour, width: *width, dashed: *dashed };
                for piece in points.split(|&point| !self.holds(point)).filter(|piece| piece.len() > 1) {
                    let piece: Vec<Point> = piece.iter().map(|&point| self.at(point)).collect();
                    canvas.path(&piece, stroke);
                }
            }
            Mark::Band { edges, colour } => self.draw_band(canvas, edges, *colour),
            Mark::Dots { points, colour, radius, opacity } => {
                for &point in points.iter().filter(|&&point| self.holds(point)) {
                    canvas.disc(self.at(point), *radius, *colour, *opacity);
                }
            }
            Mark::Rings { points, colour } => {
                for &point in points.iter().filter(|&&point| self.holds(point)) {
                    canvas.ring(self.at(point), 4.6, *colour);
                }
            }
            Mark::ErrorBar { from, to, colour } => {
                let stroke = Stroke { colour: *colour, width: 1.4, dashed: false };
                let cap = if from.0 == to.0 { (4.0, 0.0) } else { (0.0, 4.0) };
                let inside = |(x, y): Point| self.at((self.panel.x.nearest(x), self.panel.y.nearest(y)));
                let (from, to) = (inside(*from), inside(*to));
                // The spread of values near the largest number is none.
                if ![from.0, from.1, to.0, to.1].iter().all(|x| x.is_finite()) {
                    return;
                }
                canvas.path(&[from, to], stroke);
                for (x, y) in [from, to] {
                    canvas.path(&[(x - cap.0, y - cap.1), (x + cap.0, y + cap.1)], stroke);
                }
            }
            Mark::Tick { at, colour } => {
                let (x, y) = self.at(*at);
                let stroke = Stroke { colour: *colour, width: 1.8, dashed: true };
                canvas.path(&[(x - 13.0, y), (x + 13.0, y)], stroke);
            }
            Mark::Tile { from, to, colour, opacity } => {
                canvas.rectangle(self.at(*from), self.at(*to), *colour, *opacity);
            }
            Mark::Label { at, shift, text, size, colour, anchor } => {
                let (x, y) = self.at(*at);
                let look = Lettering::plain(*size).colour(*colour).anchor(*anchor);
                canvas.text(text, (x + shift.0, y + shift.1), look);
            }
        }
    }

    fn draw_band(&self, canvas: &mut Canvas, edges: &[(f64, f64, f64)], colour: RGBColor) {
        let y = &self.panel.y;
        let usable = |edge: &&(f64, f64, f64)| edge.0.is_finite() && edge.1.is_finite() && edge.2.is_finite();
        let kept: Vec<_> = edges.iter().filter(usable).collect();
        let high = kept.iter().map(|edge| self.at((edge.0, y.nearest(edge.2))));
        let low = kept.iter().rev().map(|edge| self.at((edge.0, y.nearest(edge.1))));
        let outline: Vec<Point> = high.chain(low).collect();
        if outline.len() > 3 {
            canvas.polygon(&outline, colour, 0.16);
        }
    }
}

/// Text colour that can be read on `background`.
pub(super) fn readable_on(background: RGBColor) -> RGBColor {
    let light =
        0.299 * f64::from(background.0) + 0.587 * f64::from(background.1) + 0.114 * f64::from(background.2);
    if light > 140.0 { INK } else { PAPER }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::axis::Scale;
    use crate::plot::theme::series;

    fn example() -> Figure {
        let colour = series(1, false)[0];
        let points = vec![(1.0, 0.5), (2.0, f64::NAN), (3.0, 0.25), (4.0, 0.2)];
        Figure {
            title: "A title that is long enough to need a second line because the figure is narrow".into(),
            legend: vec![Entry { text: "units = 32".into(), colour, key: Key::Line }],
            panels: vec![Panel {
                title: String::new(),
                x: Axis::around("epoch", Scale::Linear, [1.0, 4.0]),
                y: Axis::around("loss", Scale::Linear, [0.2, 0.5]),
                marks: vec![Mark::Line { points, colour, width: 2.0, dashed: false }],
            }],
            columns: 1,
            inside: (300.0, 200.0),
            note: String::new(),
        }
    }

    #[test]
    fn the_same_figure_gives_the_same_bytes() {
        assert_eq!(example().svg().unwrap(), example().svg().unwrap());
    }

    #[test]
    fn a_value_that_is_no_number_breaks_the_line() {
        let svg = example().svg().unwrap();
        assert!(!svg.contains("NaN"), "{svg}");
        assert!(svg.contains(">\nepoch\n<") && svg.contains(">\nloss\n<"), "{svg}");
    }

    #[test]
    fn text_is_broken_at_spaces() {
        assert_eq!(wrapped("one two three", 10.0, 50.0), ["one two", "three"]);
        assert!(wrapped("", 10.0, 50.0).is_empty());
    }
}
