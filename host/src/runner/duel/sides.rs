//! The two sides of a comparison: every step is done with one side and then with the other.

use dyno_core::model::ComparedSide;

use crate::runner::session::Ended;

/// A value for each side.
#[derive(Debug, Default)]
pub(super) struct Sides<T> {
    pub(super) baseline: T,
    pub(super) candidate: T,
}

/// The side that failed, and how it ended.
pub(super) type SideEnded = (ComparedSide, Ended);

impl<T> Sides<T> {
    /// Takes a step with both sides, one after the other. If the first fails, the second is not tried.
    pub(super) fn in_turn<U, E: Into<Ended>>(
        self,
        candidate_first: bool,
        mut act: impl FnMut(T) -> Result<U, E>,
    ) -> Result<Sides<U>, SideEnded> {
        let mut act = |side, it| act(it).map_err(|ended| (side, ended.into()));
        if candidate_first {
            let candidate = act(ComparedSide::Candidate, self.candidate)?;
            return Ok(Sides { baseline: act(ComparedSide::Baseline, self.baseline)?, candidate });
        }
        let baseline = act(ComparedSide::Baseline, self.baseline)?;
        Ok(Sides { baseline, candidate: act(ComparedSide::Candidate, self.candidate)? })
    }
}

impl<A, B> Sides<(A, B)> {
    pub(super) fn unzip(self) -> (Sides<A>, Sides<B>) {
        let ((a, b), (c, d)) = (self.baseline, self.candidate);
        (Sides { baseline: a, candidate: c }, Sides { baseline: b, candidate: d })
    }
}
