//! What to say about a function that nobody knows.

use std::sync::Arc;

use super::Run;
use crate::feel::ast::Invocation;
use crate::feel::builtins;
use crate::feel::near::nearest;

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
        nearest(name, host.chain(builtins::names()))
    }
}
