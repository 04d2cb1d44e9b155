//! Exact decimal numbers.
//!
//! Literals and numbers of the input stay as they are, up to 76 digits. Arithmetic keeps
//! 34 digits, or as many as its left operand has if those are more, and rounds half to
//! even. Whole numbers of machine size take a fast path; everything else is a 256-bit
//! decimal. A result that is no number or beyond the exponents answers `None`.

mod rounding;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use fastnum::D256;
use fastnum::decimal::Context as DecimalContext;

pub use rounding::Rounding;

/// The digits that arithmetic keeps unless its left operand has more.
const PRECISION: u32 = 34;
/// So many places apart, the smaller of two numbers reaches no digit that is kept (76).
const APART: i64 = 160;

/// An exact decimal number.
#[derive(Clone)]
pub struct Number(Form);

#[derive(Clone)]
enum Form {
    Whole(i64),
    Decimal(Arc<D256>),
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self(Form::Whole(0));

    /// A number from decimal text such as `-1.50` or `2e10`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() < 19
            && let Ok(whole) = text.parse()
        {
            return Some(Self(Form::Whole(whole)));
        }
        rounding::parse(text).and_then(Self::from_decimal)
    }

    /// The shortest decimal that reads back as this floating point number.
    pub fn from_f64(number: f64) -> Option<Self> {
        if number.is_finite() { Self::parse(&number.to_string()) } else { None }
    }

    /// A number from a decimal, if that is finite.
    pub(crate) fn from_decimal(decimal: D256) -> Option<Self> {
        if !decimal.is_finite() {
            return None;
        }
        if decimal.fractional_digits_count() == 0
            && let Ok(whole) = decimal.to_i64()
        {
            return Some(Self(Form::Whole(whole)));
        }
        Some(Self(Form::Decimal(Arc::new(rounding::plain(decimal)))))
    }

    /// The number as a decimal that raises no traps.
    pub(crate) fn to_decimal(&self) -> D256 {
        match &self.0 {
            Form::Whole(whole) => D256::from_i64(*whole).with_ctx(context()),
            Form::Decimal(decimal) => **decimal,
        }
    }

    /// The number as a machine integer, if it is whole and fits.
    pub fn to_i64(&self) -> Option<i64> {
        match &self.0 {
            Form::Whole(whole) => Some(*whole),
            Form::Decimal(decimal) if decimal.is_integral() => decimal.to_i64().ok(),
            Form::Decimal(_) => None,
        }
    }

    /// The nearest floating point number.
    pub fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// Whether the number is held as a machine integer.
    pub(super) fn is_machine(&self) -> bool {
        matches!(self.0, Form::Whole(_))
    }

    /// Whether the number has no fraction.
    pub fn is_whole(&self) -> bool {
        match &self.0 {
            Form::Whole(_) => true,
            Form::Decimal(decimal) => decimal.is_integral(),
        }
    }

    /// Whether the number is zero.
    pub fn is_zero(&self) -> bool {
        match &self.0 {
            Form::Whole(whole) => *whole == 0,
            Form::Decimal(decimal) => decimal.is_zero(),
        }
    }

    /// Whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Form::Whole(whole) => *whole < 0,
            Form::Decimal(decimal) => decimal.is_negative() && !decimal.is_zero(),
        }
    }

    /// The sum.
    pub fn add(&self, other: &Self) -> Option<Self> {
        match (&self.0, &other.0) {
            (Form::Whole(a), Form::Whole(b)) if let Some(sum) = a.checked_add(*b) => {
                Some(Self(Form::Whole(sum)))
            }
            _ => self.plus(self.to_decimal(), other.to_decimal()),
        }
    }

    /// The difference.
    pub fn subtract(&self, other: &Self) -> Option<Self> {
        match (&self.0, &other.0) {
            (Form::Whole(a), Form::Whole(b)) if let Some(difference) = a.checked_sub(*b) => {
                Some(Self(Form::Whole(difference)))
            }
            _ => self.plus(self.to_decimal(), other.to_decimal().neg()),
        }
    }

    /// The sum of decimals. What is too small to reach the last digit of the other is left
    /// out: to align digits that far apart overflows the library's exponents.
    fn plus(&self, a: D256, b: D256) -> Option<Self> {
        let apart = magnitude(&a) - magnitude(&b);
        let (a, b) = match apart {
            _ if a.is_zero() || b.is_zero() => (a, b),
            APART.. => (a, D256::ZERO),
            _ if apart <= -APART => (D256::ZERO, b),
            _ => (a, b),
        };
        self.rounded(if b.is_zero() {
            a
        } else if a.is_zero() {
            b
        } else {
            a.add(b)
        })
    }

    /// The product.
    pub fn multiply(&self, other: &Self) -> Option<Self> {
        match (&self.0, &other.0) {
            (Form::Whole(a), Form::Whole(b)) if let Some(product) = a.checked_mul(*b) => {
                Some(Self(Form::Whole(product)))
            }
            _ => self.rounded(self.to_decimal().mul(other.to_decimal())),
        }
    }

    /// The quotient; `None` for a divisor of zero.
    pub fn divide(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        if let (Form::Whole(a), Form::Whole(b)) = (&self.0, &other.0)
            && a.checked_rem(*b) == Some(0)
        {
            return Some(Self(Form::Whole(a / b)));
        }
        let quotient = rounding::strip(self.to_decimal().div(other.to_decimal()));
        self.rounded(quotient)
    }

    /// The count of significant digits.
    pub(super) fn digits(&self) -> usize {
        match &self.0 {
            Form::Whole(whole) => {
                whole.unsigned_abs().checked_ilog10().map_or(1, |log| log as usize + 1)
            }
            Form::Decimal(decimal) => decimal.digits_count(),
        }
    }

    /// Whether the product is one of machine integers.
    pub(super) fn machine_product(&self, other: &Self) -> bool {
        matches!((&self.0, &other.0), (Form::Whole(a), Form::Whole(b)) if a.checked_mul(*b).is_some())
    }

    /// Whether the quotient is one of machine integers, or none.
    pub(super) fn machine_quotient(&self, other: &Self) -> bool {
        let whole = |a: i64, b| b == 0 || a.checked_rem(b) == Some(0);
        matches!((&self.0, &other.0), (Form::Whole(a), Form::Whole(b)) if whole(*a, *b))
    }

    /// The power with a whole exponent, by squaring; rounded once, at the end.
    pub fn power(&self, exponent: i64) -> Option<Self> {
        if let (Form::Whole(base), Ok(exponent)) = (&self.0, u32::try_from(exponent))
            && let Some(power) = base.checked_pow(exponent)
        {
            return Some(Self(Form::Whole(power)));
        }
        let one = D256::ONE.with_ctx(context());
        let mut power = one;
        let mut base = self.to_decimal();
        let mut left = exponent.unsigned_abs();
        while left > 0 && power.is_finite() {
            if left & 1 == 1 {
                power = power.mul(base);
            }
            left >>= 1;
            if left > 0 {
                base = base.mul(base);
            }
        }
        self.rounded(if exponent < 0 { rounding::strip(one.div(power)) } else { power })
    }

    /// The number with the sign turned.
    #[must_use]
    pub fn negated(&self) -> Self {
        match &self.0 {
            Form::Whole(whole) if let Some(negated) = whole.checked_neg() => {
                Self(Form::Whole(negated))
            }
            // There is one zero only.
            Form::Decimal(decimal) if decimal.is_zero() => self.clone(),
            _ => Self(Form::Decimal(Arc::new(self.to_decimal().neg()))),
        }
    }

    /// The number without its sign.
    #[must_use]
    pub fn abs(&self) -> Self {
        if self.is_negative() { self.negated() } else { self.clone() }
    }

    /// The number with this many digits after the point (before it, if negative);
    /// `None` where `Rounding::Unnecessary` finds a digit to drop.
    pub fn round(&self, scale: i32, mode: Rounding) -> Option<Self> {
        if matches!(self.0, Form::Whole(_)) && scale >= 0 {
            return Some(self.clone());
        }
        rounding::round(self.to_decimal(), scale, mode).and_then(Self::from_decimal)
    }

    fn rounded(&self, result: D256) -> Option<Self> {
        let digits = match &self.0 {
            Form::Whole(_) => PRECISION,
            Form::Decimal(decimal) => PRECISION.max(rounding::digits(decimal)),
        };
        if !result.is_finite() {
            return None;
        }
        Self::from_decimal(rounding::to_digits(result, digits))
    }
}

