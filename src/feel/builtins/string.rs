//! Functions of text.
//!
//! Places and lengths count UTF-16 units, as Java's strings do; half a surrogate pair
//! becomes the replacement character.

mod effort;
mod parts;
mod pattern;
mod replacement;
mod syntax;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Builtin, Call};
use crate::feel::error::Error;
use crate::feel::number::{Number, Rounding};
use crate::feel::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("substring", &["string", "start position"], substring),
    Builtin::new("substring", &["string", "start position", "length"], substring),
    Builtin::new("string length", &["string"], string_length),
    Builtin::new("upper case", &["string"], upper_case),
    Builtin::new("lower case", &["string"], lower_case),
    Builtin::new("substring before", &["string", "match"], substring_before),
    Builtin::new("substring after", &["string", "match"], substring_after),
    Builtin::new("contains", &["string", "match"], contains),
    Builtin::new("starts with", &["string", "match"], starts_with),
    Builtin::new("ends with", &["string", "match"], ends_with),
    Builtin::new("trim", &["string"], trim),
    Builtin::new("is blank", &["string"], is_blank),
    Builtin::new("matches", &["input", "pattern"], pattern::matches),
    Builtin::new("matches", &["input", "pattern", "flags"], pattern::matches),
    Builtin::new("replace", &["input", "pattern", "replacement"], pattern::replace),
    Builtin::new("replace", &["input", "pattern", "replacement", "flags"], pattern::replace),
    Builtin::new("split", &["string", "delimiter"], pattern::split),
    Builtin::new("extract", &["input", "pattern"], pattern::extract),
    Builtin::new("uuid", &[], uuid),
    Builtin::new("to base64", &["value"], to_base64),
    Builtin::new("from base64", &["value"], from_base64),
];

/// What a sigma costs in lower case, besides its bytes.
const SIGMA: usize = 12;

/// Base64 as Java reads it: padding may be left out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The number without its fraction, as far as machine integers go.
pub(super) fn whole(number: &Number) -> i64 {
    let limit = if number.is_negative() { i64::MIN } else { i64::MAX };
    let cut = number.round(0, Rounding::Down);
    cut.and_then(|number| number.to_i64()).unwrap_or(limit)
}

/// Pays for reading a text once.
fn read(call: &mut Call<'_>, text: &str) -> Result<(), Error> {
    call.budget().steps(text.len() / 16)
}

/// Pays for looking for a part of a text, which may agree with it for long.
fn searched(call: &mut Call<'_>, text: &str) -> Result<(), Error> {
    call.budget().steps(text.len() / 4)
}

fn substring(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    match arguments {
        [Value::String(text), Value::Number(start)] => cut(call, text, whole(start), None),
        [Value::String(text), Value::Number(start), Value::Number(length)] => {
            cut(call, text, whole(start), Some(whole(length)))
        }
        _ => call.mismatch(arguments),
    }
}

/// A part of a text; a start outside of it fails, as in Camunda's engine.
fn cut(call: &mut Call<'_>, text: &str, start: i64, length: Option<i64>) -> Result<Value, Error> {
    call.budget().bytes(text.len())?;
    let units = units(text);
    let size = i64::try_from(units).unwrap_or(i64::MAX);
    let from = if start > 0 { start - 1 } else { size.saturating_add(start) };
    let to = length.map_or(size, |length| from.saturating_add(length).min(size));
    match (usize::try_from(from), usize::try_from(to)) {
        (Ok(from), Ok(to)) if from <= to => Ok(Value::from(slice(text, from, to))),
        _ => Err(Error::failed(format!(
            "substring() is to begin at {start}, but the text has {size} characters"
        ))),
    }
}

fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

fn slice(text: &str, from: usize, to: usize) -> String {
    if text.is_ascii() {
        return text[from..to].to_owned();
    }
    let units: Vec<u16> = text.encode_utf16().skip(from).take(to - from).collect();
    String::from_utf16_lossy(&units)
}

fn string_length(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::String(text)] = arguments else { return call.mismatch(arguments) };
    read(call, text)?;
    Ok(Value::from(i64::try_from(units(text)).unwrap_or(i64::MAX)))
}

