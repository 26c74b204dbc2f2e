//! Reads the parts of requests and certificates that the authority looks at.

use yasna::models::ObjectIdentifier;
use yasna::{ASN1Result, BERReader, BERReaderSeq, Tag};

/// Identifier of the names of a certificate (RFC 5280 section 4.2.1.6).
const NAMES: [u64; 4] = [2, 5, 29, 17];

/// Identifier of the extensions that a request asks for (RFC 2985 section 5.4.2).
const REQUESTED: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 14];

/// An extension: its identifier, whether it is critical, and its value.
#[derive(Debug)]
pub(super) struct CertificateExtension {
    pub(super) id: Vec<u64>,
    pub(super) is_critical: bool,
    pub(super) value: Vec<u8>,
}

/// A request (RFC 2986).
#[derive(Debug)]
pub(super) struct CertificateRequest {
    /// Part that is signed.
    pub(super) signed: Vec<u8>,
    /// Public key: a point of the curve P-256.
    pub(super) key: Vec<u8>,
    pub(super) extensions: Vec<CertificateExtension>,
    pub(super) signature: Vec<u8>,
}

/// Parses a request.
pub(super) fn request(octets: &[u8]) -> ASN1Result<CertificateRequest> {
    yasna::parse_der(octets, |reader| {
        reader.read_sequence(|request| {
            let signed = request.next().read_der()?;
            request.next().read_der()?;
            let signature = request.next().read_bitvec_bytes()?.0;
            let (key, extensions) = yasna::parse_der(&signed, |reader| {
                reader.read_sequence(|of| {
                    // Version and subject.
                    of.next().read_der()?;
                    of.next().read_der()?;
                    let key = of.next().read_sequence(|key| {
                        key.next().read_der()?;
                        Ok(key.next().read_bitvec_bytes()?.0)
                    })?;
                    Ok((key, requested(of)?))
                })
            })?;
            Ok(CertificateRequest {
                signed,
                key,
                extensions,
                signature,
            })
        })
    })
}

/// Reads the attributes of a request.
fn requested(of: &mut BERReaderSeq<'_, '_>) -> ASN1Result<Vec<CertificateExtension>> {
    let mut found = Vec::new();
    of.next().read_tagged_implicit(Tag::context(0), |reader| {
        reader.read_set_of(|attribute| {
            attribute.read_sequence(|of| {
                let id = of.next().read_oid()?;
                match id == ObjectIdentifier::from_slice(&REQUESTED) {
                    true => of.next().read_set_of(|values| {
                        found = extensions(values)?;
                        Ok(())
                    }),
                    false => of.next().read_der().map(drop),
                }
            })
        })
    })?;
    Ok(found)
}

/// Parses the extensions of a certificate (RFC 5280 section 4.1).
pub(super) fn extensions_of(certificate: &[u8]) -> ASN1Result<Vec<CertificateExtension>> {
    yasna::parse_der(certificate, |reader| {
        reader.read_sequence(|certificate| {
            let found = certificate.next().read_sequence(|of| {
                // Version, number, algorithm, issuer, life, subject and key.
                for _ in 0..7 {
                    of.next().read_der()?;
                }
                of.next().read_tagged(Tag::context(3), extensions)
            })?;
            certificate.next().read_der()?;
            certificate.next().read_der()?;
            Ok(found)
        })
    })
}

fn extensions(reader: BERReader<'_, '_>) -> ASN1Result<Vec<CertificateExtension>> {
    reader.collect_sequence_of(|extension| {
        extension.read_sequence(|of| {
            Ok(CertificateExtension {
                id: of.next().read_oid()?.components().clone(),
                is_critical: of.read_default(false, |value| value.read_bool())?,
                value: of.next().read_bytes()?,
            })
        })
    })
}

/// Returns the names in the DNS of these extensions.
pub(super) fn names(extensions: &[CertificateExtension]) -> Vec<String> {
    let names = extensions.iter().find(|of| of.id == NAMES);
    let names = names.map(|of| {
        yasna::parse_der(&of.value, |reader| {
            reader.collect_sequence_of(|name| {
                name.read_tagged_implicit(Tag::context(2), |value| value.read_bytes())
            })
        })
    });
    let names = names.and_then(Result::ok).unwrap_or_default().into_iter();
    names
        .map(|name| String::from_utf8_lossy(&name).into_owned())
        .collect()
}
