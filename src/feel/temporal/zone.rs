//! Zones: an offset from UTC and perhaps the region it belongs to.

use jiff::tz::{Dst, Offset, TimeZone};
use jiff::{Timestamp, civil};

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

    /// Reads `Z`, an offset such as `+01:00`, or a region such as `Europe/Berlin`.
    pub fn parse(text: &str) -> Option<Self> {
        match offset(text) {
            Some(offset) => Some(Self::fixed(offset)),
            None => Some(Self::standard(&region(text)?)),
        }
    }

    /// The name of the region.
    pub fn name(&self) -> Option<&str> {
        self.region.as_ref()?.iana_name()
    }
}

/// Reads `Z` or `+hh:mm[:ss]`, seconds and minutes optional.
pub(super) fn offset(text: &str) -> Option<Offset> {
    if text == "Z" || text == "z" {
        return Some(Offset::UTC);
    }
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let mut parts = rest.split(':');
    let hours = two_digits(parts.next()?)?;
    let minutes = parts.next().map_or(Some(0), two_digits)?;
    let seconds = parts.next().map_or(Some(0), two_digits)?;
    let fits = hours <= 18 && minutes < 60 && seconds < 60 && parts.next().is_none();
    fits.then_some(())?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60 + seconds)).ok()
}

fn two_digits(text: &str) -> Option<i32> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// The region of a name; the names of offsets are none.
pub(super) fn region(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}
