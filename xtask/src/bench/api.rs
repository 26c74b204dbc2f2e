//! Messages over HTTP (`POST /accounts/{account}/messages`) beside submissions over SMTP, with their
//! events to a webhook.
//!
//! Messages are offered at a steady rate, whatever the answers take: a wait counts from the time at which
//! the message was due, so that a relay that falls behind shows it. SMTP alone, HTTP alone and both
//! together take turns. After each, every message that was accepted must be at the sink once, with
//! `queued` and `delivered` told to the webhook in this order, and nothing else may be there.

mod offer;
mod site;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};

use self::offer::{Offer, Offered};
use self::site::ApiSite;
use super::report::{Number, Report, progress};
use super::waits::Waits;

/// Connections at a time over HTTP, of the 256 that the API takes.
const HTTP_CONNECTIONS: usize = 100;

/// Sessions at a time over SMTP.
const SMTP_SESSIONS: usize = 20;

/// Time for the relay to finish work on what has already been told, before its CPU time is read.
const SETTLING: Duration = Duration::from_millis(500);

/// Columns of the two tables.
const WAITS: [&str; 5] = ["accepted/s", "p50 ms", "p99 ms", "max ms", "not accepted"];
const BEHIND: [&str; 6] = [
    "relayed/s",
    "CPU µs/message",
    "events/s",
    "event p50 ms",
    "event p99 ms",
    "event max ms",
];

/// Extent of the measurement.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Requests a second over HTTP.
    pub posts: u32,
    /// Messages a second over SMTP.
    pub submissions: u32,
    /// Seconds for which each is offered.
    pub seconds: u32,
    /// Runs of each.
    pub runs: usize,
}

/// Ways in that are used at a time.
#[derive(Debug, Clone, Copy)]
struct Mix {
    name: &'static str,
    over_http: bool,
    over_smtp: bool,
}

const MIXES: [Mix; 3] = [
    Mix {
        name: "SMTP alone",
        over_http: false,
        over_smtp: true,
    },
    Mix {
        name: "HTTP alone",
        over_http: true,
        over_smtp: false,
    },
    Mix {
        name: "both",
        over_http: true,
        over_smtp: true,
    },
];

/// Answers of one way in, of all runs.
#[derive(Default)]
struct Accepted {
    rates: Vec<f64>,
    waits: Waits,
    not_accepted: Vec<f64>,
}

/// Delivery and events of one mix, of all runs.
#[derive(Default)]
struct Behind {
    relayed: Vec<f64>,
    cpu: Vec<f64>,
    told: Vec<f64>,
    delays: Waits,
}

/// Results of one mix.
#[derive(Default)]
struct Results {
    http: Accepted,
    smtp: Accepted,
    behind: Behind,
}

/// Measures each mix in turns.
///
/// # Errors
/// A message was lost or came twice, or its events were.
pub fn run(binary: &Path, extent: Extent, report: &mut Report) -> Result<()> {
    let Extent {
        posts,
        submissions,
        seconds,
        runs,
    } = extent;
    progress(&format!(
        "api: {posts} requests a second over HTTP and {submissions} messages over SMTP, for {seconds} s, \
         {runs} runs"
    ));
    let site = ApiSite::start(binary)?;
    let mut results: [Results; 3] = Default::default();
    // The first run warms up.
    for run in 0..=runs {
        for (mix, results) in MIXES.iter().zip(&mut results) {
            let warming = Extent {
                seconds: seconds.min(3),
                ..extent
            };
            match run {
                0 => measure(&site, *mix, warming, "0", &mut Results::default())?,
                _ => measure(&site, *mix, extent, &run.to_string(), results)?,
            }
        }
    }
    print(results, extent, report);
    Ok(())
}

