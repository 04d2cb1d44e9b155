//! Zones: an offset from UTC and perhaps the region it belongs to.

use jiff::tz::{Dst, Offset, TimeZone};
use jiff::{Timestamp, civil};

use super::text;

/// The shape of an offset behind a time.
pub(super) const SHORT: [&str; 1] = ["00:00"];
/// The shapes of an offset as the name of a zone in a literal.
const EXACT: [&str; 2] = ["00:00", "00:00:00"];
/// The shapes of an offset as the name of a zone elsewhere.
const LOOSE: [&str; 6] = ["0", "00", "0000", "00:00", "000000", "00:00:00"];
/// What may stand before such an offset.
const PREFIXES: [&str; 3] = ["UTC", "GMT", "UT"];
/// The furthest that a clock may be from UTC.
const MAX_SECONDS: i32 = 18 * 3600;
/// Names of the database of zones that Java leaves out.
const UNKNOWN_TO_JAVA: [&str; 5] = ["EST", "MST", "HST", "ROC", "Factory"];

/// An offset from UTC and perhaps the region it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// How far the clock is ahead of UTC.
    pub offset: Offset,
    /// The region whose rules gave the offset.
    pub region: Option<TimeZone>,
}

impl Zone {
    /// UTC.
    pub const UTC: Self = Self { offset: Offset::UTC, region: None };

    /// A zone of a fixed offset.
    pub const fn fixed(offset: Offset) -> Self {
        Self { offset, region: None }
    }

    /// The zone of a region at a local time; in a gap the clock has gone forward.
    pub fn at(region: TimeZone, local: civil::DateTime) -> Option<(Self, civil::DateTime)> {
        let moment = region.to_ambiguous_zoned_datetime(local).compatible().ok()?;
        Some((Self { offset: moment.offset(), region: Some(region) }, moment.datetime()))
    }

    /// The zone of a region outside of summer time, as a time of day takes it.
    pub(super) fn standard(region: &TimeZone) -> Self {
        let halves = [1_767_225_600, 1_782_864_000].map(|second| {
            let moment = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
            let info = region.to_offset_info(moment);
            (info.dst(), info.offset())
        });
        let standard = halves.iter().find(|(dst, _)| *dst == Dst::No).unwrap_or(&halves[0]);
        Self { offset: standard.1, region: Some(region.clone()) }
    }

    /// A local time in this zone, kept to the region's rules.
    pub fn to_local(&self, moment: Timestamp) -> (Self, civil::DateTime) {
        let offset = match &self.region {
            Some(region) => region.to_offset(moment),
            None => self.offset,
        };
        (Self { offset, region: self.region.clone() }, offset.to_datetime(moment))
    }

    /// The instant at which the clock shows this.
    pub fn instant(&self, local: civil::DateTime) -> Option<Timestamp> {
        self.offset.to_timestamp(local).ok()
    }

    /// Reads the name of a zone as a function takes it: a region such as `Europe/Berlin`,
    /// or an offset such as `Z`, `+01:00`, `+1` or `GMT+1`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::named(text, &LOOSE)
    }

    /// Reads the name of a zone as it stands behind the `@` of a literal.
    pub(super) fn literal(text: &str) -> Option<Self> {
        Self::named(text, &EXACT)
    }

    /// A region, or an offset of one of these shapes.
    fn named(text: &str, shapes: &[&str]) -> Option<Self> {
        if let Some(region) = region(text) {
            return Some(Self::standard(&region));
        }
        let prefix = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix));
        match prefix {
            Some("") => Some(Self::UTC),
            Some("Z") => None,
            rest => offset(rest.unwrap_or(text), shapes).map(Self::fixed),
        }
    }

    /// The name of the region or the offset.
    pub(super) fn id(&self) -> String {
        self.name().map_or_else(|| text::offset(self.offset), str::to_owned)
    }

    /// The name of the region.
    pub fn name(&self) -> Option<&str> {
        self.region.as_ref()?.iana_name()
    }
}

/// Reads `Z`, or a signed offset of one of these shapes.
pub(super) fn offset(text: &str, shapes: &[&str]) -> Option<Offset> {
    if text == "Z" {
        return Some(Offset::UTC);
    }
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let shape = rest.replace(|character: char| character.is_ascii_digit(), "0");
    shapes.contains(&&*shape).then_some(())?;
    let mut digits = rest.replace(':', "");
    if digits.len() == 1 {
        digits.insert(0, '0');
    }
    let part = |at: usize| digits.get(at..at + 2).map_or(Some(0), |part| part.parse::<i32>().ok());
    let (hours, minutes, seconds) = (part(0)?, part(2)?, part(4)?);
    let total = hours * 3600 + minutes * 60 + seconds;
    let fits = total <= MAX_SECONDS && minutes < 60 && seconds < 60;
    fits.then_some(())?;
    Offset::from_seconds(sign * total).ok()
}

/// The region of a name, spelled exactly so; the names of offsets are none.
pub(super) fn region(name: &str) -> Option<TimeZone> {
    let region = TimeZone::get(name).ok()?;
    (region.iana_name() == Some(name) && !UNKNOWN_TO_JAVA.contains(&name)).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(zone: Option<Zone>) -> Option<i32> {
        zone.map(|zone| zone.offset.seconds())
    }

    #[test]
    fn a_function_reads_zones_more_loosely_than_a_literal() {
        for text in ["+2", "+02", "+0200", "+020000", "GMT+2", "UTC+02", "UT+0200"] {
            assert_eq!(seconds(Zone::parse(text)), Some(7200), "{text}");
            assert_eq!(Zone::literal(text), None, "{text}");
        }
        for text in ["+02:00", "+02:00:00", "GMT+02:00", "Etc/GMT-2"] {
            assert_eq!(seconds(Zone::parse(text)), Some(7200), "{text}");
            assert_eq!(seconds(Zone::literal(text)), Some(7200), "{text}");
        }
    }

    #[test]
    fn what_names_no_zone_is_none() {
        for text in
            ["", "z", "utc", "europe/berlin", "EST", "UTCZ", "+19", "+18:01", "+2:30", "x y"]
        {
            assert_eq!(Zone::parse(text), None, "{text}");
        }
    }
}
