//! A stretch of network that can be cut and frozen: what goes to the proxy arrives at the server behind it, or does not.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use url::Url;

/// A proxy on loopback. Dropping it cuts everything.
pub(crate) struct Proxy {
    address: SocketAddr,
    network: Arc<Network>,
}

#[derive(Default)]
struct Network {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_frozen: bool,
    is_cut: bool,
    streams: Vec<TcpStream>,
}

impl Proxy {
    /// One in front of `server`, `HOST:PORT`.
    pub(crate) fn start(server: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let network = Arc::new(Network::default());
        let shared = Arc::clone(&network);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let network = Arc::clone(&shared);
                let server = server.clone();
                std::thread::spawn(move || network.connect(client, &server));
            }
        });
        Self { address, network }
    }

    /// One in front of the server of a database URL, and the URL that leads through it.
    pub(crate) fn of_database(url: &str) -> (Self, String) {
        let mut url = Url::parse(url).unwrap();
        let host = url
            .host_str()
            .expect("a server that is reached by TCP")
            .to_owned();
        let proxy = Self::start(format!("{host}:{}", url.port().unwrap_or(5432)));
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(proxy.address.port())).unwrap();
        (proxy, url.into())
    }

    /// Nothing goes through any more, and nobody is told.
    pub(crate) fn freeze(&self) {
        self.network.change(|state| state.is_frozen = true);
    }

    /// Every connection ends, and so does every new one.
    pub(crate) fn cut(&self) {
        self.network.change(|state| {
            state.is_cut = true;
            for stream in state.streams.drain(..) {
                // It may have ended already.
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
    }

    /// All is well again.
    pub(crate) fn restore(&self) {
        self.network.change(|state| {
            state.is_frozen = false;
            state.is_cut = false;
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.restore();
        self.cut();
    }
}

impl Network {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    fn connect(self: Arc<Self>, client: TcpStream, server: &str) {
        let Ok(upstream) = TcpStream::connect(server) else {
            return;
        };
        {
            let mut state = self.state.lock().unwrap();
            if state.is_cut {
                return;
            }
            for stream in [&client, &upstream] {
                stream.set_nodelay(true).unwrap();
                state.streams.push(stream.try_clone().unwrap());
            }
        }
        let network = Arc::clone(&self);
        let (from, to) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
        std::thread::spawn(move || network.pass(from, to));
        self.pass(upstream, client);
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = [0; 16_384];
        while let Ok(size) = from.read(&mut buffer) {
            let state = self.state.lock().unwrap();
            drop(
                self.changed
                    .wait_while(state, |state| state.is_frozen)
                    .unwrap(),
            );
            if size == 0 || to.write_all(&buffer[..size]).is_err() {
                break;
            }
        }
        // Either may have ended already.
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