impl From<i64> for Number {
    fn from(whole: i64) -> Self {
        Self(Form::Whole(whole))
    }
}

/// The order of two decimals. Most differ in size, and to align the digits of two that lie far
/// apart takes long.
fn ordered(a: &D256, b: &D256) -> Ordering {
    if a.is_zero() || b.is_zero() || a.is_negative() != b.is_negative() {
        return a.cmp(b);
    }
    let sizes = match magnitude(a).cmp(&magnitude(b)) {
        Ordering::Equal => match (rounding::aligned(a, b), rounding::aligned(b, a)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => return a.cmp(b),
        },
        apart => apart,
    };
    if a.is_negative() { sizes.reverse() } else { sizes }
}

/// How many digits are before the point; below zero for small fractions.
fn magnitude(decimal: &D256) -> i64 {
    let digits = i64::try_from(decimal.digits_count()).unwrap_or(i64::MAX / 2);
    digits - i64::from(decimal.fractional_digits_count())
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Form::Whole(a), Form::Whole(b)) => a.cmp(b),
            _ => ordered(&self.to_decimal(), &other.to_decimal()),
        }
    }
}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.to_i64() {
            Some(whole) => whole.hash(state),
            None => rounding::strip(self.to_decimal()).to_string().hash(state),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Whole(whole) => write!(f, "{whole}"),
            Form::Decimal(decimal) => rounding::write(decimal, f),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// No panics: what overflows becomes infinite, which the callers turn into `None`.
const fn context() -> DecimalContext {
    DecimalContext::default().without_traps()
}
