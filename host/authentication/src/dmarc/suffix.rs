//! The public suffix list, compiled in by the crate `psl` (publicsuffix.org).

/// Returns the organisational domain by the list, in lower case: one label below the longest
/// public suffix (RFC 7489 section 3.2). `None` for a suffix itself and for a malformed name. The
/// name may be in Unicode or in A-labels, and keeps its form.
pub fn organizational_domain(domain: &str) -> Option<String> {
    let domain = domain.to_lowercase();
    let labels = domain.split('.').all(|label| !label.is_empty());
    labels
        .then(|| psl::domain_str(&domain))
        .flatten()
        .map(str::to_owned)
}
