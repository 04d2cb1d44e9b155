//! A look at a template before Handlebars sees it.
//!
//! The scan must never see less nesting than Handlebars does. So whatever could make the
//! two disagree on where a tag ends is refused: braces inside texts, brackets or comments,
//! escaped braces, raw blocks.
#![deny(clippy::disallowed_types)]

const MAX_SOURCE_BYTES: usize = 16 * 1024;
const MAX_NESTING: usize = 64;
const MAX_PARENTHESES: usize = 16;
const BLOCKS: [&str; 4] = ["if", "unless", "each", "with"];

/// Checks a template; answers how many tags it has.
pub(super) fn scan(source: &str) -> Result<usize, String> {
    if source.len() > MAX_SOURCE_BYTES {
        return Err("it is longer than 16 KiB".to_owned());
    }
    let mut tags = 0;
    // For each open block how many levels it takes: one, and one for each `else if`.
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(found) = source[at..].find("{{") {
        let start = at + found;
        if source[..start].ends_with('\\') {
            return Err("a backslash before {{ is not supported".to_owned());
        }
        let (content, end) = tag_at(source, start)?;
        enter(content, &mut open)?;
        if open.iter().sum::<usize>() > MAX_NESTING {
            return Err(format!("its blocks nest deeper than {MAX_NESTING}"));
        }
        tags += 1;
        at = end;
    }
    Ok(tags)
}

/// A tag's content and where it ends.
fn tag_at(source: &str, start: usize) -> Result<(&str, usize), String> {
    let rest = &source[start + 2..];
    if rest.starts_with("{{") {
        return Err("raw blocks {{{{…}}}} are not supported".to_owned());
    }
    let ending = if rest.starts_with("!--") { "--}}" } else { "}}" };
    let length = rest.find(ending).ok_or("a tag is not closed: }} is missing")?;
    let content = &rest[..length];
    if content.contains("{{") {
        return Err("a tag or comment holds another {{".to_owned());
    }
    let mut end = start + 2 + length + ending.len();
    if content.starts_with('{') && source[end..].starts_with('}') {
        end += 1;
    }
    Ok((content, end))
}

fn enter(content: &str, open: &mut Vec<usize>) -> Result<(), String> {
    if content.starts_with('!') {
        return Ok(());
    }
    check_inside(content)?;
    let content = content.trim_start_matches(|c: char| c == '~' || c.is_whitespace());
    if content.starts_with(['>', '*', '!']) {
        return Err("partials and decorators are not supported".to_owned());
    }
    if let Some(block) = content.strip_prefix('#') {
        check_block(block)?;
        open.push(1);
    } else if content.starts_with('/') {
        open.pop();
    } else if let Some(chained) = content.strip_prefix("else").or_else(|| content.strip_prefix('^'))
    {
        let chained = chained.trim_matches(|c: char| c == '~' || c.is_whitespace());
        if !chained.is_empty() {
            check_block(chained)?;
            if let Some(levels) = open.last_mut() {
                *levels += 1;
            }
        }
    }
    Ok(())
}

fn check_block(text: &str) -> Result<(), String> {
    let text = text.trim_start();
    let name = text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    if BLOCKS.contains(&name) {
        return Ok(());
    }
    let shown = crate::outcome::cut(text.split_whitespace().next().unwrap_or_default(), 40);
    Err(format!("block '{shown}' is not known: use one of {}", BLOCKS.join(", ")))
}

/// Quotes and brackets must close inside the tag, and parentheses stay shallow.
fn check_inside(content: &str) -> Result<(), String> {
    let mut parentheses = 0_usize;
    let mut chars = content.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\'' => close_quote(&mut chars, c)?,
            '[' => close_bracket(&mut chars)?,
            '(' => parentheses += 1,
            ')' => parentheses = parentheses.saturating_sub(1),
            _ => {}
        }
        if parentheses > MAX_PARENTHESES {
            return Err(format!("its parentheses nest deeper than {MAX_PARENTHESES}"));
        }
    }
    Ok(())
}

fn close_quote(chars: &mut std::str::Chars<'_>, quote: char) -> Result<(), String> {
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            c if c == quote => return Ok(()),
            _ => {}
        }
    }
    Err("a quoted text inside a tag is not closed, or holds }}".to_owned())
}

fn close_bracket(chars: &mut std::str::Chars<'_>) -> Result<(), String> {
    for c in chars {
        match c {
            ']' => return Ok(()),
            '"' | '\'' | '[' => return Err("lists inside a tag are not supported".to_owned()),
            _ => {}
        }
    }
    Err("a bracket inside a tag is not closed, or holds }}".to_owned())
}

#[cfg(test)]
mod tests {
    use super::scan;

    #[test]
    fn an_ordinary_template_passes() {
        let source = r#"{{!-- note --}}{"a": "{{a.b}}", {{#if (eq x "y")}}"b": {{json b}}
            {{else if c}}"c": "{{{c}}}"{{else}}"d": 1{{/if}} {{~#each [odd name]~}}{{this}}{{/each}}}"#;
        assert_eq!(scan(source), Ok(11));
    }

    #[test]
    fn deep_nesting_is_refused_in_every_disguise() {
        let many = |open: &str, n| format!("{}x{}", open.repeat(n), "{{/if}}".repeat(n));
        assert!(scan(&many("{{#if a}}", 64)).is_ok());
        assert!(scan(&many("{{#if a}}", 65)).is_err());
        assert!(scan(&many("{{~ #if a}}", 65)).is_err());
        let chain = format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if b}}".repeat(70));
        assert!(scan(&chain).is_err());
        let chain = format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{^if b}}".repeat(70));
        assert!(scan(&chain).is_err());
        assert!(scan(&format!("{{{{x {}1{}}}}}", "(not ".repeat(17), ")".repeat(17))).is_err());
    }

    #[test]
    fn closings_cannot_be_faked() {
        for fake in [
            "{{!-- {{/if}} --}}",
            "{{! {{/if}} }}",
            "{{json \"{{/if}}\"}}",
            "\\{{/if}}",
            "{{json \"}}{{/if}}\"}}",
            "{{json [\"]}}{{/if}}\"]}}",
            "{{[}}{{/if}}]}}",
            "{{{{raw}}}}{{/if}}{{{{/raw}}}}",
        ] {
            assert!(scan(&format!("{{{{#if a}}}}{fake}{{{{/if}}}}")).is_err(), "{fake}");
        }
    }

    #[test]
    fn what_could_recurse_or_is_unknown_is_refused() {
        for source in [
            "{{> other}}",
            "{{~> other}}",
            "{{#> other}}{{/other}}",
            "{{#*inline \"a\"}}{{/inline}}",
            "{{* x}}",
            "{{#raw}}{{/raw}}",
            "{{#list}}{{/list}}",
            "{{#if",
            "{{~! x}}",
        ] {
            assert!(scan(source).is_err(), "{source}");
        }
        assert!(scan(&"x".repeat(16 * 1024 + 1)).is_err());
    }
}
