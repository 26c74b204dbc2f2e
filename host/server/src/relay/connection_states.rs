//! States of connections in a running relay: opened, told to their owners, kept in the store.

use std::sync::Arc;
use std::time::Duration;

use gatepost_config::{Config, RelayConnections};
use gatepost_connections::{ConnectionState, ConnectionStates, SqliteStandings, StandingError};
use gatepost_message::Millis;
use gatepost_model::{AlertKind, Event, NoticeSubject};
use gatepost_routing::Ways;
use gatepost_spool::EventLog;
use tokio::time::{MissedTickBehavior, interval};

/// Opens the states of connections in the store.
pub(super) fn open(config: &Config) -> Result<Arc<ConnectionStates>, StandingError> {
    let store = SqliteStandings::open(&config.relay.store.join("connections.db"))?;
    ConnectionStates::open(Box::new(store)).map(Arc::new)
}

/// Removes the stored tokens that no connection uses any more.
pub(super) async fn tidy_tokens(ways: &Arc<Ways>, connections: &RelayConnections) {
    let (ways, all) = (Arc::clone(ways), connections.all());
    let tidied = tokio::task::spawn_blocking(move || ways.tidy_tokens(&all));
    if tidied.await.is_err() {
        tracing::error!("old tokens of connections were not removed");
    }
}

/// Tells the owners of connections that broke, or are not broken any more, by notices.
pub(super) async fn tell_changes(states: &ConnectionStates, events: &dyn EventLog) {
    let now = Millis::now();
    let notices = states.take_changes().into_iter().map(|(key, state)| {
        let text = match &state {
            ConnectionState::Broken(trouble) => format!(
                "the connection {key} is broken at {}, and its mail waits: {}; {}",
                trouble.stage, trouble.words, trouble.advice
            ),
            ConnectionState::Paused(trouble) => format!(
                "the connection {key} is not broken any more, but paused: {}",
                trouble.words
            ),
            ConnectionState::Working => format!("the connection {key} works again"),
        };
        let account = key.account.as_deref().map(str::to_owned);
        let notice = Event::notice(account, NoticeSubject::Connection, text, now);
        let name = key.name.as_str();
        match state {
            ConnectionState::Broken(trouble) => {
                let detail = format!("{}; {}", trouble.words, trouble.advice);
                notice.alerting(AlertKind::ConnectionBroken, name, Some(detail))
            }
            ConnectionState::Paused(trouble) => {
                notice.alerting(AlertKind::ConnectionWorks, name, Some(trouble.words))
            }
            ConnectionState::Working => notice.alerting(AlertKind::ConnectionWorks, name, None),
        }
    });
    let notices: Vec<_> = notices.collect();
    if notices.is_empty() {
        return;
    }
    if let Err(error) = events.append(notices).await {
        tracing::error!(%error, "the states of connections were not noted as events");
    }
}

/// Stores the states of connections every few seconds, and tells of their changes; shows them every
/// hour. The tokens of connections that were removed go with their states.
pub(super) async fn keep(
    states: Arc<ConnectionStates>,
    events: Arc<dyn EventLog>,
    connections: Arc<RelayConnections>,
    ways: Arc<Ways>,
) {
    /// Interval at which changed states are stored.
    const SAVE: Duration = Duration::from_secs(5);
    /// Number of intervals between two looks at the secrets: an hour.
    const LOOK: u32 = 720;
    let mut ticks = interval(SAVE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for tick in (0..LOOK).cycle() {
        ticks.tick().await;
        if tick == 0 {
            let all = connections.all();
            let all = all
                .iter()
                .map(|found| (found.key.clone(), &*found.connection));
            states.show(all, Millis::now());
            tidy_tokens(&ways, &connections).await;
        }
        // Told first: a state that is stored is not told of again after a restart.
        tell_changes(&states, &*events).await;
        let (states, ways) = (Arc::clone(&states), Arc::clone(&ways));
        let saved = tokio::task::spawn_blocking(move || {
            states.save().inspect(|gone| ways.forget_tokens(gone))
        });
        let saved = saved.await;
        if let Ok(Err(error)) = saved {
            tracing::error!(%error, "the states of connections were not stored");
        }
    }
}
