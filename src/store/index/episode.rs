//! Episodes: which decisions they have, whether they were closed, and the draw of each task.
//!
//! Invariants: the draw of a task is its first; a forced redraw replaces it.

use crate::decision::{Decision, Origin};
use crate::id::{DecisionId, Name};
use crate::store::journal::Position;
use std::collections::VecDeque;

/// The draw that later calls of an (episode, task) inherit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// The arm.
    pub arm: Name,
    /// The decision that drew it.
    pub decision: DecisionId,
    /// Where that decision is.
    pub position: Position,
}

/// What is known of an episode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Episode {
    /// Its decisions that are still in the index, oldest first.
    pub decisions: VecDeque<(Position, DecisionId)>,
    /// Where it was closed, if it was.
    pub closed: Option<Position>,
    /// Feedback about the episode: where, and the hash of its content.
    pub feedback: Vec<(Position, u64)>,
    /// The draw of each task, in order of their first decision.
    draws: Vec<Slot>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    task: Option<Name>,
    redrawn: bool,
    draw: Draw,
}

impl Episode {
    /// The draw of `task`. Decisions without exploration and pinned ones are no draws; the baseline of an
    /// episode that is held out is one: its later calls inherit it.
    pub fn draw(&self, task: Option<&Name>) -> Option<&Draw> {
        let slot = self.draws.iter().find(|slot| slot.task.as_ref() == task);
        slot.map(|slot| &slot.draw)
    }

    /// Takes in a decision of the episode.
    pub(super) fn add(&mut self, position: Position, decision: &Decision) {
        let at = self.decisions.partition_point(|(p, _)| *p < position);
        self.decisions.insert(at, (position, decision.id));
        let redrawn = match decision.origin {
            Origin::Drawn | Origin::Baseline => false,
            Origin::Redrawn(_) => true,
            Origin::Inherited(_) | Origin::NoExplore | Origin::Pinned => return,
        };
        let Some(arm) = decision.drawn.arm().cloned() else {
            return;
        };
        let task = decision.task.clone();
        let draw = Draw {
            arm,
            decision: decision.id,
            position,
        };
        let slot = Slot {
            task,
            redrawn,
            draw,
        };
        match self.draws.iter_mut().find(|kept| kept.task == slot.task) {
            None => self.draws.push(slot),
            Some(kept) if slot.replaces(kept) => *kept = slot,
            Some(_) => {}
        }
    }
}

impl Slot {
    /// The newest redraw, else the first draw: whatever the order they come in.
    fn replaces(&self, kept: &Self) -> bool {
        let (mine, other) = (self.draw.position, kept.draw.position);
        match (self.redrawn, kept.redrawn) {
            (true, false) => true,
            (false, true) => false,
            (true, true) => mine > other,
            (false, false) => mine < other,
        }
    }
}
