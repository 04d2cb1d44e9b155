//! Who calls, and what they may do.

use jiff::tz::TimeZone;

use super::{record::Record, rules::Stamp, time};

/// The user behind a call.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) sys_id: String,
    pub(crate) user_name: String,
    pub(crate) zone: TimeZone,
    roles: Vec<String>,
}

impl Caller {
    /// The caller that a `sys_user` record describes.
    pub(crate) fn of(user: &Record) -> Self {
        Self {
            sys_id: user.sys_id().to_owned(),
            user_name: user.get("user_name").to_owned(),
            zone: time::zone(user.get("time_zone")),
            roles: user.get("roles").split(',').map(|role| role.trim().to_owned()).collect(),
        }
    }

    /// Whether one of these roles, or `admin`, is the caller's. No roles: everybody may.
    pub(crate) fn has_one_of(&self, roles: &[String]) -> bool {
        roles.is_empty() || self.roles.iter().any(|own| own == "admin" || roles.contains(own))
    }

    /// The mark this caller leaves on a record.
    pub(crate) fn stamp(&self, now: String) -> Stamp {
        Stamp { now, user: self.sys_id.clone(), user_name: self.user_name.clone() }
    }
}
