//! The elementary functions against mpmath, against the reference, and against themselves at every level.

use crate::common::{Values, assert_same_bits, levels};
use kernels::math::{self, Function};
use kernels::reference::math::{rounded, value};
use kernels::{Element, Exec, Level};

/// 2^53, the inverse of half an ulp of 1.
const TWO_53: f64 = 9_007_199_254_740_992.0;
/// What an f64 is called by and how far it may be from the truth, in ulps (`math::f64`'s table).
type Bounded = (&'static str, fn(f64) -> f64, f64);
const F64_FUNCTIONS: [Bounded; 9] = [
    ("exp", math::f64::exp, 1.0),
    ("expm1", math::f64::expm1, 2.0),
    ("ln", math::f64::ln, 1.0),
    ("ln1p", math::f64::ln1p, 2.0),
    ("tanh", math::f64::tanh, 3.0),
    ("sigmoid", math::f64::sigmoid, 3.0),
    ("log10", math::f64::log10, 1.0),
    ("sin", math::f64::sin, 1.0),
    ("cos", math::f64::cos, 1.0),
];

/// A line of a table in `data`: `function x y rest` in hexadecimal bits, f(x) = y + rest.
struct Line {
    name: &'static str,
    x: u64,
    y: f64,
    rest: f64,
}

/// The lines of one of the tables that `data/generate.py` writes.
fn lines(table: &'static str) -> impl Iterator<Item = Line> {
    table.lines().map(|line| {
        let mut words = line.split(' ');
        let name = words.next().expect("a function");
        let mut bits = || u64::from_str_radix(words.next().expect("four words"), 16).expect("bits");
        Line { name, x: bits(), y: f64::from_bits(bits()), rest: f64::from_bits(bits()) }
    })
}

fn function(name: &str) -> Function {
    Function::ALL.into_iter().find(|f| f.name() == name).expect("a function of the table")
}

/// f(x) at `level` for every x.
fn evaluated<T: Element>(level: Level, function: Function, x: &[T]) -> Vec<T> {
    let mut y = vec![T::ZERO; x.len()];
    math::evaluate(Exec::serial(level), function, x, &mut y).expect("one length");
    y
}

/// Every exponent's first and last values with both signs, NaNs with payloads, and a stride of 2^32.
fn inputs() -> Vec<f32> {
    const STRIDE: usize = 16_381; // a prime
    let mut bits: Vec<u32> = (0..=u32::MAX).step_by(STRIDE).collect();
    for exponent in 0..512_u32 {
        let first = exponent << 23;
        bits.extend((0..4).map(|i| first.wrapping_add(i)));
        bits.extend((1..4).map(|i| first.wrapping_sub(i)));
    }
    bits.into_iter().map(f32::from_bits).collect()
}

#[test]
fn the_oracle_agrees_with_mpmath_where_rounding_is_hardest() {
    for line in lines(include_str!("data/mpmath_f32.txt")) {
        let x = f32::from_bits(line.x as u32);
        let function = function(line.name);
        let got = value(function, f64::from(x));
        let off = ((got.high - line.y) + (got.low - line.rest)).abs() / line.y.abs();
        // Pairs of f64 carry 2^-104 per operation; about a hundred operations on the way.
        assert!(off < 1.0 / (1_u128 << 94) as f64, "{} at {x:?}: off by {off:e}", line.name);
        assert!(rounded(function, x).certain, "{} at {x:?}", line.name);
    }
}

#[test]
fn f32_is_correctly_rounded_where_that_is_hardest() {
    for line in lines(include_str!("data/mpmath_f32.txt")) {
        let x = f32::from_bits(line.x as u32);
        // y lies beside a boundary of rounding, on the side that the rest tells.
        let nudged = if line.y.to_bits() & 1 == 1 {
            line.y
        } else if (line.rest > 0.0) == (line.y > 0.0) {
            f64::from_bits(line.y.to_bits() + 1)
        } else {
            f64::from_bits(line.y.to_bits() - 1)
        };
        for level in levels() {
            let label = format!("{} at {x:?}, {}", line.name, level.name());
            assert_same_bits(label, &evaluated(level, function(line.name), &[x]), &[nudged as f32]);
        }
    }
}

#[test]
fn f32_is_correctly_rounded_over_a_stride_of_all_inputs() {
    let x = inputs();
    for function in Function::ALL {
        let want: Vec<_> = Level::best().vectorize(
            #[inline(always)]
            || {
                x.iter()
                    .map(
                        #[inline(always)]
                        |&x| rounded(function, x),
                    )
                    .collect()
            },
        );
        assert!(want.iter().all(|y| y.certain), "{}: the oracle doubts itself", function.name());
        let want: Vec<u32> = want.iter().map(|y| y.value.to_bits()).collect();
        for level in levels() {
            let got: Vec<u32> = evaluated(level, function, &x).iter().map(|y| y.to_bits()).collect();
            let wrong = (0..x.len()).find(|&i| got[i] != want[i]);
            assert_eq!(wrong.map(|i| (x[i], got[i], want[i])), None, "{}, {}", function.name(), level.name());
        }
    }
}

#[test]
fn one_number_and_a_slice_give_the_same_bits() {
    let mut x = Values::new(1).specials::<f32>(4099);
    x.extend(lines(include_str!("data/mpmath_f32.txt")).map(|line| f32::from_bits(line.x as u32)));
    let x64: Vec<f64> = Values::new(2).specials::<f64>(4099).iter().map(|x| 30.0 * x).collect();
    for function in Function::ALL {
        let one: fn(f32) -> f32 = match function {
            Function::Exp => math::f32::exp,
            Function::Expm1 => math::f32::expm1,
            Function::Ln => math::f32::ln,
            Function::Ln1p => math::f32::ln1p,
            Function::Tanh => math::f32::tanh,
            Function::Sigmoid => math::f32::sigmoid,
        };
        let want: Vec<f32> = x.iter().map(|&x| one(x)).collect();
        let (_, one, _) = F64_FUNCTIONS[function as usize];
        let want64: Vec<f64> = x64.iter().map(|&x| one(x)).collect();
        for level in levels() {
            assert_same_bits(function.name(), &evaluated(level, function, &x), &want);
            assert_same_bits(function.name(), &evaluated(level, function, &x64), &want64);
        }
    }
}

#[test]
fn f64_stays_within_its_bounds() {
    for line in lines(include_str!("data/mpmath_f64.txt")) {
        let &(_, f, bound) = F64_FUNCTIONS.iter().find(|f| f.0 == line.name).expect("a function");
        let x = f64::from_bits(line.x);
        let ulp = line.y.abs().next_up() - line.y.abs();
        let off = ((f(x) - line.y) - line.rest).abs() / ulp;
        assert!(off <= bound, "{} at {x:?}: {off} ulp, {bound} allowed", line.name);
    }
}

#[test]
fn sine_and_cosine_have_the_same_bits_in_a_vectorised_loop() {
    let x: Vec<f64> = Values::new(3).specials::<f64>(1001).iter().map(|x| 1e4 * x).collect();
    for level in levels() {
        let mut y = [vec![0.0; x.len()], vec![0.0; x.len()]];
        level.vectorize(
            #[inline(always)]
            || {
                let [sines, cosines] = &mut y;
                for ((&x, sine), cosine) in x.iter().zip(sines).zip(cosines) {
                    (*sine, *cosine) = (math::f64::sin(x), math::f64::cos(x));
                }
            },
        );
        assert_same_bits("sin", &y[0], &x.iter().map(|&x| math::f64::sin(x)).collect::<Vec<_>>());
        assert_same_bits("cos", &y[1], &x.iter().map(|&x| math::f64::cos(x)).collect::<Vec<_>>());
    }
}

#[test]
fn f64_special_values_are_the_textbook_ones() {
    const INF: f64 = f64::INFINITY;
    let nan = f64::from_bits(0x7ff8_0000_0000_0000);
    // A function's values at -inf, -0, +0, +inf, and at NaNs.
    let cases: [(&str, [f64; 4]); 9] = [
        ("exp", [0.0, 1.0, 1.0, INF]),
        ("expm1", [-1.0, -0.0, 0.0, INF]),
        ("ln", [nan, -INF, -INF, INF]),
        ("ln1p", [nan, -0.0, 0.0, INF]),
        ("tanh", [-1.0, -0.0, 0.0, 1.0]),
        ("sigmoid", [0.0, 0.5, 0.5, 1.0]),
        ("log10", [nan, -INF, -INF, INF]),
        ("sin", [nan, -0.0, 0.0, nan]),
        ("cos", [nan, 1.0, 1.0, nan]),
    ];
    for ((name, f, _), (_, want)) in F64_FUNCTIONS.into_iter().zip(cases) {
        let got = [-INF, -0.0, 0.0, INF].map(f);
        assert_eq!(got.map(f64::to_bits), want.map(f64::to_bits), "{name}: {got:?}");
        for payload in [0x7ff8_0000_0000_0001, 0xfff8_0000_0000_0000, 0x7ff0_0000_0000_0001] {
            assert_eq!(f(f64::from_bits(payload)).to_bits(), nan.to_bits(), "{name} of {payload:x}");
        }
    }
    assert_eq!(math::f64::exp(709.782_712_893_384), 1.797_693_134_862_273_2e308);
    assert_eq!(math::f64::exp(709.782_712_893_385), INF);
    assert_eq!(math::f64::exp(-746.0), 0.0);
    assert_eq!(math::f64::ln(5e-324), -744.440_071_921_381_2);
    assert_eq!(math::f64::ln1p(f64::MAX), 709.782_712_893_384);
    assert!(math::f64::ln1p(-1.1).is_nan() && math::f64::ln(-5e-324).is_nan());
    assert!(
        (-30..=30)
            .all(|n| math::f64::log10(format!("1e{n}").parse().expect("a power of ten")) == f64::from(n))
    );
}

#[test]
fn rounding_correctly_keeps_order_and_symmetry() {
    let mut values = Values::new(4);
    for _ in 0..100_000 {
        let x: f32 = 20.0 * values.plain::<f32>();
        let above = x.next_up();
        let increasing: [fn(f32) -> f32; 4] =
            [math::f32::exp, math::f32::expm1, math::f32::tanh, math::f32::sigmoid];
        for f in increasing {
            assert!(f(x) <= f(above), "falls between {x:?} and {above:?}");
        }
        assert!(math::f32::ln(x.abs()) <= math::f32::ln(x.abs().next_up()));
        assert_eq!(math::f32::tanh(-x).to_bits(), (-math::f32::tanh(x)).to_bits());
        // e^x e^-x = 1 within both roundings: 2 (2^-24 + 2^-24) of f64-exact products.
        let product = f64::from(math::f32::exp(x)) * f64::from(math::f32::exp(-x));
        assert!((product - 1.0).abs() < 2.0 * 2.0 / (1_u32 << 24) as f64);
    }
}

#[test]
fn the_sine_and_cosine_square_to_one() {
    let mut values = Values::new(5);
    for _ in 0..10_000 {
        let x = 1e5 * values.plain::<f64>();
        let (s, c) = (math::f64::sin(x), math::f64::cos(x));
        // Each is off by less than an ulp, at most 2^-53 below 1: 2 (s + c) 2^-53 and the sum's own roundings.
        assert!((s.mul_add(s, c * c) - 1.0).abs() <= 6.0 / TWO_53, "at {x}");
    }
}

#[test]
fn lengths_that_differ_are_refused() {
    let error = math::evaluate(Exec::serial(Level::best()), Function::Exp, &[1.0_f32; 3], &mut [0.0; 2]);
    assert_eq!(
        error.expect_err("three into two").to_string(),
        "math::evaluate: expected `y` of 3 values, as many as `x`, got 2 values"
    );
}
