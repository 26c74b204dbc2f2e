//! Header fields and addresses as services write them.

use gatepost_content::NamedAddress;
use gatepost_message::Message;

/// Returns all fields of a message, unfolded, top to bottom.
pub(super) fn all(message: &Message) -> Vec<(String, String)> {
    let fields = message.fields();
    let pairs = fields.map(|field| (field.name().into_owned(), field.unfolded()));
    pairs.collect()
}

/// Returns the text of the header section.
pub(super) fn text(message: &Message) -> String {
    String::from_utf8_lossy(message.head()).into_owned()
}

/// Writes addresses as one field has them.
pub(super) fn list(addresses: &[NamedAddress]) -> String {
    addresses.iter().map(written).collect::<Vec<_>>().join(", ")
}

/// Writes an address with its name.
pub(super) fn written(one: &NamedAddress) -> String {
    match &one.name {
        Some(name) => {
            let name = name.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{name}\" <{}>", one.address)
        }
        None => one.address.clone(),
    }
}

/// Returns the sub-address (RFC 5233): the text behind the first `+` of the local part.
pub(super) fn sub_address(address: &str) -> &str {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    local.split_once('+').map_or("", |(_, sub)| sub)
}
