//! Expressions meant to take the worker down, on a small stack.

use serde_json::json;

use super::evaluate;

/// Runs on a stack of 256 KiB, an eighth of what a worker's thread has.
fn on_a_small_stack(test: fn()) {
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(test).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn refused(text: &str) -> String {
    match evaluate(text, &json!({"x": 1, "xs": [1, 2]})) {
        Ok(answer) => panic!("{:.80} answers {:.80?}", text, answer.value),
        Err(error) => error,
    }
}

fn answers(text: &str) -> String {
    match evaluate(text, &json!({"x": 1, "xs": [1, 2]})) {
        Ok(answer) => answer.value.to_json().to_string(),
        Err(error) => panic!("{text:.80} fails: {error}"),
    }
}

#[test]
fn deep_nesting_is_a_syntax_error() {
    on_a_small_stack(|| {
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("{a:", "}"),
            ("not(", ")"),
            ("-(", ")"),
            ("1+(", ")"),
            ("1+1*2**(", ")"),
            ("if x then ", " else 1"),
            ("if (", ") then 1 else 1"),
            ("for y in xs return ", ""),
            ("for y in (", ") return 1"),
            ("some y in xs satisfies ", ""),
            ("function(a) ", ""),
            ("xs[", "]"),
            ("x in (", ")"),
            ("x in [", "..5]"),
            ("x in > -(", ")"),
            ("x between (", ") and 2"),
            ("f(a: ", ")"),
            ("x and (", ")"),
            ("1 in (> (", "))"),
            ("](", ")..5]"),
        ] {
            let text = [open.repeat(10_000), "1".into(), close.repeat(10_000)].concat();
            let error = refused(&text[..text.len().min(250_000)]);
            assert!(error.contains("nested at most"), "{open}: {error:.200}");
        }
    });
}

#[test]
fn what_may_nest_is_evaluated() {
    on_a_small_stack(|| {
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("{a:", "}"),
            ("not(", ")"),
            ("-(", ")"),
            ("1+(", ")"),
            ("1+1*2-1*(", ")"),
            ("if true then ", " else 1"),
            ("if (", ") = null then 1 else 1"),
            ("for y in xs return ", ""),
            ("for y in (", ") return 1"),
            ("some y in xs satisfies ", ""),
            ("function(a) ", ""),
            ("[1][", "]"),
            ("1 in (", ")"),
            ("1 in [1..(", ")]"),
            ("x and (", ")"),
            ("1 between (", ") and 2"),
            ("x or x and x = (", ")"),
        ] {
            let nested = |depth| [open.repeat(depth), "1".into(), close.repeat(depth)].concat();
            let input = json!({"x": true, "xs": [1]});
            evaluate(&nested(15), &input).unwrap_or_else(|error| panic!("{open}: {error}"));
            if let Err(error) = evaluate(&nested(60), &input) {
                assert!(
                    error.contains("too deeply") || error.contains("nested at most"),
                    "{error}"
                );
            }
        }
    });
}

#[test]
fn chains_of_a_hundred_thousand_terms_are_evaluated() {
    on_a_small_stack(|| {
        let chain = |term: &str| vec![term; 100_000].join("");
        assert_eq!(answers(&format!("0{}", chain("+1"))), "100000");
        assert_eq!(answers(&format!("x{}", chain("*1"))), "1");
        assert_eq!(answers(&format!("true{}", " and 1=1".repeat(30_000))), "true");
        assert_eq!(answers(&format!("false{}", " or 1=2".repeat(30_000))), "false");
        assert_eq!(answers(&format!("x{}", ".a".repeat(100_000))), "null");
        assert_eq!(answers(&format!("xs{}", "[1]".repeat(80_000))), "null");
        let arms = "if x=2 then 1 else ".repeat(13_000);
        assert_eq!(answers(&format!("{arms}3")), "3");
        assert_eq!(answers(&format!("[1{}][-1]", ",1".repeat(100_000))), "1");
        assert_eq!(answers(&format!("x in (2{},1)", ",2".repeat(100_000))), "true");
        assert_eq!(answers(&format!("\"\"{}", "+\"a\"".repeat(60_000))).len(), 60_002);
    });
}

#[test]
fn self_application_is_refused() {
    on_a_small_stack(|| {
        for text in [
            "{f: function(g) g(g), r: f(f)}.r",
            "{f: function(g) 1 + g(g), r: f(f)}.r",
            "{f: function(g) [g(g)], r: f(f)}.r",
            "{f: function(g) {a: g(g)}, r: f(f)}.r",
            "{f: function(g) if g(g) then 1 else 2, r: f(f)}.r",
            "{f: function(g) (for x in [1] return g(g)), r: f(f)}.r",
            "{f: function(g) (some x in [1] satisfies g(g)), r: f(f)}.r",
            "{f: function(g) [1][g(g)], r: f(f)}.r",
            "{f: function(g) 1 in (g(g)), r: f(f)}.r",
            "{f: function(g) get or else(g(g), 1), r: f(f)}.r",
        ] {
            assert!(refused(text).contains("too deeply"), "{text}");
        }
    });
}

#[test]
fn values_nest_only_so_deep() {
    on_a_small_stack(|| {
        for text in [
            "for i in 1..100000 return [partial]",
            "for i in 1..100000 return [partial[-1]]",
            "for i in 1..100000 return {a: partial[-1]}",
            "for i in 1..100000 return function() partial[-1]",
            "for i in 1..100000 return function() partial",
        ] {
            let error = refused(text);
            assert!(error.contains("too deeply") || error.contains("too many"), "{text}: {error}");
        }
    });
}

