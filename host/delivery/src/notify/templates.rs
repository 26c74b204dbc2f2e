//! Texts of notices: one template for each action and language, and the reasons; and the texts of
//! letters to administrators.
//!
//! A template is like a message: a `From:` line with the display name of the notice's author, a
//! `Subject:` line, an empty line, and the text, one line for each paragraph. Templates are
//! Jinja's, with [`Values`] as placeholders. All are compiled in; a folder may replace any of them,
//! and its errors are reported at start.

use std::fmt;
use std::path::{Path, PathBuf};

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

use super::letter::{AlertValues, CodeValues};
use super::reasons::Reasons;
use super::text::Values;
use super::{Action, Language};

/// Name of the file with the reasons of a language.
const REASONS: &str = "reasons.toml";

/// Lists the compiled-in files: language, file and text.
macro_rules! builtin {
    ($($language:literal / $file:literal),* $(,)?) => {
        [$(($language, $file, include_str!(concat!("../../templates/", $language, "/", $file)))),*]
    };
}

const BUILTIN: [(&str, &str, &str); 16] = builtin![
    "en" / "failed.txt",
    "en" / "delayed.txt",
    "en" / "relayed.txt",
    "en" / "delivered.txt",
    "en" / "suppressed.txt",
    "en" / "alert.txt",
    "en" / "code.txt",
    "en" / "reasons.toml",
    "pt" / "failed.txt",
    "pt" / "delayed.txt",
    "pt" / "relayed.txt",
    "pt" / "delivered.txt",
    "pt" / "suppressed.txt",
    "pt" / "alert.txt",
    "pt" / "code.txt",
    "pt" / "reasons.toml",
];

/// Kind of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TemplateKind {
    /// Notice to a sender.
    Notice(Action),
    /// Alert to an administrator.
    Alert,
    /// Code with which an administrator proves an address.
    Code,
}

impl TemplateKind {
    /// Returns all kinds.
    fn all() -> impl Iterator<Item = Self> {
        let notices = Action::ALL.into_iter().map(Self::Notice);
        notices.chain([Self::Alert, Self::Code])
    }

    fn file(self) -> String {
        let word = match self {
            Self::Notice(action) => action.word(),
            Self::Alert => "alert",
            Self::Code => "code",
        };
        format!("{word}.txt")
    }

    /// Returns the name of the template in a language.
    fn name(self, language: &str) -> String {
        format!("{language}/{}", self.file())
    }

    /// Returns sample values, with which a template is tried.
    fn samples(self) -> Vec<Value> {
        fn values<V: Serialize>(samples: Vec<V>) -> Vec<Value> {
            samples.iter().map(|of| Value::from(Serde(of))).collect()
        }
        match self {
            Self::Notice(_) => values(Values::samples()),
            Self::Alert => values(AlertValues::samples()),
            Self::Code => values(vec![CodeValues::sample()]),
        }
    }

    /// Returns the names of all placeholders.
    fn placeholders(self) -> Vec<String> {
        let samples = self.samples();
        let first = samples.first().and_then(|of| of.try_iter().ok());
        let names = first.into_iter().flatten();
        names.map(|name| name.to_string()).collect()
    }
}

/// One error in a folder of templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// Path of the file, or of the folder.
    pub file: PathBuf,
    /// Line number, if it is known.
    pub line: Option<usize>,
    /// Description of the error, and advice.
    pub message: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for TemplateError {}

/// All errors in a folder of templates, a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateErrors(pub Vec<TemplateError>);

impl fmt::Display for TemplateErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for TemplateErrors {}

/// A rendered template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RenderedTemplate {
    /// Display name of the notice's author.
    pub(super) from: String,
    pub(super) subject: String,
    pub(super) text: String,
}

/// Texts of notices in use.
#[derive(Debug)]
pub struct Templates {
    builtin: TemplateSet,
    /// The operator's templates, merged over the built-in ones.
    own: Option<TemplateSet>,
}

/// Templates and reasons by language.
#[derive(Debug)]
struct TemplateSet {
    templates: Environment<'static>,
    reasons: Vec<(Language, Reasons)>,
}

impl Templates {
    /// Returns the compiled-in templates.
    pub fn builtin() -> Self {
        let mut builtin = TemplateSet::empty();
        for (language, file, text) in BUILTIN {
            builtin
                .add(language, file, text)
                .unwrap_or_else(|error| unreachable!("built-in templates are tested: {error}"));
        }
        Self { builtin, own: None }
    }

