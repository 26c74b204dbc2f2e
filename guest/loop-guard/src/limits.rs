//! How many exchanges without a person are too many, by what they have in common.

/// The limits, in exchanges that decay over a day; 0 sets one aside.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// With one correspondent.
    #[schemars(range(max = 1000))]
    pub correspondent: u32,
    /// In one thread, by Message-ID, In-Reply-To, References and email id.
    #[schemars(range(max = 1000))]
    pub thread: u32,
    /// With one correspondent, both in words that they have used before; undecayed.
    #[schemars(range(max = 1000))]
    pub repeats: u32,
    /// With addresses of one domain that were not written to, in the same words.
    #[schemars(range(max = 1000))]
    pub words: u32,
    /// With addresses of one domain that were not written to, about one subject.
    #[schemars(range(max = 1000))]
    pub subject: u32,
    /// With addresses of one domain that were not written to and say that they are machines.
    #[schemars(range(max = 1000))]
    pub marked: u32,
    /// With addresses of one domain that were not written to and have no mark of a person's mail
    /// program.
    #[schemars(range(max = 1000))]
    pub domain: u32,
    /// Of the whole account, with whoever says to be a machine.
    #[schemars(range(max = 1000))]
    pub account: u32,
    /// Answers of the whole account in ten minutes to who had not been written to; half as many again
    /// in an hour. Where as many write without being answered, the limit is set higher.
    #[schemars(range(max = 1000))]
    pub newcomers: u32,
    /// With one correspondent in ten minutes, until what does not say who wrote it has to wait;
    /// undecayed.
    #[schemars(range(max = 1000))]
    pub haste: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            correspondent: 4,
            thread: 4,
            repeats: 3,
            words: 4,
            subject: 4,
            marked: 4,
            domain: 4,
            account: 20,
            newcomers: 4,
            haste: 5,
        }
    }
}

impl Limits {
    /// No limit at all.
    pub const NONE: Self = Self {
        correspondent: 0,
        thread: 0,
        repeats: 0,
        words: 0,
        subject: 0,
        marked: 0,
        domain: 0,
        account: 0,
        newcomers: 0,
        haste: 0,
    };
}
