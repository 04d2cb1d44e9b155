//! What the configuration refuses, with the reason.

use servicenow_worker::config::Config;

use super::rig::environment;

fn mistakes(text: &str) -> String {
    Config::read(Some(text), &environment()).unwrap_err().to_string()
}

#[test]
fn without_the_section_there_is_no_endpoint() {
    assert!(Config::read(Some(""), &environment()).unwrap().inbound.is_none());
}

#[test]
fn an_address_that_others_reach_wants_tls_or_a_proxy_and_never_stands_open() {
    let said = mistakes("[inbound]\nlisten = \"0.0.0.0:8090\"\nopen = true");
    assert!(said.contains("inbound.listen: is not a loopback address: set inbound.tls"), "{said}");
    assert!(said.contains("inbound.open: is for loopback addresses only"), "{said}");
    let text = "[inbound]\nlisten = \"0.0.0.0:8090\"\nbehind_proxy = true\n\
                [[inbound.credentials]]\nname = \"a\"\nallow = [\"topology\"]\n\
                basic = { username = \"a\", password = \"b\" }";
    assert!(Config::read(Some(text), &environment()).is_ok());
    assert!(mistakes("[inbound]").contains("nobody could call"));
}

#[test]
fn every_mistake_is_reported_with_its_place_and_remedy() {
    let said = mistakes(
        r#"
[inbound]
colour = 1
path_prefix = "no slash"
correlation = "forward"
tls = { cert = "c.pem" }
idempotency = { body = "sys_id", at_least_once = ["cancel"], headers = ["a b"] }
limits = { json_depth = 1000 }
[[inbound.credentials]]
name = "a b"
allow = ["deploy"]
basic = { username = "x:y" }
[[inbound.credentials]]
name = "b"
allow = ["cancel:order-*"]
[[inbound.credentials]]
name = "c"
allow = ["topology"]
basic = { username = "x", password = "y" }
api_key = { keys = [] }
[[inbound.credentials]]
name = "d"
allow = ["topology"]
jwt = { issuer = "i", audience = "a", jwks_url = "http://idp.example/keys", algorithms = ["HS256"] }
[[inbound.routes]]
name = "one"
do = "start"
process = "p"
[[inbound.routes]]
name = "two"
do = "start_or_correlate"
message = "m"
[[inbound.routes]]
name = "three"
do = "signal"
signal = "s"
[[inbound.routes]]
name = "three"
do = "start"
process = "p"
version = 2
await = true
once = "wrapper"
variables = "={"
[[inbound.routes]]
name = "five"
do = "cancel"
process = "order-*"
[[inbound.routes]]
do = "deploy"
"#,
    );
    for part in [
        "inbound.colour: is no setting; known here: listen, open",
        "inbound.path_prefix: 'no slash' is no path: write e.g. \"/servicenow\"",
        "inbound.correlation: \"forward\" needs zeebe.rest_address",
        "inbound.tls.key: is missing: name a PEM file",
        "inbound.idempotency.body: 'sys_id' is neither FEEL nor JSONPath",
        "inbound.idempotency.at_least_once: 'cancel' is none of start, signal, correlate",
        "inbound.idempotency.headers: 'a b' is no name of a header",
        "inbound.limits.json_depth: is a number from 4 to 120, not 1000",
        "inbound.credentials[0].name: has up to 64 letters",
        "inbound.credentials[0].allow: 'deploy' is no scope: write one of start, await",
        "inbound.credentials[0].basic.username: has no colon",
        "inbound.credentials[0].basic.password: is missing",
        "inbound.credentials[1].allow: cancel for some processes only needs zeebe.rest_address",
        "inbound.credentials[1].proof: is missing: write one of basic, api_key, client, jwt, hmac",
        "inbound.credentials[2].proof: basic and api_key are one too many",
        "inbound.credentials[2].api_key.key: is missing",
        "inbound.credentials[3].jwt.jwks_url: is an https URL",
        "inbound.credentials[3].jwt.algorithms: 'HS256' is none of RS256, PS256, ES256",
        "inbound.routes[0].once: says what keeps a second start off",
        "inbound.routes[1].correlation_key: is missing",
        "inbound.routes[2].once: is \"at_least_once\" for a signal",
        "inbound.routes[3].version: cannot be chosen with once = \"wrapper\"",
        "inbound.routes[3].await: cannot be had with once = \"wrapper\"",
        "inbound.routes[3].variables: ",
        "inbound.routes[4].instance: is missing",
        "inbound.routes[4].process: needs zeebe.rest_address",
        "inbound.routes[5].do: is one of start, message, start_or_correlate, signal, cancel",
        "inbound.routes[5].name: is missing",
        "inbound.routes: 'three' is there twice",
    ] {
        assert!(said.contains(part), "{part}\nin\n{said}");
    }
}

#[test]
fn no_mistake_of_a_route_hides_another() {
    let said = mistakes(
        r#"
[inbound]
open = true
[[inbound.routes]]
name = "one"
do = "deploy"
process = "p"
message = "m"
signal = "s"
correlation_key = "={"
variables = "={"
colour = 1
[[inbound.routes]]
name = "two"
do = "message"
correlation_key = "sys_id"
key = "={"
ttl = "soon"
[[inbound.routes]]
name = "three"
do = "start_or_correlate"
message = "m"
correlation_key = "sys_id"
[[inbound.routes]]
name = "four"
[[inbound.routes]]
name = "five"
do = "start"
process = "p"
once = "sometimes"
[[inbound.routes]]
name = "six"
do = "signal"
signal = "s"
once = "sometimes"
"#,
    );
    let lines: Vec<_> = said.lines().filter(|line| line.starts_with("inbound.routes")).collect();
    let keys: Vec<_> = lines.iter().filter_map(|line| line.split(": ").next()).collect();
    let expected = [
        "inbound.routes[0].do",
        "inbound.routes[0].correlation_key",
        "inbound.routes[0].variables",
        "inbound.routes[0].colour",
        "inbound.routes[1].message",
        "inbound.routes[1].correlation_key",
        "inbound.routes[1].key",
        "inbound.routes[1].ttl",
        "inbound.routes[2].correlation_key",
        "inbound.routes[3].do",
        "inbound.routes[4].once",
        "inbound.routes[5].once",
    ];
    assert_eq!(keys, expected, "{said}");
    assert!(said.contains("routes[3].do: is what the route does: start, message"), "{said}");
}