    /// Loads the templates of a folder, which has a folder for each language with any of the files
    /// that are compiled in; the others are as compiled in.
    ///
    /// # Errors
    /// The folder cannot be read, holds another file, or a template with an error: all errors, with
    /// file, line and placeholder.
    pub fn load(folder: &Path) -> Result<Self, TemplateErrors> {
        let mut templates = Self::builtin();
        let mut own = Self::builtin().builtin;
        let mut errors = Vec::new();
        for (file, language) in entries(folder, true, &mut errors) {
            let tags = Language::ALL.map(Language::tag);
            if !tags.contains(&language.as_str()) {
                errors.push(TemplateError {
                    file,
                    line: None,
                    message: format!(
                        "`{language}` is not a language of notices; there are {}",
                        tags.join(" and ")
                    ),
                });
                continue;
            }
            for (path, name) in entries(&file, false, &mut errors) {
                let text = match gatepost_files::read_text(&path, gatepost_files::SETTINGS) {
                    Ok(text) => text,
                    Err(error) => {
                        errors.push(unreadable(path, &error.into()));
                        continue;
                    }
                };
                if let Err(error) = own.add(&language, &name, &text) {
                    errors.push(TemplateError {
                        file: path,
                        ..error
                    });
                }
            }
        }
        if !errors.is_empty() {
            return Err(TemplateErrors(errors));
        }
        templates.own = Some(own);
        Ok(templates)
    }

    /// Lists every file that a folder may have.
    pub fn files(folder: &Path) -> Vec<PathBuf> {
        let files = BUILTIN.iter();
        files
            .map(|(language, file, _)| folder.join(language).join(file))
            .collect()
    }

    /// Returns the reasons of a language.
    pub(super) fn reasons(&self, language: Language) -> &Reasons {
        let set = self.own.as_ref().unwrap_or(&self.builtin);
        set.reasons(language)
    }

    /// Writes a notice. A template that passed its trial at start and fails nevertheless, for
    /// unforeseen values, is replaced by the built-in one: the sender is told in any case.
    pub(super) fn write(
        &self,
        language: Language,
        action: Action,
        values: &Values,
    ) -> RenderedTemplate {
        self.render(language, TemplateKind::Notice(action), values)
    }

    /// Writes a text of this kind, as [`Templates::write`] does.
    pub(super) fn render(
        &self,
        language: Language,
        kind: TemplateKind,
        values: &impl Serialize,
    ) -> RenderedTemplate {
        let name = kind.name(language.tag());
        let values = Value::from(Serde(values));
        let own = self
            .own
            .as_ref()
            .map(|own| own.write(&name, values.clone()));
        let written = match own {
            Some(Err(error)) => {
                tracing::error!(
                    template = name,
                    %error,
                    "a template failed, the built-in one is used"
                );
                self.builtin.write(&name, values.clone())
            }
            Some(written) => written,
            None => self.builtin.write(&name, values.clone()),
        };
        written.unwrap_or_else(|error| {
            tracing::error!(template = name, %error, "a built-in template failed");
            RenderedTemplate {
                from: "Mail Delivery System".to_owned(),
                subject: format!("Notice: {}", kind.file()),
                text: format!("{values}"),
            }
        })
    }
}

impl TemplateSet {
    fn empty() -> Self {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_debug(true);
        Self {
            templates,
            reasons: Vec::new(),
        }
    }

    /// Adds a file, if it has no error. An error names only language and file.
    fn add(&mut self, language: &str, file: &str, text: &str) -> Result<(), TemplateError> {
        let wrong = |line, message| TemplateError {
            file: Path::new(language).join(file),
            line,
            message,
        };
        if file == REASONS {
            let reasons = Reasons::parse(text).map_err(|(message, at)| {
                let before = at.and_then(|at| text.get(..at));
                wrong(
                    before.map(|before| before.matches('\n').count() + 1),
                    message,
                )
            })?;
            if let Some(language) = Language::ALL.into_iter().find(|l| l.tag() == language) {
                let others = std::mem::take(&mut self.reasons);
                let (same, mut others): (Vec<_>, Vec<_>) = others
                    .into_iter()
                    .partition(|(other, _)| *other == language);
                let reasons = same
                    .iter()
                    .fold(reasons, |over, (_, under)| over.over(under));
                others.push((language, reasons));
                self.reasons = others;
            }
            return Ok(());
        }
        let known: Vec<_> = TemplateKind::all().map(TemplateKind::file).collect();
        let Some(kind) = TemplateKind::all().find(|kind| file == kind.file()) else {
            let message = format!(
                "`{file}` is none of the files that notices are made of: {}, {REASONS}",
                known.join(", ")
            );
            return Err(wrong(None, message));
        };
        let name = kind.name(language);
        self.templates
            .add_template_owned(name.clone(), text.to_owned())
            .map_err(|error| wrong(error.line(), describe(&error)))?;
        if let Some(unknown) = self.unknown(&name, kind) {
            let at = text.find(&unknown).unwrap_or_default();
            let line = text
                .get(..at)
                .map(|before| before.matches('\n').count() + 1);
            let message = format!(
                "there is no placeholder `{unknown}`; there are {}",
                kind.placeholders().join(", ")
            );
            return Err(wrong(line, message));
        }
        for values in kind.samples() {
            self.write(&name, values)
                .map_err(|error| wrong(error.line(), describe(&error)))?;
        }
        Ok(())
    }

