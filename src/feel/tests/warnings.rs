//! What a silent null tells about itself.

use serde_json::{Value as Json, json};

use super::evaluate;

fn warnings(text: &str, input: &Json) -> Vec<String> {
    let answer = evaluate(text, input).unwrap();
    answer.warnings.iter().map(ToString::to_string).collect()
}

fn response() -> Json {
    json!({"status": 200, "response": {"body": {"result": {"number": "INC1", "sys_id": "a"}}}})
}

#[test]
fn a_missing_key_is_named_with_the_keys_there() {
    assert_eq!(
        warnings("response.body.result.sys_idd", &response()),
        ["no key 'sys_idd' in response.body.result; keys: number, sys_id"]
    );
    assert_eq!(
        warnings("response.body.results.sys_id", &response()),
        [
            "no key 'results' in response.body; keys: result",
            "no key 'sys_id' in response.body.results, which is null"
        ]
    );
    assert_eq!(warnings("statuss", &response()), ["no variable 'statuss'; keys: status, response"]);
}

#[test]
fn a_key_of_a_text_is_named_with_its_type() {
    assert_eq!(
        warnings("response.body.result.number.value", &response()),
        ["no key 'value' in response.body.result.number, which is a string"]
    );
}

#[test]
fn absence_that_is_asked_about_is_no_mistake() {
    for text in [
        "response.body.oops = null",
        "null != response.oops.oops",
        "is defined(oops)",
        "get or else(response.oops, \"none\")",
        "if oops != null then oops else 1",
    ] {
        assert_eq!(warnings(text, &response()), [""; 0], "{text}");
    }
}

#[test]
fn an_unknown_function_brings_the_nearest_name() {
    assert_eq!(
        warnings("is define(1)", &json!({})),
        ["no function 'is define'; did you mean 'is defined'?"]
    );
    assert_eq!(
        warnings("not(true, false)", &json!({})),
        ["no function 'not' for the 2 arguments given; there is not(negand)"]
    );
    assert_eq!(warnings("frobnicate(1)", &json!({})), ["no function 'frobnicate'"]);
}

#[test]
fn mixed_types_are_named() {
    assert_eq!(warnings("1 + true", &json!({})), ["cannot add a boolean to a number"]);
    assert_eq!(warnings("\"a\" < 1", &json!({})), ["cannot compare a string with a number"]);
    assert_eq!(warnings("1 / 0", &json!({})), ["cannot divide by zero"]);
    assert_eq!(
        warnings("@\"2026-02-30\"", &json!({})),
        ["'2026-02-30' is no date, time or duration"]
    );
    assert_eq!(
        warnings("if 1 then 2 else 3", &json!({})),
        ["the condition of 'if' is a number, not a boolean; 'else' is taken"]
    );
}

#[test]
fn a_filter_does_not_complain_about_the_look_outside() {
    let records = json!({"rs": [{"a": 1, "b": 2}, {"a": 2, "b": 2}]});
    assert_eq!(warnings("rs[a != 1].b", &records), [""; 0]);
    assert_eq!(warnings("rs[a = 1 and b = 2]", &records), [""; 0]);
}

#[test]
fn equal_warnings_come_once_and_many_are_counted() {
    assert_eq!(warnings("for i in 1..9 return oops", &json!({})).len(), 1);
    let many = warnings("for i in 1..90 return \"a\"[i] + i", &json!({}));
    assert!(many.len() <= 51, "{many:?}");
}
