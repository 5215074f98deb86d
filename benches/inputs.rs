//! Renders, secrets and the time for measurements: generated, so that no text of others is needed.

// Each program that measures uses a part of this.
#![allow(dead_code)]

use std::fmt::Write as _;

use base64::Engine as _;
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair};

/// The time at which everything is measured: inside the certificates' validity.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// One Ingress with a trigger and a Secret of its own, as charts write them.
pub(crate) fn ingress(at: usize) -> String {
    format!(
        "---\n# Source: shop/templates/ingress.yaml\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  \
         name: shop-{at}\n  labels:\n    app.kubernetes.io/name: shop\n    app.kubernetes.io/instance: shop-{at}\n    \
         app.kubernetes.io/managed-by: Helm\n    helm.sh/chart: shop-1.2.3\n  annotations:\n    \
         cert-manager.io/cluster-issuer: letsencrypt-prod\n    nginx.ingress.kubernetes.io/proxy-body-size: \"8m\"\n    \
         nginx.ingress.kubernetes.io/ssl-redirect: \"true\" # always\nspec:\n  ingressClassName: nginx\n  rules:\n  \
         - host: shop-{at}.apps.example.com\n    http:\n      paths:\n      - path: /\n        pathType: Prefix\n        \
         backend:\n          service:\n            name: shop-{at}\n            port:\n              number: 80\n  \
         tls:\n  - hosts:\n    - shop-{at}.apps.example.com\n    secretName: shop-{at}-tls\n"
    )
}

/// A Deployment, a Service and a ConfigMap with a long text: nothing that names a TLS Secret.
fn others(at: usize) -> String {
    let mut text = format!(
        "---\n# Source: shop/templates/deployment.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: \
         shop-{at}\nspec:\n  replicas: 2\n  selector:\n    matchLabels: {{app: shop-{at}}}\n  template:\n    metadata:\n      \
         labels: {{app: shop-{at}}}\n    spec:\n      containers:\n      - name: shop\n        image: \"shop:1.2.3\"\n        \
         args: [\"--listen\", \":8080\", '--name=shop-{at}']\n        env:\n        - {{name: A, value: \"1\"}}\n        \
         resources:\n          limits: {{cpu: 500m, memory: 128Mi}}\n---\n# Source: \
         shop/templates/service.yaml\napiVersion: v1\nkind: Service\nmetadata:\n  name: shop-{at}\nspec:\n  selector: \
         {{app: shop-{at}}}\n  ports:\n  - port: 80\n---\n# Source: shop/templates/configmap.yaml\napiVersion: \
         v1\nkind: ConfigMap\nmetadata:\n  name: shop-{at}\ndata:\n  shop.conf: |\n"
    );
    for line in 0..20 {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    setting.{line} = \"a value of some length, for shop {at}\"; # 100% !important");
    }
    text
}

/// At least `bytes` bytes of a render without consumers.
pub(crate) fn plain(bytes: usize) -> String {
    repeated(bytes, others)
}

/// At least `bytes` bytes of Ingresses, each a document.
pub(crate) fn ingresses(bytes: usize) -> String {
    repeated(bytes, ingress)
}

/// At least `bytes` bytes of Ingresses in one `List`.
pub(crate) fn list(bytes: usize) -> String {
    let item = |at| {
        let text = ingress(at);
        let body = text.lines().filter(|line| !line.starts_with(['-', '#'])).enumerate();
        body.map(|(line, text)| format!("{}{text}\n", if line == 0 { "- " } else { "  " })).collect()
    };
    format!("apiVersion: v1\nkind: List\nitems:\n{}", repeated(bytes, item))
}

/// A chart's render: one Ingress among fifty times the other kinds.
pub(crate) fn mixed(bytes: usize) -> String {
    repeated(bytes, |at| if at % 50 == 0 { ingress(at) } else { others(at) })
}

fn repeated(bytes: usize, document: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(bytes + 4096);
    let mut at = 0;
    while text.len() < bytes {
        text.push_str(&document(at));
        at += 1;
    }
    text
}

/// The namespaces' routing secrets as `kubectl get secrets -o yaml` prints them: one wildcard for
/// the hosts of the Ingresses, and `others` for further hosts.
pub(crate) fn secrets(others: usize) -> Result<String, rcgen::Error> {
    let mut text = "apiVersion: v1\nkind: List\nitems:\n".to_owned();
    text.push_str(&secret("wild", "*.apps.example.com")?);
    for at in 0..others {
        text.push_str(&secret(&format!("other-{at}"), &format!("*.other-{at}.example.org"))?);
    }
    Ok(text)
}

fn secret(name: &str, host: &str) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec![host.to_owned()])?.self_signed(&key)?;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    Ok(format!(
        "- apiVersion: v1\n  kind: Secret\n  type: kubernetes.io/tls\n  metadata:\n    namespace: demo\n    name: \
         {name}\n    labels: {{epinio.io/routing: \"\"}}\n  data:\n    tls.crt: {}\n    tls.key: {}\n",
        encode(&certificate.pem()),
        encode(&key.serialize_pem())
    ))
}
