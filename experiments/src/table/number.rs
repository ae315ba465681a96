//! How a mean and its spread are rounded for a table.

/// A number written for a reader: `digits`, times ten to the `exponent` where that is not 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rounded {
    /// As `0.8412` or `-12`.
    pub digits: String,
    /// 0 for plain notation.
    pub exponent: i32,
}

/// Significant digits where no spread says how many mean something.
const DIGITS_WITHOUT_SPREAD: usize = 6;
/// More significant digits than this are never shown beside a spread.
const MOST_DIGITS: usize = 9;
/// Decimal places beyond which, and powers of ten from which, scientific notation is used.
const PLAIN_PLACES: i32 = 6;
const PLAIN_POWER: i32 = 6;

impl Rounded {
    /// A whole number.
    pub fn whole(n: u64) -> Self {
        Self { digits: n.to_string(), exponent: 0 }
    }

    /// A number by itself, to six significant digits without trailing zeros.
    ///
    /// ```
    /// # use experiments::table::Rounded;
    /// assert_eq!(Rounded::alone(51.081_227_3).to_string(), "51.0812");
    /// assert_eq!(Rounded::alone(0.25).to_string(), "0.25");
    /// ```
    pub fn alone(x: f64) -> Self {
        Self::to_digits(x, DIGITS_WITHOUT_SPREAD)
    }

    /// A number to so many significant digits, without trailing zeros.
    pub fn to_digits(x: f64, digits: usize) -> Self {
        if !x.is_finite() {
            return Self { digits: not_finite(x), exponent: 0 };
        }
        let rounded = format!("{x:.*e}", digits - 1);
        let (mantissa, exponent) = split(&rounded);
        if (-4..PLAIN_POWER).contains(&exponent) {
            let places = (digits as i32 - 1 - exponent).max(0);
            Self { digits: without_trailing_zeros(to_place(x, places)), exponent: 0 }
        } else {
            Self { digits: without_trailing_zeros(mantissa.to_owned()), exponent }
        }
    }

    /// A mean and its standard deviation: the deviation to one significant digit (two if it begins
    /// 10 to 35), the mean to the same place; both with the mean's power of ten.
    ///
    /// ```
    /// # use experiments::table::Rounded;
    /// let (mean, sd) = Rounded::pair(0.841_26, 0.003_61);
    /// assert_eq!((mean.to_string(), sd.to_string()), ("0.841".into(), "0.004".into()));
    /// let (mean, sd) = Rounded::pair(0.841_26, 0.001_49);
    /// assert_eq!((mean.to_string(), sd.to_string()), ("0.8413".into(), "0.0015".into()));
    /// ```
    pub fn pair(mean: f64, sd: f64) -> (Self, Self) {
        if !mean.is_finite() || !sd.is_finite() || sd == 0.0 {
            return (Self::alone(mean), Self::alone(sd));
        }
        let place = place_of_spread(sd);
        if decade(mean) + place >= MOST_DIGITS as i32 {
            // The seeds agree to more digits than a reader compares: what is left is rounding.
            return (Self::to_digits(mean, MOST_DIGITS), Self::to_digits(sd, 1));
        }
        let larger = if sd > mean.abs() { sd } else { mean };
        let exponent = if place > PLAIN_PLACES || decade(larger) >= PLAIN_POWER { decade(larger) } else { 0 };
        let unit = power_of_ten(exponent);
        let places = place + exponent;
        (
            Self { digits: to_place(mean / unit, places), exponent },
            Self { digits: to_place(sd / unit, places), exponent },
        )
    }
}

impl std::fmt::Display for Rounded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.exponent {
            0 => write!(f, "{}", self.digits),
            e => write!(f, "{}e{e}", self.digits),
        }
    }
}

fn not_finite(x: f64) -> String {
    let name = if x.is_nan() {
        "nan"
    } else if x > 0.0 {
        "inf"
    } else {
        "-inf"
    };
    name.to_owned()
}

/// floor(log10 |x|), read off the shortest digits; 0 for 0.
fn decade(x: f64) -> i32 {
    split(&format!("{x:e}")).1
}

