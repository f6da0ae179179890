//! An HTTPS server that follows a script, down to resetting connections. Blocking, one thread a
//! connection; threads end with the connections they serve.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring};
use socket2::SockRef;

/// What to do with a request that was read.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Send these bytes, and keep the connection.
    Send(String),
    /// Send these bytes and close the connection without a TLS closure alert.
    Cut(String),
    /// Reset the connection.
    Reset,
    /// Send these bytes, and then one more every few milliseconds until the client closes the
    /// connection.
    Drip(String),
    /// Send nothing until the client closes the connection.
    Hang,
}

/// Sends a response with this status and body.
pub(super) fn respond(status: u16, body: &str) -> Act {
    Act::Send(response(status, body))
}

/// A response as it is on the wire.
pub(super) fn response(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\nlocation: /elsewhere\r\ncontent-length: {length}\r\n\r\n{body}")
}

type Stream = StreamOwned<ServerConnection, TcpStream>;

#[derive(Default)]
struct Log {
    script: VecDeque<Act>,
    requests: Vec<String>,
    connections: usize,
}

/// A running server, and the CA of its certificate.
pub(super) struct Server {
    pub(super) ca_pem: String,
    tls: Arc<ServerConfig>,
    port: u16,
    log: Arc<Mutex<Log>>,
}

impl Server {
    /// Serves a script: one act for each request in turn, then hangs.
    pub(super) fn start(script: impl IntoIterator<Item = Act>) -> Self {
        let (ca_pem, tls) = certificates();
        Self::with(ca_pem, tls, script)
    }

    /// Another server under the same CA.
    pub(super) fn beside(&self, script: impl IntoIterator<Item = Act>) -> Self {
        Self::with(self.ca_pem.clone(), Arc::clone(&self.tls), script)
    }

    fn with(ca_pem: String, tls: Arc<ServerConfig>, script: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log =
            Arc::new(Mutex::new(Log { script: script.into_iter().collect(), ..Log::default() }));
        let shared = (Arc::clone(&tls), Arc::clone(&log));
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let (tls, log) = shared.clone();
                thread::spawn(move || serve(socket, tls, &log));
            }
        });
        Self { ca_pem, tls, port, log }
    }

    pub(super) fn url(&self, path: &str) -> reqwest::Url {
        format!("https://localhost:{}{path}", self.port).parse().unwrap()
    }

    /// The requests so far, head and body.
    pub(super) fn requests(&self) -> Vec<String> {
        self.lock().requests.clone()
    }

    /// How many connections have completed their handshake so far.
    pub(super) fn connections(&self) -> usize {
        self.lock().connections
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }
}

/// A CA, and the settings of a server for `localhost` under it.
fn certificates() -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let ca_pem = params.self_signed(&key).unwrap().pem();
    let ca = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let leaf =
        CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key.serialize_der().try_into().unwrap())
        .unwrap();
    (ca_pem, Arc::new(config))
}

fn serve(socket: TcpStream, tls: Arc<ServerConfig>, log: &Mutex<Log>) {
    let mut stream = StreamOwned::new(ServerConnection::new(tls).unwrap(), socket);
    while stream.conn.is_handshaking() {
        if stream.conn.complete_io(&mut stream.sock).is_err() {
            return;
        }
    }
    {
        let mut log = log.lock().unwrap();
        log.connections = log.connections.saturating_add(1);
    }
    while let Some(request) = request(&mut stream) {
        let act = {
            let mut log = log.lock().unwrap();
            log.requests.push(request);
            log.script.pop_front().unwrap_or(Act::Hang)
        };
        match act {
            Act::Send(text) => send(&mut stream, &text),
            Act::Cut(text) => return send(&mut stream, &text),
            Act::Reset => {
                let reset = SockRef::from(&stream.sock).set_linger(Some(Duration::ZERO));
                return reset.unwrap();
            }
            Act::Drip(text) => {
                send(&mut stream, &text);
                return drip(&mut stream);
            }
            Act::Hang => return drop(stream.read(&mut [0])),
        }
    }
}

/// Head and body of the next request; `None` once the client has closed the connection.
fn request(stream: &mut Stream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        read.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&read).into_owned();
        let complete = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = header(head, "content-length").unwrap_or("0");
            body.len() >= length.parse().unwrap()
        });
        if complete {
            return Some(text);
        }
    }
}

/// The value of a header in a request's head.
pub(super) fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let head = request.split("\r\n\r\n").next()?;
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// Errors are ignored: the client may have closed the connection already.
fn send(stream: &mut Stream, text: &str) {
    drop(stream.write_all(text.as_bytes()));
    drop(stream.flush());
}

/// The read's time limit sets the pace: there is nothing to read until the client closes the
/// connection.
fn drip(stream: &mut Stream) {
    stream.sock.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    loop {
        match stream.read(&mut [0]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                send(stream, " ");
            }
            Ok(_) | Err(_) => return,
        }
    }
}
