//! Axes: from values to a place between 0 and 1, with ticks at round numbers.

use kernels::math::f64::{exp, ln, log10};

/// Values beyond this, or nearer to 0 on a logarithmic axis than its inverse, are not shown: a training that
/// diverges ends near the largest number, where a margin or a ratio would be infinite.
const FARTHEST: f64 = 1e250;

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    /// Decades; every value is positive.
    Log,
}

impl Scale {
    /// Log if it is asked for or the values span more than three decades; never where a value is not positive.
    pub(super) fn of(values: impl Iterator<Item = f64>, wanted: bool) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let (low, high) =
            finite.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), v| (low.min(v), high.max(v)));
        let positive = low > 0.0 && low.is_finite();
        if positive && (wanted || high > 1e3 * low) { Self::Log } else { Self::Linear }
    }

    /// The scale of a swept key: log if its values grow by factors rather than by steps.
    pub(super) fn of_steps(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else { return Self::Linear };
        if sorted.len() > 2 && low > 0.0 && high >= 8.0 * low { Self::Log } else { Self::Linear }
    }
}

/// A mark on an axis and its text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) text: String,
}

/// One axis of a panel.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) label: String,
    pub(super) ticks: Vec<Tick>,
    /// Whether grid lines are drawn at the ticks.
    pub(super) grid: bool,
    names: bool,
    scale: Scale,
    low: f64,
    high: f64,
}

impl Axis {
    /// An axis that holds every finite one of `values`, with a margin.
    pub(super) fn around(label: &str, scale: Scale, values: impl IntoIterator<Item = f64>) -> Self {
        let usable =
            |value: &f64| value.abs() <= FARTHEST && (scale == Scale::Linear || *value >= 1.0 / FARTHEST);
        let (mut low, mut high, mut whole) = (f64::INFINITY, f64::NEG_INFINITY, true);
        for value in values.into_iter().filter(usable) {
            (low, high) = (low.min(value), high.max(value));
            whole &= value.fract() == 0.0;
        }
        let (low, high) = if low <= high { (low, high) } else { (1.0, 1.0) };
        match scale {
            Scale::Linear => {
                let axis = Self::linear(label, low, high);
                if whole { axis.with_whole_ticks() } else { axis }
            }
            Scale::Log => Self::log(label, low, high),
        }
    }

    /// An axis over `values` with a tick at each of them and nowhere else.
    pub(super) fn at(label: &str, scale: Scale, values: &[f64], texts: &[String]) -> Self {
        let mut axis = Self::around(label, scale, values.iter().copied());
        let ticks = values.iter().zip(texts).map(|(&value, text)| Tick { value, text: text.clone() });
        axis.ticks = ticks.collect();
        axis.ticks.sort_by(|a, b| a.value.total_cmp(&b.value));
        axis
    }

    /// A linear axis from `low` to `high` exactly, as for the sides of a picture.
    pub(super) fn exactly(label: &str, low: f64, high: f64) -> Self {
        let ticks = linear_ticks(low, high);
        Self { label: label.to_owned(), ticks, grid: true, names: false, scale: Scale::Linear, low, high }
    }

    /// One place for each name, at 0, 1, 2 ...
    pub(super) fn names(label: &str, names: &[String]) -> Self {
        let tick = |(i, name): (usize, &String)| Tick { value: i as f64, text: name.clone() };
        let high = names.len() as f64 - 0.5;
        Self {
            label: label.to_owned(),
            ticks: names.iter().enumerate().map(tick).collect(),
            grid: false,
            names: true,
            scale: Scale::Linear,
            low: -0.5,
            high,
        }
    }

    /// This axis turned around: its first value at the far end.
    pub(super) fn reversed(self) -> Self {
        Self { low: self.high, high: self.low, ..self }
    }

    /// This axis without grid lines.
    pub(super) fn without_grid(self) -> Self {
        Self { grid: false, ..self }
    }

