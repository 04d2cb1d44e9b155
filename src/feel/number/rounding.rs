//! Digits of a decimal: reading, cutting to a precision or scale, writing.
//!
//! Rounding works on the whole coefficient, so that every mode sees all dropped digits.

use std::fmt;

use fastnum::decimal::Sign;
use fastnum::{D256, U256};

use super::context;

/// The digits a coefficient surely holds.
const CAPACITY: usize = 76;
/// Numbers of up to this many places are written without an exponent.
const PLAIN_PLACES: i32 = 100;

/// What happens to digits beyond the wanted ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
    /// Towards positive infinity.
    Ceiling,
    /// Towards negative infinity.
    Floor,
    /// To the nearest, a tie away from zero.
    HalfUp,
    /// To the nearest, a tie towards zero.
    HalfDown,
    /// To the nearest, a tie to the even digit.
    HalfEven,
    /// An error if there is anything to round.
    Unnecessary,
}

/// Reads decimal text; digits beyond the capacity are rounded half to even.
pub(super) fn parse(text: &str) -> Option<D256> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let (coefficient, dropped) = coefficient(digits.trim_start_matches('0'))?;
    build(coefficient, exponent.checked_add(dropped)?, negative)
}

/// The coefficient and how many digits were rounded away to fit it.
fn coefficient(digits: &str) -> Option<(U256, i32)> {
    if digits.is_empty() {
        return Some((U256::ZERO, 0));
    }
    if digits.len() <= CAPACITY {
        return Some((U256::from_str_radix(digits, 10).ok()?, 0));
    }
    let (kept, rest) = digits.split_at(CAPACITY);
    let kept = U256::from_str_radix(kept, 10).ok()?;
    let tie = rest.starts_with('5') && rest[1..].bytes().all(|byte| byte == b'0');
    let up = rest.as_bytes()[0] >= b'5' && !(tie && even(&kept));
    let kept = if up { kept.checked_add(U256::ONE)? } else { kept };
    Some((kept, i32::try_from(rest.len()).ok()?))
}

fn build(coefficient: U256, exponent: i32, negative: bool) -> Option<D256> {
    let sign = if negative { Sign::Minus } else { Sign::Plus };
    let decimal = D256::from_parts(coefficient, exponent, sign, context());
    (decimal.is_finite() && (!decimal.is_zero() || coefficient.is_zero())).then_some(decimal)
}

/// The same number without the marks that earlier operations left on it.
pub(super) fn plain(decimal: D256) -> D256 {
    D256::from_parts(decimal.digits(), exponent(&decimal), decimal.sign(), context())
}

/// The count of significant digits.
pub(super) fn digits(decimal: &D256) -> u32 {
    u32::try_from(decimal.digits_count()).unwrap_or(u32::MAX)
}

/// The coefficient, with zeros for the digits that only the other has; none if they do not fit.
pub(super) fn aligned(decimal: &D256, other: &D256) -> Option<U256> {
    let zeros = exponent(decimal).saturating_sub(exponent(other));
    match u32::try_from(zeros) {
        Err(_) | Ok(0) => Some(decimal.digits()),
        Ok(zeros) if zeros as usize <= CAPACITY => {
            decimal.digits().checked_mul(U256::power_of_ten(zeros))
        }
        Ok(_) => None,
    }
}

/// Cuts a finite decimal to this many significant digits, half to even.
pub(super) fn to_digits(decimal: D256, precision: u32) -> D256 {
    let Some(excess) = digits(&decimal).checked_sub(precision).filter(|excess| *excess > 0) else {
        return plain(decimal);
    };
    let kept = cut(&decimal, excess, Rounding::HalfEven).unwrap_or(U256::ZERO);
    let exponent = exponent(&decimal).saturating_add(excess.cast_signed());
    D256::from_parts(kept, exponent, decimal.sign(), context())
}

