//! The password of every worker in these tests, and the search for it in all that comes out.

#[path = "../../it/support/canary.rs"]
mod canary;

use std::sync::LazyLock;

use canary::Canary;

/// The sandbox's user of the workers.
pub(crate) const USER: &str = "admin";
/// Letters of which each needs another escape in base64, URLs and forms.
pub(crate) const PASSWORD: &str = "C4n@ry~+/?&= e2e 9f2c7e1d5b8a";
/// The password of the inbound endpoint's user `flows`.
pub(crate) const INBOUND_PASSWORD: &str = "C4n@ry~+/?&= inbound 1a7d3c9e";

static CANARIES: LazyLock<[Canary; 2]> = LazyLock::new(|| {
    [Canary::with_user(PASSWORD, USER), Canary::with_user(INBOUND_PASSWORD, "flows")]
});

/// Looks for a password in what a process wrote or an engine holds.
///
/// # Panics
/// When one is there.
pub(crate) fn is_nowhere_in(place: &str, text: &str) {
    for canary in &*CANARIES {
        canary.is_nowhere_in(place, text);
    }
}
