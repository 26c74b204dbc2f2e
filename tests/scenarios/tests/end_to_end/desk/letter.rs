//! A message as the desk got it.

use serde_json::Value;

/// A message that came in.
#[derive(Debug, Clone)]
pub struct Letter {
    pub transaction: String,
    /// Support address that it is for.
    pub address: String,
    /// Address to which the desk answers.
    pub author: String,
    pub subject: String,
    /// With its angle brackets, as all ids here.
    pub message_id: String,
    pub references: Vec<String>,
    pub in_reply_to: Option<String>,
    /// Transaction of the desk's own message that it answers, as the relay says.
    pub answered: Option<String>,
    pub tags: Vec<String>,
    /// Way in which it came.
    pub arrival: String,
}

impl Letter {
    /// Reads the two parts of a request.
    pub fn read(facts: &Value, message: &[u8]) -> Self {
        let text = String::from_utf8_lossy(message).into_owned();
        let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let header = |name: &str| field(&text, name);
        let ids = |value: Option<String>| -> Vec<String> {
            let value = value.unwrap_or_default();
            value.split_whitespace().map(str::to_owned).collect()
        };
        let author = header("Reply-To")
            .or_else(|| header("From"))
            .unwrap_or_default();
        let author = author.rsplit('<').next().unwrap_or_default();
        let tags = facts["tags"].as_array().into_iter().flatten();
        let recipient = &facts["rcpt-to"][0];
        Self {
            transaction: string(&facts["transaction"]),
            address: string(&recipient["address"]),
            author: author.trim_end_matches('>').to_owned(),
            subject: header("Subject").unwrap_or_default(),
            message_id: header("Message-ID").unwrap_or_default(),
            references: ids(header("References")),
            in_reply_to: ids(header("In-Reply-To")).into_iter().next(),
            answered: header("X-Gatepost-In-Reply-To-Transaction"),
            tags: tags.map(|tag| string(&tag["tag"])).collect(),
            arrival: string(&recipient["arrival"]),
        }
    }

    /// Returns true if a policy has put this tag on it.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|of| of == tag)
    }
}

/// Returns the first header of a name in a message, unfolded.
pub fn field(message: &str, name: &str) -> Option<String> {
    let head = message.split("\r\n\r\n").next()?;
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    head.split("\r\n").find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}
