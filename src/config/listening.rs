//! `[server] tls`, and which addresses may be listened at.
//!
//! Invariants: an address that other machines reach is listened at over TLS only, or where the operator says that it
//! need not be; certificates that do not serve are problems of the file.
//!
//! Not here: what a certificate must be (`tls`), who may come in (`key`).

use super::fields::Fields;
use super::params::Server;
use crate::clock::{Clock, SystemClock};
use crate::tls::Files;
use std::net::SocketAddr;
use std::path::Path;

/// Reads the table, and looks at the files as a start does. Paths are relative to `dir`.
pub(super) fn tls(server: &Fields<'_>, dir: &Path) -> Option<Files> {
    if !server.has("tls") {
        server.know(&["tls"]);
        return None;
    }
    let fields = server.table("tls")?;
    let path = |text: &str| dir.join(text);
    let certificate = fields.required("certificate", Fields::text).map(path);
    let key = fields.required("key", Fields::text).map(path);
    let client_ca = fields.text("client_ca").map(path);
    let files = certificate.zip(key).map(|(certificate, key)| Files {
        certificate,
        key,
        client_ca,
    });
    // The machine's clock: whether a certificate holds is asked of now, by a check as by a start.
    let checked = files.as_ref().map(|files| files.check(SystemClock.now()));
    if let Some(Err(error)) = checked {
        fields.problem(error.field, &error.fault.to_string(), error.fault.allowed());
    }
    fields.done();
    files
}

/// That no address lets other machines in without TLS, unless the file says so.
pub(super) fn boundaries(fields: &Fields<'_>, server: &Server) {
    let plain = fields.flag("allow_plaintext").unwrap_or(false);
    let open = |at: Option<SocketAddr>| at.is_some_and(|at| !at.ip().is_loopback());
    let problem = "other machines could read along";
    let doors = [
        ("listen", Some(server.listen)),
        ("http_listen", server.http_listen),
        ("admin_listen", server.admin_listen),
    ];
    for (name, at) in doors {
        // A table with problems of its own is enough to be told of.
        if open(at) && !fields.has("tls") && !plain {
            let allowed = "a loopback address, or any with `tls` or with `allow_plaintext = true`";
            fields.problem(name, problem, allowed);
        }
    }
    if open(server.metrics_listen) && !plain {
        let allowed = "a loopback address, or any with `allow_plaintext = true`: metrics are told without TLS and keys";
        fields.problem("metrics_listen", problem, allowed);
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Problem, load, render};
    use std::path::Path;

    /// A configuration with this in `[server]`; its problems, without where they stand.
    fn problems(dir: &Path, server: &str) -> String {
        let scorecard = Path::new(env!("CARGO_MANIFEST_DIR")).join("evals/scorecards/coding.toml");
        let text = format!(
            "[server]\n{server}\n[store]\ndir = \"state\"\n\
             [[teams]]\nname = \"coding\"\nscorecard = '{}'\n\
             [[keys]]\nname = \"ci\"\nteam = \"coding\"\nscopes = [\"route\"]\n\
             sha256 = \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"\n\
             [[arms]]\nname = \"a\"\ncontext_tokens = 1000\n\
             [[endpoints]]\nname = \"e\"\narm = \"a\"\nprovider = \"simulated\"\n\
             prices = [{{ input_usd_per_million = 1, output_usd_per_million = 2 }}]\n",
            scorecard.display()
        );
        let path = dir.join("bellwether.toml");
        std::fs::write(&path, text).unwrap();
        let mut problems = load(&path).err().unwrap_or_default();
        for Problem { file, .. } in &mut problems {
            *file = "f".into();
        }
        match problems.as_slice() {
            [] => String::new(),
            problems => render(problems),
        }
    }

    fn check(server: &str, expected: &[&str]) {
        let dir = tempfile::tempdir().unwrap();
        let found = problems(dir.path(), server);
        assert_eq!(found.matches("\n  f").count(), expected.len(), "{found}");
        for problem in expected {
            assert!(found.contains(problem), "{problem} is not in {found}");
        }
    }

    /// A certificate of its own, and its key.
    fn written(dir: &Path) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(dir.join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(dir.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    }

    #[test]
    fn an_address_that_others_reach_needs_tls_or_a_word() {
        let refused = "other machines could read along; allowed a loopback address, or any with";
        for at in ["0.0.0.0:1", "192.168.1.1:1", "[::]:1"] {
            check(&format!("listen = \"{at}\""), &[refused]);
        }
        check(
            "http_listen = \"0.0.0.0:1\"",
            &[&format!("server.http_listen = \"0.0.0.0:1\": {refused}")],
        );
        check("admin_listen = \"0.0.0.0:1\"", &["server.admin_listen = "]);
        check(
            "metrics_listen = \"0.0.0.0:1\"",
            &["metrics are told without TLS and keys"],
        );
        let all = "listen = \"0.0.0.0:1\"\nhttp_listen = \"0.0.0.0:2\"\nadmin_listen = \"0.0.0.0:3\"\n\
                   metrics_listen = \"0.0.0.0:4\"";
        check(
            all,
            &[
                "server.listen",
                "server.http_listen",
                "server.admin_listen",
                "server.metrics_listen",
            ],
        );
        check(&format!("{all}\nallow_plaintext = true"), &[]);
        check(
            &format!("{all}\nallow_plaintext = false"),
            &[
                "server.listen",
                "server.metrics_listen",
                "server.http_listen",
                "server.admin_listen",
            ],
        );
        for at in ["127.0.0.1:1", "127.1.2.3:1", "[::1]:1"] {
            check(
                &format!("listen = \"{at}\"\nmetrics_listen = \"{at}\""),
                &[],
            );
        }
    }

    #[test]
    fn with_tls_any_address_will_do_but_for_metrics() {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path());
        let tls =
            "tls = { certificate = \"cert.pem\", key = \"key.pem\", client_ca = \"cert.pem\" }\n";
        let doors =
            "listen = \"0.0.0.0:1\"\nhttp_listen = \"0.0.0.0:2\"\nadmin_listen = \"0.0.0.0:3\"";
        assert_eq!(problems(dir.path(), &format!("{tls}{doors}")), "");
        let metrics = problems(dir.path(), &format!("{tls}metrics_listen = \"0.0.0.0:4\""));
        assert!(metrics.contains("3: server.metrics_listen = "), "{metrics}");
    }

    #[test]
    fn files_that_do_not_serve_are_problems_of_their_fields() {
        let missing = "2: server.tls.certificate = \"c.pem\": cannot be read: entity not found; allowed a file that this process may read";
        check(
            "tls = { certificate = \"c.pem\", key = \"k.pem\" }",
            &[missing],
        );
        check(
            "tls = { certificate = \"c.pem\" }",
            &["server.tls.key: is required"],
        );
        check(
            "tls = \"c.pem\"",
            &["server.tls = \"c.pem\": wrong type; allowed a table"],
        );
        check(
            "tls = { cert = \"c.pem\" }",
            &[
                "server.tls.certificate: is required",
                "server.tls.key: is required",
                "server.tls.cert: is not a field; allowed certificate, key, client_ca",
            ],
        );
        let dir = tempfile::tempdir().unwrap();
        written(dir.path());
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(
            dir.path().join("key.pem"),
            other.signing_key.serialize_pem(),
        )
        .unwrap();
        let found = problems(
            dir.path(),
            "tls = { certificate = \"cert.pem\", key = \"key.pem\" }",
        );
        assert!(
            found.contains("server.tls.key = \"key.pem\": does not belong to the certificate"),
            "{found}"
        );
    }
}
