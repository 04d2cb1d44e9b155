//! The pagination headers, quirks included: no blank after `;` and `,`, and a first page
//! that has a `prev` with a negative offset.

use axum::http::HeaderName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{answer::Answer, call::Call};

/// What stays as it is in a link's query.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*');

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) offset: u64,
    pub(crate) limit: u64,
    /// How many records this page has.
    pub(crate) shown: u64,
    /// How many match in all; unknown with `sysparm_no_count`.
    pub(crate) total: Option<u64>,
}

/// Adds the headers that belong to a page.
pub(crate) fn add(mut answer: Answer, call: &Call, page: Page) -> Answer {
    if !call.flag("sysparm_suppress_pagination_header") {
        answer = answer.with(axum::http::header::LINK, link(call, page));
    }
    match page.total {
        Some(total) => answer.with(HeaderName::from_static("x-total-count"), total.to_string()),
        None => answer,
    }
}

fn link(call: &Call, page: Page) -> String {
    let offset = i128::from(page.offset);
    let limit = i128::from(page.limit.max(1));
    let mut parts =
        vec![relation(call, page, 0, "first"), relation(call, page, offset - limit, "prev")];
    let has_next =
        page.total.map_or(page.shown == page.limit, |total| offset + limit < i128::from(total));
    if has_next {
        parts.push(relation(call, page, offset + limit, "next"));
    }
    if let Some(total) = page.total {
        let last = i128::from(total.saturating_sub(1)) / limit * limit;
        parts.push(relation(call, page, last, "last"));
    }
    parts.join(",")
}

fn relation(call: &Call, page: Page, offset: i128, name: &str) -> String {
    let mut query: Vec<String> = Vec::new();
    for (key, value) in call.query.iter().filter(|(key, _)| key != "sysparm_offset") {
        let [key, value] = [key, value].map(|text| utf8_percent_encode(text, ENCODED).to_string());
        query.push(format!("{key}={value}"));
    }
    if call.parameter("sysparm_limit").is_none() {
        query.push(format!("sysparm_limit={}", page.limit));
    }
    query.push(format!("sysparm_offset={offset}"));
    format!("<{}{}?{}>;rel=\"{name}\"", call.origin, call.path, query.join("&"))
}
