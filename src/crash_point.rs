//! Named points on a job's way at which a simulation may strike: kill the process there, cut
//! a link, set the clock.
//!
//! Every await at which a job can be left half done has a name, just before or just after
//! it. Without the feature `simulation` the macro is nothing at all, and so is this file;
//! with it, `tests/sim` decides what happens, and checks that each point was struck by each
//! kind of fault.

/// Passes the point of that name.
#[cfg(not(feature = "simulation"))]
macro_rules! crash_point {
    ($name:literal) => {};
}

#[cfg(feature = "simulation")]
macro_rules! crash_point {
    ($name:literal) => {
        $crate::crash_point::pass($name).await
    };
}

#[cfg(feature = "simulation")]
pub use observed::{Next, POINTS, observe, pass};

#[cfg(feature = "simulation")]
mod observed {
    use std::cell::RefCell;

    /// All points, in the order in which a job passes them.
    pub const POINTS: [&str; 30] = [
        "poll_slots_taken",
        "poll_answered",
        "stream_opened",
        "push_slot_taken",
        "pushed_job_read",
        "job_started",
        "planned",
        "before_lock_resized",
        "lock_resized",
        "secrets_read",
        "exchange_started",
        "before_room",
        "room_entered",
        "before_note",
        "note_answered",
        "note_left",
        "lock_secured",
        "reply_read",
        "exchange_resumed",
        "heartbeat_due",
        "heartbeat_answered",
        "work_done",
        "before_command",
        "command_answered",
        "before_command_again",
        "job_reported",
        "job_lost",
        "before_hand_back",
        "intake_closed",
        "handed_back",
    ];

    /// What becomes of the task that has reached a point.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Next {
        /// It goes on.
        GoOn,
        /// It never does: its process is about to be killed.
        Freeze,
    }

    type Observer = Box<dyn Fn(&'static str) -> Next>;

    thread_local! {
        static OBSERVER: RefCell<Option<Observer>> = const { RefCell::new(None) };
    }

    /// Has `observer` decide at every point that is reached in this thread from now on.
    pub fn observe(observer: impl Fn(&'static str) -> Next + 'static) {
        OBSERVER.with_borrow_mut(|known| *known = Some(Box::new(observer)));
    }

    /// Passes a point.
    pub async fn pass(point: &'static str) {
        let decide = |known: &Option<Observer>| known.as_ref().map(|observer| observer(point));
        if OBSERVER.with_borrow(decide) == Some(Next::Freeze) {
            std::future::pending::<()>().await;
        }
    }
}
