//! The rules by name, with their effect and their source.

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $name:literal, $source:literal;)*) => {
        /// Rule by which evidence was found.
        ///
        /// ```
        /// use gatepost_sdk::classification::Rule;
        ///
        /// assert_eq!(Rule::AutoReplied.name(), "auto-replied");
        /// assert_eq!(Rule::AutoReplied.source(), "RFC 3834 section 5");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule { $($(#[$doc])* $rule,)* }

        impl Rule {
            /// Every rule.
            ///
            /// ```
            /// use gatepost_sdk::classification::Rule;
            ///
            /// assert!(Rule::ALL.contains(&Rule::ListField));
            /// ```
            pub const ALL: &[Rule] = &[$(Rule::$rule,)*];

            /// Returns its name, as it stands in reasons.
            ///
            /// ```
            /// use gatepost_sdk::classification::Rule;
            ///
            /// assert_eq!(Rule::ListField.name(), "list-field");
            /// ```
            pub fn name(self) -> &'static str {
                match self { $(Rule::$rule => $name,)* }
            }

            /// Returns its specification, or the programs whose habit it is.
            ///
            /// ```
            /// use gatepost_sdk::classification::Rule;
            ///
            /// assert_eq!(Rule::ListField.source(), "RFC 2919, RFC 2369");
            /// ```
            pub fn source(self) -> &'static str {
                match self { $(Rule::$rule => $source,)* }
            }
        }
    };
}

