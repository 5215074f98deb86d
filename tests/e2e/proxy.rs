//! A proxy before the real API server which does what servers and networks do wrong, and counts what it is asked.

// Each test program uses a part of this.
#![allow(dead_code, unreachable_pub)]

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::support::keys;
use crate::world::{World, bed};

/// What happens to a request.
pub enum Fault {
    /// The server's own answer.
    None,
    /// No answer; the connection stays open.
    Hang,
    /// Half an answer; the connection stays open.
    HangInBody,
    /// Half an answer; the connection is closed as it should be.
    Truncate,
    /// Half an answer; the connection is reset.
    Reset,
    /// A whole answer with half the JSON.
    HalfJson,
    /// This answer: status, a header line or nothing, body. The server is not asked.
    Answer(u16, &'static str, String),
}

/// The answer of an API server that refuses.
pub fn status(code: u16, header: &'static str, reason: &str) -> Fault {
    let body = format!(
        "{{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"made up: {reason}\",\"reason\":\"{reason}\",\"code\":{code}}}"
    );
    Fault::Answer(code, header, body)
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Method, path and query.
    pub target: String,
    /// When.
    pub at: Instant,
}

/// Decides by the request and by how many of its method and path were there before.
type Rule = dyn Fn(&str, usize) -> Fault + Send + Sync;
type Tls = StreamOwned<ServerConnection, TcpStream>;

struct Shared {
    rule: Box<Rule>,
    seen: Mutex<Vec<Seen>>,
    counts: Mutex<HashMap<String, usize>>,
    held: Mutex<Vec<Tls>>,
    upstream: SocketAddr,
    client: Arc<ClientConfig>,
}

/// The proxy; it answers for as long as the test program runs.
pub struct Proxy {
    /// Its address, with a certificate that the bed's CA has signed.
    pub server: String,
    shared: Arc<Shared>,
}

impl Proxy {
    /// A proxy with a rule.
    pub fn new(rule: impl Fn(&str, usize) -> Fault + Send + Sync + 'static) -> Self {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let (certificate, key) = signed(params);
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let config = Arc::new(config.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(bed("BED_CA")).unwrap()).unwrap();
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let shared = Arc::new(Shared {
            rule: Box::new(rule),
            seen: Mutex::default(),
            counts: Mutex::default(),
            held: Mutex::default(),
            upstream: bed("BED_SERVER").trim_start_matches("https://").parse().unwrap(),
            client: Arc::new(client.with_root_certificates(roots).with_no_client_auth()),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("https://{}", listener.local_addr().unwrap());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (shared, config) = (Arc::clone(&accepting), Arc::clone(&config));
                thread::spawn(move || {
                    let connection = ServerConnection::new(config).unwrap();
                    // A client that goes away is no failure of the proxy: the test sees what the client made of it.
                    let _ = shared.serve(StreamOwned::new(connection, stream.unwrap()));
                });
            }
        });
        Self { server, shared }
    }

    /// A proxy that only counts.
    pub fn honest() -> Self {
        Self::new(|_, _| Fault::None)
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// The requests for Secrets so far: their times, each with the time since the one before.
    pub fn waits(&self) -> Vec<Duration> {
        let lists: Vec<Seen> = self.seen().into_iter().filter(|seen| is_list(&seen.target)).collect();
        lists.windows(2).map(|two| two[1].at - two[0].at).collect()
    }
}

/// Whether Secrets are listed.
pub fn is_list(target: &str) -> bool {
    target.contains("/secrets?")
}

impl Shared {
    fn serve(&self, mut stream: Tls) -> std::io::Result<()> {
        let (head, body) = request(&mut stream)?;
        let target = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let nth = {
            let mut counts = self.counts.lock().unwrap();
            let count = counts.entry(path).or_default();
            *count += 1;
            *count - 1
        };
        self.seen.lock().unwrap().push(Seen { target: target.clone(), at: Instant::now() });
        let fault = (self.rule)(&target, nth);
        let answer = match &fault {
            Fault::Hang => Vec::new(),
            Fault::Answer(code, header, body) => whole(&format!("{code} Made-Up"), header, body.as_bytes()),
            _ => self.ask(&head, &body)?,
        };
        let body_at = find(&answer, b"\r\n\r\n").map_or(0, |at| at + 4);
        let half = body_at + (answer.len() - body_at) / 2;
        match fault {
            Fault::None | Fault::Answer(..) => stream.write_all(&answer)?,
            Fault::HalfJson => stream.write_all(&whole("200 OK", "", &answer[body_at..half]))?,
            Fault::Hang | Fault::HangInBody => {
                stream.write_all(&answer[..half])?;
                stream.flush()?;
                self.held.lock().unwrap().push(stream);
                return Ok(());
            }
            Fault::Truncate | Fault::Reset => stream.write_all(&answer[..half])?,
        }
        stream.flush()?;
        if matches!(fault, Fault::Reset) {
            return socket2::SockRef::from(&stream.sock).set_linger(Some(Duration::ZERO));
        }
        stream.conn.send_close_notify();
        stream.flush()
    }