/// Mantissa and exponent of scientific notation.
fn split(scientific: &str) -> (&str, i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    (mantissa, exponent.parse().unwrap_or(0))
}

/// The decimal place (2 = hundredths, -1 = tens) to which a table shows a spread.
fn place_of_spread(sd: f64) -> i32 {
    let two_digits = format!("{sd:.1e}");
    let (mantissa, decade) = split(&two_digits);
    // `1.0` to `3.5` compare as text: all have one digit, a point and one digit.
    if mantissa <= "3.5" { 1 - decade } else { -decade }
}

fn without_trailing_zeros(mut digits: String) -> String {
    if digits.contains('.') {
        digits.truncate(digits.trim_end_matches('0').trim_end_matches('.').len());
    }
    digits
}

fn power_of_ten(exponent: i32) -> f64 {
    // Read from text: exact where 10^n is, correctly rounded elsewhere (N6 knows no powers).
    format!("1e{exponent}").parse().unwrap_or(f64::NAN)
}

/// `x` rounded to `place` decimals; a negative place rounds to tens, hundreds, ...
fn to_place(x: f64, place: i32) -> String {
    let text = if place >= 0 {
        format!("{x:.*}", place as usize)
    } else {
        let unit = power_of_ten(-place);
        format!("{:.0}", (x / unit).round() * unit)
    };
    let is_zero = text.bytes().all(|b| matches!(b, b'-' | b'0' | b'.'));
    if is_zero { text.trim_start_matches('-').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(mean: f64, sd: f64) -> String {
        let (mean, sd) = Rounded::pair(mean, sd);
        format!("{mean} {sd}")
    }

    #[test]
    fn the_deviation_has_one_digit_or_two_if_it_begins_10_to_35() {
        assert_eq!(pair(0.5, 0.010), "0.500 0.010");
        assert_eq!(pair(0.5, 0.035), "0.500 0.035");
        assert_eq!(pair(0.5, 0.036), "0.50 0.04");
        assert_eq!(pair(0.5, 0.094), "0.50 0.09");
        assert_eq!(pair(0.5, 0.0999), "0.50 0.10");
        assert_eq!(pair(1234.6, 47.0), "1230 50");
        assert_eq!(pair(1234.6, 13.4), "1235 13");
        assert_eq!(pair(1250.0, 470.0), "1300 500");
        assert_eq!(pair(0.1, 3.0), "0.1 3.0");
        assert_eq!(pair(-0.001, 0.5), "0.0 0.5");
    }

    #[test]
    fn extreme_numbers_are_written_with_a_power_of_ten() {
        assert_eq!(pair(1.234e-9, 2.1e-11), "1.234e-9 0.021e-9");
        assert_eq!(pair(1.234e29, 5.0e27), "1.23e29 0.05e29");
        assert_eq!(Rounded::alone(1.234_567_8e-9).to_string(), "1.23457e-9");
        assert_eq!(Rounded::alone(9.999_999e29).to_string(), "1e30");
        assert_eq!(Rounded::alone(f64::INFINITY).to_string(), "inf");
    }

    #[test]
    fn a_lone_number_keeps_six_digits() {
        assert_eq!(Rounded::alone(0.0).to_string(), "0");
        assert_eq!(Rounded::alone(389.691_2).to_string(), "389.691");
        assert_eq!(Rounded::alone(10.0).to_string(), "10");
        assert_eq!(Rounded::alone(-0.000_123_456_78).to_string(), "-0.000123457");
        assert_eq!(Rounded::alone(123_456.7).to_string(), "123457");
    }

    #[test]
    fn a_deviation_of_rounding_alone_does_not_stretch_the_mean() {
        assert_eq!(pair(0.5, 1e-300), "0.5 1e-300");
        assert_eq!(pair(2.528771751843203, 1.3e-15), "2.52877175 1e-15");
        assert_eq!(pair(2.528771751843203, 5e-8), "2.52877175 0.00000005");
    }
}
