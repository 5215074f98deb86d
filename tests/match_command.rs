//! `match` over files, as users meet it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use base64::Engine as _;
use routing_secrets::answer::{Answer, of_consumer};
use routing_secrets::inventory::{Inventory, Sources, file};
use routing_secrets::manifest::Manifest;
use routing_secrets::plan::build::literals;
use routing_secrets::plan::{Settings, find};
use routing_secrets::secret::judge;
use serde_json::Value;
use support::{Files, Run, Tls, run, three};

fn matched(secrets: &[Tls], arguments: &[&str]) -> Run {
    let files = Files::new(secrets);
    let inventory = files.inventory();
    run(&[&["match", "-n", "demo", "--inventory", &inventory], arguments].concat(), &[], b"")
}

fn json(run: &Run) -> Value {
    serde_json::from_str(run.text()).unwrap_or_else(|_| panic!("{run:?}"))
}

/// The table's cells, joined by bars.
fn rows(run: &Run) -> Vec<String> {
    let cells = |line: &str| {
        let cells = line.split("   ").map(str::trim).filter(|cell| !cell.is_empty());
        cells.collect::<Vec<_>>().join("|")
    };
    run.text().lines().map(cells).collect()
}

#[test]
fn a_host_has_its_secret_and_every_other_one_its_reason() {
    let mut secrets = three();
    let mut expired = Tls::new("demo", "aaa", &["*.apps.example.com"]);
    expired.years = (2020, 2021);
    secrets.extend([expired, Tls::new("ops", "wild", &["*.apps.example.com"])]);
    let found = matched(&secrets, &["Shop.apps.example.com"]);
    assert_eq!((found.code, found.stderr.as_str()), (0, ""));
    assert_eq!(
        rows(&found),
        [
            "HOSTS|SECRET|SERVES|REASON",
            "Shop.apps.example.com|wild|yes|it covers by a wildcard",
            "Shop.apps.example.com|aaa|no|its certificate expired at 2021-01-01T00:00:00Z",
            "Shop.apps.example.com|ha|no|it covers none of the hosts",
            "Shop.apps.example.com|other|no|it covers none of the hosts",
        ]
    );
    let wide = matched(&secrets, &["shop.apps.example.com", "-o", "wide", "--no-headers"]);
    assert_eq!(rows(&wide)[0], "shop.apps.example.com|wild|yes|it covers by a wildcard|3y39d|*.apps.example.com");
    assert_eq!(rows(&wide)[1].rsplit_once('|').unwrap().0.rsplit_once('|').unwrap().1, "5y328d ago");
    let names = matched(&secrets, &["shop.apps.example.com", "ha.example.org", "-o", "name"]);
    assert_eq!((names.code, names.text()), (0, "secret/wild\nsecret/ha\n"));
}

#[test]
fn a_host_that_nothing_serves_gives_exit_code_1() {
    let secrets = three();
    let found = matched(&secrets, &["a.b.apps.example.com", "ha.example.org"]);
    assert_eq!(found.code, 1);
    assert!(rows(&found).contains(&"a.b.apps.example.com|wild|no|it covers none of the hosts".to_owned()));
    assert!(rows(&found).contains(&"ha.example.org|ha|yes|it covers by name".to_owned()));
    let files = Files::new(&secrets);
    let empty = run(&["match", "-n", "other", "--inventory", &files.inventory(), "x.org"], &[], b"");
    assert_eq!(empty.code, 1);
    assert_eq!(rows(&empty)[1], "x.org|<none>|no|there is no routing secret in namespace other");
    for (host, expected) in [("*", "catch-all"), ("10.0.0.1", "IP address"), ("a:443", "a character that host names")] {
        let found = matched(&secrets, &[host]);
        assert_eq!(found.code, 1);
        assert!(rows(&found)[1].contains(expected), "{host}: {found:?}");
    }
}