    /// The real server's answer, as its bytes are.
    fn ask(&self, head: &str, body: &[u8]) -> std::io::Result<Vec<u8>> {
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connection = ClientConnection::new(Arc::clone(&self.client), name).unwrap();
        let mut server = StreamOwned::new(connection, TcpStream::connect(self.upstream)?);
        let kept =
            head.lines().filter(|line| !line.is_empty() && !line.to_ascii_lowercase().starts_with("connection:"));
        let head: String = kept.map(|line| format!("{line}\r\n")).collect();
        server.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
        server.write_all(body)?;
        server.flush()?;
        let mut answer = Vec::new();
        // The server may close without saying so; its bytes are complete by their own length.
        let _ = server.read_to_end(&mut answer);
        Ok(answer)
    }
}

fn whole(status: &str, header: &str, body: &[u8]) -> Vec<u8> {
    let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{header}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// A request's head and body.
fn request(stream: &mut impl Read) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    let end = loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            break end + 4;
        }
        match stream.read(&mut piece)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8(bytes).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    });
    while body.len() < length.unwrap_or(0) {
        match stream.read(&mut piece)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => body.extend_from_slice(&piece[..count]),
        }
    }
    Ok((head, body))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// A certificate signed by the bed's CA, and its key, in PEM.
pub fn signed(params: CertificateParams) -> (String, String) {
    // openssl wrote the CA's key in the older form, which rcgen does not read.
    let output = Command::new("openssl").args(["pkcs8", "-topk8", "-nocrypt", "-in", &bed("BED_CA_KEY")]).output();
    let ca_key = KeyPair::from_pem(&String::from_utf8(output.unwrap().stdout).unwrap()).unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.distinguished_name = rcgen::DistinguishedName::new();
    ca.distinguished_name.push(DnType::CommonName, "bed-ca");
    let key = KeyPair::generate().unwrap();
    keys::made(&key.serialize_pem());
    (params.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap().pem(), key.serialize_pem())
}

/// A context of a kubeconfig.
pub struct Context<'c> {
    pub name: &'c str,
    pub server: &'c str,
    pub ca: &'c str,
    pub namespace: &'c str,
    /// The user as the kubeconfig has it.
    pub user: serde_json::Value,
}

impl<'c> Context<'c> {
    /// The admin's way to a server with a certificate of the bed's CA.
    pub fn admin(name: &'c str, server: &'c str, ca: &'c str, namespace: &'c str) -> Self {
        Self { name, server, ca, namespace, user: serde_json::json!({"token": bed("BED_TOKEN_ADMIN")}) }
    }
}

/// Writes a kubeconfig; the first context is the current one.
pub fn kubeconfig(world: &World, file: &str, contexts: &[Context<'_>]) -> String {
    use serde_json::{Value, json};
    let list = |entry: &dyn Fn(&Context<'_>) -> Value| contexts.iter().map(entry).collect::<Vec<Value>>();
    let clusters = list(&|c| json!({"name": c.name, "cluster": {"server": c.server, "certificate-authority": c.ca}}));
    let users = list(&|c| json!({"name": c.name, "user": c.user}));
    let contexts_list =
        list(&|c| json!({"name": c.name, "context": {"cluster": c.name, "user": c.name, "namespace": c.namespace}}));
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": contexts[0].name,
        "clusters": clusters, "users": users, "contexts": contexts_list,
    });
    let path = world.write(file, &config.to_string());
    // Helm warns of a kubeconfig that others can read.
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    path
}
