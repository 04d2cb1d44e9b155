//! Digits, precision and rounding.

use super::*;

fn number(text: &str) -> Number {
    Number::parse(text).unwrap()
}

#[test]
fn numbers_are_written_as_they_were_read() {
    for text in
        ["0", "-1", "1.50", "0.001", "123456789012345678901234567890", "1E+400", "-2.5E-300"]
    {
        assert_eq!(number(text).to_string(), text);
    }
    assert_eq!(number("1e3").to_string(), "1000");
}

#[test]
fn what_is_no_number_is_not_read() {
    for text in ["", "-", ".", "1.2.3", "1e", "e1", "0x10", "1_000", "NaN", "inf", "1e99999"] {
        assert_eq!(Number::parse(text), None, "{text}");
    }
}

#[test]
fn digits_beyond_the_capacity_are_rounded() {
    let read = number(&"9".repeat(200));
    assert_eq!(read, number("1e200"));
    assert_eq!(number(&format!("1{}", "0".repeat(150))), number("1e150"));
}

#[test]
fn arithmetic_keeps_34_digits_or_those_of_its_left_operand() {
    let huge = number("9999999999999999999999999999999999999998");
    let one = Number::from(1);
    assert_eq!(huge.add(&one).unwrap().to_string(), "9999999999999999999999999999999999999999");
    assert_eq!(one.add(&huge).unwrap(), number("1e40"));
    assert_eq!(one.divide(&number("3")).unwrap().to_string(), format!("0.{}", "3".repeat(34)));
    assert_eq!(
        number("2").divide(&number("3")).unwrap().to_string(),
        format!("0.{}7", "6".repeat(33))
    );
    assert_eq!(number("1").divide(&number("8")).unwrap().to_string(), "0.125");
}

#[test]
fn what_leaves_the_machine_integers_stays_exact() {
    let most = Number::from(i64::MAX);
    assert_eq!(most.add(&most).unwrap().to_string(), "18446744073709551614");
    assert_eq!(Number::from(i64::MIN).negated().to_string(), "9223372036854775808");
    assert_eq!(
        most.multiply(&most).unwrap(),
        number("85070591730234615847396907784232501249").round(-4, Rounding::HalfEven).unwrap()
    );
    assert_eq!(number("9223372036854775808").subtract(&Number::from(1)), Some(most));
}

#[test]
fn powers_are_rounded_once() {
    assert_eq!(number("2").power(100).unwrap().to_string(), "1267650600228229401496703205376");
    assert_eq!(number("1.1").power(2).unwrap().to_string(), "1.21");
    assert_eq!(number("2").power(-3).unwrap().to_string(), "0.125");
    assert_eq!(number("0").power(0), Some(Number::from(1)));
    assert_eq!(number("0").power(-1), None);
    assert_eq!(number("10").power(99_999), None);
}

#[test]
fn rounding_follows_its_mode() {
    use Rounding::{Ceiling, Down, Floor, HalfDown, HalfEven, HalfUp, Up};
    let modes = [Up, Down, Ceiling, Floor, HalfUp, HalfDown, HalfEven];
    for (text, expected) in [
        ("5.5", ["6", "5", "6", "5", "6", "5", "6"]),
        ("2.5", ["3", "2", "3", "2", "3", "2", "2"]),
        ("1.6", ["2", "1", "2", "1", "2", "2", "2"]),
        ("1.1", ["2", "1", "2", "1", "1", "1", "1"]),
        ("-1.1", ["-2", "-1", "-1", "-2", "-1", "-1", "-1"]),
        ("-2.5", ["-3", "-2", "-2", "-3", "-3", "-2", "-2"]),
        ("-1.0", ["-1"; 7]),
        ("2.5000000001", ["3", "2", "3", "2", "3", "3", "3"]),
    ] {
        let rounded = modes.map(|mode| number(text).round(0, mode).unwrap().to_string());
        assert_eq!(rounded, expected, "{text}");
    }
    assert_eq!(number("1.5").round(0, Rounding::Unnecessary), None);
    assert_eq!(number("1.0").round(0, Rounding::Unnecessary), Some(Number::from(1)));
    assert_eq!(number("1250").round(-2, HalfEven).unwrap().to_string(), "1200");
    assert_eq!(number("1e-90").round(2, Up), Some(number("0.01")));
    assert_eq!(number("49").round(-2, HalfUp), Some(Number::ZERO));
}

#[test]
fn equal_numbers_hash_alike() {
    use std::hash::{BuildHasher, RandomState};
    let state = RandomState::new();
    for (a, b) in [("1", "1.0"), ("1.5", "1.500"), ("0", "0.00"), ("1e2", "100")] {
        assert_eq!(number(a), number(b));
        assert_eq!(state.hash_one(number(a)), state.hash_one(number(b)), "{a} {b}");
    }
}

#[test]
fn numbers_of_any_two_sizes_can_be_calculated_with() {
    let texts = ["0", "1", "-7.25", "1e30000", "-3e30000", "1e-30000", "-9e-30000", "6e20000"];
    for (a, b) in texts.iter().flat_map(|a| texts.iter().map(move |b| (number(a), number(b)))) {
        let (sum, difference) = (a.add(&b).unwrap(), a.subtract(&b).unwrap());
        assert_eq!(sum, b.add(&a).unwrap());
        assert_eq!(difference.negated(), b.subtract(&a).unwrap());
        assert_eq!(a < b, difference.is_negative(), "{a} < {b}");
        // Too large or too small is None, never a panic.
        drop((a.multiply(&b), a.divide(&b)));
        if !b.is_zero() {
            drop(Number::from_decimal(a.to_decimal().rem(b.to_decimal())));
        }
    }
    assert_eq!(number("1e30000").subtract(&number("1")), Some(number("1e30000")));
    assert_eq!(number("1e-30000").add(&number("2")), Some(number("2")));
}

#[test]
fn decimals_are_ordered_by_value_whatever_their_exponents() {
    let nines = "9".repeat(76);
    let ascending = [
        "-1e30000",
        "-1e75",
        "-99.5",
        "-99.4999999999999999999999999999",
        "-1e-30000",
        "0",
        "1e-30000",
        "9.99e-20",
        "1e-19",
        "0.3",
        "0.30000000000000000001",
        "1e30",
        "1000000000000000000000000000001",
        "1e75",
        &nines,
        "1e76",
        "1.5e30000",
    ];
    for (at, a) in ascending.iter().enumerate() {
        for (other, b) in ascending.iter().enumerate() {
            let (a, b) = (Number::parse(a).unwrap(), Number::parse(b).unwrap());
            assert_eq!(a.cmp(&b), at.cmp(&other), "{a} {b}");
        }
    }
    for (a, b) in [
        ("1e30", "1000000000000000000000000000000"),
        ("-2.50", "-2.5"),
        ("0.0", "0"),
        ("1e75", "1000e72"),
    ] {
        assert_eq!(Number::parse(a).unwrap(), Number::parse(b).unwrap(), "{a} {b}");
    }
}