#[test]
fn json_and_yaml_hold_the_same_and_never_a_key() {
    let files = Files::new(&three());
    let inventory = files.inventory();
    let all = ["match", "-n", "demo", "--inventory", &inventory, "shop.apps.example.com", "--matching", "epinio", "-o"];
    let (json, yaml) = (run(&[&all[..], &["json"]].concat(), &[], b""), run(&[&all[..], &["yaml"]].concat(), &[], b""));
    let value: Value = serde_json::from_str(json.text()).unwrap();
    assert_eq!(value, serde_saphyr::from_str::<Value>(yaml.text()).unwrap());
    assert_eq!((&value["kind"], &value["items"][0]["served"]), (&"MatchList".into(), &true.into()));
    let codes: Vec<&Value> =
        value["items"][0]["secrets"].as_array().unwrap().iter().map(|secret| &secret["reason"]["code"]).collect();
    assert_eq!(codes, ["wildcard", "coversNone", "coversNone"]);
    assert!(!json.text().contains("PRIVATE"));
}

/// The answers for a live object, given as the API server's JSON.
fn of_object(secrets: &[Tls], object: &str) -> Vec<Answer> {
    let raw = file::parse("secrets", support::list(secrets).as_bytes(), None).unwrap();
    let secrets = raw.into_iter().map(|raw| judge(raw, support::now())).collect();
    let inventory = Inventory::build(secrets, &Sources::default(), support::now());
    let manifest = Manifest::read(object.as_bytes(), &literals()).unwrap();
    let settings = Settings::default();
    let found = find(&manifest, &settings).unwrap();
    found.consumers().flat_map(|(consumer, own)| of_consumer(consumer, own, &inventory, None)).collect()
}

fn ingress(annotations: &str, tls: &str) -> String {
    format!(
        "{{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"Ingress\",\"metadata\":{{\"name\":\"shop\",\"namespace\":\"demo\",\
         \"annotations\":{{{annotations}}}}},\"spec\":{{\"tls\":[{tls}]}}}}"
    )
}

#[test]
fn each_slot_of_an_object_has_its_answer() {
    let entries = [
        r#"{"hosts":["shop.apps.example.com"],"secretName":"shop-tls"}"#,
        r#"{"hosts":["a.apps.example.com","ha.example.org"],"secretName":"both-tls"}"#,
        r#"{"hosts":["ha.example.org"],"secretName":"ha"}"#,
        r#"{"hosts":["nobody.example.net"],"secretName":"none-tls"}"#,
        r#"{"secretName":"no-hosts"}"#,
    ];
    let answers = of_object(&three(), &ingress("", &entries.join(",")));
    let found: Vec<(String, bool, Vec<&str>)> = answers
        .iter()
        .map(|answer| {
            let serving = answer.secrets.iter().filter(|secret| secret.is_serving());
            (answer.slot.as_ref().unwrap().path.clone(), answer.served, serving.map(|of| of.name.as_str()).collect())
        })
        .collect();
    let path = |at: usize| format!("spec.tls[{at}].secretName");
    assert_eq!(
        found,
        [
            (path(0), true, vec!["wild"]),
            (path(1), true, vec!["wild", "ha"]),
            (path(2), true, vec!["ha"]),
            (path(3), false, vec![]),
            (path(4), false, vec![]),
        ]
    );
    assert_eq!(answers[2].secrets[0].reason.message, "it covers by name; the slot names it already");
    let reason = |at: usize| answers[at].reason.as_ref().unwrap().code;
    assert_eq!((reason(3), reason(4)), ("notCovered", "noHosts"));
}

