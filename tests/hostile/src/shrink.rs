//! A case that fails, made small.

use crate::Case;

/// The smallest case that can be found by leaving out letters and fields and by halving bodies,
/// and that still `fails`.
pub fn shrunk(case: Case, mut fails: impl FnMut(&Case) -> bool) -> Case {
    let mut best = case;
    loop {
        let smaller = smaller(&best).into_iter().find(|case| fails(case));
        match smaller {
            Some(case) => best = case,
            None => return best,
        }
    }
}

/// What is a step smaller, the largest steps first.
fn smaller(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    let mut without = |change: &dyn Fn(&mut Case)| {
        let mut other = case.clone();
        change(&mut other);
        all.push(other);
    };
    let letters = case.letters.len();
    if letters > 1 {
        without(&|case| drop(case.letters.drain(..letters / 2)));
        without(&|case| drop(case.letters.drain(..1)));
    }
    let Some(last) = case.letters.last() else {
        return all;
    };
    let mut change = |change: &dyn Fn(&mut crate::Letter)| {
        without(&|case| {
            if let Some(last) = case.letters.last_mut() {
                change(last);
            }
        });
    };
    if last.to.len() > 1 {
        let half = last.to.len() / 2;
        change(&|letter| letter.to.truncate(half));
    }
    let fields = last.draft.fields.len();
    for part in [2, 4, 8] {
        let length = fields / part;
        for begin in (0..fields).step_by(length.max(1)).take(8) {
            if length > 0 {
                let end = (begin + length).min(fields);
                change(&|letter| drop(letter.draft.fields.drain(begin..end)));
            }
        }
    }
    for field in 0..fields.min(20) {
        change(&|letter| drop(letter.draft.fields.remove(field)));
        if let Some((_, body)) = last.draft.fields.get(field)
            && body.len() > 8
        {
            let half = body.len() / 2;
            change(&|letter| {
                if let Some((_, body)) = letter.draft.fields.get_mut(field) {
                    body.truncate(half);
                }
            });
        }
    }
    if last.draft.body.len() > 8 {
        let half = last.draft.body.len() / 2;
        change(&|letter| letter.draft.body.truncate(half));
    }
    all
}
