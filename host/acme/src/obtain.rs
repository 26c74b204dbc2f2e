//! One order, from its beginning to the certificate.

use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Identifier, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::challenges::Challenges;
use crate::error::bounded;
use crate::stored::StoredCertificate;
use crate::{AcmeError, AcmeSettings, ChallengeKind};

/// Longest time of an order. Validations have several tries at some authorities.
const ORDER: Duration = Duration::from_secs(10 * 60);

/// Pauses between two looks at an order, where the authority asks for none.
const LOOKS: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(200))
    .backoff(1.5)
    .timeout(Duration::from_secs(4 * 60));

/// Orders a certificate; returns the content of its file, and the certificate.
pub(crate) async fn obtain(
    account: &Account,
    settings: &AcmeSettings,
    challenges: &Challenges,
) -> Result<(Zeroizing<String>, StoredCertificate), AcmeError> {
    let ordered = timeout(ORDER, order(account, settings, challenges)).await;
    let (key, chain) = ordered.map_err(|_| AcmeError::TooLong)??;
    let file = StoredCertificate::file(&settings.directory, &key, &chain);
    let certificate = StoredCertificate::read(file.as_bytes())?;
    match certificate.lacks(&settings.names) {
        Some(name) => Err(AcmeError::Unusable(format!("it is not for {name}"))),
        None => Ok((file, certificate)),
    }
}

/// Orders, proves and fetches; returns key and chain in PEM.
async fn order(
    account: &Account,
    settings: &AcmeSettings,
    challenges: &Challenges,
) -> Result<(Zeroizing<String>, String), AcmeError> {
    let identifiers: Vec<_> = (settings.names.iter())
        .map(|name| Identifier::Dns(name.clone()))
        .collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    // Answers are there until the authority has looked.
    let answers = challenges.for_one_order();
    prove(&mut order, settings, challenges).await?;
    match order.poll_ready(&LOOKS).await {
        Ok(OrderStatus::Ready) => {}
        Ok(_) => return Err(refusal(&mut order).await),
        Err(instant_acme::Error::Api(problem)) => {
            let reason = refusal(&mut order).await;
            return Err(match reason {
                AcmeError::NotValidated { .. } => reason,
                _ => AcmeError::refused(&problem),
            });
        }
        Err(error) => return Err(error.into()),
    }
    drop(answers);
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::new(settings.names.clone())?;
    parameters.distinguished_name = DistinguishedName::new();
    let request = parameters.serialize_request(&key)?;
    order.finalize_csr(request.der()).await?;
    let chain = order.poll_certificate(&LOOKS).await?;
    Ok((Zeroizing::new(key.serialize_pem()), chain))
}

/// Answers the challenges of an order, and has the authority look.
async fn prove(
    order: &mut Order,
    settings: &AcmeSettings,
    challenges: &Challenges,
) -> Result<(), AcmeError> {
    let (kind, word) = match settings.challenge {
        ChallengeKind::Http01 => (ChallengeType::Http01, "http-01"),
        ChallengeKind::TlsAlpn01 => (ChallengeType::TlsAlpn01, "tls-alpn-01"),
    };
    if order.state().authorizations.len() > settings.names.len() {
        return Err(AcmeError::Protocol(
            "it wants more proved than was ordered".to_owned(),
        ));
    }
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let name = authorization.identifier().to_string().to_ascii_lowercase();
        match authorization.status {
            // Proved for a former order.
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            status => {
                return Err(AcmeError::Protocol(format!(
                    "the authorization of a new order is {status:?}"
                )));
            }
        }
        if !settings.names.contains(&name) {
            return Err(AcmeError::Protocol(
                "it wants a name proved that was not ordered".to_owned(),
            ));
        }
        let Some(mut challenge) = authorization.challenge(kind.clone()) else {
            return Err(AcmeError::NoChallenge { name, kind: word });
        };
        let answer = challenge.key_authorization();
        challenges.answer(settings.challenge, &name, &challenge.token, &answer)?;
        challenge.set_ready().await?;
    }
    Ok(())
}

/// Returns the reason why an order has become invalid: that of the first name that was not validated.
async fn refusal(order: &mut Order) -> AcmeError {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let Ok(mut authorization) = authorization else {
            break;
        };
        if authorization.refresh().await.is_err() {
            break;
        }
        let mut problems = authorization.challenges.iter();
        if let Some(problem) = problems.find_map(|challenge| challenge.error.as_ref()) {
            return AcmeError::NotValidated {
                name: bounded(&authorization.identifier().to_string()),
                said: bounded(&problem.to_string()),
            };
        }
    }
    AcmeError::Refused {
        said: "the order is invalid".to_owned(),
        problem: None,
    }
}