    fn reasons(&self, language: Language) -> &Reasons {
        static NONE: Reasons = Reasons::none();
        let found = self.reasons.iter().find(|(other, _)| *other == language);
        found.map_or(&NONE, |(_, reasons)| reasons)
    }

    /// Returns a placeholder of a template that does not exist, even in a branch that is not
    /// reached.
    fn unknown(&self, name: &str, kind: TemplateKind) -> Option<String> {
        let template = self.templates.get_template(name).ok()?;
        let known = kind.placeholders();
        let globals: Vec<_> = self.templates.globals().map(|(name, _)| name).collect();
        let mut used: Vec<_> = template.undeclared_variables(false).into_iter().collect();
        used.sort();
        used.into_iter()
            .find(|used| !known.contains(used) && !globals.contains(&used.as_str()))
    }

    fn write(&self, name: &str, values: Value) -> Result<RenderedTemplate, minijinja::Error> {
        let text = self.templates.get_template(name)?.render(values)?;
        parse_rendered(&text).map_err(|message| {
            minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message)
        })
    }
}

/// Splits a rendered template into its fields and its text.
fn parse_rendered(text: &str) -> Result<RenderedTemplate, &'static str> {
    const EXPECTED: &str = "a template begins with a line `From: NAME` and a line `Subject: TEXT`, neither empty, an empty line, and then the text";
    let field = |line: Option<&str>, name: &str| {
        let value = line?.strip_prefix(name)?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    };
    let mut lines = text.lines();
    let from = field(lines.next(), "From:");
    let subject = field(lines.next(), "Subject:");
    let empty = lines.next().is_some_and(|line| line.trim().is_empty());
    let text = lines.collect::<Vec<_>>().join("\n");
    match (from, subject) {
        (Some(from), Some(subject)) if empty && !text.trim().is_empty() => Ok(RenderedTemplate {
            from,
            subject,
            text,
        }),
        _ => Err(EXPECTED),
    }
}

fn describe(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// Lists a folder by path and name, sorted: folders or files. Names that begin with a dot are left
/// out.
fn entries(
    folder: &Path,
    folders: bool,
    errors: &mut Vec<TemplateError>,
) -> Vec<(PathBuf, String)> {
    let read = || -> std::io::Result<Vec<(PathBuf, String)>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if !name.starts_with('.') {
                found.push((path, name));
            }
        }
        found.sort();
        Ok(found)
    };
    let found = match read() {
        Ok(found) => found,
        Err(error) => {
            errors.push(unreadable(folder.to_owned(), &error));
            return Vec::new();
        }
    };
    let (wanted, other): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|(path, _)| path.is_dir() == folders);
    errors.extend(other.into_iter().map(|(file, _)| TemplateError {
        file,
        line: None,
        message: match folders {
            true => "a file where only a folder for each language belongs".to_owned(),
            false => "a folder where only templates belong".to_owned(),
        },
    }));
    wanted
}

