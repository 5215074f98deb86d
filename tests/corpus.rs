//! Real chart renders. They are third-party text and not part of this repository: the tests run
//! where `ROUTING_SECRETS_CORPUS` names the folder that holds them, as `.ci/run` does.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use support::{Files, Tls, three};

const RENDERS: [&str; 12] = [
    "argo-cd",
    "bitnami-gitea",
    "bitnami-keycloak",
    "dex",
    "epinio-application",
    "epinio-application-stateful",
    "epinio-server",
    "harbor-auto",
    "home-assistant-ingressroute",
    "kube-prometheus-stack",
    "stakater-application",
    "traefik",
];

fn render(name: &str) -> Vec<u8> {
    let folder =
        std::env::var_os("ROUTING_SECRETS_CORPUS").expect("ROUTING_SECRETS_CORPUS names the folder of renders");
    let path = PathBuf::from(folder).join(format!("{name}.yaml"));
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn plan(files: &Files, input: &[u8]) -> Value {
    let run = files.plan(&["-o", "json"], input);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    serde_json::from_slice(&run.stdout).unwrap()
}

/// The parts of a plan as `KIND NAME FROM → TO`, `KIND NAME KEY DECISION`, `NAME DECISION CODE`.
fn rows(plan: &Value) -> (Vec<String>, Vec<String>, Vec<String>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let array = |key: &str| plan[key].as_array().unwrap().clone();
    let slots = array("slots").into_iter().map(|slot| {
        let to: Vec<String> = slot["to"].as_array().unwrap().iter().map(|to| text(&to["secretName"])).collect();
        let outcome = if to.is_empty() { text(&slot["reason"]["code"]) } else { to.join("+") };
        format!("{} -> {outcome}", text(&slot["from"]))
    });
    let triggers = array("triggers")
        .iter()
        .map(|trigger| {
            format!("{} {} {}", text(&trigger["object"]["name"]), text(&trigger["key"]), text(&trigger["decision"]))
        })
        .collect();
    let certificates = array("certificates")
        .iter()
        .map(|certificate| {
            let code = text(&certificate["reason"]["code"]);
            format!("{} {} {code}", text(&certificate["object"]["name"]), text(&certificate["decision"]))
        })
        .collect();
    (slots.collect(), triggers, certificates)
}

#[test]
#[ignore = "needs ROUTING_SECRETS_CORPUS"]
fn without_secrets_every_render_comes_back_byte_for_byte() {
    let files = Files::new(&[]);
    for name in RENDERS {
        let input = render(name);
        let run = files.post_render(&[], &input);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{name}");
        assert!(run.stdout == input, "{name} has changed");
    }
}

#[test]
#[ignore = "needs ROUTING_SECRETS_CORPUS"]
fn a_second_run_changes_nothing() {
    let files = Files::new(&three());
    for name in RENDERS {
        let once = files.post_render(&[], &render(name));
        let twice = files.post_render(&[], &once.stdout);
        assert_eq!((twice.code, twice.stderr.as_str()), (0, ""), "{name}");
        assert!(twice.stdout == once.stdout, "{name} changes again");
    }
}

/// Worked out by hand from the renders.
#[test]
#[ignore = "needs ROUTING_SECRETS_CORPUS"]
fn the_plans_are_those_worked_out_by_hand() {
    type Row = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);
    const ISSUER: &str = "cert-manager.io/cluster-issuer";
    let rows_by_hand: [Row; 12] = [
        (
            "argo-cd",
            &["argocd-server-tls -> wild"],
            &["rel-argocd-server ISSUER removed"],
            &["rel-argocd-server kept readByName"],
        ),
        ("bitnami-gitea", &["app.apps.example.com-tls -> wild"], &["rel-gitea ISSUER removed"], &[]),
        (
            "bitnami-keycloak",
            &["app.apps.example.com-tls -> wild"],
            &["rel-keycloak ISSUER removed"],
            &["rel-keycloak-ca-crt kept ca", "rel-keycloak-crt kept noSlot"],
        ),
        ("dex", &["d-tls -> wild"], &["rel-dex kubernetes.io/tls-acme removed"], &[]),
        (
            "epinio-application",
            &[
                "rapp1-r1-tls-9251834896f104d419e24b58fbd45f0d8ae5a9d6 -> wild",
                "rapp1-r2-tls-b1aa6cefe44df4c920f4d6bc36a1807f9e4d6ce0 -> other",
            ],
            &[],
            &[
                "rapp1-r1-e0d212f5531c5e6e7115ae386635dc033d8211ec dropped unused",
                "rapp1-r2-016f87db1b9e93eeb3499fd74238295e088865fb dropped unused",
            ],
        ),
        (
            "epinio-application-stateful",
            &["r-9251834896f104d419e24b58fbd45f0d8ae5a9d6 -> wild"],
            &[],
            &["r-e0d212f5531c5e6e7115ae386635dc033d8211ec dropped unused"],
        ),
        (
            "epinio-server",
            &["dex-tls -> secretNeeded", "epinio-tls -> wild"],
            &["dex ISSUER left"],
            &["epinio-registry kept noSlot", "epinio dropped unused", "epinio-ca kept ca"],
        ),
        ("harbor-auto", &["rel-harbor-ingress -> wild"], &[], &[]),
        ("home-assistant-ingressroute", &["ha-tls -> notCovered"], &[], &["app.apps.example.com kept slotLeft"]),
        (
            "kube-prometheus-stack",
            &["am-tls -> wild", "p-tls -> wild"],
            &["rel-kube-prometheus-stack-prometheus ISSUER removed"],
            &["rel-kube-prometheus-stack-root-cert kept ca", "rel-kube-prometheus-stack-admission kept noSlot"],
        ),
        ("stakater-application", &["app-tls -> wild"], &["app ISSUER removed"], &["app-certificate dropped unused"]),
        // The Gateway's listener says `*.apps.example.com`, which in that kind is every name below (R2).
        ("traefik", &["gw-tls -> wildcardSpansLabels", "t-tls -> wild"], &[], &[]),
    ];
    let files = Files::new(&three());
    for (name, slots, triggers, certificates) in rows_by_hand {
        let found = rows(&plan(&files, &render(name)));
        let triggers: Vec<String> = triggers.iter().map(|row| row.replace("ISSUER", ISSUER)).collect();
        assert_eq!(found.0, slots, "{name}");
        assert_eq!(found.1, triggers, "{name}");
        assert_eq!(found.2, certificates, "{name}");
    }
}

