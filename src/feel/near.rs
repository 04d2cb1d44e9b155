//! Which name may have been meant by one that nobody knows.

/// The most edits between a name and the one that was meant.
const EDITS: usize = 3;

/// The known name that is nearest, if one is near enough.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|known| (distance(name, known), known));
    let allowed = EDITS.min(name.chars().count() / 2);
    near.filter(|(distance, _)| *distance <= allowed).min().map(|(_, known)| known)
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