fn unreadable(file: PathBuf, error: &std::io::Error) -> TemplateError {
    TemplateError {
        file,
        line: None,
        message: format!("cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the error for a folder with this file in it.
    fn error(path: &str, text: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        std::fs::write(&file, text).expect("written");
        let errors = Templates::load(folder.path()).expect_err("wrong");
        assert_eq!(errors.0.len(), 1, "{errors}");
        let first = path.split('/').next().unwrap_or_default();
        assert!(errors.to_string().contains(first), "{errors}");
        errors.to_string()
    }

    #[test]
    fn built_in_templates_have_no_errors() {
        let templates = Templates::builtin();
        for language in Language::ALL {
            for action in Action::ALL {
                for values in Values::samples() {
                    let letter = templates
                        .builtin
                        .write(
                            &TemplateKind::Notice(action).name(language.tag()),
                            Value::from(Serde(&values)),
                        )
                        .expect("in order");
                    assert!(letter.text.contains("bob@b.example"), "{letter:?}");
                    assert!(letter.text.contains("relay.example"), "{letter:?}");
                }
            }
            assert_ne!(templates.reasons(language), &Reasons::default());
        }
    }

    #[test]
    fn every_alert_has_words_of_its_own_in_each_language() {
        let templates = Templates::builtin();
        for language in Language::ALL {
            let mut subjects: Vec<_> = AlertValues::samples()
                .iter()
                .map(|values| templates.render(language, TemplateKind::Alert, values))
                .inspect(|letter| assert!(letter.text.contains("The item"), "{letter:?}"))
                .map(|letter| letter.subject)
                .collect();
            let all = subjects.len();
            subjects.sort();
            subjects.dedup();
            // Each kind comes twice: with a detail, and without.
            assert_eq!((all, subjects.len()), (18, 9), "{subjects:?}");
        }
    }

    #[test]
    fn both_languages_have_the_same_reasons() {
        let of = |language| Templates::builtin().reasons(language).keys();
        assert_eq!(of(Language::En), of(Language::Pt));
    }

    #[test]
    fn files_of_a_folder_replace_the_built_in_ones() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("pt")).expect("a folder");
        std::fs::write(
            folder.path().join("pt/failed.txt"),
            "From: Correio\nSubject: Nada\n\n{% for r in recipients %}{{ r.address }}: {{ r.why }}{% endfor %}\n",
        )
        .expect("written");
        std::fs::write(
            folder.path().join("pt/reasons.toml"),
            "[\"1.1\"]\nwhy = \"Porque sim.\"\nadvice = \"\"\n",
        )
        .expect("written");
        let templates = Templates::load(folder.path()).expect("in order");
        let values = &Values::samples()[1];
        let letter = templates.write(Language::Pt, Action::Failed, values);
        assert_eq!(
            (letter.from.as_str(), letter.text.as_str()),
            ("Correio", "bob@b.example: Why.")
        );
        let english = templates.write(Language::En, Action::Failed, values);
        assert_eq!(english.from, "Mail Delivery System");
        let reply = gatepost_smtp::Reply::new(550, "5.1.1", "");
        assert_eq!(
            templates.reasons(Language::Pt).of(&reply).why,
            "Porque sim."
        );
        let reply = gatepost_smtp::Reply::new(550, "5.1.2", "");
        assert!(
            templates
                .reasons(Language::Pt)
                .of(&reply)
                .why
                .starts_with("O domínio")
        );
    }

    #[test]
    fn an_unknown_placeholder_is_named_with_its_line() {
        let text = error("en/failed.txt", "From: x\nSubject: y\n\n{{ recipent }}\n");
        assert!(
            text.contains("failed.txt:4: there is no placeholder `recipent`"),
            "{text}"
        );
        assert!(text.contains("recipients"), "{text}");
        // Even within a branch that is not taken.
        let text = error(
            "en/failed.txt",
            "From: x\nSubject: y\n\nz{% if false %}{{ nope }}{% endif %}\n",
        );
        assert!(text.contains("`nope`"), "{text}");
    }

    #[test]
    fn an_unknown_placeholder_of_a_recipient_is_named_with_its_line() {
        let text =
            "From: x\nSubject: y\n\n{% for r in recipients %}\n{{ r.adress }}\n{% endfor %}\n";
        let text = error("pt/failed.txt", text);
        assert!(
            text.contains("failed.txt:5:") && text.contains("r.adress"),
            "{text}"
        );
    }

    #[test]
    fn files_that_are_no_templates_are_refused() {
        let text = error("en/failed.txt", "From: x\nSubject: y\n\n{% if %}\n");
        assert!(text.contains("failed.txt:4: syntax error"), "{text}");
        let text = error("en/failed.txt", "Subject: y\n\ntext\n");
        assert!(text.contains("begins with a line `From: NAME`"), "{text}");
        assert!(error("en/fialed.txt", "x").contains("failed.txt, delayed.txt"));
        assert!(error("fr/failed.txt", "x").contains("`fr` is not a language"));
        assert!(error("failed.txt", "x").contains("a folder for each language"));
        let text = error("en/reasons.toml", "\n[\"1.1\"]\nwhy = 3\n");
        assert!(text.contains("reasons.toml:3"), "{text}");
        let nowhere = Templates::load(Path::new("/nowhere/at/all")).expect_err("not there");
        assert!(
            nowhere
                .to_string()
                .contains("/nowhere/at/all: cannot be read")
        );
    }
}
