//! Rows for stores: any number of each kind, always the same for a number.

use std::sync::Arc;

use gatepost_directory::{
    Account, AccountDetails, AccountId, AccountKind, AddressDetails, Administrator, Agreement,
    ApiScope, ApiToken, AuditEntry, Claim, Connector, ConnectorDetails, ConnectorId, ConnectorKind,
    ConnectorState, Credential, CredentialDetails, CredentialEnd, DefaultReason, DirectoryChange,
    DirectoryRow, Disconnection, DkimKey, DkimState, EndedBy, Feed, Forwarders, GraceUses,
    Handover, Hold, LeavesFromDefault, PartnerEntry, PartnerList, PartnerSource, Probe, ProbeId,
    ProbeKind, Profile, Protocol, QueuedMail, Restriction, SandboxSettings, Scope, Sealed,
    SealedConnection, SealedCredential, SealedDkimKey, SealedEndpoint, StoredApiToken,
    SupportAddress, Suspension, UserName, Verification,
};
use gatepost_message::Millis;
use gatepost_volume::{AccountCaps, Cap, Caps, Subject};

pub fn id(number: u32) -> AccountId {
    format!("{number:032x}").parse().unwrap()
}

pub fn connector_id(number: u32) -> ConnectorId {
    format!("{number:032x}").parse().unwrap()
}

pub fn account(number: u32) -> Account {
    let settings = serde_json::json!({ "mode": "enhanced", "number": number });
    Account {
        id: id(number),
        created: Millis(1_000 + u64::from(number)),
        profile: Profile {
            kind: AccountKind::Production,
            product: "Acme Desk".parse().unwrap(),
            time_zone: "Europe/Berlin".parse().unwrap(),
            native_domain: format!("a{number}.desk.example").parse().unwrap(),
            brands: vec!["Acme".parse().unwrap(), "Zeta".parse().unwrap()],
        },
        policies: [(
            "inbound-auth".to_owned(),
            settings.as_object().unwrap().clone(),
        )]
        .into(),
        details: AccountDetails {
            keep: Some("30d".parse().unwrap()),
            default_address: Some(format!("help@a{number}.example").parse().unwrap()),
            brand_addresses: [("Zeta".parse().unwrap(), "z@a.example".parse().unwrap())].into(),
            hold: Some(Hold {
                since: Millis(1_500),
                reason: "moving".parse().ok(),
            }),
            erasing: Some(Millis(1_600)),
            sandbox: SandboxSettings {
                test_users: vec![format!("ann@u{number}.example").parse().unwrap()],
                maildir: "sandbox".parse().ok(),
            },
        },
    }
}

/// A connector of the account with the same number.
pub fn connector(number: u32) -> Connector {
    Connector {
        id: connector_id(number),
        created: Millis(2_000),
        state: ConnectorState::Verified,
        forwarders: Forwarders {
            networks: vec!["192.0.2.0/24".parse().unwrap()],
            dkim_domains: vec!["forwarder.example".parse().unwrap()],
            arc_sealers: Vec::new(),
        },
        claim: Claim {
            account: id(number),
            name: "mail".parse().unwrap(),
            domain: format!("a{number}.example").parse().unwrap(),
            kind: match number % 3 {
                0 => ConnectorKind::Forwarded,
                1 => ConnectorKind::TwoWay,
                _ => ConnectorKind::OutboundOnly,
            },
            protocol: Protocol::ScramSha256,
        },
        details: ConnectorDetails {
            disconnected: Some(Disconnection {
                at: Millis(2_500),
                queued: QueuedMail::Reroute,
            }),
            verifies: number.is_multiple_of(2),
            outbound_vouched: number.is_multiple_of(3).then_some(Millis(2_600)),
            return_path: format!("bounces.a{number}.example").parse().ok(),
            learnt_forwarders: Forwarders {
                networks: vec!["198.51.100.7/32".parse().unwrap()],
                ..Forwarders::default()
            },
        },
    }
}

/// An address in the domain of the connector with the same number.
pub fn address(number: u32) -> SupportAddress {
    SupportAddress {
        address: format!("Help@a{number}.example").parse().unwrap(),
        account: id(number),
        connector: Some(connector_id(number)),
        brand: number.is_multiple_of(2).then(|| "Zeta".parse().unwrap()),
        created: Millis(3_000),
        details: AddressDetails {
            forwarding: Some(serde_json::from_value(format!("{number:a>16}").into()).unwrap()),
            leaves_from_default: number.is_multiple_of(2).then_some(LeavesFromDefault {
                since: Millis(3_003),
                reason: DefaultReason::Refused,
                messages: number.into(),
            }),
            inbound: Verification::Verified { at: Millis(3_001) },
            outbound: Verification::Failed {
                at: Millis(3_002),
                reason: "quota".to_owned(),
                words: format!("{number}"),
                refuses: None,
            },
            ..AddressDetails::default()
        },
    }
}

