//! TLS handshakes as any client makes them: which certificate is shown for a host, now and without a pause.

// Each test program uses a part of this.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

/// Long enough for a busy machine.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client that takes every certificate.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    config: Arc<ClientConfig>,
}

impl Client {
    pub fn new(address: &str) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap().dangerous();
        let mut config = builder.with_custom_certificate_verifier(Arc::new(Anything(provider))).with_no_client_auth();
        // A resumed session would show the certificate of the first one.
        config.resumption = Resumption::disabled();
        Self { address: address.parse().unwrap(), config: Arc::new(config) }
    }

    /// The leaf certificate, in DER, that the server shows for this name.
    ///
    /// # Errors
    /// When there was no handshake.
    pub fn leaf(&self, host: &str) -> io::Result<Vec<u8>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let mut connection = ClientConnection::new(Arc::clone(&self.config), name).map_err(io::Error::other)?;
        let mut stream = TcpStream::connect_timeout(&self.address, TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        let shown = connection.peer_certificates().and_then(|chain| chain.first());
        shown.map(|leaf| leaf.to_vec()).ok_or_else(|| io::Error::other("no certificate was shown"))
    }

    /// Shakes hands for each of the hosts so many times a second, until [`Watch::finish`].
    pub fn watch(&self, hosts: &[String], per_second: u32) -> Watch {
        let state = Arc::new(State::default());
        let threads = hosts.iter().map(|host| {
            let (client, host, state) = (self.clone(), host.clone(), Arc::clone(&state));
            std::thread::spawn(move || (host.clone(), client.watch_one(&host, per_second, &state)))
        });
        Watch { threads: threads.collect(), state }
    }

    fn watch_one(&self, host: &str, per_second: u32, state: &State) -> Vec<Seen> {
        let began = Instant::now();
        let mut seen = Vec::new();
        while !state.ends.load(Ordering::Relaxed) {
            // By the schedule, not after the last one: what a busy machine delays is made up for.
            let at = began + Duration::from_secs(1) * u32::try_from(seen.len()).unwrap() / per_second;
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            let at = Instant::now();
            seen.push(Seen { at, leaf: self.leaf(host).map_err(|error| error.to_string()) });
            state.made.fetch_add(1, Ordering::Relaxed);
        }
        seen
    }
}

/// One handshake.
pub struct Seen {
    /// When it began.
    pub at: Instant,
    pub leaf: Result<Vec<u8>, String>,
}

/// Handshakes that go on.
pub struct Watch {
    threads: Vec<JoinHandle<(String, Vec<Seen>)>>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    ends: AtomicBool,
    made: AtomicUsize,
}

impl Watch {
    /// How many handshakes there were up to now.
    pub fn made(&self) -> usize {
        self.state.made.load(Ordering::Relaxed)
    }

    /// What was seen, by host.
    pub fn finish(mut self) -> BTreeMap<String, Vec<Seen>> {
        self.state.ends.store(true, Ordering::Relaxed);
        std::mem::take(&mut self.threads).into_iter().map(|thread| thread.join().unwrap()).collect()
    }
}

impl Drop for Watch {
    // Also when a test fails meanwhile.
    fn drop(&mut self) {
        self.state.ends.store(true, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Anything(Arc<CryptoProvider>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _stapled: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
