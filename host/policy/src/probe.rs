//! The last steps of a load: a version is tried before it can be activated.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use gatepost_authentication::Facts;
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_smtp::Reply;

use crate::chain::AttemptResult;
use crate::error::LoadError;
use crate::memory::{LookUps, NoMemory};
use crate::version::{Hook, Version};
use crate::{Ending, Flow, Session, Transaction};

/// The facts of a message that came from nowhere: there was nothing to check.
fn unchecked() -> Arc<Facts> {
    Arc::default()
}

/// Calls every hook once on a harmless transaction: a version that cannot do that never serves.
pub(crate) async fn hooks(version: &Version) -> Result<(), LoadError> {
    let example = |text: &str| Address::parse(text).map_err(|e| e.to_string());
    let addresses =
        example("probe@gatepost.invalid").and_then(|a| Ok((a, example("desk@gatepost.invalid")?)));
    let (sender, recipient) = addresses.map_err(|detail| LoadError::Fault {
        step: "probe".into(),
        detail,
    })?;
    let transaction = Transaction {
        id: TransactionId::new(),
        time: Millis::now(),
        session: Session {
            listener: "probe".into(),
            flow: Flow::Inbound,
            client: SocketAddr::from((Ipv4Addr::LOCALHOST, 25)),
            helo: Some("gatepost.invalid".into()),
            tls: None,
            user: None,
        },
        account: None,
        reverse_path: ReversePath::Address(sender),
        recipients: vec![recipient.clone()],
    };
    let message = Message::from_bytes(Bytes::from_static(
        b"From: <probe@gatepost.invalid>\r\nTo: <desk@gatepost.invalid>\r\nSubject: probe\r\n\r\nprobe\r\n",
    ));
    let result = AttemptResult {
        recipient: recipient.clone(),
        ending: Ending::Delivered,
        reply: Reply::new(250, "2.0.0", "probe"),
        server: None,
    };
    let look_ups = LookUps::from(Arc::new(NoMemory));
    for hook in version.hooks() {
        let fault = match hook {
            Hook::Connect => {
                version
                    .connect(&transaction.session, transaction.time, &look_ups)
                    .await
                    .error
            }
            Hook::Sender => version.sender(&transaction, &look_ups).await.error,
            Hook::Recipient => {
                version
                    .recipient(&transaction, &recipient, &look_ups)
                    .await
                    .error
            }
            Hook::Message => {
                version
                    .message(&transaction, &message, Some(&unchecked()), &look_ups)
                    .await
                    .error
            }
            Hook::Route => {
                version
                    .route(&transaction, &recipient, 0, &look_ups)
                    .await
                    .1
                    .error
            }
            Hook::Outcome => {
                version
                    .outcome(&transaction, &result, &look_ups)
                    .await
                    .error
            }
        };
        if let Some(fault) = fault {
            let step = format!("a probe call of its {} hook", hook.word());
            return Err(LoadError::Fault {
                step,
                detail: fault.to_string(),
            });
        }
    }
    Ok(())
}

/// Runs the messages whose verdict is known.
pub(crate) async fn self_tests(version: &Version) -> Result<(), LoadError> {
    let look_ups = LookUps::from(Arc::new(NoMemory));
    for test in &version.definition.self_tests {
        let judgement = version
            .message(
                &test.transaction,
                &test.message,
                Some(&unchecked()),
                &look_ups,
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