#[test]
#[ignore = "needs ROUTING_SECRETS_CORPUS"]
fn home_assistant_is_rewritten_when_one_secret_covers_both_hosts() {
    let files = Files::new(&[Tls::new("demo", "both", &["*.apps.example.com", "ha.example.org"])]);
    let found = rows(&plan(&files, &render("home-assistant-ingressroute")));
    assert_eq!(found.0, ["ha-tls -> both"]);
    assert_eq!(found.2, ["app.apps.example.com dropped unused"]);
}

#[test]
#[ignore = "needs ROUTING_SECRETS_CORPUS"]
fn what_else_a_person_should_know_is_a_warning() {
    let files = Files::new(&three());
    let codes = |name: &str| -> Vec<String> {
        let plan = plan(&files, &render(name));
        let warnings = plan["warnings"].as_array().unwrap();
        warnings.iter().map(|warning| warning["code"].as_str().unwrap().to_owned()).collect()
    };
    assert!(codes("harbor-auto").contains(&"chartMadeSecret".to_owned()));
    assert!(codes("stakater-application").contains(&"issuersDiffer".to_owned()));
}

#[test]
#[ignore = "needs ROUTING_SECRETS_CORPUS"]
fn argo_cd_changes_in_the_slot_and_the_trigger_and_nothing_else() {
    let input = render("argo-cd");
    let run = Files::new(&three()).post_render(&[], &input);
    let expected = String::from_utf8(input)
        .unwrap()
        .replace("  annotations:\n    cert-manager.io/cluster-issuer: \"letsencrypt-prod\"\n", "")
        .replace("      secretName: argocd-server-tls\n---", "      secretName: wild\n---");
    assert!(run.text() == expected);
}
