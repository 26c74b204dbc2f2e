//! The certificate that an authority has issued to the relay itself.

use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use rustls::sign::CertifiedKey;

/// Certificate that was issued to the relay, or none yet. Clones share it: a renewed one is shown in
/// the next handshake.
#[derive(Debug, Clone, Default)]
pub struct IssuedCertificate(Arc<ArcSwapOption<CertificateInUse>>);

#[derive(Debug)]
struct CertificateInUse {
    key: Arc<CertifiedKey>,
    expires: SystemTime,
}

impl IssuedCertificate {
    /// Shows this certificate from now on, which is valid until `expires`.
    pub fn set(&self, key: Arc<CertifiedKey>, expires: SystemTime) {
        self.0
            .store(Some(Arc::new(CertificateInUse { key, expires })));
    }

    /// Shows none from now on.
    pub fn clear(&self) {
        self.0.store(None);
    }

    /// Returns true if there is one, expired or not.
    pub fn is_there(&self) -> bool {
        self.0.load().is_some()
    }

    /// Returns the certificate with its key, expired or not.
    pub fn get(&self) -> Option<Arc<CertifiedKey>> {
        self.0.load().as_ref().map(|of| Arc::clone(&of.key))
    }

    /// Returns the certificate with its key, unless it has expired.
    pub fn get_valid(&self) -> Option<Arc<CertifiedKey>> {
        let of = self.0.load();
        let of = of.as_ref().filter(|of| of.expires > SystemTime::now())?;
        Some(Arc::clone(&of.key))
    }
}
