//! Look-ups that callers share: one at a time for each key.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

/// Look-ups in hand, by key. Clones share them.
pub(crate) struct Flights<T>(Arc<Mutex<HashMap<String, watch::Receiver<Option<T>>>>>);

impl<T> Clone for Flights<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// Place of a look-up in hand, which its end frees, even by a panic.
struct Place<T> {
    flights: Flights<T>,
    key: String,
}

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        self.flights.0.lock().remove(&self.key);
    }
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// Joins the look-up of this key, or starts it in a task of its own, which a caller that gives
    /// up does not end. Returns `None` if the look-up panicked.
    pub(crate) async fn join<F>(&self, key: &str, start: impl FnOnce() -> F) -> Option<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut result = {
            let mut flights = self.0.lock();
            match flights.get(key) {
                Some(result) => result.clone(),
                None => {
                    let (sender, result) = watch::channel(None);
                    flights.insert(key.to_owned(), result.clone());
                    let place = Place {
                        flights: self.clone(),
                        key: key.to_owned(),
                    };
                    let look_up = start();
                    tokio::spawn(async move {
                        let value = look_up.await;
                        drop(place);
                        // Nobody may be waiting any more.
                        let _ = sender.send(Some(value));
                    });
                    result
                }
            }
        };
        let value = result.wait_for(Option::is_some).await.ok()?;
        value.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn callers_at_one_time_share_a_look_up() {
        let (flights, started) = (Flights::default(), Arc::new(AtomicUsize::new(0)));
        let gate = Arc::new(Semaphore::new(0));
        let join = || {
            let (started, gate) = (Arc::clone(&started), Arc::clone(&gate));
            flights.join("a.example", move || async move {
                let _ = gate.acquire().await;
                started.fetch_add(1, Ordering::Relaxed) + 1
            })
        };
        let all = async {
            let callers = join_all((0..9).map(|_| join()));
            let (all, ()) = tokio::join!(callers, async { gate.add_permits(1) });
            all
        };
        assert_eq!(all.await, vec![Some(1); 9]);
        assert_eq!(join().await, Some(2));
        assert!(flights.0.lock().is_empty());
    }

    #[tokio::test]
    async fn a_panic_ends_only_its_look_up() {
        let flights = Flights::<u8>::default();
        let failed = flights.join("a.example", || async { panic!("on purpose") });
        assert_eq!(failed.await, None);
        assert_eq!(flights.join("a.example", || async { 1 }).await, Some(1));
    }
}
