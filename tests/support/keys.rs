//! Every private key that the tests make and everything that the program gives out, kept in a folder, so that after a
//! whole run `tests/keys.rs` can say that none of the one is in any of the other.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use aho_corasick::AhoCorasick;
use base64::Engine as _;

/// Stands before each output.
const HEADER: &str = "\n#### ";

/// Where the keys and outputs of this checkout's tests are kept.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("key-watch")
}

/// Keeps what one test process makes and sees, each thing once.
pub struct Watch {
    keys: Mutex<Kept>,
    outputs: Mutex<Kept>,
}

struct Kept {
    file: File,
    known: HashSet<u64>,
}

impl Kept {
    fn add(&mut self, before: &str, bytes: &[u8], after: &str) {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        if !bytes.is_empty() && self.known.insert(hasher.finish()) {
            self.file.write_all(&[before.as_bytes(), bytes, after.as_bytes()].concat()).unwrap();
        }
    }
}

impl Watch {
    pub fn new(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let kept = |what: &str| {
            let path = folder.join(format!("{what}-{}", std::process::id()));
            let file = File::options().create(true).append(true).open(path).unwrap();
            Mutex::new(Kept { file, known: HashSet::new() })
        };
        Self { keys: kept("keys"), outputs: kept("outputs") }
    }

    fn of_this_process() -> &'static Self {
        static WATCH: OnceLock<Watch> = OnceLock::new();
        WATCH.get_or_init(|| Self::new(&folder()))
    }

    pub fn key(&self, pem: &str) {
        // A form that is not known fails here, in the test that made it, and not at the end.
        assert!(!pieces(pem).is_empty(), "a key of unknown form: teach tests/support/keys.rs where its secret part is");
        self.keys.lock().unwrap().add("", encode(pem.as_bytes()).as_bytes(), "\n");
    }

    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A], env: &[(&str, &str)], stdout: &[u8], stderr: &[u8]) {
        let words: Vec<String> = arguments.iter().map(|word| word.as_ref().to_string_lossy().into_owned()).collect();
        let of = words.join(" ");
        self.output(&format!("{of}: standard output"), stdout);
        self.output(&format!("{of}: standard error"), stderr);
        let after = words.windows(2).filter(|pair| pair[0] == "--report").map(|pair| pair[1].as_str());
        let joined = words.iter().filter_map(|word| Some(word.split_once("--report=")?.1));
        let by_env = env.iter().filter(|(name, _)| *name == "ROUTING_SECRETS_REPORT").map(|&(_, value)| value);
        for path in after.chain(joined).chain(by_env) {
            // Not every run gets as far as its report, and a pipe or a device would not end.
            if Path::new(path).is_file() {
                self.output(&format!("{of}: {path}"), &fs::read(path).unwrap());
            }
        }
    }

    pub fn output(&self, of: &str, bytes: &[u8]) {
        self.outputs.lock().unwrap().add(&format!("{HEADER}{}\n", of.escape_debug()), bytes, "");
    }
}

/// Keeps what a run of the program, or of helm with it, has printed and the reports that it has written.
pub fn seen<A: AsRef<OsStr>>(arguments: &[A], env: &[(&str, &str)], stdout: &[u8], stderr: &[u8]) {
    Watch::of_this_process().run(arguments, env, stdout, stderr);
}

/// Keeps a private key in PEM.
pub fn made(pem: &str) {
    Watch::of_this_process().key(pem);
}

/// What was kept in a folder, and what of it should not be there.
#[derive(Debug, Default)]
pub struct Found {
    pub keys: usize,
    pub outputs: usize,
    pub bytes: usize,
    /// The runs whose output holds a piece of a key.
    pub leaks: Vec<String>,
}

/// Looks for every key in every output.
pub fn search(folder: &Path) -> Found {
    let mut found = Found::default();
    let files = |what: &str| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap());
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(what));
        named.map(|entry| entry.path()).collect()
    };
    let mut needles = HashSet::new();
    for path in files("keys-") {
        for line in fs::read_to_string(path).unwrap().lines() {
            found.keys += 1;
            needles.extend(forms(&String::from_utf8(decode(line)).unwrap()));
        }
    }
    let any = AhoCorasick::new(&needles).unwrap();
    for path in files("outputs-") {
        let bytes = fs::read(path).unwrap();
        found.bytes += bytes.len();
        found.outputs += memchr::memmem::find_iter(&bytes, HEADER).count();
        let mut leaks = HashSet::new();
        for leak in any.find_iter(&bytes) {
            let start = memchr::memmem::rfind(&bytes[..leak.start()], HEADER.as_bytes()).unwrap() + HEADER.len();
            let end = start + memchr::memchr(b'\n', &bytes[start..]).unwrap();
            leaks.insert(String::from_utf8_lossy(&bytes[start..end]).into_owned());
        }
        found.leaks.extend(leaks);
    }
    found
}

fn encode(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

/// The forms in which each secret piece of a key can leak: as PEM has it, inside the base64 of the PEM, and as Rust
/// prints bytes for debugging.
fn forms(pem: &str) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for piece in pieces(pem) {
        forms.push(pem[piece.clone()].as_bytes().to_vec());
        let (start, end) = (piece.start.next_multiple_of(3), piece.end / 3 * 3);
        forms.push(encode(&pem.as_bytes()[start..end]).into_bytes());
        let numbers: Vec<String> = pem.as_bytes()[piece].iter().map(u8::to_string).collect();
        forms.push(numbers.join(", ").into_bytes());
    }
    forms
}

/// The parts of the text of a PEM block that nobody but the key's owner knows, at most one a line. The rest of a key
/// (its algorithm, the public half) stands in certificates, too.
fn pieces(pem: &str) -> Vec<Range<usize>> {
    /// Fewer characters could be there by chance.
    const SHORTEST: usize = 12;
    let lines = || pem.lines().filter(|line| !line.starts_with("-----"));
    let der = decode(&lines().collect::<String>());
    let Some(secret) = secret(&der) else { return Vec::new() };
    let mut pieces = Vec::new();
    let mut byte = 0;
    for line in lines() {
        let text = line.as_ptr() as usize - pem.as_ptr() as usize;
        let length = line.trim_end_matches('=').len() / 4 * 3;
        let start = secret.start.clamp(byte, byte + length) - byte;
        let end = secret.end.clamp(byte, byte + length) - byte;
        let piece = text + start.div_ceil(3) * 4..text + end / 3 * 4;
        if piece.len() >= SHORTEST {
            pieces.push(piece);
        }
        byte += length;
    }
    pieces
}

/// The secret bytes of a key: an elliptic curve's number (RFC 5915), Ed25519's seed (RFC 8410), all that follows the
/// public exponent of an RSA key (RFC 8017).
fn secret(der: &[u8]) -> Option<Range<usize>> {
    const STARTS: [(&[u8], usize); 5] = [
        (&[0x02, 0x01, 0x01, 0x04, 0x20], 32),
        (&[0x02, 0x01, 0x01, 0x04, 0x30], 48),
        (&[0x02, 0x01, 0x01, 0x04, 0x42], 66),
        (&[0x04, 0x22, 0x04, 0x20], 32),
        (&[0x02, 0x03, 0x01, 0x00, 0x01], usize::MAX),
    ];
    STARTS.iter().find_map(|(start, length)| {
        let from = memchr::memmem::find(der, start)? + start.len();
        Some(from..from.saturating_add(*length).min(der.len()))
    })
}
