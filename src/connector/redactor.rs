//! Masks secrets in everything that leaves the core for a place other than ServiceNow.
//!
//! Each value is masked as it is, in base64, as URLs, JSON and HTML escape it, and in the
//! `user:password` pair of HTTP Basic. Two kinds are left alone in free text: values under
//! [`MIN_LENGTH`] characters, which would shred every message, and a password equal to its
//! user name, which the user name gives away already.
#![deny(clippy::disallowed_types)]

use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use super::{Secrets, Summary};
use crate::{
    outcome::Outcome,
    servicenow::{Authentication, endpoint::OauthClient, spellings},
};

/// Shortest value that is masked.
const MIN_LENGTH: usize = 4;
const MASK: &str = "***";
/// Places looked at, from the end, where a text may have been cut off. We cut each text once.
const MAX_CUTS: usize = 200;

/// Knows what must not be seen. Prints nothing of it.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    /// Every form of every secret, longest first, so that no part of a longer one stays.
    forms: Vec<String>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} forms)", self.forms.len())
    }
}

impl Redactor {
    /// Masks these secrets.
    pub(crate) fn new(secrets: &Secrets) -> Self {
        let mut redactor = Self::default();
        for secret in secrets.values() {
            redactor.add(secret.expose_secret());
        }
        redactor.sorted()
    }

    /// Masks these credentials besides, wherever they came from.
    pub(crate) fn with_authentication(mut self, authentication: &Authentication) -> Self {
        match authentication {
            Authentication::Basic { username, password } => {
                self.add_pair(username, password.expose_secret());
            }
            Authentication::Bearer { token } => self.add(token.expose_secret()),
            Authentication::ApiKey { key, .. } => self.add(key.expose_secret()),
            Authentication::OauthClientCredentials(client) => self.add_client(client),
            Authentication::OauthPassword { client, username, password } => {
                self.add_client(client);
                self.add_pair(username, password.expose_secret());
            }
        }
        self.sorted()
    }

    fn add_client(&mut self, client: &OauthClient) {
        self.add_pair(&client.client_id, client.client_secret.expose_secret());
    }

    fn add_pair(&mut self, username: &str, password: &str) {
        let pair = format!("{username}:{password}");
        self.forms.extend(spellings::in_base64(&pair));
        if username == password {
            let plain_forms = spellings::of(password);
            self.forms.retain(|form| !plain_forms.contains(form));
        } else {
            self.add(password);
        }
    }

    fn add(&mut self, secret: &str) {
        if secret.chars().count() >= MIN_LENGTH {
            self.forms.extend(spellings::of(secret));
        }
    }

    fn sorted(mut self) -> Self {
        self.forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.forms.dedup();
        self
    }

    /// Masks a text; says how often it had to.
    pub(crate) fn text(&self, text: &mut String) -> u32 {
        let mut count = 0;
        for form in &self.forms {
            let hits = text.matches(form.as_str()).count();
            if hits > 0 {
                *text = text.replace(form.as_str(), MASK);
                count += u32::try_from(hits).unwrap_or(u32::MAX);
            }
        }
        count + self.beginnings(text)
    }

    /// Masks what is left of a secret where a text was cut off.
    fn beginnings(&self, text: &mut String) -> u32 {
        let mut count = 0;
        let ends: Vec<usize> = text.match_indices('…').map(|(end, _)| end).collect();
        for end in ends.into_iter().rev().take(MAX_CUTS) {
            let longest = self.forms.iter().filter_map(|form| overlap(&text[..end], form)).max();
            if let Some(length) = longest {
                text.replace_range(end - length..end, MASK);
                count += 1;
            }
        }
        count
    }

    /// Masks every text of a value, keys included.
    pub(crate) fn value(&self, value: &mut Value) -> u32 {
        if self.forms.is_empty() {
            return 0;
        }
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => items.iter_mut().map(|item| self.value(item)).sum(),
            Value::Object(map) => self.map(map),
            _ => 0,
        }
    }

    fn map(&self, map: &mut Map<String, Value>) -> u32 {
        let mut count: u32 = map.values_mut().map(|value| self.value(value)).sum();
        if map.keys().any(|key| self.forms.iter().any(|form| key.contains(form.as_str()))) {
            let masked = std::mem::take(map).into_iter().map(|(mut key, value)| {
                count += self.text(&mut key);
                (key, value)
            });
            *map = masked.collect();
        }
        count
    }

    /// Masks what the engine and the logs are told; BPMN error codes are never touched.
    pub(crate) fn finish(&self, outcome: &mut Outcome, summary: &mut Summary) {
        let mut count = match outcome {
            Outcome::Complete { variables } => self.map(variables),
            Outcome::Fail { message, variables, .. }
            | Outcome::ThrowError { message, variables, .. } => {
                self.text(message) + self.map(variables)
            }
        };
        for warning in &mut summary.warnings {
            count += self.text(warning);
        }
        let texts = [&mut summary.sys_id, &mut summary.number, &mut summary.address];
        for text in texts.into_iter().flatten() {
            count += self.text(text);
        }
        summary.secret_scrubs += count;
    }
}

