//! A cap that is reached.

use std::fmt;

use gatepost_message::Millis;

use crate::{Measure, Subject, Window};

/// Cap that is reached, so that nothing more is accepted for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapReached {
    /// Account of the subject.
    pub account: String,
    /// Subject that it bounds.
    pub subject: Subject,
    /// Thing that it bounds.
    pub measure: Measure,
    /// Window that it bounds.
    pub window: Window,
    /// Most that is accepted within the window.
    pub most: u64,
    /// Time at which it opens again; `None` if it never does, because it is 0.
    pub opens: Option<Millis>,
    /// True for the first refusal by this cap within its window, of which operators are told.
    pub is_first: bool,
}

impl fmt::Display for CapReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject,
            measure,
            window,
            most,
            opens,
            ..
        } = self;
        let (measure, window) = (measure.word(), window.word());
        let article = match window {
            "hour" => "an",
            _ => "a",
        };
        match opens {
            None => write!(f, "{subject} may send no {measure}"),
            Some(opens) => write!(
                f,
                "{subject} has sent {most} {measure} within {article} {window}, and may go on at \
                 {opens}"
            ),
        }
    }
}