/// A credential for the domain of the connector with the same number.
pub fn credential(number: u32) -> SealedCredential {
    SealedCredential {
        credential: Credential {
            user_name: UserName::new(&format!("in-{number}")),
            account: id(number),
            scope: Scope::Inbound {
                connector: connector_id(number),
                domain: format!("a{number}.example").parse().unwrap(),
            },
            alias: Some(format!("a{number}@a{number}.desk.example").parse().unwrap()),
            created: Millis(4_000),
            last_used: Some(Millis(4_001)),
            last_network: Some("2001:db8::/64".parse().unwrap()),
            ended: Some(CredentialEnd {
                at: Millis(4_002),
                how: EndedBy::Retired,
            }),
            details: CredentialDetails {
                replaces: Some(UserName::new("in-former")),
                reminded: Some(Millis(4_003)),
                grace_uses: number.is_multiple_of(2).then_some(GraceUses {
                    count: number.into(),
                    first: Millis(4_004),
                    last: Millis(4_005),
                    network: "192.0.2.7/32".parse().ok(),
                    told: Some(Millis(4_004)),
                    told_count: 1,
                }),
            },
        },
        verifier: Sealed {
            key_id: "key".to_owned(),
            bytes: vec![number as u8, 0, 0xff],
        },
    }
}

/// A connection of the account with the same number.
pub fn connection(number: u32) -> SealedConnection {
    SealedConnection {
        account: id(number),
        name: "outlook".parse().unwrap(),
        created: Millis(8_000),
        changed: Millis(8_001),
        generation: u64::from(number) << 32,
        sealed: Sealed {
            key_id: "key".to_owned(),
            bytes: vec![0xff, 0, number as u8],
        },
    }
}

/// An endpoint of the account with the same number.
pub fn endpoint(number: u32) -> SealedEndpoint {
    SealedEndpoint {
        account: id(number),
        name: "tickets".parse().unwrap(),
        created: Millis(14_000),
        changed: Millis(14_001),
        generation: u64::from(number) << 33,
        sealed: Sealed {
            key_id: "key".to_owned(),
            bytes: vec![0xfe, 0, number as u8],
        },
    }
}

/// Restrictions of the account with the same number.
pub fn restriction(number: u32) -> Restriction {
    let mut caps = AccountCaps::default();
    let most = Caps {
        recipients_a_day: Some(Cap::AtMost(number.into())),
        ..Caps::default()
    };
    caps.set(&Subject::Domain(format!("a{number}.example")), most);
    Restriction {
        account: id(number).to_string(),
        caps,
        suspended: Some(Suspension {
            since: Millis(9_000),
            reason: number.is_multiple_of(2).then(|| "stolen".parse().unwrap()),
        }),
    }
}

pub fn put_restriction(restriction: Restriction) -> DirectoryChange {
    DirectoryChange::Put(DirectoryRow::Restriction(Box::new(restriction)))
}

pub fn put_connection(connection: SealedConnection) -> DirectoryChange {
    DirectoryChange::Put(DirectoryRow::Connection(Box::new(connection)))
}

pub fn put_endpoint(endpoint: SealedEndpoint) -> DirectoryChange {
    DirectoryChange::Put(DirectoryRow::Endpoint(Box::new(endpoint)))
}

/// A DKIM key of this owner: one that signs, or one that is retired.
fn dkim_key(number: u32, owner: Option<AccountId>, retired: bool) -> DirectoryRow {
    let sealed = (!retired).then(|| Sealed {
        key_id: "key".to_owned(),
        bytes: vec![number as u8, 0xff, 0],
    });
    let key = DkimKey {
        owner: owner.into(),
        domain: format!("a{number}.example").parse().unwrap(),
        selector: if retired { "s-2" } else { "s-1" }.parse().unwrap(),
        algorithm: gatepost_dkim::Algorithm::Ed25519,
        state: match retired {
            true => DkimState::Retired,
            false => DkimState::Active,
        },
        created: Millis(9_000),
        since: Millis(9_001),
        finding: (!retired).then(|| "the DNS gave no answer".to_owned()),
        public: vec![0, number as u8, 0xff],
    };
    let row = SealedDkimKey { key, sealed };
    DirectoryRow::DkimKey(Box::new(row))
}

/// DKIM keys of the account with the same number, and one of the site.
pub fn dkim_keys(number: u32) -> [DirectoryRow; 3] {
    [
        dkim_key(number, Some(id(number)), false),
        dkim_key(number, Some(id(number)), true),
        dkim_key(number, None, false),
    ]
}

pub fn agreement(one: u32, other: u32) -> Agreement {
    Agreement {
        one: id(one),
        other: id(other),
        created: Millis(5_000),
    }
}

