//! A sheet in pixels on plotters' SVG backend.
//!
//! The backend takes whole coordinates only, which makes curves step. So it draws on a sheet
//! ten times as large, and the finished SVG is told to show it at its true size.

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontFamily, FontStyle, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle,
};

use super::PlotError;
use super::theme::{INK, PAPER};

/// Units of the backend in a pixel.
const SCALE: f64 = 10.0;
/// plotters divides font sizes by this number.
const PLOTTERS_FONT: f64 = 1.24;
const FONT: &str = "Helvetica, Arial, 'DejaVu Sans', sans-serif";

/// A point in pixels, from the upper left corner.
pub(super) type Point = (f64, f64);

/// Where a text's point lies in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lettering {
    pub(super) size: f64,
    pub(super) colour: RGBColor,
    pub(super) anchor: Anchor,
    pub(super) bold: bool,
    /// Read from below to above.
    pub(super) upright: bool,
}

impl Lettering {
    /// Plain text of a size, beginning at its point.
    pub(super) fn plain(size: f64) -> Self {
        Self { size, colour: INK, anchor: Anchor::Start, bold: false, upright: false }
    }

    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) fn upright(self) -> Self {
        Self { upright: true, ..self }
    }

    pub(super) fn colour(self, colour: RGBColor) -> Self {
        Self { colour, ..self }
    }

    pub(super) fn anchor(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }
}

/// A line's look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stroke {
    pub(super) colour: RGBColor,
    pub(super) width: f64,
    pub(super) dashed: bool,
}

/// The sheet. The first failure of the backend is kept and returned by [`picture`].
pub(super) struct Canvas<'a> {
    backend: SVGBackend<'a>,
    failure: Option<String>,
}

/// The SVG text of a picture of `width` x `height` pixels.
pub(super) fn picture(
    (width, height): (f64, f64),
    title: &str,
    draw: impl FnOnce(&mut Canvas),
) -> Result<String, PlotError> {
    let mut svg = String::new();
    let sheet = ((width * SCALE) as u32, (height * SCALE) as u32);
    let mut canvas = Canvas { backend: SVGBackend::with_string(&mut svg, sheet), failure: None };
    canvas.rectangle((0.0, 0.0), (width, height), PAPER, 1.0);
    draw(&mut canvas);
    let presented = canvas.backend.present();
    canvas.note(presented);
    let failure = canvas.failure.take();
    drop(canvas);
    match failure {
        Some(reason) => Err(PlotError::Drawing(reason)),
        None => Ok(with_true_size(&svg, (width, height), title)),
    }
}

/// Gives the sheet its true size, round line joints, and a title for readers who listen.
fn with_true_size(svg: &str, (width, height): (f64, f64), title: &str) -> String {
    let body = svg.split_once('\n').map_or("", |(_, body)| body);
    // Tiles that share an edge must not let the paper through.
    let body = body.replace("<rect ", "<rect shape-rendering=\"crispEdges\" ");
    let title = title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {} {}\" stroke-linejoin=\"round\" role=\"img\">\n<title>{title}</title>\n{body}",
        width * SCALE,
        height * SCALE,
    )
}