#[test]
fn what_nests_as_deep_as_may_be_is_walked() {
    on_a_small_stack(|| {
        let deep = "for i in 1..120 return if i = 1 then [0] else [partial[-1]]";
        let written = answers(&format!("({deep})[-1]"));
        assert_eq!(written, ["[".repeat(120), "0".into(), "]".repeat(120)].concat());
        assert_eq!(answers(&format!("{{d: {deep}, r: d = d}}.r")), "true");
        assert_eq!(answers(&format!("{{d: {deep}, r: d[-1] in d}}.r")), "true");
        let mapped = format!("{{d: {deep}, r: d.a}}.r");
        assert!(answers(&mapped).starts_with("[[null]"));
        let at_the_bottom =
            format!("{{d: {deep}, r: {}d = d{}}}.r", "[".repeat(50), "]".repeat(50));
        if let Err(error) = evaluate(&at_the_bottom, &json!({})) {
            assert!(error.contains("too deeply"), "{error}");
        }
        let contexts = "for i in 1..120 return if i = 1 then {} else {a: partial[-1]}";
        assert!(answers(&format!("({contexts})[-1]")).ends_with(&"}".repeat(120)));
    });
}

#[test]
fn quadratic_loops_are_refused() {
    on_a_small_stack(|| {
        for text in [
            "for i in 1..100000 return {f: function() partial, r: 1}.r",
            "for i in 1..100000 return partial = [1]",
            "{l: for i in 1..5000 return i, r: for i in l return l = l}.r",
            "{l: for i in 1..5000 return i, r: for i in l return i in l}.r",
            "{l: for i in 1..5000 return {a: i}, r: for i in l return l.a}.r",
        ] {
            let error = refused(text);
            assert!(error.contains("too many"), "{text}: {error}");
        }
    });
}

#[test]
fn huge_loops_are_refused() {
    on_a_small_stack(|| {
        for text in [
            "for i in 1..1000000000000 return i",
            "for i in 1..99999999999999999999999999999999999999 return i",
            "for i in 1..10000, j in 1..10000 return 1",
            "some i in 1..3000, j in 1..3000 satisfies i = -1",
            "every i in 1..3000, j in 1..3000 satisfies i > 0",
            "for i in 1..3000 return for j in 1..3000 return 1",
            "for i in 1..100000 return partial = 1",
        ] {
            let error = refused(text);
            assert!(error.contains("too many"), "{text}: {error}");
        }
    });
}

#[test]
fn huge_texts_and_numbers_are_refused_or_bounded() {
    on_a_small_stack(|| {
        let doubling =
            "for i in 1..64 return if i = 1 then \"xxxxxxxx\" else partial[-1] + partial[-1]";
        assert!(refused(doubling).contains("too much text"));
        assert!(refused("2 ** 999999999").contains("power"));
        assert!(refused("1.1 ** 9223372036854775807").contains("power"));
        assert!(refused(&"1".repeat(300_000)).contains("at most 262144 bytes"));
        assert!(answers(&"9".repeat(30_000)).starts_with('1'));
        assert!(refused(&"9".repeat(100_000)).contains("expected"));
        assert_eq!(answers(&format!("\"{}\"", "a".repeat(250_000))).len(), 250_002);
        assert_eq!(answers(&"a".repeat(250_000)), "null");
        assert_eq!(answers("@\"P99999999999999999999D\""), "null");
        assert_eq!(answers("@\"PT9223372036854775807S\" + @\"PT1S\""), "null");
        assert_eq!(answers("xs[99999999999999999999999999999]"), "null");
        assert_eq!(answers("xs[-99999999999999999999999999999]"), "null");
        assert_eq!(answers("@\"9999-12-31\" + @\"P1D\""), "null");
        assert_eq!(answers("@\"2020-01-01\" + @\"P178956970Y\""), "null");
    });
}

#[test]
fn results_that_share_their_parts_are_as_large_as_they_are_written() {
    on_a_small_stack(|| {
        let key = "k".repeat(60_000);
        for text in [
            "for i in 1..62 return partial".to_owned(),
            "{r: for i in 1..40 return {a: partial, b: partial}}".to_owned(),
            format!("for i in 1..100000 return {{\"{key}\": i}}"),
            format!("{{t: \"{key}\", r: for i in 1..100000 return t}}.r"),
        ] {
            let error = refused(&text);
            assert!(error.contains("result is too large"), "{text:.60}: {error}");
        }
        assert_eq!(answers("count(for i in 1..62 return partial)"), "62");
    });
}

#[test]
fn a_mistake_in_a_loop_costs_no_more_than_a_step() {
    let key = "k".repeat(100_000);
    let calls = "for i in 1..90, j in 1..300 return duratiom ing(i)";
    let keys = format!("{{a: {{\"{key}\": 1}}, r: for i in 1..90, j in 1..300 return a.b}}.r");
    for text in [calls, &keys] {
        let answer = evaluate(text, &json!({})).unwrap();
        assert_eq!(answer.warnings.len(), 1, "{text:.60}");
        let warning = answer.warnings[0].to_string();
        assert!(warning.len() < 600, "{} bytes", warning.len());
    }
}

#[test]
fn loops_over_costly_patterns_are_refused_early() {
    for pattern in
        ["\\\\pL".repeat(2_000), "\\\\pL".repeat(20), "(?i)[^a]".repeat(500), "abc|".repeat(3_900)]
    {
        // Each turn has another pattern, so that none is kept from the turn before.
        let text = format!("for i in 1..40 return matches(\"a\", \"{pattern}\" + string(i))");
        assert!(refused(&text).contains("too many steps"), "{text:.80}");
    }
    assert!(!answers("for i in 1..500 return matches(\"a1\", \"[a-z]\" + string(i))").is_empty());
}
