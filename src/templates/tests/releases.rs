//! Versions that are out stay as they are.

use super::templates;
use crate::templates::{
    Template,
    release::{Error, Files, VERSIONS, Versions, digest, files},
};

fn one() -> Template {
    templates().into_iter().find(|template| template.name == "record").unwrap()
}

fn released() -> Files {
    files(&[one()], &Files::new()).unwrap()
}

#[test]
fn what_has_not_changed_is_written_again_as_it_was() {
    assert_eq!(files(&[one()], &released()).unwrap(), released());
}

#[test]
fn a_change_under_a_version_that_is_out_is_refused_with_the_way_out() {
    let changed = Template { label: "Other".to_owned(), ..one() };
    let error = files(&[changed], &released()).unwrap_err();
    let known = Error::Changed { name: "servicenow-record".to_owned(), version: 1 };
    assert_eq!(error, known);
    assert!(error.to_string().contains("raise `version`"), "{error}");
    assert!(error.to_string().contains("servicenow-worker templates"), "{error}");
}

#[test]
fn a_raised_version_keeps_the_former_file() {
    let before = released();
    let raised = Template { label: "Other".to_owned(), version: 2, ..one() };
    let after = files(std::slice::from_ref(&raised), &before).unwrap();
    let former = &after["versioned/servicenow-record-1.json"];
    assert_eq!(*former, before["servicenow-record.json"]);
    assert!(after["servicenow-record.json"].contains("\"version\": 2"));
    let versions = Versions::parse(&after[VERSIONS]).unwrap();
    for (path, known) in versions.paths(&[raised]) {
        assert_eq!(digest(&after[&path]), known, "{path}");
    }
    assert_eq!(after[VERSIONS].lines().count(), 2);
}

#[test]
fn a_lower_version_than_the_one_that_is_out_is_refused() {
    let newer = files(&[Template { version: 2, ..one() }], &released()).unwrap();
    let error = files(&[one()], &newer).unwrap_err();
    assert!(matches!(error, Error::Older { version: 1, released: 2, .. }), "{error:?}");
}

#[test]
fn a_line_that_makes_no_sense_is_named() {
    let existing = Files::from([(VERSIONS.to_owned(), "a 1 b\n\nc one d\n".to_owned())]);
    let error = files(&[one()], &existing).unwrap_err();
    assert!(error.to_string().contains("line 3"), "{error}");
    assert_eq!(Versions::parse("a 1"), Err(Error::Line(1)));
}
