//! What the HTTP library's errors mean for the question that counts: was anything sent?

use std::{error::Error, io};

use rustls::AlertDescription;

use super::names::Forbidden;
use crate::{
    outcome::cut,
    servicenow::{NoAnswer, NoAnswerCause},
};

/// Longest text taken over from the system or the library, in characters.
const MAX_TEXT: usize = 300;

/// An error of the HTTP library. Its own text names the URL, queries included, so only
/// the text of its cause is taken over.
pub(super) fn of(error: &reqwest::Error, address: &str) -> NoAnswer {
    if let Some(cause) = causes(error).find_map(|cause| cause.downcast_ref::<Forbidden>()) {
        return forbidden(cause);
    }
    if let Some(alert) = causes(error).find_map(alert).filter(|alert| is_about_us(*alert)) {
        return certificate_refused(alert, address);
    }
    let said = cut(&root(error), MAX_TEXT);
    // "Connect" spans everything before the first byte of the request: the name, TCP, a
    // proxy's tunnel and the TLS handshake.
    if error.is_connect() {
        let remedy = if said.contains("certificate") {
            "; when a private authority signed it, name its file as ca_file"
        } else {
            ""
        };
        return NoAnswer {
            cause: NoAnswerCause::Unreachable,
            may_have_acted: false,
            message: format!("no connection to {address}: {said}{remedy}"),
        };
    }
    if error.is_builder() {
        return NoAnswer {
            cause: NoAnswerCause::Invalid,
            may_have_acted: false,
            message: format!("the request cannot be sent: {said}"),
        };
    }
    if error.is_timeout() {
        return timed_out(&format!("no answer from {address} in time"));
    }
    NoAnswer {
        cause: NoAnswerCause::Broken,
        may_have_acted: true,
        message: format!(
            "the connection to {address} broke before the answer was complete: {said}"
        ),
    }
}

/// No answer in time, with the request on its way.
pub(super) fn timed_out(message: &str) -> NoAnswer {
    NoAnswer { cause: NoAnswerCause::Timeout, may_have_acted: true, message: message.to_owned() }
}

/// An instance at an address where jobs may not have us connect.
pub(super) fn forbidden(forbidden: &Forbidden) -> NoAnswer {
    NoAnswer {
        cause: NoAnswerCause::Invalid,
        may_have_acted: false,
        message: format!("instance: {forbidden}"),
    }
}

/// The server ended the handshake because of our certificate, or for want of one. In TLS 1.3
/// it says so only after we have sent, but it reads nothing before the handshake is done.
fn certificate_refused(alert: AlertDescription, address: &str) -> NoAnswer {
    NoAnswer {
        cause: NoAnswerCause::Unreachable,
        may_have_acted: false,
        message: format!(
            "{address} does not accept who we are ({alert:?}): it wants a certificate, name the \
             connection's client_certificate_file and client_key_file"
        ),
    }
}

/// Whether an alert is the end of a handshake because of the certificate of our side.
fn is_about_us(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
            | AlertDescription::CertificateRequired
    )
}

fn alert(mut cause: &(dyn Error + 'static)) -> Option<AlertDescription> {
    // An I/O error keeps what it was made of beside its chain of causes.
    while let Some(error) = cause.downcast_ref::<io::Error>() {
        cause = error.get_ref()?;
    }
    match cause.downcast_ref::<rustls::Error>() {
        Some(rustls::Error::AlertReceived(alert)) => Some(*alert),
        _ => None,
    }
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| <dyn Error>::source(*cause))
}

/// The innermost cause's text.
fn root(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| "unknown cause".to_owned(), ToString::to_string)
}
