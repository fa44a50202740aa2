//! SNMPv3 with the user-based security model.

use libtest_mimic::Failed;
use ridethrough_targets::supervisor::snmp::{AuthProtocol, PrivProtocol, SnmpConfig, UsmUser};
use ridethrough_targets::telemetry::DeviceCommand;

use crate::peer::{Peer, check};
use crate::read::has;
use crate::site::{APC, Site, UPS};

const AUTH: &str = "authpassword";
const PRIV: &str = "privpassword";

fn user(name: &str, auth: Option<AuthProtocol>, privacy: bool) -> UsmUser {
    UsmUser {
        name: name.into(),
        auth,
        auth_password: AUTH.into(),
        privacy: privacy.then_some(PrivProtocol::Aes128),
        priv_password: PRIV.into(),
        write: name == "admin",
    }
}

async fn site() -> Result<Site, Failed> {
    let users = vec![
        user("plain", None, false),
        user("md5", Some(AuthProtocol::Md5), false),
        user("sha", Some(AuthProtocol::Sha1), true),
        user("sha256", Some(AuthProtocol::Sha256), true),
        user("admin", Some(AuthProtocol::Sha256), true),
    ];
    let config = SnmpConfig {
        users,
        ..SnmpConfig::default()
    };
    Site::start(config).await
}

fn private<'a>(user: &'a str, auth: &'a str) -> Vec<&'a str> {
    vec![
        "-v3", "-u", user, "-l", "authPriv", "-a", auth, "-A", AUTH, "-x", "AES", "-X", PRIV,
    ]
}

pub(crate) async fn levels(snmpget: Peer) -> Result<(), Failed> {
    let site = site().await?;
    let source = format!("{UPS}.4.1.0");
    let open = vec!["-v3", "-u", "plain", "-l", "noAuthNoPriv"];
    let md5 = vec![
        "-v3",
        "-u",
        "md5",
        "-l",
        "authNoPriv",
        "-a",
        "MD5",
        "-A",
        AUTH,
    ];
    for options in [
        open,
        md5,
        private("sha", "SHA"),
        private("sha256", "SHA-256"),
    ] {
        let output = site.run(&snmpget, &options, &[&source]).await?;
        has(&output, &[format!(".{source} = INTEGER: 3")])?;
    }
    let name = "1.3.6.1.2.1.1.5.0";
    let options = [private("sha", "SHA"), vec!["-n", "ups-b"]].concat();
    let output = site.run(&snmpget, &options, &[name]).await?;
    has(&output, &[format!(".{name} = STRING: \"ups-b\"")])
}

pub(crate) async fn refused(snmpget: Peer) -> Result<(), Failed> {
    let site = site().await?;
    let source = format!("{UPS}.4.1.0");
    let mut wrong = private("sha", "SHA");
    wrong[8] = "not the password";
    let mut garbled = private("sha", "SHA");
    garbled[12] = "not the password";
    for (options, error) in [
        (private("nobody", "SHA"), "Unknown user name"),
        (wrong, "Authentication failure"),
        (garbled, "Decryption error"),
        (private("md5", "MD5"), "Unsupported security level"),
        (
            vec!["-v3", "-u", "sha", "-l", "noAuthNoPriv"],
            "authorizationError",
        ),
        (
            [private("sha", "SHA"), vec!["-n", "nowhere"]].concat(),
            "Bad context specified",
        ),
    ] {
        let output = site.run(&snmpget, &options, &[&source]).await?;
        let saw = format!("{error}: {} {}", output.out, output.err);
        let said = output.err.to_lowercase() + &output.out.to_lowercase();
        check(!output.good && said.contains(&error.to_lowercase()), saw)?;
    }
    Ok(())
}

pub(crate) async fn bulk(snmpbulkwalk: Peer) -> Result<(), Failed> {
    let site = site().await?;
    let secret = site
        .run(&snmpbulkwalk, &private("sha256", "SHA-256"), &[UPS])
        .await?;
    let open = ["-v2c", "-c", "public"];
    let open = site.run(&snmpbulkwalk, &open, &[UPS]).await?;
    check(secret.good && secret.out == open.out, secret.out)
}

pub(crate) async fn sets(snmpset: Peer) -> Result<(), Failed> {
    let mut site = site().await?;
    let off = format!("{APC}.1.6.2.1.0");
    let rest = [off.as_str(), "i", "2"];
    let output = site.run(&snmpset, &private("sha", "SHA"), &rest).await?;
    check(!output.good && output.err.contains("noAccess"), output.err)?;
    let output = site
        .run(&snmpset, &private("admin", "SHA-256"), &rest)
        .await?;
    check(output.good, output.err)?;
    let (_, order) = site.order().await?;
    check(
        order == DeviceCommand::Output { on: false },
        format!("{order:?}"),
    )
}
