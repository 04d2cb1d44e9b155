//! From a request to its answer.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State, connect_info::IntoMakeServiceWithConnectInfo},
    http::Response,
};

use super::{
    Shared, admin,
    answer::Answer,
    authentication,
    call::{Call, Version},
    caller::Caller,
    connection::Wire,
    failure, flows,
    inject::Plan,
    oauth, stats_api, table_api,
};

/// How clients reach this listener; links say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The service for each connection.
pub(crate) fn service(
    shared: Arc<Shared>,
    scheme: Scheme,
) -> IntoMakeServiceWithConnectInfo<Router, Wire> {
    Router::new()
        .fallback(serve)
        .with_state((shared, scheme))
        .into_make_service_with_connect_info::<Wire>()
}

async fn serve(
    State((shared, scheme)): State<(Arc<Shared>, Scheme)>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Result<Response<Body>, Infallible> {
    let _busy = wire.busy();
    let Some(call) = Call::read(request, scheme.as_str()).await else {
        return Ok(failure::unreadable_body().into_response(false));
    };
    if call.segments.first().is_some_and(|first| first == "sandbox") {
        return Ok(admin::answer(&shared, &call).into_response(false));
    }
    shared.tally.called(call.sent_method.as_str());
    let entry = shared.log.arrived(&call, wire.id, shared.config.clock.now());
    let faults = shared.faults.strike(&call);
    let response = if faults.is_empty() {
        process(&shared, &call).into_response(opens_session(&call))
    } else {
        let plan = Plan::of(&shared, faults);
        // A task of its own: what is delayed is carried out even if the client leaves.
        let done = tokio::spawn(plan.execute(shared.clone(), call, wire.clone())).await;
        done.unwrap_or_else(|_| failure::internal().into_response(false))
    };
    if !wire.is_closing() {
        shared.log.answered(entry, response.status());
    }
    Ok(response)
}

/// Whether the client brought no session, so that it gets a new one.
pub(crate) fn opens_session(call: &Call) -> bool {
    !call.header("cookie").is_some_and(|cookies| cookies.contains("JSESSIONID="))
}

/// Carries a call out.
pub(crate) fn process(shared: &Shared, call: &Call) -> Answer {
    match call.segments.first().map(String::as_str) {
        Some("oauth_token.do") => return oauth::token(shared, call),
        Some("api") => {}
        _ => return failure::no_page(),
    }
    let Some(caller) = authentication::authenticate(shared, call) else {
        return failure::unauthenticated();
    };
    if let Some(bytes) = call.oversized {
        return failure::too_large(bytes);
    }
    let accept = call.header("accept").unwrap_or("*/*");
    if !["json", "*/*", "application/*"].iter().any(|known| accept.contains(known)) {
        return failure::not_acceptable(accept);
    }
    api(shared, call, &caller)
}

fn api(shared: &Shared, call: &Call, caller: &Caller) -> Answer {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let rest = &segments[1..];
    if rest.first() != Some(&"now") {
        return outside_platform(shared, call, caller, rest);
    }
    let from = if call.version == Version::Latest { 1 } else { 2 };
    match &rest[from..] {
        ["table", table] => table_api::answer(shared, call, caller, table, None),
        ["table", table, sys_id] => table_api::answer(shared, call, caller, table, Some(sys_id)),
        ["stats", table] if matches!(call.method.as_str(), "GET" | "HEAD") => {
            stats_api::answer(shared, call, caller, table).unwrap_or_else(|refusal| refusal)
        }
        ["stats", _] => failure::method_not_supported(call.method.as_str()),
        _ => failure::no_resource(&call.path),
    }
}

/// Product APIs (`sn_…`) are not here; any other namespace has flow triggers.
fn outside_platform(shared: &Shared, call: &Call, caller: &Caller, rest: &[&str]) -> Answer {
    match rest {
        [namespace, path @ ..]
            if !namespace.is_empty()
                && !namespace.starts_with("sn_")
                && path.iter().any(|segment| !segment.is_empty()) =>
        {
            flows::start(shared, call, caller)
        }
        _ => failure::no_resource(&call.path),
    }
}