#[test]
fn an_object_that_no_secret_of_its_namespace_can_serve_says_why() {
    let tls = r#"{"hosts":["shop.apps.example.com"],"secretName":"shop-tls"}"#;
    let answers = of_object(&three(), &ingress(r#""kubernetes.io/ingress.class":"istio""#, tls));
    assert_eq!(answers[0].reason.as_ref().unwrap().code, "secretElsewhere");
    assert!(!answers[0].served && answers[0].secrets.is_empty());
}

#[test]
fn wrong_targets_are_refused_and_objects_need_a_cluster() {
    for (target, expected) in [
        ("https://a.example.com", "is a URL"),
        ("pod/a", "is no kind"),
        ("ingress/a", "no cluster is known"),
        ("ingress/\u{1b}[2J", "no cluster is known"),
    ] {
        let found = matched(&three(), &[target]);
        assert_eq!((found.code, found.stdout.len()), (2, 0), "{target}");
        assert!(found.stderr.contains(expected) && !found.stderr.contains('\u{1b}'), "{}", found.stderr);
    }
    assert!(matched(&three(), &["-n", "A B", "x.org"]).stderr.contains("is no name of a namespace"));
}

/// Secrets by name, each with its SANs.
type Named<'s> = &'s [(&'s str, &'s [&'s str])];

/// Epinio's choice for a host: a secret's name, `a or b`, or nothing; and why.
fn epinio(secrets: Named<'_>, host: &str) -> (String, String) {
    let secrets: Vec<Tls> = secrets.iter().map(|(name, sans)| Tls::new("demo", name, sans)).collect();
    let found = json(&matched(&secrets, &["--matching", "epinio", "-o", "json", "--", host]));
    let answer = &found["items"][0]["epinio"][0];
    let names: Vec<&str> = answer["secrets"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    (names.join(" or "), answer["reason"]["code"].as_str().unwrap().to_owned())
}

/// Its own four tests, and what the same rule does elsewhere, asked of Go.
#[test]
fn r3_epinios_table() {
    let house: Named<'_> = &[("dog", &["foxhouse"]), ("cat", &["*house"]), ("fish", &["*hou*"])];
    let wild: Named<'_> = &[("wild", &["*.example.com"])];
    let three: Named<'_> =
        &[("short", &["*.example.com"]), ("long", &["*.apps.example.com"]), ("exact", &["www.apps.example.com"])];
    let one = |san: &'static str| -> Vec<(&str, Vec<&str>)> { vec![("s", vec![san])] };
    let cases: [(Named<'_>, &str, &str); 20] = [
        (&[], "anything", ""),
        (house, "foxhouse", "dog"),
        (house, "cathouse", "cat"),
        (house, "houser", "fish"),
        (wild, "app.example.com", "wild"),
        (wild, "a.b.example.com", "wild"),
        (wild, "example.com", ""),
        (wild, "*.example.com", "wild"),
        (wild, "app.EXAMPLE.com", ""),
        (wild, "app.example.com.", ""),
        (wild, "app.example.com:8080", ""),
        (wild, ".example.com", "wild"),
        (three, "www.apps.example.com", "exact"),
        (three, "a.apps.example.com", "long"),
        (three, "a.b.apps.example.com", "long"),
        (three, "apps.example.com", "short"),
        (three, "x.y.example.com", "short"),
        (three, "example.com", ""),
        (&[("a", &["same.example.com"]), ("b", &["same.example.com"])], "same.example.com", "b"),
        (&[("a", &["a*.example.com"]), ("b", &["*b.example.com"])], "ab.example.com", "a or b"),
    ];
    for (secrets, host, expected) in cases {
        assert_eq!(epinio(secrets, host).0, expected, "{secrets:?} {host}");
    }
    for (san, hosts, expected) in [
        ("*.Example.com", &["app.example.com"][..], ""),
        ("f*.example.com", &["foo.example.com", "f.example.com", "fa.b.example.com"], "s"),
        ("foo.*.example.com", &["foo.x.example.com", "foo.x.y.example.com"], "s"),
        ("*", &["anything.at.all", ""], "s"),
        ("?.example.com", &["a.example.com"], "s"),
        ("[ab].example.com", &["a.example.com"], "s"),
    ] {
        let secrets = one(san);
        let secrets: Vec<(&str, &[&str])> = secrets.iter().map(|(name, sans)| (*name, sans.as_slice())).collect();
        for host in hosts {
            assert_eq!(epinio(&secrets, host).0, expected, "{san} {host}");
        }
    }
    let bad: Named<'_> = &[("bad", &["["]), ("wild", &["*.example.com", "exact.example.com"])];
    assert_eq!(epinio(bad, "a.example.com"), (String::new(), "badPattern".to_owned()));
    assert_eq!(epinio(bad, "exact.example.com"), ("wild".to_owned(), "exact".to_owned()));
}

/// A labelled Secret with this `tls.crt`, beside a good one.
fn with_crt(certificate: &[u8]) -> (String, String) {
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let secret = |name: &str, bytes: &[u8]| {
        format!(
            "apiVersion: v1\nkind: Secret\ntype: Opaque\nmetadata:\n  namespace: demo\n  name: {name}\n  labels: \
             {{epinio.io/routing: \"\"}}\ndata:\n  tls.crt: \"{}\"\n---\n",
            encode(bytes)
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets.yaml");
    let good = Tls::new("demo", "good", &["good.example.org"]).pem().0;
    std::fs::write(&path, secret("good", good.as_bytes()) + &secret("odd", certificate)).unwrap();
    let path = path.display().to_string();
    let choice = |host: &str| {
        let all = ["match", "-n", "demo", "--inventory", &path, "--matching", "epinio", "-o", "json", host];
        let found = json(&run(&all, &[], b""));
        found["items"][0]["epinio"][0]["secrets"][0].as_str().unwrap_or_default().to_owned()
    };
    (choice("leaf.example.org"), choice("good.example.org"))
}

#[test]
fn r3_epinio_takes_the_first_certificate_and_one_bad_secret_disables_all() {
    let leaf = || Tls::new("demo", "leaf", &["leaf.example.org"]);
    let (pem, key) = leaf().pem();
    let mut authority = Tls::new("demo", "ca", &[]);
    authority.ca = true;
    let ca = authority.pem().0;
    let mut expired = leaf();
    expired.years = (2020, 2021);
    let der: Vec<u8> = {
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        base64::engine::general_purpose::STANDARD.decode(body).unwrap()
    };
    let found = ("odd".to_owned(), "good".to_owned());
    for (what, certificate) in [
        ("leaf", pem.clone()),
        ("leaf, CA", pem.clone() + &ca),
        ("key, leaf", key.clone() + &pem),
        ("text, leaf", "subject: a leaf\n".to_owned() + &pem),
        ("another label", pem.replace("CERTIFICATE", "SOMETHING ELSE")),
        ("expired", expired.pem().0),
    ] {
        assert_eq!(with_crt(certificate.as_bytes()), found, "{what}");
    }
    let ignored = (String::new(), "good".to_owned());
    for (what, certificate) in [
        ("CA, leaf", ca + &pem),
        ("no SAN", Tls::new("demo", "leaf.example.org", &[]).pem().0),
        ("an address", Tls::new("demo", "leaf.example.org", &["10.0.0.1"]).pem().0),
    ] {
        assert_eq!(with_crt(certificate.as_bytes()), ignored, "{what}");
    }
    let none = (String::new(), String::new());
    for (what, certificate) in
        [("empty", &b""[..]), ("text", b"no certificate"), ("DER", &der), ("a key", key.as_bytes())]
    {
        assert_eq!(with_crt(certificate), none, "{what}");
    }
}

#[test]
fn epinios_choice_stands_beside_ours() {
    let secrets = [Tls::new("demo", "wild", &["*.example.com"])];
    let found = matched(&secrets, &["--matching", "epinio", "a.example.com", "a.b.example.com"]);
    assert_eq!(found.code, 1, "ours decides");
    assert_eq!(
        rows(&found),
        [
            "HOST|SECRET|EPINIO|REASON OF EPINIO",
            "a.example.com|wild|wild|by the pattern *.example.com",
            "a.b.example.com|<none>|wild|by the pattern *.example.com",
        ]
    );
}

#[test]
fn the_schema_of_the_answers_is_current() {
    support::schema_is_current("match.json", &schemars::schema_for!(routing_secrets::answer::AnswerList));
}