/// Rounds to this many digits after the point.
pub(super) fn round(decimal: D256, scale: i32, mode: Rounding) -> Option<D256> {
    let excess = i32::from(decimal.fractional_digits_count()).checked_sub(scale)?;
    let Ok(excess) = u32::try_from(excess) else { return Some(plain(decimal)) };
    let kept = cut(&decimal, excess, mode)?;
    let exponent = scale.checked_neg()?;
    let rounded = D256::from_parts(kept, exponent, decimal.sign(), context());
    Some(if exponent > 0 { rescaled(rounded) } else { rounded })
}

/// Writes trailing zeros out where they fit, so that 1E+2 reads 100.
fn rescaled(decimal: D256) -> D256 {
    let whole = decimal.rescale(0);
    if whole.is_finite() { plain(whole) } else { decimal }
}

/// The coefficient without its last `count` digits; `None` if rounding is forbidden
/// and needed.
fn cut(decimal: &D256, count: u32, mode: Rounding) -> Option<U256> {
    let coefficient = decimal.digits();
    if count as usize > CAPACITY {
        let nothing = coefficient.is_zero();
        let up =
            !nothing && rounds_up(mode, decimal.is_negative(), false, std::cmp::Ordering::Less)?;
        return Some(if up { U256::ONE } else { U256::ZERO });
    }
    let unit = U256::power_of_ten(count);
    let (kept, dropped) = coefficient.div_rem(unit);
    if dropped.is_zero() {
        return Some(kept);
    }
    let half = unit.div_rem(U256::TWO).0;
    let odd = !even(&kept);
    let up = rounds_up(mode, decimal.is_negative(), odd, dropped.cmp(&half))?;
    if up { kept.checked_add(U256::ONE) } else { Some(kept) }
}

/// Whether the last kept digit grows, given how what was dropped compares with a half.
fn rounds_up(
    mode: Rounding,
    negative: bool,
    odd: bool,
    dropped: std::cmp::Ordering,
) -> Option<bool> {
    Some(match mode {
        Rounding::Up => true,
        Rounding::Down => false,
        Rounding::Ceiling => !negative,
        Rounding::Floor => negative,
        Rounding::HalfUp => dropped.is_ge(),
        Rounding::HalfDown => dropped.is_gt(),
        Rounding::HalfEven => dropped.is_gt() || (dropped.is_eq() && odd),
        Rounding::Unnecessary => return None,
    })
}

/// Drops the zeros after the last digit behind the point.
pub(super) fn strip(decimal: D256) -> D256 {
    if !decimal.is_finite() || decimal.fractional_digits_count() <= 0 {
        return decimal;
    }
    let mut coefficient = decimal.digits();
    let mut scale = i32::from(decimal.fractional_digits_count());
    while scale > 0 {
        let (rest, last) = coefficient.div_rem_digit(10);
        if last != 0 {
            break;
        }
        coefficient = rest;
        scale -= 1;
    }
    D256::from_parts(coefficient, -scale, decimal.sign(), context())
}

/// Writes plainly where that stays readable, else with an exponent.
pub(super) fn write(decimal: &D256, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let digits = decimal.digits().to_str_radix(10);
    let scale = i32::from(decimal.fractional_digits_count());
    if decimal.is_negative() && !decimal.is_zero() {
        f.write_str("-")?;
    }
    if scale.abs() > PLAIN_PLACES {
        return write_scientific(&digits, -scale, f);
    }
    let Ok(places) = usize::try_from(scale) else {
        let zeros = scale.unsigned_abs() as usize;
        return write!(f, "{digits}{:0<zeros$}", "");
    };
    if places == 0 {
        f.write_str(&digits)
    } else if digits.len() > places {
        let (whole, fraction) = digits.split_at(digits.len() - places);
        write!(f, "{whole}.{fraction}")
    } else {
        write!(f, "0.{digits:0>places$}")
    }
}

fn write_scientific(digits: &str, exponent: i32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let exponent = i64::from(exponent) + i64::try_from(rest.len()).unwrap_or(0);
    write!(f, "{first}{point}{rest}E{exponent:+}")
}

fn exponent(decimal: &D256) -> i32 {
    -i32::from(decimal.fractional_digits_count())
}

fn even(coefficient: &U256) -> bool {
    coefficient.div_rem_digit(2).1 == 0
}
