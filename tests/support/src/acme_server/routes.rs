//! Requests, and what the authority answers.

use std::sync::Arc;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::jws::SignedRequest;
use super::state::{AcmeAccount, AcmeAnswer, AcmeOrder, AcmeState, NameToProve};
use super::{SharedState, validate};
use crate::{HttpRequest, PATIENCE};

/// Answers a request.
pub(super) fn answer(request: &HttpRequest, shared: &SharedState) -> AcmeAnswer {
    let mut state = shared.0.lock();
    state.requests.push(request.path.clone());
    if state.down {
        return AcmeAnswer {
            status: "503 Service Unavailable",
            fields: Vec::new(),
            body: String::new(),
        };
    }
    let answer = match request.path.as_str() {
        "/directory" => return directory(&state),
        "/new-nonce" => AcmeAnswer {
            status: "200 OK",
            fields: Vec::new(),
            body: String::new(),
        },
        _ => signed(request, &mut state, shared),
    };
    answer.with("Replay-Nonce", state.nonce())
}

fn directory(state: &AcmeState) -> AcmeAnswer {
    let base = &state.base;
    let directory = json!({
        "newNonce": format!("{base}/new-nonce"),
        "newAccount": format!("{base}/new-account"),
        "newOrder": format!("{base}/new-order"),
    });
    AcmeAnswer::json("200 OK", &directory)
}

fn refused(kind: &str, detail: &str) -> AcmeAnswer {
    AcmeAnswer::problem("400 Bad Request", kind, detail)
}

/// Answers a request that has to be signed.
fn signed(request: &HttpRequest, state: &mut AcmeState, shared: &SharedState) -> AcmeAnswer {
    let Some(signed) = SignedRequest::parse(&request.body) else {
        return refused("malformed", "it is no JWS");
    };
    let kind = request.fields.get("content-type").map(String::as_str);
    if kind != Some("application/jose+json") {
        return refused("malformed", "its type is wrong");
    }
    let nonce = signed.header["nonce"].as_str().unwrap_or_default();
    if !state.nonces.remove(nonce) || std::mem::take(&mut state.spoil_nonce) {
        return refused("badNonce", "the nonce is not known");
    }
    if signed.header["url"] != format!("{}{}", state.base, request.path) {
        return refused("unauthorized", "it is signed for another URL");
    }
    if request.path == "/new-account" {
        return new_account(&signed, state);
    }
    let id = signed.header["kid"].as_str().unwrap_or_default();
    let number = id.strip_prefix(&format!("{}/account/", state.base));
    let number: Option<usize> = number.and_then(|number| number.parse().ok());
    let Some((number, account)) = number.and_then(|of| Some((of, state.accounts.get(of)?))) else {
        return refused("accountDoesNotExist", "there is no such account");
    };
    if !signed.is_signed_by(&account.key) {
        return refused("unauthorized", "the signature is wrong");
    }
    let path: Vec<_> = request.path[1..].split('/').collect();
    let index = |part: &str| part.parse::<usize>().ok();
    let found = match path.as_slice() {
        ["account", _] => Some(change_account(number, &signed.payload, state)),
        ["new-order"] => Some(new_order(number, &signed.payload, state)),
        ["order", of] => index(of).map(|of| AcmeAnswer::json("200 OK", &state.order(of))),
        ["authorization", of, name] => index(of)
            .zip(index(name))
            .map(|(of, name)| AcmeAnswer::json("200 OK", &state.authorization(of, name))),
        ["challenge", of, name, kind] => index(of).zip(index(name)).map(|(of, name)| {
            look((of, name), kind, state, shared);
            AcmeAnswer::json("200 OK", &state.challenge(of, name, kind))
        }),
        ["finalize", of] => index(of).map(|of| finalize(of, &signed.payload, state)),
        ["certificate", of] => index(of).and_then(|of| certificate(of, state)),
        _ => None,
    };
    found.unwrap_or_else(|| AcmeAnswer::problem("404 Not Found", "malformed", "no such thing"))
}