rules! {
    // Bounces.
    /// A report of delivery.
    DeliveryReport = "delivery-report", "RFC 3464 section 2";
    /// The recipients that failed are named.
    FailedRecipients = "failed-recipients", "Exim, Google";
    /// Marked as a report of delivery.
    MarkedReport = "marked-report", "Exchange";
    /// Sent by a server's mail system.
    MailerDaemon = "mailer-daemon", "RFC 5230 section 4.6";
    /// The reverse-path is null.
    NullReversePath = "null-reverse-path", "RFC 5321 section 4.5.5";
    /// A field of an earlier server says that the reverse-path was null.
    FormerNullPath = "former-null-path", "RFC 5321 section 4.4";
    /// The display name of a mail system, or a postmaster, or nobody, as author.
    SystemAuthor = "system-author", "RFC 2142 section 5; Postfix, Exim, Sendmail, Exchange";
    /// A subject that mail systems give to bounces.
    BounceSubject = "bounce-subject", "Postfix, Exim, qmail, Sendmail, Exchange, Domino";
    /// The display name of whoever looks after a server: a mail system's, or a person's.
    AdministratorName = "administrator-name", "Exchange, Sendmail";
    /// A message of one of the recipients is attached.
    ReturnedMessage = "returned-message", "RFC 6522 section 3; Exim, qmail, gateways";
    /// Text in the words of a mail system.
    FailureText = "failure-text", "Postfix, Exim, qmail, Sendmail, Exchange, gateways";
    /// Text about what was not delivered, in anybody's words.
    FailureWords = "failure-words", "habit";
    /// A subject about what was not delivered, wherever it stands there.
    FailureSubject = "failure-subject", "habit";
    /// Header fields of a message that was on its way stand in the text.
    HeaderInText = "header-in-text", "qmail, InterScan, AOL and others";
    /// Labels in the text tell of another message to whom it went, and of what it was or why it
    /// failed.
    ReturnedFields = "returned-fields", "habit of scripts";
    /// A summary of what is held in quarantine, or could not be delivered.
    Digest = "digest", "habit of gateways and services";
    /// An address of somebody else's, named in a text about what was not delivered.
    FailedAddress = "failed-address", "habit";

    // What a help desk says of its own mail.
    /// Marked as written by a person.
    AgentTrigger = "agent-trigger", "Gatepost";
    /// Marked as written by a machine.
    AutomaticTrigger = "automatic-trigger", "Gatepost";
    /// Comes from a help desk.
    HelpDesk = "help-desk", "Zendesk, OTRS, Zammad, Request Tracker and others";
    /// From an account of a help desk behind a relay like this one.
    DeskAccount = "desk-account", "Gatepost";
    /// A help desk's notice that gives an agent's own words.
    AgentComment = "agent-comment", "Zendesk, Jira Service Management";

    // Automatic answers.
    /// A report of what became of the message at its reader.
    DispositionReport = "disposition-report", "RFC 8098 section 3";
    /// `Auto-Submitted: auto-replied`.
    AutoReplied = "auto-replied", "RFC 3834 section 5";
    /// A field of autoresponders.
    AutoreplyField = "autoreply-field", "cPanel, Google, Apple, Courier, MailSite, Deutsche Post and others";
    /// `Precedence: auto_reply` and its spellings.
    AutoReplyPrecedence = "auto-reply-precedence", "autorespond, cPanel";
    /// The author's address is an autoresponder's.
    AutoresponderAddress = "autoresponder-address", "habit";
    /// Made by an inbox rule of Exchange: an answer, but perhaps a forward.
    InboxRule = "inbox-rule", "Exchange";
    /// A subject that calls itself an automatic answer.
    AutomaticSubject = "automatic-subject", "Exchange and others";
    /// A subject that says that somebody is away.
    AbsenceSubject = "absence-subject", "vacation programs";
    /// The fixed subject of an out-of-office agent, or a program's words before that of what it
    /// answers.
    AwaySubject = "away-subject", "Domino; Exchange and others";
    /// Asks the author to confirm the message first.
    Challenge = "challenge", "TMDA and others";
    /// A list's answer to who may not write to it.
    HeldByList = "held-by-list", "Mailman";
    /// Text about its author's absence.
    AbsenceText = "absence-text", "habit";
    /// Text that confirms that something has come in.
    ReceiptText = "receipt-text", "habit";
    /// Several phrases of one of these, as templates have them.
    AnswerTemplate = "answer-template", "habit";
    /// The value of some field calls the message an automatic answer.
    AnswerMark = "answer-mark", "Salesforce and others; names of scripts";
    /// Another subject stands within this one, with its `Re:`.
    QuotesSubject = "quotes-subject", "habit of scripts";
    /// A subject that confirms that something has come in.
    ReceiptSubject = "receipt-subject", "habit";
    /// The answer of a calendar to an invitation.
    CalendarReply = "calendar-reply", "RFC 5546 section 3.2.3";

    // Made by a machine.
    /// Auto-Submitted with any other keyword but `no`.
    AutoGenerated = "auto-generated", "RFC 3834 section 5";
    /// A report about mail that is no report of delivery.
    MailReport = "mail-report", "RFC 5965 section 2, RFC 7489 section 7.2.1.1, RFC 8460 section 5.3";
    /// A field that says that a machine made the message.
    MachineField = "machine-field", "FirstClass, Amazon, MailSite, cron";
    /// A field of a program that sends notices.
    NoticeField = "notice-field", "Jira, GitHub, GitLab, Bugzilla and others";
    /// The message asks not to be answered by machines.
    SuppressAll = "suppress-all", "MS-OXCMAIL, X-Auto-Response-Suppress";
    /// The message asks that one kind of automatic answer be not sent.
    SuppressSome = "suppress-some", "MS-OXCMAIL, X-Auto-Response-Suppress";
    /// The message asks that neither absence nor automatic answers be sent.
    SuppressAnswers = "suppress-answers", "MS-OXCMAIL, X-Auto-Response-Suppress";
    /// `Precedence: bulk` or `junk`.
    BulkPrecedence = "bulk-precedence", "RFC 3834 section 2, RFC 2076";
    /// The author's address wants no answer.
    NoReplyAddress = "no-reply-address", "habit";
    /// The author's address sends notices.
    NoticeAddress = "notice-address", "habit";
    /// The author is a server's own program.
    SystemMailbox = "system-mailbox", "cron, anacron, logwatch";
    /// The author is a web server, in which a form may run.
    WebServer = "web-server", "Debian, Red Hat, WordPress";
    /// A subject that a program or device begins so.
    MachineSubject = "machine-subject", "cron, anacron, Logwatch, Veeam, Nagios, Ricoh and others";
    /// A program or device that writes by itself names itself as what wrote the message.
    Program = "program", "SAP, Synology, APC, HP, Ricoh, Nagios, Veeam and others";
    /// Sent by a script's library, as notices are, and what visitors write in forms.
    Script = "script", "PHPMailer, Swift Mailer, Nodemailer, JavaMail and others";
    /// A program on the server itself handed the message in.
    LocalProgram = "local-program", "Postfix, qmail, Exim, Sendmail";
    /// A field whose name speaks of templates or notices.
    TemplateField = "template-field", "PayPal, Xero, DocuSign and others";
    /// A service or site sends, perhaps in the name of somebody, by the author's name or domain.
    ForSomebody = "for-somebody", "habit of services";
    /// A program that is not known names itself as what wrote the message.
    OtherProgram = "other-program", "habit";
    /// A service sends for the author, by the field Sender.
    ServiceSender = "service-sender", "RFC 5322 section 3.6.2; SharePoint, Google Calendar";
    /// Nobody speaks in the text: no `I`, no question, no author's name below.
    Impersonal = "impersonal", "habit";
    /// The text has nothing but HTML, as programs for people do not send it.
    HtmlOnly = "html-only", "habit";
    /// A page on the web is to be opened, and nobody speaks.
    Link = "link", "habit";
    /// A web server is in the reverse-path.
    ServerPath = "server-path", "Debian, Red Hat";
    /// The message id was made up at a host without a domain.
    BareHost = "bare-host", "habit of devices";
    /// The author's display name is that of a program or device.
    ProgramName = "program-name", "habit";
    /// Text in the phrases of templates.
    NoticeText = "notice-text", "habit";
    /// Several phrases of templates, and nobody's first person.
    NoticeTemplate = "notice-template", "habit";
    /// Text about what programs write of, and people as well.
    NoticeTopic = "notice-topic", "habit";
    /// A subject of notices, wherever it stands there.
    NoticeSubject = "notice-subject", "habit";
    /// Text of labels and values.
    Records = "records", "habit";
    /// Text that says of itself that a machine wrote it.
    AutomaticText = "automatic-text", "habit";
    /// A loop mark, of whomever.
    LoopMark = "loop-mark", "procmail and others";

    // Sent to many.
    /// A field of mailing lists.
    ListField = "list-field", "RFC 2919, RFC 2369";
    /// The list or sender can be left, and nothing else says that it is a list.
    ListUnsubscribe = "list-unsubscribe", "RFC 2369, RFC 8058";
    /// A field of list managers from before the RFCs.
    ListManagerField = "list-manager-field", "Mailman, ezmlm, Majordomo, LISTSERV, Sympa";
    /// `Precedence: list`.
    ListPrecedence = "list-precedence", "RFC 3834 section 2";
    /// The reverse-path or Sender is the owner of a list.
    ListOwner = "list-owner", "RFC 5230 section 4.6, RFC 2142 section 6";
    /// Answers go to an address that the message was sent to, and not to its author.
    ReplyToList = "reply-to-list", "Majordomo, Mailman";
    /// Errors go elsewhere than to the sender.
    ErrorsTo = "errors-to", "RFC 2076";
    /// A number for feedback about a sender in bulk.
    FeedbackId = "feedback-id", "Google";
    /// A field of a service that sends in bulk.
    BulkService = "bulk-service", "Amazon SES, SendGrid, Mailgun, Postmark and others";
    /// The number of a campaign.
    Campaign = "campaign", "Mailchimp and others";
    /// The recipient stands in the reverse-path.
    Verp = "verp", "VERP (qmail)";
    /// Text that offers, at its end, not to send more.
    OptOut = "opt-out", "habit";
    /// Text that speaks to many.
    ToMany = "to-many", "habit";
    /// Text about why the message comes, as senders in bulk put it below theirs.
    BulkText = "bulk-text", "habit";
    /// A picture of one pixel, by which its sender learns who reads.
    TrackingPixel = "tracking-pixel", "habit";
    /// Several phrases about how no more is sent.
    OptOutTemplate = "opt-out-template", "habit";
    /// Many recipients are named, at many domains.
    ManyRecipients = "many-recipients", "habit";
    /// No recipient is named, or the author alone.
    Undisclosed = "undisclosed-recipients", "RFC 5322 section 3.4";
    /// A subject of a letter to many.
    NewsletterSubject = "newsletter-subject", "habit";

    // Only about answering.
    /// A machine passed it on.
    Forwarded = "auto-forwarded", "Redmine; RFC 3834 section 5";
    /// Traces of a server that passed it on.
    Relayed = "relayed", "RFC 5322 section 3.6.6, SRS; Google, Exchange, Dovecot";
    /// The recipient's own list, or the address of a team, passed it on.
    OwnList = "own-list", "Google Groups, Mailman, Sympa";
    /// The sender is a list's command address, a postmaster, or wants no answer.
    SystemSender = "system-sender", "RFC 5230 section 4.6";
    /// It went through one of its recipients before.
    OwnLoopMark = "own-loop-mark", "procmail and others";
    /// Its sender is one of its recipients.
    OwnAddress = "own-address", "RFC 5230 section 4.5";

    // For a person.
    /// `Auto-Submitted: no`.
    NotAutomatic = "not-automatic", "RFC 3834 section 5";
    /// Text as people write it, who speak of themselves, ask, and put their name below.
    Letter = "letter", "habit";
    /// Somebody is asked something.
    Asks = "asks", "habit";
    /// The author says `I`.
    FirstPerson = "first-person", "habit";
    /// The fields of a form in which a visitor wrote.
    Form = "form", "habit";
    /// Lines are broken as mail programs break what is typed in them.
    Flowed = "flowed", "RFC 3676 section 4";
    /// A mailbox's rule passed it on in the mailbox's own name.
    RuleForward = "rule-forward", "Exchange";
    /// Answers go to somebody at another domain: perhaps a form passes on what a person wrote in
    /// it.
    ReplyElsewhere = "reply-elsewhere", "habit";
    /// Answers go to somebody who reads them, at the author's own domain.
    ReplyNamed = "reply-named", "habit";
    /// Written in answer to something.
    Correspondence = "correspondence", "RFC 5322 section 3.6.4";
    /// In a thread of Outlook's, answer or not.
    Threaded = "threaded", "MS-OXOMSG, Thread-Index";
    /// A person's mail program wrote it.
    MailProgram = "mail-program", "habit; Gmail, Exchange";
    /// An answer with text of its own, under a subject of its kind.
    TypedReply = "typed-reply", "RFC 5322 section 3.6.4";
    /// Text of its own, before any quotation.
    OwnText = "own-text", "habit";
    /// Something older is quoted.
    Quotation = "quotation", "habit";
    /// A subject that begins as answers do.
    AnswerSubject = "answer-subject", "RFC 5322 section 3.6.5";
    /// The message that it answers came from a recipient's domain.
    AnswersUs = "answers-us", "RFC 5322 section 3.6.4";
}
