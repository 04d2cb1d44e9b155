//! Templates, ordinary and hostile.

use serde_json::{Value, json};

use super::Templates;

fn render(source: &str, data: &Value) -> Result<Value, String> {
    Templates::new()
        .render_object("fieldsTemplate", source, data)
        .map(Value::Object)
        .map_err(|error| error.message)
}

#[test]
fn values_are_escaped_for_the_inside_of_a_json_string() {
    let mut data = json!({"text": "say \"hi\"\n\\ <b>", "b": true});
    data["n"] = serde_json::from_str("4.50").unwrap();
    let rendered = render(r#"{"a": "{{text}}", "n": {{n}}, "b": "{{b}}"}"#, &data).unwrap();
    assert_eq!(rendered["a"], "say \"hi\"\n\\ <b>");
    assert_eq!(rendered["n"].to_string(), "4.50");
    assert_eq!(rendered["b"], "true");
}

#[test]
fn line_breaks_and_tabs_may_stand_in_strings_as_they_are() {
    let data = json!({"text": "x\ny"});
    let rendered =
        render("{\n\t\"a\": \"1\n2\t3\r\n{{text}} \\\" \n\",\n\"b\": \"\\\\\"\n}", &data);
    assert_eq!(rendered.unwrap(), json!({"a": "1\n2\t3\r\nx\ny \" \n", "b": "\\"}));
    for broken in ["{\"a\": \"\\\n\"}", "{\"a\": \"\u{1}\"}"] {
        assert!(render(broken, &data).unwrap_err().contains("does not render to JSON"), "{broken}");
    }
}

#[test]
fn the_json_helper_writes_whole_values() {
    let data = json!({"text": "a\"b", "list": [1, {"x": null}]});
    let rendered = render(r#"{"a": {{json text}}, "l": {{json list}}}"#, &data).unwrap();
    assert_eq!(rendered, json!({"a": "a\"b", "l": [1, {"x": null}]}));
}

#[test]
fn loops_know_where_they_are() {
    let data = json!({"tags": ["x", "y"], "map": {"k": {"v": 1}}, "none": []});
    let source = r#"{"tags": [{{#each tags as |tag i|}}"{{i}}{{tag}}{{this}}{{../map.k.v}}"{{#unless @last}},{{/unless}}{{/each}}],
        "map": "{{#each map}}{{@key}}={{this.v}} {{@index}}{{@first}}{{/each}}",
        "none": "{{#each none}}x{{else}}nothing{{/each}}"}"#;
    assert_eq!(
        render(source, &data).unwrap(),
        json!({"tags": ["0xx1", "1yy1"], "map": "k=1 0true", "none": "nothing"})
    );
}

#[test]
fn nested_loops_reach_their_own_items() {
    let data = json!({"rows": [{"cells": [{"v": 1}, {"v": 2}]}, {"cells": [{"v": 3}]}]});
    let source = r#"{"s": "{{#each rows}}{{#each cells}}{{v}}{{@../index}};{{/each}}{{/each}}"}"#;
    assert_eq!(render(source, &data).unwrap(), json!({"s": "10;20;31;"}));
}

#[test]
fn a_missing_name_is_an_error_that_says_it() {
    for source in [r#"{"a": "{{nope}}"}"#, r#"{"a": {{json nope}}}"#, "{{#each nope}}{{/each}}{}"] {
        let message = render(source, &json!({})).unwrap_err();
        assert!(message.contains("nope"), "{message}");
    }
}

#[test]
fn anything_but_an_object_is_refused() {
    assert!(render("[1]", &json!({})).unwrap_err().contains("renders to a list"));
    assert!(render("{\"a\": }", &json!({})).unwrap_err().contains("does not render to JSON"));
    assert!(render("{{#if}}{{/if}}{", &json!({})).is_err());
}

#[test]
fn secrets_are_not_in_reach_of_a_template() {
    assert!(render(r#"{"a": "{{secrets.A}}"}"#, &json!({})).is_err());
}

#[test]
fn loops_that_write_much_or_nothing_come_to_an_end() {
    let data = json!({"a": vec![0; 300]});
    let nest = |body: &str| {
        format!("{}{body}{}{{}}", "{{#each @root.a}}".repeat(6), "{{/each}}".repeat(6))
    };
    assert!(render(&nest(&"x".repeat(1000)), &data).unwrap_err().contains("1 MiB"));
    assert!(render(&nest(""), &data).unwrap_err().contains("too many steps"));
}

#[test]
fn five_thousand_nested_blocks_do_not_end_the_process() {
    let source = format!("{}{}", "{{#if a}}".repeat(800), "{{/if}}".repeat(800));
    assert!(render(&source, &json!({"a": 1})).unwrap_err().contains("nest deeper"));
    let source = "{{#if a}}".repeat(5_000);
    assert!(render(&source, &json!({"a": 1})).unwrap_err().contains("16 KiB"));
}

#[test]
fn the_deepest_allowed_template_fits_a_small_stack() {
    let blocks = format!("{}{{}}{}", "{{#if a}}".repeat(64), "{{/if}}".repeat(64));
    let chain = format!("{{{{#if b}}}}{}{{{{else}}}}{{}}{{{{/if}}}}", "{{else if b}}".repeat(63));
    let calls = format!("{{{{#if {}a{}}}}}{{}}{{{{/if}}}}", "(not ".repeat(16), ")".repeat(16));
    let render_all = move || {
        for source in [blocks, chain, calls] {
            render(&source, &json!({"a": 1, "b": 0})).unwrap();
        }
    };
    std::thread::Builder::new().stack_size(1024 * 1024).spawn(render_all).unwrap().join().unwrap();
}

#[test]
fn the_cache_stays_bounded() {
    let templates = Templates::new();
    for n in 0..600 {
        templates.render_object("t", &format!("{{\"n\": {n}}}"), &json!({})).unwrap();
    }
    assert!(templates.compiled.lock().unwrap().len() <= super::MAX_CACHED);
}

#[test]
fn a_name_that_the_data_lacks_is_said_with_those_that_are_there() {
    let data = json!({"title": "x", "user": {"name": "Ann"}, "rows": [{"id": 1}], "job": {}});
    for (source, said) in [
        (
            r#"{"a": "{{titel}}"}"#,
            "'titel' is not in the data, which has title, user, rows, job: did you mean 'title'?",
        ),
        (r#"{"a": {{json titel}}}"#, "'titel' is not in the data"),
        (
            r#"{"a": "{{user.nam}}"}"#,
            "'user.nam' is not in the data, whose 'user' has name: did you mean 'name'?",
        ),
        (
            r#"{"a": "{{zzzzzzzz}}"}"#,
            "'zzzzzzzz' is not in the data, which has title, user, rows, job",
        ),
        (r#"{"a": "{{title.x}}"}"#, "'title.x' is not in the data, whose 'title' is a text"),
        (r#"{"a": "{{#each rows}}{{nope}}{{/each}}"}"#, "'nope' is not in the data"),
        (r#"{"a": "{{#each rowz}}x{{/each}}"}"#, "did you mean 'rows'?"),
    ] {
        let message = render(source, &data).unwrap_err();
        assert!(message.starts_with("fieldsTemplate cannot be rendered: '"), "{message}");
        assert!(message.contains(said), "{said}: {message}");
    }
    let empty = render(r#"{"a": "{{x}}"}"#, &json!({})).unwrap_err();
    assert!(empty.ends_with("'x' is not in the data, which is empty"), "{empty}");
}
