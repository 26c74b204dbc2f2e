//! The last steps of a load: a version is tried before it can be activated. Later, the same probe
//! tells a broken version from a message that makes a sound one fail.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_authentication::Facts;
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::{
    AttemptResult, AttemptStage, Ending, Fault, FaultKind, Flow, Queued, Session, Transaction,
    Transport,
};
use gatepost_smtp::Reply;

use crate::error::LoadError;
use crate::hooks::CallContext;
use crate::memory::{NoMemory, PolicyContext};
use crate::version::{Hook, Version};

/// Returns the facts about a message of unknown origin: nothing was checked.
fn unchecked() -> Arc<Facts> {
    Arc::default()
}

/// Calls every hook once on a harmless transaction. A version that fails is not activated.
pub(crate) async fn hooks(version: &Version) -> Result<(), LoadError> {
    let look_ups = PolicyContext::from(Arc::new(NoMemory));
    for of in version.hooks() {
        if let Some(fault) = hook(version, *of, None, &look_ups).await {
            let step = format!("a probe call of its {} hook", of.word());
            return Err(LoadError::Fault {
                step,
                detail: fault.to_string(),
            });
        }
    }
    Ok(())
}

/// Calls one hook on a harmless transaction of an account, or of none, and returns its fault.
/// The decision is discarded. The future is boxed, since a call may end in a probe.
pub(crate) fn hook<'a>(
    version: &'a Version,
    hook: Hook,
    account: Option<&'a str>,
    look_ups: &'a PolicyContext,
) -> Pin<Box<dyn Future<Output = Option<Fault>> + Send + 'a>> {
    Box::pin(async move {
        let (transaction, recipient) = match harmless(account) {
            Ok(harmless) => harmless,
            Err(detail) => {
                let kind = FaultKind::Answer;
                return Some(Fault { kind, detail });
            }
        };
        let context = CallContext::trial(look_ups);
        let judgement = match hook {
            Hook::Connect => {
                let Transaction { session, time, .. } = &transaction;
                version.connect(session, *time, context).await
            }
            Hook::Sender => version.sender(&transaction, context).await,
            Hook::Recipient => version.recipient(&transaction, &recipient, context).await,
            Hook::Message => {
                let message = message();
                let facts = Some(unchecked());
                version
                    .message(&transaction, &message, facts.as_ref(), context)
                    .await
            }
            Hook::Route => {
                let queued = queued(transaction.time);
                let routed = version.route(&transaction, &recipient, 0, &queued, context);
                routed.await.1
            }
            Hook::Outcome => {
                let result = Arc::new(AttemptResult {
                    recipient,
                    ending: Ending::Delivered,
                    stage: AttemptStage::Message,
                    reply: Reply::new(250, "2.0.0", "probe"),
                    step: None,
                    server: None,
                    tls: None,
                    sent_as: None,
                    message_id: None,
                });
                let queued = queued(transaction.time);
                let outcome = version.outcome(&transaction, &result, &queued, context);
                outcome.await
            }
        };
        judgement.error
    })
}

fn message() -> Message {
    Message::from_bytes(Bytes::from_static(
        b"From: <probe@gatepost.invalid>\r\nTo: <desk@gatepost.invalid>\r\n\
          Subject: probe\r\n\r\nprobe\r\n",
    ))
}

/// Returns the message in the queue, accepted at this time.
fn queued(accepted: Millis) -> Arc<Queued> {
    Arc::new(Queued {
        attempt_time: accepted,
        accepted,
        expires: accepted,
        message: message(),
        tags: Vec::new(),
        class: None,
        metadata: Vec::new(),
        last_reply: None,
        steps_tried: Vec::new(),
    })
}

/// Returns a transaction that no policy should object to, and its recipient.
fn harmless(account: Option<&str>) -> Result<(Transaction, Address), String> {
    let address = |text: &str| Address::parse(text).map_err(|error| error.to_string());
    let recipient = address("desk@gatepost.invalid")?;
    let transaction = Transaction {
        id: TransactionId::new(),
        time: Millis::now(),
        session: Session {
            listener: "probe".into(),
            flow: Flow::Inbound,
            transport: Transport::Smtp,
            client: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 25))),
            helo: Some("gatepost.invalid".into()),
            tls: None,
            user: None,
        },
        account: account.map(str::to_owned),
        reverse_path: ReversePath::Address(address("probe@gatepost.invalid")?),
        recipients: vec![recipient.clone()],
    };
    Ok((transaction, recipient))
}

/// Runs the self-tests: messages with a known verdict.
pub(crate) async fn self_tests(version: &Version) -> Result<(), LoadError> {
    let look_ups = PolicyContext::from(Arc::new(NoMemory));
    for test in &version.definition.self_tests {
        let judgement = version
            .message(
                &test.transaction,
                &test.message,
                Some(&unchecked()),
                CallContext::trial(&look_ups),
            )
            .await;
        let got = match &judgement.error {
            Some(fault) => fault.to_string(),
            None => judgement.verdict.word().to_owned(),
        };
        if got != test.expect {
            let reasons = judgement.decision.reasons.join("; ");
            return Err(LoadError::SelfTest {
                name: test.name.clone(),
                expected: test.expect.clone(),
                got,
                reasons: (!reasons.is_empty()).then_some(reasons),
            });
        }
    }
    Ok(())
}