impl Canvas<'_> {
    /// An open path.
    pub(super) fn path(&mut self, points: &[Point], stroke: Stroke) {
        if !stroke.dashed {
            return self.solid(points, stroke);
        }
        for dash in dashes(points, 6.0, 4.0) {
            self.solid(&dash, stroke);
        }
    }

    fn solid(&mut self, points: &[Point], stroke: Stroke) {
        let style = ShapeStyle {
            color: stroke.colour.to_rgba(),
            filled: false,
            stroke_width: (stroke.width * SCALE) as u32,
        };
        let done = self.backend.draw_path(points.iter().map(|&at| on_sheet(at)), &style);
        self.note(done);
    }

    /// A filled polygon.
    pub(super) fn polygon(&mut self, corners: &[Point], colour: RGBColor, opacity: f64) {
        let done = self.backend.fill_polygon(corners.iter().map(|&at| on_sheet(at)), &colour.mix(opacity));
        self.note(done);
    }

    /// A filled rectangle between two opposite corners.
    pub(super) fn rectangle(&mut self, from: Point, to: Point, colour: RGBColor, opacity: f64) {
        let (left, right) = if from.0 < to.0 { (from.0, to.0) } else { (to.0, from.0) };
        let (top, bottom) = if from.1 < to.1 { (from.1, to.1) } else { (to.1, from.1) };
        let done = self.backend.draw_rect(
            on_sheet((left, top)),
            on_sheet((right, bottom)),
            &colour.mix(opacity),
            true,
        );
        self.note(done);
    }

    /// A disc with a thin white rim, so that neighbours stay apart.
    pub(super) fn disc(&mut self, centre: Point, radius: f64, colour: RGBColor, opacity: f64) {
        let rim = self.backend.draw_circle(
            on_sheet(centre),
            ((radius + 0.7) * SCALE) as u32,
            &PAPER.mix(opacity),
            true,
        );
        self.note(rim);
        let done =
            self.backend.draw_circle(on_sheet(centre), (radius * SCALE) as u32, &colour.mix(opacity), true);
        self.note(done);
    }

    /// A circle without a filling.
    pub(super) fn ring(&mut self, centre: Point, radius: f64, colour: RGBColor) {
        let style = ShapeStyle { color: colour.to_rgba(), filled: false, stroke_width: (1.2 * SCALE) as u32 };
        let done = self.backend.draw_circle(on_sheet(centre), (radius * SCALE) as u32, &style, false);
        self.note(done);
    }

    /// A line of text; `at` is half way up its small letters.
    pub(super) fn text(&mut self, text: &str, at: Point, look: Lettering) {
        let across = match look.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let style = if look.bold { FontStyle::Bold } else { FontStyle::Normal };
        let turn = if look.upright { FontTransform::Rotate270 } else { FontTransform::None };
        let font =
            (FontFamily::Name(FONT), look.size * SCALE * PLOTTERS_FONT, style).into_font().transform(turn);
        let style = TextStyle::from(font).color(&look.colour).pos(Pos::new(across, VPos::Center));
        let done = self.backend.draw_text(text, &style, on_sheet(at));
        self.note(done);
    }

    fn note<E: std::error::Error>(&mut self, done: Result<(), E>) {
        if let Err(error) = done {
            self.failure.get_or_insert_with(|| error.to_string());
        }
    }
}

fn on_sheet((x, y): Point) -> (i32, i32) {
    ((x * SCALE).round() as i32, (y * SCALE).round() as i32)
}

/// About how wide a text is, in pixels: SVG viewers bring their own fonts.
pub(super) fn width_of(text: &str, size: f64) -> f64 {
    let em: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | 't' | 'f' | 'r' | '.' | ',' | ':' | ';' | '\'' | ' ' | '(' | ')' | '|' => 0.34,
            'm' | 'w' | 'M' | 'W' => 0.9,
            'A'..='Z' => 0.7,
            _ => 0.58,
        })
        .sum();
    em * size
}

/// Cuts a path into dashes of length `on` with gaps of length `off`.
fn dashes(points: &[Point], on: f64, off: f64) -> Vec<Vec<Point>> {
    let mut all = Vec::new();
    let mut dash: Vec<Point> = points.first().map(|&first| vec![first]).unwrap_or_default();
    let (mut drawing, mut left) = (true, on);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        let (across, down) = (to.0 - from.0, to.1 - from.1);
        let mut rest = (across * across + down * down).sqrt();
        while rest > left {
            let share = left / rest;
            from = (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1));
            rest -= left;
            if drawing {
                dash.push(from);
                all.push(std::mem::take(&mut dash));
            } else {
                dash = vec![from];
            }
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
        left -= rest;
        if drawing {
            dash.push(to);
        }
    }
    if drawing && dash.len() > 1 {
        all.push(dash);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dashed_line_is_cut_into_dashes_and_gaps() {
        let cut = dashes(&[(0.0, 0.0), (25.0, 0.0)], 6.0, 4.0);
        assert_eq!(
            cut,
            [[(0.0, 0.0), (6.0, 0.0)], [(10.0, 0.0), (16.0, 0.0)], [(20.0, 0.0), (25.0, 0.0)]].map(Vec::from)
        );
    }

    #[test]
    fn a_picture_says_its_size_and_title() {
        let svg = picture((80.0, 40.0), "a < b", |canvas| {
            canvas.text("phi", (10.0, 10.0), Lettering::plain(11.0));
        })
        .unwrap();
        assert!(svg.starts_with("<svg "), "{svg}");
        assert!(svg.contains("width=\"80\" height=\"40\" viewBox=\"0 0 800 400\""), "{svg}");
        assert!(svg.contains("<title>a &lt; b</title>"), "{svg}");
        assert!(svg.contains("font-size=\"110\""), "{svg}");
        assert!(svg.trim_end().ends_with("</svg>"), "{svg}");
    }
}