fn new_account(signed: &SignedRequest, state: &mut AcmeState) -> AcmeAnswer {
    let Some(key) = signed.key().filter(|key| signed.is_signed_by(key)) else {
        return refused("unauthorized", "the signature is wrong");
    };
    if signed.payload["termsOfServiceAgreed"] != true {
        return refused("userActionRequired", "the terms are not agreed to");
    }
    let contact = contact(&signed.payload);
    state.accounts.push(AcmeAccount { key, contact });
    let id = format!("{}/account/{}", state.base, state.accounts.len() - 1);
    AcmeAnswer::json("201 Created", &json!({ "status": "valid" })).with("Location", id)
}

fn change_account(number: usize, payload: &Value, state: &mut AcmeState) -> AcmeAnswer {
    state.accounts[number].contact = contact(payload);
    AcmeAnswer::json("200 OK", &json!({ "status": "valid" }))
}

fn contact(payload: &Value) -> Vec<String> {
    let contact = payload["contact"].as_array().into_iter().flatten();
    contact
        .filter_map(|of| Some(of.as_str()?.to_owned()))
        .collect()
}

fn new_order(account: usize, payload: &Value, state: &mut AcmeState) -> AcmeAnswer {
    if let Some(refusal) = state.refusals.pop_front() {
        let answer = refused(&refusal.problem, "as the test says");
        return match refusal.retry_after {
            Some(seconds) => answer.with("Retry-After", seconds.to_string()),
            None => answer,
        };
    }
    let number = state.orders.len();
    let names = payload["identifiers"].as_array().into_iter().flatten();
    let names = names.filter_map(|of| of["value"].as_str()).enumerate();
    let names = names.map(|(of, name)| NameToProve {
        name: name.to_owned(),
        token: format!("token-{number}-{of}"),
        proved: None,
    });
    let names = names.collect();
    state.orders.push(AcmeOrder {
        account,
        names,
        chain: None,
    });
    let place = format!("{}/order/{number}", state.base);
    AcmeAnswer::json("201 Created", &state.order(number)).with("Location", place)
}

/// Looks at a name, in a thread of its own.
fn look((order, name): (usize, usize), kind: &str, state: &AcmeState, shared: &SharedState) {
    let (shared, kind) = (Arc::clone(shared), kind.to_owned());
    let of = state.orders[order].names[name].clone();
    let thumbprint = (state.accounts[state.orders[order].account].key).thumbprint();
    thread::spawn(move || {
        let (state, changed) = &*shared;
        let address = {
            let mut state = state.lock();
            loop {
                if let Some(address) = state.names_lead_to {
                    break address;
                }
                if changed.wait_for(&mut state, PATIENCE).timed_out() {
                    return;
                }
            }
        };
        let authorization = format!("{}.{thumbprint}", of.token);
        let proved = match kind.as_str() {
            "http-01" => validate::by_http(address, &of.name, &of.token, &authorization),
            _ => validate::by_handshake(address, &of.name, &authorization),
        };
        state.lock().orders[order].names[name].proved = Some(proved);
        changed.notify_all();
    });
}

fn finalize(number: usize, payload: &Value, state: &mut AcmeState) -> AcmeAnswer {
    if state.order(number)["status"] != "ready" {
        return AcmeAnswer::problem("403 Forbidden", "orderNotReady", "it is not ready");
    }
    let request = payload["csr"].as_str().unwrap_or_default();
    let request = URL_SAFE_NO_PAD.decode(request).unwrap_or_default();
    let names = state.orders[number].names.clone();
    let names: Vec<&str> = names.iter().map(|of| of.name.as_str()).collect();
    match state.authority.issue(&request, &names, state.life) {
        Err(why) => refused("badCSR", &why),
        Ok((certificate, chain)) => {
            state.issued.push(certificate);
            state.orders[number].chain = Some(chain);
            AcmeAnswer::json("200 OK", &state.order(number))
        }
    }
}

fn certificate(number: usize, state: &AcmeState) -> Option<AcmeAnswer> {
    let body = state.orders.get(number)?.chain.clone()?;
    Some(AcmeAnswer {
        status: "200 OK",
        fields: vec![(
            "Content-Type",
            "application/pem-certificate-chain".to_owned(),
        )],
        body,
    })
}
