//! JSONPath for `resultPaths`, kept to paths whose work grows with the result, not with the
//! path: one `..`, few filters, few alternatives, no look back at `$` inside a filter.
#![deny(clippy::disallowed_types)]

use jsonpath_rust::{
    parser::{
        model::{JpQuery, Segment, Selector},
        parse_json_path,
    },
    query::js_path_process,
};
use serde_json::Value;

const MAX_LENGTH: usize = 1_024;
const MAX_NESTING: usize = 16;
const MAX_FILTERS: usize = 3;
const MAX_COMMAS: usize = 8;

/// A checked JSONPath.
#[derive(Clone, Debug)]
pub(crate) struct JsonPath {
    query: JpQuery,
    is_singular: bool,
}

impl JsonPath {
    /// Reads a path; the error says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        check(text)?;
        let query = parse_json_path(text)
            .map_err(|error| crate::outcome::cut(&error.to_string().replace('\n', " "), 200))?;
        let is_singular = query.segments.iter().all(|segment| {
            matches!(segment, Segment::Selector(Selector::Name(_) | Selector::Index(_)))
        });
        Ok(Self { query, is_singular })
    }

    /// The value at a path of names and indices, `None` when it is absent; the list of all
    /// matches for any other path.
    pub(crate) fn find(&self, value: &Value) -> Result<Option<Value>, String> {
        let found = js_path_process(&self.query, value).map_err(|error| error.to_string())?;
        let mut values = found.into_iter().map(|found| found.val().clone());
        if self.is_singular { Ok(values.next()) } else { Ok(Some(values.collect())) }
    }
}

fn check(text: &str) -> Result<(), String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("it is longer than {MAX_LENGTH} characters"));
    }
    let bare = without_quoted(text)?;
    if !bare.starts_with('$') {
        return Err("a path starts with '$', e.g. $.record.number".to_owned());
    }
    let count = |c: char| bare.matches(c).count();
    if nesting(&bare) > MAX_NESTING {
        return Err(format!("its brackets nest deeper than {MAX_NESTING}"));
    }
    if bare.matches("..").count() > 1 || count('?') > MAX_FILTERS || count(',') > MAX_COMMAS {
        return Err(format!(
            "it may have one '..', {MAX_FILTERS} filters and {MAX_COMMAS} commas at most"
        ));
    }
    // They compile their pattern anew for every value they look at.
    let calls: String = bare.split_whitespace().collect();
    if calls.contains("match(") || calls.contains("search(") {
        return Err("match and search are not supported".to_owned());
    }
    if count('$') > 1 {
        return Err("inside a filter use '@', not '$'".to_owned());
    }
    Ok(())
}

fn nesting(bare: &str) -> usize {
    let depths = bare.chars().scan(0_usize, |depth, c| {
        match c {
            '(' | '[' => *depth += 1,
            ')' | ']' => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some(*depth)
    });
    depths.max().unwrap_or_default()
}

/// The path with the content of its quotes left out.
fn without_quoted(text: &str) -> Result<String, String> {
    let mut bare = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        bare.push(c);
        if matches!(c, '"' | '\'') {
            loop {
                match chars.next() {
                    Some('\\') => {
                        chars.next();
                    }
                    Some(end) if end == c => break,
                    Some(_) => {}
                    None => return Err("a quote is not closed".to_owned()),
                }
            }
        }
    }
    Ok(bare)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::JsonPath;

    fn find(path: &str, value: &Value) -> Option<Value> {
        JsonPath::parse(path).unwrap().find(value).unwrap()
    }

    #[test]
    fn names_and_indices_give_the_value_itself() {
        let result = json!({"sysId": "a", "records": [{"number": "INC1"}, {"number": "INC2"}]});
        assert_eq!(find("$.sysId", &result), Some(json!("a")));
        assert_eq!(find("$.records[1].number", &result), Some(json!("INC2")));
        assert_eq!(find("$['records'][0]['number']", &result), Some(json!("INC1")));
        assert_eq!(find("$.nothing", &result), None);
    }

    #[test]
    fn every_other_path_gives_a_list_even_of_one() {
        let result = json!({"records": [{"n": "1", "state": "6"}, {"n": "2", "state": "7"}]});
        assert_eq!(find("$.records[*].n", &result), Some(json!(["1", "2"])));
        assert_eq!(find("$..state", &result), Some(json!(["6", "7"])));
        assert_eq!(find("$.records[?@.state == '7'].n", &result), Some(json!(["2"])));
        assert_eq!(find("$.records[5:].n", &result), Some(json!([])));
    }

    #[test]
    fn paths_that_could_take_for_ever_are_refused() {
        for path in [
            "$..*..*".to_owned(),
            "$[?$.a]".to_owned(),
            format!("$.a[?{}1{} == 1]", "(".repeat(20_000), ")".repeat(20_000)),
            format!("$[?{}@.a{}]", "(".repeat(30), ")".repeat(30)),
            "$[*,*,*][*,*,*][*,*,*][*,*,*][*,*,*]".to_owned(),
            "$[?@[?@[?@[?@.a]]]]".to_owned(),
            "$[?match(@.a, 'x{999}')]".to_owned(),
            "$[?search (@.a, 'x')]".to_owned(),
            "sysId".to_owned(),
            "$['a".to_owned(),
            "$.".to_owned(),
            String::new(),
        ] {
            assert!(JsonPath::parse(&path).is_err(), "{}", &path[..path.len().min(40)]);
        }
    }
}
