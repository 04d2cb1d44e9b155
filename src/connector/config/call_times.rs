//! How long a call to ServiceNow can last.

use std::time::Duration;

use crate::servicenow::Authentication;

/// Time limits of the client and of ServiceNow.
#[derive(Clone, Copy, Debug)]
pub struct CallTimes {
    /// A request and its answer.
    pub call: Duration,
    /// Fetching a token.
    pub token: Duration,
    /// ServiceNow's transaction quota for its REST API: after this time it cancels a request.
    pub quota: Duration,
}

impl Default for CallTimes {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(65),
            token: Duration::from_secs(15),
            quota: Duration::from_mins(1),
        }
    }
}

impl CallTimes {
    /// The longest from the moment a call is handed over to the one after which ServiceNow
    /// does nothing more about it. A request may be on its way until the client gives up, and
    /// ServiceNow works on it then.
    pub(crate) fn longest(&self, authentication: &Authentication) -> Duration {
        let last = self.call + self.quota;
        if authentication.fetches_tokens() {
            // What is answered 401 is sent once more, with a fresh token.
            return self.token + self.call + self.token + last;
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::CallTimes;
    use crate::servicenow::{Authentication, endpoint::OauthClient};

    #[test]
    fn the_longest_call_is_as_long_as_client_and_servicenow_let_it_be() {
        let times = |call| CallTimes { call: Duration::from_secs(call), ..CallTimes::default() };
        let bearer = Authentication::Bearer { token: "t".into() };
        let oauth = Authentication::OauthClientCredentials(OauthClient {
            client_id: "c".to_owned(),
            client_secret: "s".into(),
            scope: None,
        });
        for (call, by_token, by_oauth) in [(5, 65, 100), (65, 125, 220), (600, 660, 1290)] {
            assert_eq!(times(call).longest(&bearer), Duration::from_secs(by_token));
            assert_eq!(times(call).longest(&oauth), Duration::from_secs(by_oauth));
        }
    }
}