    /// Ticks at whole numbers only, as for epochs and counts.
    fn with_whole_ticks(mut self) -> Self {
        if self.ticks.iter().any(|tick| tick.value.fract() != 0.0) {
            let whole = (self.low.ceil() as i64)..=(self.high.floor() as i64);
            self.ticks =
                whole.map(|i| Tick { value: i as f64, text: i.to_string().replace('-', "−") }).collect();
        }
        self
    }

    fn linear(label: &str, low: f64, high: f64) -> Self {
        let margin =
            if high - low > 1.0 / FARTHEST { 0.06 * (high - low) } else { (0.1 * low.abs()).max(0.5) };
        Self::exactly(label, low - margin, high + margin)
    }

    fn log(label: &str, low: f64, high: f64) -> Self {
        let margin = exp((ln_ratio(high, low) * 0.06).max(0.1));
        let (low, high) = (low / margin, high * margin);
        let ticks = log_ticks(low, high);
        Self { label: label.to_owned(), ticks, grid: true, names: false, scale: Scale::Log, low, high }
    }

    /// Whether the ticks are names.
    pub(super) fn holds_names(&self) -> bool {
        self.names
    }

    /// Where a value lies: 0 at the low end, 1 at the high end.
    pub(super) fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => ln_ratio(value, self.low) / ln_ratio(self.high, self.low),
        }
    }

    /// Whether a value can be shown on this axis.
    pub(super) fn holds(&self, value: f64) -> bool {
        value.is_finite() && (0.0..=1.0).contains(&self.place(value))
    }

    /// The nearest value that this axis holds.
    pub(super) fn nearest(&self, value: f64) -> f64 {
        value.clamp(self.low.min(self.high), self.low.max(self.high))
    }
}

/// ln(a / b), also where the ratio is beyond the range of numbers.
fn ln_ratio(a: f64, b: f64) -> f64 {
    let ratio = a / b;
    if ratio.is_finite() && ratio != 0.0 { ln(ratio) } else { ln(a) - ln(b) }
}

/// Multiples of 1, 2 or 5 times a power of ten, about five of them.
fn linear_ticks(low: f64, high: f64) -> Vec<Tick> {
    let rough = (high - low) / 5.0;
    let exponent = log10(rough).floor() as i32;
    let steps = [(1.0, exponent), (2.0, exponent), (5.0, exponent), (1.0, exponent + 1)];
    let size = |(lead, exponent): (f64, i32)| lead * power_of_ten(exponent);
    let step = steps.into_iter().find(|&step| size(step) >= rough * 0.99).unwrap_or((1.0, exponent + 1));
    let digits = (-step.1).max(0) as usize;
    let step = size(step);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    let short_only = low.abs().max(high.abs()) >= 1e6 || digits > 12;
    (first..=last)
        .map(|i| {
            let value = i as f64 * step;
            let text = if short_only { short(value) } else { format!("{value:.digits$}") };
            Tick { value, text: text.replace('-', "−") }
        })
        .collect()
}

/// Powers of ten; with 2 and 5 times them where there are few, with gaps where there are many.
fn log_ticks(low: f64, high: f64) -> Vec<Tick> {
    let (first, last) = (log10(low).floor() as i32, log10(high).ceil() as i32);
    if high < 8.0 * low {
        return linear_ticks(low, high);
    }
    let decades = last - first;
    let leads: &[f64] = if decades <= 2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let stride = (decades / 7 + 1) as usize;
    let plain = low >= 1e-3 && high <= 1e5;
    let mut ticks = Vec::new();
    for exponent in (first..=last).filter(|e| e.rem_euclid(stride as i32) == 0) {
        for &lead in leads {
            let value = lead * power_of_ten(exponent);
            if value >= low && value <= high {
                ticks.push(Tick { value, text: decade_text(lead, exponent, plain) });
            }
        }
    }
    ticks
}

/// 10^exponent as the nearest f64.
fn power_of_ten(exponent: i32) -> f64 {
    format!("1e{exponent}").parse().unwrap_or(f64::NAN)
}