/// A list of the account with the number: by hand, imported or a feed.
pub fn list(number: u32, account: u32, source: PartnerSource) -> PartnerList {
    let feed = matches!(source, PartnerSource::Feed(_)).then(|| Feed {
        every_seconds: 3_600,
        domains: true,
        validator: Some("\"1\"".to_owned()),
        tried: Some(Millis(6_001)),
        fetched: Some(Millis(6_000)),
        problem: Some("it is down".to_owned()),
    });
    PartnerList {
        id: number,
        account: id(account),
        source,
        created: Millis(6_000),
        feed,
    }
}

pub fn entry(text: &str) -> PartnerEntry {
    text.parse().unwrap()
}

pub fn put_account(account: Account) -> DirectoryChange {
    DirectoryChange::Put(DirectoryRow::Account(Arc::new(account)))
}

pub fn put_connector(connector: Connector) -> DirectoryChange {
    DirectoryChange::Put(DirectoryRow::Connector(Box::new(connector)))
}

pub fn put_credential(credential: SealedCredential) -> DirectoryChange {
    DirectoryChange::Put(DirectoryRow::Credential(Box::new(credential)))
}

pub fn put_list(list: PartnerList) -> DirectoryChange {
    DirectoryChange::Put(DirectoryRow::List(Box::new(list)))
}

pub fn add_entries(list: u32, texts: &[&str]) -> DirectoryChange {
    DirectoryChange::AddEntries {
        list,
        entries: texts.iter().map(|text| entry(text)).collect(),
        added: Millis(7_000),
    }
}

fn probe_id(number: u32) -> ProbeId {
    let letter = char::from(b'a' + (number % 26) as u8);
    format!("{}{letter}", "q".repeat(25)).parse().unwrap()
}

/// Rows that go with the account of the same number.
pub fn of_account(number: u32) -> [DirectoryRow; 4] {
    let account = id(number);
    [
        DirectoryRow::Administrator(Box::new(Administrator {
            account,
            address: "Ann@a.example".parse().unwrap(),
            name: "Ann".parse().ok(),
            language: "de".to_owned(),
            added: Millis(10_000),
            verified: Some(Millis(10_001)),
            code: serde_json::from_value(serde_json::json!({
                "salt": "c2FsdA==", "hash": "aGFzaA==", "sent": 10_002, "wrong": 1,
            }))
            .ok(),
        })),
        DirectoryRow::Probe(Box::new(Probe {
            record: serde_json::json!({"sent": 1}),
            id: probe_id(number),
            account,
            address: address(number).address,
            kind: ProbeKind::Circuit,
            sent: Millis(11_000),
            expires: Millis(11_001),
            transaction: Some("t".to_owned()),
        })),
        DirectoryRow::Handover(Box::new(Handover {
            id: format!("{number:064x}"),
            account,
            user_name: credential(number).credential.user_name,
            created: Millis(12_000),
            expires: Millis(12_001),
            sealed: vec![0, 0xff, number as u8],
        })),
        DirectoryRow::ApiToken(Box::new(StoredApiToken {
            token: ApiToken {
                id: format!("token-{number}"),
                account: Some(account),
                scope: ApiScope::Operate,
                name: "helpdesk".parse().unwrap(),
                created: Millis(13_000),
                expires: Some(Millis(13_001)),
                last_used: None,
            },
            digest: "d".repeat(43),
        })),
    ]
}

/// An entry of the audit log.
pub fn audited(at: u64, account: Option<u32>) -> DirectoryChange {
    DirectoryChange::Audit(AuditEntry {
        at: Millis(at),
        account: account.map(|number| id(number).to_string()),
        actor: "root".to_owned(),
        origin: Some("socket".to_owned()),
        action: "address-added".to_owned(),
        subject: "help@a.example".to_owned(),
        detail: None,
    })
}

/// Changes that put a row of each kind for an account with this number, and entries.
pub fn all(number: u32) -> Vec<DirectoryChange> {
    let list = |kind, source| put_list(list(3 * number + kind, number, source));
    let mut changes = vec![
        put_account(account(number)),
        put_connector(connector(number)),
        DirectoryChange::Put(DirectoryRow::Address(Box::new(address(number)))),
        put_credential(credential(number)),
        list(1, PartnerSource::ByHand),
        list(2, PartnerSource::Import("crm".to_owned())),
        list(3, PartnerSource::Feed("https://lists.example/".to_owned())),
        put_connection(connection(number)),
        put_endpoint(endpoint(number)),
        put_restriction(restriction(number)),
        add_entries(3 * number + 1, &["ann@partner.example", "@whole.example"]),
        add_entries(3 * number + 2, &["ben@partner.example"]),
    ];
    changes.extend(dkim_keys(number).map(DirectoryChange::Put));
    changes.extend(of_account(number).map(DirectoryChange::Put));
    changes
}
