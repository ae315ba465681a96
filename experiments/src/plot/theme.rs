//! Colours and sizes: a light background, and colours that colour-blind readers tell apart.

use plotters::style::RGBColor;

/// Text and axes.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Notes and tick labels.
pub(super) const MUTED: RGBColor = RGBColor(0x5c, 0x5c, 0x5c);
/// Grid lines.
pub(super) const GRID: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
/// What was published elsewhere, beside our own values.
pub(super) const PUBLISHED: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// The background.
pub(super) const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);

/// Sizes of text, in pixels.
pub(super) const TITLE: f64 = 16.0;
pub(super) const PANEL_TITLE: f64 = 13.0;
pub(super) const BODY: f64 = 12.0;
pub(super) const SMALL: f64 = 11.0;

/// Okabe and Ito's palette (2008), without its yellow, which is too pale on white.
const SERIES: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x22, 0x22, 0x22),
];

/// Stops of matplotlib's viridis, without its palest end.
const ORDERED: [RGBColor; 6] = [
    RGBColor(0x44, 0x01, 0x54),
    RGBColor(0x41, 0x44, 0x87),
    RGBColor(0x2a, 0x78, 0x8e),
    RGBColor(0x22, 0xa8, 0x84),
    RGBColor(0x7a, 0xd1, 0x51),
    RGBColor(0xc4, 0xbc, 0x0e),
];

/// The colours of `count` series. Values with an order (a swept number) get an ordered scale.
pub(super) fn series(count: usize, ordered: bool) -> Vec<RGBColor> {
    if ordered && count > 2 || count > SERIES.len() {
        let last = count.saturating_sub(1).max(1) as f64;
        (0..count).map(|i| blend(&ORDERED, i as f64 / last)).collect()
    } else {
        SERIES[..count].to_vec()
    }
}

/// From white (0) to dark blue (1): the shade of a count.
pub(super) fn shade(share: f64) -> RGBColor {
    const STOPS: [RGBColor; 3] =
        [RGBColor(0xff, 0xff, 0xff), RGBColor(0x8f, 0xbe, 0xdd), RGBColor(0x08, 0x45, 0x7e)];
    blend(&STOPS, share)
}

/// A pale version of a series' colour, for regions behind points.
pub(super) fn pale(colour: RGBColor) -> RGBColor {
    blend(&[colour, PAPER], 0.78)
}

/// The colour at `share` (0 to 1) of the way along `stops`.
fn blend(stops: &[RGBColor], share: f64) -> RGBColor {
    let place = share.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let below = (place as usize).min(stops.len() - 2);
    let part = place - below as f64;
    let (from, to) = (stops[below], stops[below + 1]);
    let mix = |a: u8, b: u8| (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_begins_and_ends_at_its_stops() {
        assert_eq!(shade(0.0), PAPER);
        assert_eq!(shade(1.0), RGBColor(0x08, 0x45, 0x7e));
        assert_eq!(series(6, true), ORDERED);
    }

    #[test]
    fn there_are_as_many_colours_as_series() {
        for count in 0..20 {
            assert_eq!(series(count, false).len(), count);
            assert_eq!(series(count, true).len(), count);
        }
    }
}