/// Offers a mix, waits until all of it is delivered and told, and checks it.
fn measure(
    site: &ApiSite,
    mix: Mix,
    extent: Extent,
    run: &str,
    results: &mut Results,
) -> Result<()> {
    let (arrived, told) = (site.arrived(), site.told());
    let (begun, cpu) = (Instant::now(), site.tree().cpu());
    let offer = |rate, clients| Offer {
        rate,
        seconds: extent.seconds,
        clients,
    };
    let name = |way: &str| format!("{way}-{}-{run}", mix.name.replace(' ', "-"));
    let (http, smtp) = thread::scope(|scope| {
        let http = mix.over_http.then(|| {
            let offer = offer(extent.posts, HTTP_CONNECTIONS);
            scope.spawn(move || site.post(offer, &name("http")))
        });
        let smtp = mix.over_smtp.then(|| {
            let offer = offer(extent.submissions, SMTP_SESSIONS);
            scope.spawn(move || site.submit(offer, &name("smtp")))
        });
        let [http, smtp] = [http, smtp].map(|way| {
            let ended = way.map(|way| way.join().map_err(|_| anyhow!("a client panicked"))?);
            ended.transpose()
        });
        anyhow::Ok((http?, smtp?))
    })?;
    let accepted: Vec<_> = [&http, &smtp]
        .into_iter()
        .flatten()
        .flat_map(Offered::accepted)
        .collect();
    let messages = accepted.len() as f64;
    ensure!(
        !accepted.is_empty(),
        "nothing was accepted: {http:?} {smtp:?}"
    );
    site.wait_for(arrived + accepted.len() as u64)?;
    let relayed = begun.elapsed();
    let events = site.events_of(told, &accepted)?;
    thread::sleep(SETTLING);
    let cpu = site.tree().cpu() - cpu;
    site.check_arrivals(&accepted)?;
    for (way, of, results) in [
        ("HTTP", &http, &mut results.http),
        ("SMTP", &smtp, &mut results.smtp),
    ] {
        if let Some(offered) = of {
            progress(&format!("api, run {run}, {}, {way}: {offered}", mix.name));
            results.rates.push(offered.accepted_a_second());
            results.waits.add(offered.waits());
            results.not_accepted.push(offered.not_accepted() as f64);
        }
    }
    let behind = &mut results.behind;
    behind.relayed.push(messages / relayed.as_secs_f64());
    behind.cpu.push(cpu.as_secs_f64() * 1e6 / messages);
    behind
        .told
        .push(events.len() as f64 / relayed.as_secs_f64().max(events.time.as_secs_f64()));
    behind.delays.add(events.delays);
    Ok(())
}

fn print(results: [Results; 3], extent: Extent, report: &mut Report) {
    let [smtp_alone, http_alone, both] = results;
    let mut rows = Vec::new();
    for (way, alone, beside) in [
        (
            format!("HTTP, {} offered/s", extent.posts),
            http_alone.http,
            both.http,
        ),
        (
            format!("SMTP, {} offered/s", extent.submissions),
            smtp_alone.smtp,
            both.smtp,
        ),
    ] {
        let (alone, beside) = (alone.numbers(), beside.numbers());
        let ratios = beside
            .iter()
            .zip(&alone)
            .map(|(one, other)| one.times(other));
        // Of those that were not accepted there are none, and so there is no ratio.
        let ratios = ratios
            .take(WAITS.len() - 1)
            .chain([Number::of([], 0)])
            .collect();
        rows.push((format!("{way}: alone"), alone));
        rows.push((format!("{way}: beside the other"), beside));
        rows.push((format!("{way}: ratio"), ratios));
    }
    report.table("Messages over HTTP and over SMTP", &WAITS, &rows);
    let behind = [smtp_alone.behind, http_alone.behind, both.behind];
    let named = MIXES.iter().zip(behind);
    let rows = named.map(|(mix, behind)| (mix.name.to_owned(), behind.numbers()));
    let rows: Vec<_> = rows.collect();
    report.table("Their delivery and their events", &BEHIND, &rows);
}

impl Accepted {
    fn numbers(self) -> Vec<Number> {
        let mut numbers = vec![Number::of(self.rates, 0)];
        numbers.extend(self.waits.numbers_with_most());
        numbers.push(Number::of(self.not_accepted, 0));
        numbers
    }
}

impl Behind {
    fn numbers(self) -> Vec<Number> {
        let mut numbers = [self.relayed, self.cpu, self.told]
            .map(|of| Number::of(of, 0))
            .to_vec();
        numbers.extend(self.delays.numbers_with_most());
        numbers
    }
}