/// What it costs to change the case of a text: letters beyond ASCII are looked up, and
/// behind the first of them the others one by one.
fn other_case(text: &str) -> usize {
    let others = text.chars().filter(|letter| !letter.is_ascii()).count();
    let each = if others == 0 { 16 } else { 4 };
    (text.len() / each).saturating_add(others.saturating_mul(2))
}

fn upper_case(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::String(text)] = arguments else { return call.mismatch(arguments) };
    call.budget().bytes(text.len())?;
    call.budget().steps(other_case(text))?;
    Ok(Value::from(text.to_uppercase()))
}

fn lower_case(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::String(text)] = arguments else { return call.mismatch(arguments) };
    call.budget().bytes(text.len())?;
    // Each sigma looks around for the end of its word.
    let sigmas = if text.is_ascii() { 0 } else { text.matches('Σ').count() };
    call.budget().steps(other_case(text).saturating_add(sigmas.saturating_mul(SIGMA)))?;
    Ok(Value::from(text.to_lowercase()))
}

fn substring_before(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    around(call, arguments, |(before, _)| before)
}

fn substring_after(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    around(call, arguments, |(_, after)| after)
}

/// What stands on one side of the first match; nothing if there is none.
fn around(
    call: &mut Call<'_>,
    arguments: &[Value],
    side: for<'a> fn((&'a str, &'a str)) -> &'a str,
) -> Result<Value, Error> {
    let [Value::String(text), Value::String(part)] = arguments else {
        return call.mismatch(arguments);
    };
    call.budget().bytes(text.len())?;
    searched(call, text)?;
    Ok(Value::from(text.split_once(&**part).map_or("", side)))
}

fn contains(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    if let [Value::String(text), Value::String(_)] = arguments {
        searched(call, text)?;
    }
    tested(call, arguments, |text, part| text.contains(part))
}

fn starts_with(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    tested(call, arguments, |text, part| text.starts_with(part))
}

fn ends_with(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    tested(call, arguments, |text, part| text.ends_with(part))
}

fn tested(
    call: &mut Call<'_>,
    arguments: &[Value],
    holds: fn(&str, &str) -> bool,
) -> Result<Value, Error> {
    let [Value::String(text), Value::String(part)] = arguments else {
        return call.mismatch(arguments);
    };
    read(call, text)?;
    Ok(Value::Boolean(holds(text, part)))
}

/// Takes off blanks and control characters, as Java's `trim` does.
fn trim(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::String(text)] = arguments else { return call.mismatch(arguments) };
    read(call, text)?;
    let trimmed = text.trim_matches(|character| character <= ' ');
    call.budget().bytes(trimmed.len())?;
    Ok(Value::from(trimmed))
}

fn is_blank(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::String(text)] = arguments else { return call.mismatch(arguments) };
    read(call, text)?;
    Ok(Value::Boolean(text.chars().all(is_java_space)))
}

/// Spaces that do not join words, and the separators among the control characters.
fn is_java_space(character: char) -> bool {
    match character {
        '\u{85}' | '\u{a0}' | '\u{2007}' | '\u{202f}' => false,
        '\u{1c}'..='\u{1f}' => true,
        other => other.is_whitespace(),
    }
}

/// A random UUID that sorts by time (version 7).
fn uuid(call: &mut Call<'_>, _: &[Value]) -> Result<Value, Error> {
    let millis = u64::try_from(call.now().as_millisecond()).unwrap_or(0) & 0xffff_ffff_ffff;
    let random = fastrand::u128(..) & !(0xf << 76) & !(0b11 << 62) & (u128::MAX >> 48);
    let uuid = u128::from(millis) << 80 | 7 << 76 | 0b10 << 62 | random;
    let hex = format!("{uuid:032x}");
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(Value::from(parts.join("-")))
}

fn to_base64(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::String(text)] = arguments else { return call.mismatch(arguments) };
    call.budget().bytes(text.len() / 3 * 4)?;
    Ok(Value::from(BASE64.encode(&**text)))
}

fn from_base64(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let [Value::String(text)] = arguments else { return call.mismatch(arguments) };
    call.budget().bytes(text.len())?;
    match BASE64.decode(&**text) {
        Ok(bytes) => Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) => call.null(format!("the text is no base64: {error}")),
    }
}
