//! Reduction of a failing case.

use crate::Case;

/// Returns the smallest case that still `fails` and can be reached by leaving out messages and
/// fields and by halving bodies.
pub fn shrink(case: Case, mut fails: impl FnMut(&Case) -> bool) -> Case {
    let mut best = case;
    loop {
        let smaller = smaller(&best).into_iter().find(|case| fails(case));
        match smaller {
            Some(case) => best = case,
            None => return best,
        }
    }
}

/// Returns the cases one step smaller, the largest steps first.
fn smaller(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    let mut without = |change: &dyn Fn(&mut Case)| {
        let mut other = case.clone();
        change(&mut other);
        all.push(other);
    };
    let messages = case.messages.len();
    if messages > 1 {
        without(&|case| drop(case.messages.drain(..messages / 2)));
        without(&|case| drop(case.messages.drain(..1)));
    }
    let Some(last) = case.messages.last() else {
        return all;
    };
    let mut change = |change: &dyn Fn(&mut crate::CaseMessage)| {
        without(&|case| {
            if let Some(last) = case.messages.last_mut() {
                change(last);
            }
        });
    };
    if last.to.len() > 1 {
        let half = last.to.len() / 2;
        change(&|sent| sent.to.truncate(half));
    }
    let fields = last.draft.fields.len();
    for part in [2, 4, 8] {
        let length = fields / part;
        for begin in (0..fields).step_by(length.max(1)).take(8) {
            if length > 0 {
                let end = (begin + length).min(fields);
                change(&|sent| drop(sent.draft.fields.drain(begin..end)));
            }
        }
    }
    for field in 0..fields.min(20) {
        change(&|sent| drop(sent.draft.fields.remove(field)));
        if let Some((_, body)) = last.draft.fields.get(field)
            && body.len() > 8
        {
            let half = body.len() / 2;
            change(&|sent| {
                if let Some((_, body)) = sent.draft.fields.get_mut(field) {
                    body.truncate(half);
                }
            });
        }
    }
    if last.draft.body.len() > 8 {
        let half = last.draft.body.len() / 2;
        change(&|sent| sent.draft.body.truncate(half));
    }
    all
}