/// `0.02` or `500` where all ticks of an axis are plain, else `2·10⁻²` and `5·10²`.
fn decade_text(lead: f64, exponent: i32, plain: bool) -> String {
    if plain {
        return format!("{}", lead * power_of_ten(exponent));
    }
    let power: String = exponent.to_string().chars().map(superscript).collect();
    if lead == 1.0 { format!("10{power}") } else { format!("{lead}·10{power}") }
}

fn superscript(c: char) -> char {
    match c {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        _ => '⁹',
    }
}

/// A number in few characters: `12`, `0.85`, `3.2e6`.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-3..1e6).contains(&size) {
        let digits = if size >= 100.0 { 1 } else { 4 };
        let text = format!("{value:.digits$}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let text = format!("{value:.2e}");
    match text.split_once('e') {
        Some((lead, power)) => format!("{}e{power}", lead.trim_end_matches('0').trim_end_matches('.')),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.text.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_numbers_inside_the_range() {
        assert_eq!(texts(&linear_ticks(0.0, 1.0)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(&linear_ticks(0.83, 0.87)), ["0.83", "0.84", "0.85", "0.86", "0.87"]);
        assert_eq!(texts(&linear_ticks(-3.0, 12.0)), ["0", "5", "10"]);
        assert_eq!(texts(&log_ticks(0.5, 200.0)), ["1", "10", "100"]);
        assert_eq!(texts(&log_ticks(1.5, 60.0)), ["2", "5", "10", "20", "50"]);
        assert_eq!(
            texts(&log_ticks(1e-6, 1e-4)),
            ["10⁻⁶", "2·10⁻⁶", "5·10⁻⁶", "10⁻⁵", "2·10⁻⁵", "5·10⁻⁵", "10⁻⁴"]
        );
    }

    #[test]
    fn the_ends_of_an_axis_are_at_zero_and_one() {
        let axis = Axis::exactly("x", 2.0, 6.0);
        assert_eq!((axis.place(2.0), axis.place(3.0), axis.place(6.0)), (0.0, 0.25, 1.0));
        let axis = Axis::around("x", Scale::Log, [0.01, 100.0, f64::NAN, -1.0]);
        assert!((axis.place(1.0) - 0.5).abs() < 1e-12);
        assert!(axis.holds(0.01) && axis.holds(100.0) && !axis.holds(f64::NAN));
    }

    #[test]
    fn an_axis_of_one_value_or_none_still_has_a_width() {
        for values in [vec![3.0], vec![], vec![f64::NAN]] {
            for scale in [Scale::Linear, Scale::Log] {
                let axis = Axis::around("x", scale, values.clone());
                assert!(axis.low < axis.high);
            }
        }
    }

    #[test]
    fn an_axis_over_all_numbers_has_few_ticks_and_holds_what_is_shown() {
        let ends = [1e-300, 1e-3, f64::MAX, 1e250];
        for values in [&ends[..], &[1e-250, 1e250], &[-f64::MAX, 1.0, 2e249], &[0.0, 5e-324], &[1e250, 1e250]]
        {
            for scale in [Scale::Linear, Scale::Log] {
                let axis = Axis::around("x", scale, values.iter().copied());
                assert!(axis.low < axis.high && axis.high.is_finite(), "{values:?} {scale:?}");
                assert!(axis.ticks.len() < 30, "{values:?} {scale:?}: {} ticks", axis.ticks.len());
                assert!(axis.ticks.iter().all(|tick| tick.text.len() < 20), "{:?}", axis.ticks);
                let held = values.iter().filter(|x| axis.holds(**x));
                assert!(held.clone().all(|&x| axis.place(x).is_finite()));
            }
        }
        assert!(Axis::around("x", Scale::Log, ends).holds(1e250));
    }

    #[test]
    fn short_numbers_have_no_idle_zeros() {
        assert_eq!(short(0.85), "0.85");
        assert_eq!(short(128.0), "128");
        assert_eq!(short(3_200_000.0), "3.2e6");
        assert_eq!(short(1e-7), "1e-7");
        assert_eq!(short(0.0), "0");
    }
}
