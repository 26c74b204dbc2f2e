//! A command and a relay of other versions tell so, and the relay executes nothing.

use gatepost_operations::policies::ListPolicies;
use gatepost_operations::{call, path};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixListener;

/// A relay of before had one enum of answers, and a request was named by its field `request`.
#[tokio::test]
async fn an_answer_of_another_version_is_an_error_that_names_the_version() {
    let store = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(path(store.path())).unwrap();
    let relay = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = stream.into_split();
        let mut line = String::new();
        let mut reader = BufReader::new(reader);
        reader.read_line(&mut line).await.unwrap();
        let answer = b"{\"failed\":\"not a request\"}\n";
        writer.write_all(answer).await.unwrap();
        line
    });
    let error = call(store.path(), &ListPolicies {}).await.unwrap_err();
    let told = error.to_string();
    assert!(told.contains("is it of the same version"), "{told}");
    // An older relay finds no name in `request`, so it refuses the line.
    let asked: serde_json::Value = serde_json::from_str(&relay.await.unwrap()).unwrap();
    assert!(asked["request"].is_object(), "{asked}");
    assert_eq!(asked["operation"], "policy-list");
}
