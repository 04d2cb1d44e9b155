//! What to say about a function that nobody knows.

use std::sync::Arc;

use super::Run;
use crate::feel::ast::Invocation;
use crate::feel::builtins;

/// The most edits between a name and the one that was meant.
const EDITS: usize = 3;

impl Run {
    /// Names the arities there are, or the nearest name.
    #[cold]
    #[inline(never)]
    pub(super) fn warn_no_function(&mut self, call: &Invocation) {
        // To find a name that is near takes much longer than a step, and changes nothing any more.
        if self.warned_of(call) {
            return;
        }
        let name = &*call.name;
        let forms = self.forms(name, call);
        if !forms.is_empty() {
            let forms = forms.join(", ");
            let given = call.arguments.len();
            self.warn(format_args!(
                "no function '{name}' for the {given} arguments given; there is {forms}"
            ));
            return;
        }
        match self.nearest(name) {
            Some(nearest) => {
                self.warn(format_args!("no function '{name}'; did you mean '{nearest}'?"));
            }
            None => self.warn(format_args!("no function '{name}'")),
        }
    }

    /// Whether this unknown function has been warned of, or further warnings are not kept.
    fn warned_of(&mut self, call: &Invocation) -> bool {
        let form = (Arc::clone(&call.name), call.arguments.len());
        if self.unknown.contains(&form) || self.has_all_warnings() {
            self.pass_warning();
            return true;
        }
        self.unknown.push(form);
        false
    }

    fn forms(&self, name: &str, call: &Invocation) -> Vec<String> {
        let host = self.environment.functions.iter().filter(|host| host.name == name);
        let builtins = call.builtins.iter().map(|builtin| format!("{builtin:?}"));
        host.map(|host| format!("{host:?}")).chain(builtins).collect()
    }

    fn nearest(&self, name: &str) -> Option<&'static str> {
        let host = self.environment.functions.iter().map(|host| host.name);
        let known = host.chain(builtins::names());
        let near = known.map(|known| (distance(name, known), known));
        let allowed = EDITS.min(name.chars().count() / 2);
        near.filter(|(distance, _)| *distance <= allowed).min().map(|(_, known)| known)
    }
}

/// How many characters to add, drop or change; case and blanks count for nothing.
fn distance(a: &str, b: &str) -> usize {
    let folded = |text: &str| -> Vec<char> {
        let words = text.chars().filter(|character| !matches!(character, ' ' | '_'));
        words.flat_map(char::to_lowercase).take(64).collect()
    };
    let (a, b) = (folded(a), folded(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let changed = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn blanks_and_case_make_no_distance() {
        assert_eq!(distance("stringLength", "string length"), 0);
        assert_eq!(distance("substing", "substring"), 1);
        assert_eq!(distance("", "abs"), 3);
    }
}
