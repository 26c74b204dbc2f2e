//! Limits of exchanges without a person, by what the messages have in common.

/// Limits of exchanges without a person, in counts that decay over a day; 0 turns one off.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Exchanges with one correspondent.
    #[schemars(range(max = 1000))]
    pub correspondent: u32,
    /// Exchanges in one thread, by Message-ID, In-Reply-To, References and email id.
    #[schemars(range(max = 1000))]
    pub thread: u32,
    /// Exchanges with one correspondent in which both sides repeat their words; undecayed.
    #[schemars(range(max = 1000))]
    pub repeats: u32,
    /// Exchanges in the same words with addresses of one domain that were not written to.
    #[schemars(range(max = 1000))]
    pub words: u32,
    /// Exchanges about one subject with addresses of one domain that were not written to.
    #[schemars(range(max = 1000))]
    pub subject: u32,
    /// Exchanges with addresses of one domain that were not written to and say that they are
    /// machines.
    #[schemars(range(max = 1000))]
    pub marked: u32,
    /// Exchanges with addresses of one domain that were not written to and show no mark of a
    /// person's mail program.
    #[schemars(range(max = 1000))]
    pub domain: u32,
    /// Exchanges of the whole account with correspondents that say that they are machines.
    #[schemars(range(max = 1000))]
    pub account: u32,
    /// Answers of the whole account in ten minutes to addresses that had not been written to; half
    /// as many again in an hour. The limit is raised if as many write without being answered.
    #[schemars(range(max = 1000))]
    pub newcomers: u32,
    /// Exchanges with one correspondent in ten minutes from which a submission without a trigger
    /// has to wait; undecayed.
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
    /// Limits that are all turned off.
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
