//! The addresses of the endpoints that plugins may connect to, kept where several must find the same server.

use std::sync::{Mutex, PoisonError};

use dyno_core::model::{Endpoint, Reachable};

use crate::pool::locate;

/// What was looked up for a case. Both sides of a comparison share it.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<Vec<Reachable>>);

impl Names {
    /// The addresses of these endpoints: those that were found before, and otherwise those of now. Where one has none, a sentence
    /// says why.
    pub(super) fn locate(&self, endpoints: &[Endpoint]) -> Vec<Result<Reachable, String>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |endpoint: &&Endpoint| known.iter().all(|it| it.endpoint != **endpoint);
        let new: Vec<Endpoint> = endpoints.iter().filter(is_new).cloned().collect();
        let mut located: Vec<_> =
            known.iter().filter(|it| endpoints.contains(&it.endpoint)).cloned().map(Ok).collect();
        let found = locate(&new);
        known.extend(found.iter().flatten().cloned());
        located.extend(found);
        located
    }
}

#[cfg(test)]
impl Names {
    /// With what was found before.
    pub(super) fn with(known: Reachable) -> Self {
        Self(Mutex::new(vec![known]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_once_is_not_looked_up_again() {
        let endpoint = |text: &str| text.parse::<Endpoint>().unwrap();
        // A name that nothing has.
        let moved = endpoint("moved.invalid:443");
        let addresses = vec!["192.0.2.1:443".parse().unwrap()];
        let before = Reachable { endpoint: moved.clone(), addresses };
        let names = Names::with(before.clone());
        let here = endpoint("127.0.0.1:80");
        let found = names.locate(&[here.clone(), moved.clone()]);
        assert_eq!(found[0], Ok(before.clone()));
        assert_eq!(found[1].as_ref().map(|it| &it.endpoint), Ok(&here));
        let known = names.0.lock().unwrap().clone();
        assert_eq!(known.len(), 2);
        assert_eq!(names.locate(&[here]), [Ok(known[1].clone())]);
        // What has no address now may have one later.
        let lost = endpoint("lost.invalid:443");
        assert!(names.locate(&[lost])[0].is_err() && names.0.lock().unwrap().len() == 2);
    }
}
