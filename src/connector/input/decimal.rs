//! Numbers as ServiceNow reads them: plain decimals, no exponent, no rounding.
#![deny(clippy::disallowed_types)]

/// Longest plain form; beyond it a number is no field's value.
const MAX_DIGITS: usize = 100;

/// A JSON number's text as a plain decimal of the same value; `None` when that would be
/// absurdly long, or the text is no number. A fraction of zeros is dropped, since engines
/// write whole numbers as `5.0`.
pub(super) fn plain(text: &str) -> Option<String> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let (whole, fraction) = split_at_point(&digits, point)?;
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let is_whole = fraction.bytes().all(|b| b == b'0');
    if whole.len() + fraction.len() > MAX_DIGITS && !is_whole || whole.len() > MAX_DIGITS {
        return None;
    }
    let sign = if is_whole && whole == "0" { "" } else { sign };
    Some(if is_whole { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// The digits left and right of the point, zeros filled in.
fn split_at_point(digits: &str, point: i32) -> Option<(String, String)> {
    let count = i32::try_from(digits.len()).ok()?;
    let limit = i32::try_from(MAX_DIGITS).ok()?;
    if point > count.max(limit) || point < -limit {
        return None;
    }
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or_default());
    Some(if point <= 0 {
        (String::new(), zeros(-point) + digits)
    } else if point >= count {
        (digits.to_owned() + &zeros(point - count), String::new())
    } else {
        let (whole, fraction) = digits.split_at(usize::try_from(point).ok()?);
        (whole.to_owned(), fraction.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn every_spelling_becomes_a_plain_decimal_of_the_same_value() {
        for (text, expected) in [
            ("3", "3"),
            ("-3", "-3"),
            ("10.50", "10.50"),
            ("5.0", "5"),
            ("1E+2", "100"),
            ("1.5e3", "1500"),
            ("1.25e-3", "0.00125"),
            ("-0.0", "0"),
            ("12345678901234567890.123", "12345678901234567890.123"),
            ("0.1", "0.1"),
            ("007", "7"),
        ] {
            assert_eq!(plain(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn numbers_that_would_be_absurdly_long_are_refused() {
        for text in ["1e400", "1e-400", "1e99999999999", "", "x", "1.2.3", "0x10", "."] {
            assert_eq!(plain(text), None, "{text}");
        }
    }
}