/// How many bytes at the end of `text` are the beginning of `form`, if enough to tell.
fn overlap(text: &str, form: &str) -> Option<usize> {
    let longest = form.len().min(text.len());
    (MIN_LENGTH..=longest).rev().find(|n| form.is_char_boundary(*n) && text.ends_with(&form[..*n]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Redactor;
    use crate::{
        connector::{Secrets, Summary},
        outcome::Outcome,
        servicenow::Authentication,
    };

    fn redactor(value: &str) -> Redactor {
        Redactor::new(&Secrets::from([("S".to_owned(), value.into())]))
    }

    fn masked(redactor: &Redactor, text: &str) -> String {
        let mut text = text.to_owned();
        redactor.text(&mut text);
        text
    }

    #[test]
    fn every_form_of_a_secret_is_masked() {
        let redactor = redactor("p&ss w/rd");
        for text in [
            "p&ss w/rd",
            "cCZzcyB3L3Jk",
            "p%26ss%20w%2Frd",
            "p%26ss+w%2frd",
            "p&amp;ss w/rd",
            "p&ss w\\/rd",
        ] {
            assert_eq!(masked(&redactor, &format!("<{text}>")), "<***>", "{text}");
        }
    }

    #[test]
    fn the_basic_pair_is_masked() {
        let basic = Authentication::Basic { username: "ann".into(), password: "hush!".into() };
        let redactor = Redactor::default().with_authentication(&basic);
        assert_eq!(masked(&redactor, "Basic YW5uOmh1c2gh by ann"), "Basic *** by ann");
        let basic = Authentication::Basic { username: "joe".into(), password: "hush-!".into() };
        let redactor = Redactor::default().with_authentication(&basic);
        for pair in ["am9lOmh1c2gtIQ==", "am9lOmh1c2gtIQ"] {
            assert_eq!(masked(&redactor, &format!("Basic {pair};")), "Basic ***;");
        }
    }

    #[test]
    fn a_password_that_is_the_user_name_leaves_the_name_readable() {
        let basic = Authentication::Basic { username: "admin".into(), password: "admin".into() };
        let redactor = Redactor::default().with_authentication(&basic);
        assert_eq!(masked(&redactor, "created by admin"), "created by admin");
        assert_eq!(masked(&redactor, "Basic YWRtaW46YWRtaW4="), "Basic ***");
    }

    #[test]
    fn the_beginning_of_a_secret_is_masked_where_a_text_was_cut() {
        let redactor = redactor("correct horse battery");
        assert_eq!(masked(&redactor, "said correct hor… and …"), "said ***… and …");
        assert_eq!(masked(&redactor, "said cor…"), "said cor…");
    }

    #[test]
    fn short_values_are_left_alone_since_they_would_shred_every_text() {
        assert_eq!(masked(&redactor("abc"), "abcabc"), "abcabc");
    }

    #[test]
    fn variables_are_masked_in_depth_and_counted() {
        let redactor = redactor("hush-hush");
        let variables = json!({"a": ["hush-hush", {"hush-hush": "x hush-hush"}], "n": 1});
        let mut outcome = Outcome::Complete { variables: variables.as_object().unwrap().clone() };
        let mut summary = Summary::new("default");
        summary.warnings.push("asked hush-hush".to_owned());
        redactor.finish(&mut outcome, &mut summary);
        let Outcome::Complete { variables } = outcome else { panic!("still complete") };
        assert_eq!(json!(variables), json!({"a": ["***", {"***": "x ***"}], "n": 1}));
        assert_eq!(summary.warnings, ["asked ***"]);
        assert_eq!(summary.secret_scrubs, 4);
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", redactor("hush-hush")).contains("hush"));
    }
}
