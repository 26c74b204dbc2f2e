//! A trusted proxy that names the user of a retired credential gets the same temporary refusal: its
//! client keeps the mail, too.

use crate::Site;

#[test]
fn a_proxy_hears_of_the_grace_period() {
    let site = Site::start();
    let credential = site.inbound();
    let speak = |code| {
        let mut client = site.relay.client("mx");
        client.ehlo();
        let login = format!("XCLIENT ADDR=192.0.2.7 LOGIN={}", credential.user);
        client.command(&login, code);
    };
    speak(220);
    (site.relay).json(&["credential", "retire", &credential.user, "--force"]);
    speak(454);
    site.relay.json(&["credential", "cancel", &credential.user]);
    speak(535);
    site.ends();
}
