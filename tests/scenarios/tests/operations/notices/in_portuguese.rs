//! The senders of an account are told in its language, whatever the rest of the site speaks.

use test_support::{RelayBuilder, Sink};

use super::{CHAIN, Notice, submit_as_user};

const MESSAGE: &[u8] = b"From: Ann <ann@sender.example>\r\n\
    Subject: =?utf-8?Q?Reuni=C3=A3o?=\r\n\
    \r\n\
    At\xc3\xa9 amanh\xc3\xa3!\r\n";

#[test]
fn notices_are_in_the_accounts_language() {
    let sink = Sink::with(&["--fail-rcpt", "gone@"]);
    let relay = RelayBuilder::usual(sink.address())
        .replace(CHAIN, "chain = []")
        .replace("id = \"acme\"", "id = \"acme\"\nlanguage = \"pt\"")
        .start();
    submit_as_user(&relay, "", "gone@desk.example", "", MESSAGE);
    let taken = sink.take();
    // What travels is ASCII, and says which characters it stands for.
    assert!(taken.bytes().is_ascii());
    let subject = taken.header("Subject").unwrap();
    assert!(subject.starts_with("=?utf-8?"), "{subject}");
    let notice = Notice::read(&taken.bytes());
    assert_eq!(notice.subject, "Não entregue: Reunião");
    for words in [
        "A sua mensagem \"Reunião\" de ",
        "não pôde ser entregue a este destinatário",
        "Não existe nenhuma caixa de correio com este nome.",
    ] {
        assert!(notice.text.contains(words), "{words}: {}", notice.text);
    }
    assert!(notice.status.contains("Action: failed\r\n"));
    relay.leaves_nothing(sink);
}
