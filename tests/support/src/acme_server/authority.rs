//! The keys of the authority, and what it issues.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData, SignatureAlgorithm,
};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

use super::der;

/// Issuer of certificates.
#[derive(Clone)]
pub(super) struct Authority {
    issuer: Arc<Issuer<'static, KeyPair>>,
    /// Its own certificate, in PEM.
    root: String,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

/// Key of a request.
struct RequestedKey(Vec<u8>);

impl PublicKeyData for RequestedKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl Authority {
    pub(super) fn make() -> Self {
        let make = || {
            let mut of = CertificateParams::new(Vec::new())?;
            of.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate()?;
            let root = of.self_signed(&key)?.pem();
            let issuer = Arc::new(Issuer::new(of, key));
            Ok::<_, rcgen::Error>(Self { issuer, root })
        };
        make().unwrap_or_else(|error| panic!("no authority: {error}"))
    }

    /// Issues a certificate to a request for exactly these names; returns it in DER, and the chain in
    /// PEM.
    ///
    /// # Errors
    /// A sentence: the request is for something else, or is not signed with its key.
    pub(super) fn issue(
        &self,
        request: &[u8],
        names: &[&str],
        life: Duration,
    ) -> Result<(Vec<u8>, String), String> {
        let request = der::request(request).map_err(|error| error.to_string())?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &request.key);
        let signed = key.verify(&request.signed, &request.signature);
        signed.map_err(|_| "the request is not signed with its key".to_owned())?;
        let mut wanted = der::names(&request.extensions);
        wanted.sort_unstable();
        let mut ordered = names.to_vec();
        ordered.sort_unstable();
        if wanted != ordered {
            return Err(format!("{wanted:?} is not what was ordered"));
        }
        let make = || {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let mut of = CertificateParams::new(names)?;
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let begins = rcgen::date_time_ymd(1970, 1, 1) + now.unwrap_or_default();
            (of.not_before, of.not_after) = (begins, begins + life);
            of.signed_by(&RequestedKey(request.key.clone()), &self.issuer)
        };
        let made = make().map_err(|error| error.to_string())?;
        Ok((made.der().to_vec(), made.pem() + &self.root))
    }
}
